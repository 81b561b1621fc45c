import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { CoreExports } from '#src/wasm/exports.js';
import { adapting, latents, modelFile, Noise, withAll, withNet } from './toy-context.js';

const ROOT = join(import.meta.dirname, '../..');
const HASHES = readFileSync(join(ROOT, 'fixtures/payload-hashes.txt'), 'utf8');
const CHANNELS = [1, 4, 16, 32];
/** Of the coarse and the fine grid. */
const TWO_CHANNELS: readonly (readonly [number, number])[] = [
  [1, 3],
  [8, 5],
  [16, 24],
];
const CAPACITY_BYTES = 1 << 20;

function fnv1a(bytes: Uint8Array): string {
  let state = 0x811c9dc5;
  for (const byte of bytes) state = Math.imul(state ^ byte, 0x01000193);
  return (state >>> 0).toString(16).padStart(8, '0');
}

/** The twin of `hashes` in crates/vaerans-core/tests/support/payloads.rs, by a build of the core. */
function hashesOf(build: string): string {
  const file = join(ROOT, `build/wasm/vaerans_${build}.wasm`);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {});
  const core = instance.exports as unknown as CoreExports;
  const symbolsAt = core.arena_reserve(4 * CAPACITY_BYTES + 128);
  const bytesAt = symbolsAt + CAPACITY_BYTES;
  const backAt = bytesAt + CAPACITY_BYTES;
  const lengthAt = backAt + CAPACITY_BYTES;
  const gridsAt = lengthAt + 64;
  const at = (offset: number, byteLength: number) =>
    new Uint8Array(core.memory.buffer, offset, byteLength);
  const load = (model: Uint8Array) => {
    at(bytesAt, model.length).set(model);
    return core.context_model_load(bytesAt, model.length);
  };
  const handles = CHANNELS.map((channels) => load(modelFile(channels)));

  const expectCoded = (
    symbols: Uint8Array,
    encoded: number,
    decode: (byteLength: number) => number,
  ) => {
    expect(encoded).toBe(0);
    const byteLength = new DataView(core.memory.buffer).getUint32(lengthAt, true);
    const hash = fnv1a(at(bytesAt, byteLength));
    at(backAt, symbols.length).fill(99);
    expect(decode(byteLength)).toBe(0);
    expect(Buffer.compare(at(backAt, symbols.length), symbols)).toBe(0);
    return hash;
  };
  /** Grids of some channels, width and height, one after the other. */
  const tell = (grids: readonly (readonly [number, number, number])[]) => {
    let offset = 0;
    const numbers = grids.flatMap(([channels, width, height]) => {
      const place = [symbolsAt + offset, backAt + offset, width * height, width, height];
      offset += 2 * channels * width * height;
      return place;
    });
    new Uint32Array(core.memory.buffer, gridsAt, numbers.length).set(numbers);
  };
  const codedByContext = (handle: number, rate: number, symbols: Uint8Array) =>
    expectCoded(
      symbols,
      core.context_encode(handle, rate, gridsAt, bytesAt, CAPACITY_BYTES, lengthAt),
      (byteLength) => core.context_decode(handle, rate, bytesAt, byteLength, gridsAt),
    );

  const noise = new Noise(5);
  let lines = '';
  for (let round = 1; round <= 1000; round++) {
    let kind = round % 4;
    let width = 1 + noise.next(24);
    let height = 1 + noise.next(24);
    if (round % 100 === 0) [kind, width, height] = [3, 50 + width, 41];
    const channels = CHANNELS[kind] as number;
    const handle = handles[kind] as number;
    const area = width * height;
    const nonzero = 1 + noise.next(256);
    const symbols = new Uint8Array(latents(noise, channels * area, nonzero, noise.next(3)).buffer);
    const rate = noise.next(4096);
    at(symbolsAt, symbols.length).set(symbols);
    tell([[channels, width, height]]);
    const context = codedByContext(handle, rate, symbols);
    const fixed = expectCoded(
      symbols,
      core.static_encode(symbolsAt, channels, area, area, bytesAt, CAPACITY_BYTES, lengthAt),
      (byteLength) => core.static_decode(bytesAt, byteLength, backAt, channels, area, area),
    );
    lines += `${context} ${fixed}\n`;
  }
  const twoHandles = TWO_CHANNELS.map(([coarse, fine]) =>
    load(Buffer.concat([modelFile(coarse), modelFile(fine, coarse)])),
  );
  for (let round = 1; round <= 100; round++) {
    const [coarse, fine] = TWO_CHANNELS[round % 3] as readonly [number, number];
    const width = 1 + noise.next(30);
    const height = 1 + noise.next(30);
    const nonzero = 1 + noise.next(256);
    const cells = latents(noise, coarse * width * height, nonzero, 1);
    const places = latents(noise, fine * 4 * width * height, nonzero, 1);
    const symbols = new Uint8Array(Int16Array.of(...cells, ...places).buffer);
    at(symbolsAt, symbols.length).set(symbols);
    tell([
      [coarse, width, height],
      [fine, 2 * width, 2 * height],
    ]);
    lines += `${codedByContext(twoHandles[round % 3] as number, noise.next(4096), symbols)}\n`;
  }
  for (let round = 1; round <= 100; round++) {
    const [width, rows] = [1 + noise.next(40), 1 + noise.next(40)];
    const components = 1 + noise.next(4);
    const [across, down] = [noise.next(16), noise.next(16)];
    const spread = 1 + noise.next(64);
    const coding = [
      [0, 0],
      [1, 0],
      [256, 64],
    ][round % 3] as [number, number];
    if (round % 3 === 1) coding[0] += noise.next(8);
    if (round % 3 === 2) coding[1] += noise.next(1024);
    const samples = Uint8Array.from({ length: width * rows * components }, (_, at) => {
      const [x, y] = [Math.floor(at / components) % width, Math.floor(at / components / width)];
      return Math.floor((x * across + y * down) / 4) + noise.next(spread);
    });
    const dtype = round % 2 === 0 ? 0 : 2;
    const differences = Int16Array.from(samples, (sample) => (sample << 24) >> 24);
    const bytes = dtype === 0 ? samples : new Uint8Array(differences.buffer);
    at(symbolsAt, bytes.length).set(bytes);
    const shape = [width, rows, components] as const;
    expect(
      core.planes_encode(dtype, symbolsAt, ...shape, ...coding, bytesAt, CAPACITY_BYTES, lengthAt),
    ).toBe(0);
    const byteLength = new DataView(core.memory.buffer).getUint32(lengthAt, true);
    at(backAt, bytes.length).fill(99);
    expect(core.planes_decode(dtype, bytesAt, byteLength, backAt, ...shape)).toBe(0);
    if (round % 3 === 0) expect(Buffer.compare(at(backAt, bytes.length), bytes)).toBe(0);
    lines += `${fnv1a(at(bytesAt, byteLength))} ${fnv1a(at(backAt, bytes.length))}\n`;
  }
  const many = CHANNELS.slice(2);
  const styles = [
    { channels: CHANNELS, extend: withNet },
    { channels: many, extend: adapting },
    { channels: many, extend: withAll },
  ].map(({ channels, extend }) => ({
    channels,
    handles: channels.map((count) => load(extend(modelFile(count)))),
  }));
  for (const style of styles) {
    for (let round = 1; round <= 100; round++) {
      const kind = round % style.channels.length;
      const channels = style.channels[kind] as number;
      const [width, height] = [1 + noise.next(70), 1 + noise.next(24)];
      const nonzero = 1 + noise.next(256);
      const area = width * height;
      const symbols = new Uint8Array(latents(noise, channels * area, nonzero, 1).buffer);
      at(symbolsAt, symbols.length).set(symbols);
      tell([[channels, width, height]]);
      lines += `${codedByContext(style.handles[kind] as number, noise.next(4096), symbols)}\n`;
    }
  }
  return lines;
}

