/**
 * Peak resident memory against pixels: a picture of each size goes from PPM to .vae and back to PPM and to PNG, each
 * time in a process of its own, which says at its end what it held at most. Writes docs/memory.md's table and plot.
 *
 *   node benches/memory.mjs [megapixels ...] [--out docs/memory]       1 12 48 100 where none is named
 *
 * Needs the built tree (`npm run setup`) and three times the largest picture in the temporary folder, 900 MB.
 * @module
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const BIN = join(ROOT, 'bin/vaerans.js');
const MEGA = 1e6;

/** A landscape of 4 to 3 with about so many pixels: soft colours, edges, and noise as a sensor has it. */
function writePicture(/** @type {string} */ path, /** @type {number} */ megapixels) {
  const heightPx = Math.round(Math.sqrt((megapixels * MEGA * 3) / 4));
  const widthPx = Math.round((megapixels * MEGA) / heightPx);
  const file = openSync(path, 'w');
  writeSync(file, `P6\n${widthPx} ${heightPx}\n255\n`);
  const row = new Uint8Array(widthPx * 3);
  const waves = Float64Array.from(
    { length: widthPx },
    (_, x) => 50 * Math.sin(x / 97) + 25 * Math.sin(x / 13),
  );
  let noise = 1;
  for (let y = 0; y < heightPx; y++) {
    const light = 120 + 60 * Math.cos(y / 131);
    for (let x = 0, at = 0; x < widthPx; x++) {
      noise = (Math.imul(noise, 1664525) + 1013904223) | 0;
      const edge = ((x >> 7) ^ (y >> 7)) & 1 ? 25 : 0;
      const value = light + (waves[x] ?? 0) + edge + (noise >> 29);
      row[at++] = Math.max(0, Math.min(255, value));
      row[at++] = Math.max(0, Math.min(255, value * 0.9 + 10));
      row[at++] = Math.max(0, Math.min(255, 200 - value / 2));
    }
    writeSync(file, row);
  }
  closeSync(file);
  return { widthPx, heightPx };
}

