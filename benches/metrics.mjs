/**
 * Metrics in WASM beside the same code natively and beside memory.copy: `node benches/metrics.mjs [ROUNDS]`. Contenders
 * take turns within every round, and the best of each counts; ratios are what means something. The native ones are
 * crates/vaerans-metrics/examples/compare.rs, built for plain x86-64 or whatever the machine is.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readImage } from '../dist/image/file.js';
import { encodeImage } from '../dist/image/write.js';

const ROOT = join(import.meta.dirname, '..');
const METRICS = ['mean_squared_error', 'mean_squared_luma_error', 'ssim', 'ms_ssim', 'ssimulacra2'];
const BUILDS = ['simd', 'scalar'];
const [rounds = '5'] = process.argv.slice(2);

const photo = await readImage(join(ROOT, 'fixtures/photo.png'));
const { widthPx, heightPx } = photo;
const pixels = widthPx * heightPx;
const coarse = { ...photo, data: Uint8Array.from(photo.data, (sample) => (sample & 0xe0) | 0x10) };

/** @param {string} build */
function open(build) {
  const file = join(ROOT, `build/wasm/vaerans_metrics_${build}.wasm`);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {});
  const core = /** @type {any} */ (instance.exports);
  core.pictures_reserve(widthPx, heightPx, 3);
  for (const [index, { data }] of [photo, coarse].entries()) {
    new Uint8Array(core.memory.buffer, core.picture_offset(index), data.length).set(data);
  }
  return core;
}

/** @param {() => void} work @returns {number} milliseconds, of the best of three */
function timed(work) {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3; run++) {
    const startMs = performance.now();
    work();
    best = Math.min(best, performance.now() - startMs);
  }
  return best;
}

const folder = mkdtempSync(join(tmpdir(), 'vaerans-metrics-'));
/** @type {Map<string, number>} */
const best = new Map();
const note = (/** @type {string} */ name, /** @type {number} */ ms) =>
  best.set(name, Math.min(ms, best.get(name) ?? Number.POSITIVE_INFINITY));
try {
  const paths = [photo, coarse].map((picture, index) => {
    const path = join(folder, `${index}.ppm`);
    writeFileSync(path, encodeImage(picture, 'ppm'));
    return path;
  });
  const cores = BUILDS.map((build) => /** @type {const} */ ([build, open(build)]));
  for (let round = 0; round < Number(rounds); round++) {
    for (const [build, core] of cores) {
      for (const metric of METRICS)
        note(
          `${metric} ${build}`,
          timed(() => core[metric]()),
        );
    }
    const memory = new Uint8Array(2 * photo.data.length);
    note(
      'copy',
      timed(() => memory.copyWithin(0, photo.data.length)),
    );
    const args = ['run', '-q', '--release', '-p', 'vaerans-metrics', '--example', 'compare', '--'];
    const { stdout } = spawnSync('cargo', [...args, ...paths], { cwd: ROOT, encoding: 'utf8' });
    for (const [, metric, ms] of stdout.matchAll(/^(\w+) .* ([\d.]+) ms$/gm)) {
      note(`${metric} native`, Number(ms));
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}

const copyMs = best.get('copy') ?? 0;
console.log(`${widthPx}x${heightPx}; copying one picture takes ${copyMs.toFixed(3)} ms`);
console.log(
  '| metric | SIMD ms | Mpx/s | scalar / SIMD | native ms | native / SIMD | copy / SIMD |',
);
console.log('|---|---|---|---|---|---|---|');
for (const metric of METRICS) {
  const [simd = 0, scalar = 0, native = 0] = ['simd', 'scalar', 'native'].map((build) =>
    best.get(`${metric} ${build}`),
  );
  const cells = [
    simd.toFixed(2),
    (pixels / simd / 1000).toFixed(1),
    (scalar / simd).toFixed(2),
    native.toFixed(2),
    (native / simd).toFixed(2),
    (copyMs / simd).toFixed(3),
  ];
  console.log(`| ${metric} | ${cells.join(' | ')} |`);
}