it.each(['simd', 'scalar'])(
  'the %s build codes a thousand latents and a hundred pictures to the known bytes, and back',
  (build) => {
    expect(hashesOf(build)).toBe(HASHES);
  },
  120_000,
);

const cargo = (args: readonly string[], env = {}) =>
  execFileSync(
    'cargo',
    ['build', '--release', '--locked', '--example', 'payload_hashes', ...args],
    {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: 'ignore',
    },
  );

it('the optimised native build codes them to the same', () => {
  cargo([]);
  const program = join(ROOT, 'target/release/examples/payload_hashes');
  expect(execFileSync(program, { encoding: 'utf8' })).toBe(HASHES);
}, 300_000);

const ARM = 'aarch64-unknown-linux-gnu';
const ARM_LINKER = 'aarch64-linux-gnu-gcc';
const works = (command: string, args: readonly string[]) =>
  spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
const missing = [
  ...(works('qemu-aarch64', ['--version']).status === 0 ? [] : ['qemu-aarch64']),
  ...(works(ARM_LINKER, ['--version']).status === 0 ? [] : [ARM_LINKER]),
  ...(works('rustup', ['target', 'list', '--installed']).stdout?.includes(ARM)
    ? []
    : [`Rust's target ${ARM}`]),
];
if (missing.length > 0) console.log(`payloads: aarch64 skipped, no ${missing.join(', no ')}`);

it.skipIf(missing.length > 0)(
  'on aarch64 they are the same',
  () => {
    cargo(['--target', ARM], {
      CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER: ARM_LINKER,
      CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS: '-C target-feature=+crt-static',
    });
    const program = join(ROOT, 'target', ARM, 'release/examples/payload_hashes');
    expect(execFileSync('qemu-aarch64', [program], { encoding: 'utf8' })).toBe(HASHES);
  },
  600_000,
);