/** Runs the program. @returns its peak resident memory in bytes, as the system counts it, and its time */
function run(/** @type {readonly string[]} */ args, /** @type {string} */ folder) {
  const report = join(folder, 'peak.txt');
  const hook = `import { writeFileSync } from 'node:fs';
    process.on('exit', () => writeFileSync(${JSON.stringify(report)}, String(process.resourceUsage().maxRSS)));`;
  const startMs = performance.now();
  const { status, stderr } = spawnSync(
    process.execPath,
    [`--import=data:text/javascript,${encodeURIComponent(hook)}`, BIN, ...args],
    { cwd: folder, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  return {
    peakBytes: Number(readFileSync(report, 'utf8')) * 1024,
    seconds: (performance.now() - startMs) / 1000,
  };
}

/** @typedef {{ widthPx: number, heightPx: number, fileBytes: number, encode: Ran, toPpm: Ran, toPng: Ran }} Row */
/** @typedef {{ peakBytes: number, seconds: number }} Ran */

/** @returns {Row} */
function measure(/** @type {number} */ megapixels) {
  const folder = mkdtempSync(join(tmpdir(), 'vaerans-memory-'));
  try {
    const size = writePicture(join(folder, 'in.ppm'), megapixels);
    const encode = run(['compress', 'in.ppm', 'a.vae', '--quiet'], folder);
    const toPpm = run(['decompress', 'a.vae', 'out.ppm', '--quiet'], folder);
    rmSync(join(folder, 'in.ppm'));
    const toPng = run(['decompress', 'a.vae', 'out.png', '--quiet'], folder);
    return { ...size, fileBytes: statSync(join(folder, 'a.vae')).size, encode, toPpm, toPng };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const mebibytes = (/** @type {number} */ bytes) => Math.round(bytes / 2 ** 20);

function tableOf(/** @type {readonly Row[]} */ rows) {
  const lines = rows.map(({ widthPx, heightPx, fileBytes, encode, toPpm, toPng }) => {
    const pixels = widthPx * heightPx;
    const cells = [
      `${(pixels / MEGA).toFixed(0)}`,
      `${widthPx}x${heightPx}`,
      `${mebibytes(pixels * 3)}`,
      ...[encode, toPpm, toPng].map((ran) => `${mebibytes(ran.peakBytes)}`),
      `${(fileBytes / MEGA).toFixed(2)}`,
      ...[encode, toPpm, toPng].map((ran) => `${ran.seconds.toFixed(1)}`),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| megapixels | size | samples, MiB | PPM to .vae, MiB | .vae to PPM, MiB | .vae to PNG, MiB | .vae, MB | s | s | s |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

/** Both axes from 0, megapixels across, MiB up. */
function plotOf(/** @type {readonly Row[]} */ rows) {
  const [width, height, left, bottom] = [640, 400, 70, 50];
  const points = rows.map((row) => (row.widthPx * row.heightPx) / MEGA);
  const series = /** @type {const} */ ([
    ['samples of the picture', '#999', (/** @type {Row} */ r) => r.widthPx * r.heightPx * 3],
    ['PPM to .vae', '#0072b2', (/** @type {Row} */ r) => r.encode.peakBytes],
    ['.vae to PPM', '#d55e00', (/** @type {Row} */ r) => r.toPpm.peakBytes],
    ['.vae to PNG', '#009e73', (/** @type {Row} */ r) => r.toPng.peakBytes],
  ]);
  const mostX = Math.max(...points);
  const most = Math.max(...rows.flatMap((row) => series.map(([, , of]) => mebibytes(of(row)))));
  const mostY = Math.ceil(most / 200) * 200;
  const x = (/** @type {number} */ value) => left + (value / mostX) * (width - left - 20);
  const y = (/** @type {number} */ value) =>
    height - bottom - (value / mostY) * (height - bottom - 20);
  const steps = Array.from({ length: mostY / 200 + 1 }, (_, step) => step * 200);
  const grid = steps.map(
    (value) =>
      `<path d="M${left} ${y(value)}H${width - 20}" stroke="#ddd"/><text x="${left - 8}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
  );
  const ticks = points.map(
    (value) =>
      `<text x="${x(value).toFixed(1)}" y="${height - bottom + 18}" text-anchor="middle">${value.toFixed(0)}</text>`,
  );
  const lines = series.map(([name, colour, of], index) => {
    const path = rows.map(
      (row, at) => `${x(points[at] ?? 0).toFixed(1)} ${y(mebibytes(of(row))).toFixed(1)}`,
    );
    return `<path d="M${path.join('L')}" fill="none" stroke="${colour}" stroke-width="2"/><text x="${left + 12}" y="${36 + 18 * index}" fill="${colour}">${name}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12"><title>Peak resident memory against megapixels</title>
<rect width="100%" height="100%" fill="#fff"/>
${[...grid, ...ticks, ...lines].join('\n')}
<text x="${(left + width) / 2}" y="${height - 10}" text-anchor="middle">megapixels</text>
<text transform="translate(16 ${height / 2}) rotate(-90)" text-anchor="middle">peak resident memory, MiB</text>
</svg>
`;
}

const args = process.argv.slice(2);
const outAt = args.indexOf('--out');
const out = outAt < 0 ? undefined : args.splice(outAt, 2)[1];
const sizes = args.length > 0 ? args.map(Number) : [1, 12, 48, 100];
const rows = sizes.map(measure);
console.log(`${cpus()[0]?.model}, ${cpus().length} cores, node ${process.version}\n`);
console.log(tableOf(rows));
if (out !== undefined) {
  writeFileSync(`${out}.svg`, plotOf(rows));
  const page = readFileSync(`${out}.md`, 'utf8');
  const between = /(<!-- table -->\n)[\s\S]*(\n<!-- end of table -->)/;
  writeFileSync(
    `${out}.md`,
    page.replace(between, (_, start, end) => start + tableOf(rows) + end),
  );
}
