/**
 * What the kernels of the WASM core cost beside memory.copy over as many bytes in the same memory: the SIMD build and
 * the scalar one, in turn, call by call. Each number is the best of all calls, which is what a busy machine disturbs
 * least; ratios are what to compare between machines.
 *
 *   node benches/core.mjs [--json FILE] [KERNEL...]      every kernel where none is named; a name's beginning will do
 *
 * A kernel's bytes are those it reads, each counted once; for the coders those of the symbols, 2 each. Needs the built
 * tree (`npm run setup`). The twin in Rust, compiled for this machine: `cargo bench` in benches/native.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { PNG } from 'pngjs';
import { loadCoreModule } from '#src/wasm/load.js';

/** @typedef {(...numbers: number[]) => number} Export */
/** @typedef {{ readonly prepare?: () => void, readonly run: () => void }} Work what is timed, and what comes before */
/** @typedef {{ readonly bytes: number, readonly symbols?: number, readonly work: Work }} Kernel */

/** One Kodak picture and its latent. */
const PICTURE = { width: 768, height: 512 };
const LATENT = { channels: 32, width: 96, height: 64 };
const PLANE_LENGTH = LATENT.width * LATENT.height;
const COUNT = LATENT.channels * PLANE_LENGTH;
const SAMPLES = 3 * PICTURE.width * PICTURE.height;
const MEMORY_BYTES = 48 * 2 ** 20;
const RATE = 2048;

const MILLISECONDS_A_KERNEL = 1500;
const CALLS_MIN = 25;

/** (func (export "copy") (param i32 i32 i32) (memory.copy ...)) over an imported memory. */
// biome-ignore format: one section of the module a line
const COPIER = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0,
  1, 7, 1, 96, 3, 127, 127, 127, 0,
  2, 8, 1, 1, 109, 1, 109, 2, 0, 0,
  3, 2, 1, 0,
  7, 8, 1, 4, 99, 111, 112, 121, 0, 0,
  10, 14, 1, 12, 0, 32, 0, 32, 1, 32, 2, 252, 10, 0, 0, 11,
]);

/** A picture without its alpha. @param {URL} file */
function rgbOf(file) {
  const { width, height, data } = PNG.sync.read(readFileSync(file));
  return { width, height, data: Uint8Array.from(data.filter((_, i) => i % 4 < 3)) };
}

/** Numbers from -1 to 1, the same in every run. */
function noise() {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** One build of the core with its buffers filled, and the kernels as calls that take no argument. */
class Bench {
  /** @param {WebAssembly.Module} module */
  constructor(module) {
    const { memory, ...exports } = new WebAssembly.Instance(module, {}).exports;
    this.memory = /** @type {WebAssembly.Memory} */ (memory);
    this.exports = /** @type {Readonly<Record<string, Export>>} */ (exports);
    this.next = this.exports.arena_reserve?.(MEMORY_BYTES) ?? 0;
    const copier = new WebAssembly.Instance(new WebAssembly.Module(COPIER), {
      m: { m: this.memory },
    });
    this.copy = /** @type {Export} */ (copier.exports.copy);
    // The largest number of bytes that a kernel reads, twice.
    this.copyOffset = this.#allocate(8 * SAMPLES);
    this.kernels = this.#kernels();
  }

  /** @param {number} byteLength */
  #allocate(byteLength) {
    const offset = this.next;
    this.next = Math.ceil((offset + byteLength) / 64) * 64;
    return offset;
  }

  /** @param {{ readonly buffer: ArrayBufferLike, readonly byteLength: number, readonly byteOffset: number }} values */
  #place(values) {
    const offset = this.#allocate(values.byteLength);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(this.memory.buffer, offset).set(bytes);
    return offset;
  }

  /** @param {number} offset @param {number} byteLength */
  #copyOf(offset, byteLength) {
    return this.#place(new Uint8Array(this.memory.buffer.slice(offset, offset + byteLength)));
  }

  /** @param {string} name @param {readonly number[]} numbers */
  #call(name, ...numbers) {
    const status = this.exports[name]?.(...numbers);
    if (status !== 0) throw new Error(`${name}: expected status 0, got ${status}`);
  }

  /** @returns {Readonly<Record<string, Kernel>>} */
  #kernels() {
    const { width, height } = PICTURE;
    const { channels } = LATENT;
    const next = noise();
    const pixels = Uint8Array.from({ length: SAMPLES }, () => 128 + 127 * next());
    // Sums of cubes: many small values and few large ones, as latents have, and each channel at its own scale.
    const values = Float32Array.from(
      { length: COUNT },
      (_, at) => (next() ** 3 + next() ** 3) * (4 - Math.floor(at / PLANE_LENGTH) / 8),
    );
    const rotation = Float32Array.from({ length: channels ** 2 }, next);

    const picture = this.#place(pixels);
    const otherPicture = this.#place(pixels.toReversed());
    const planes = this.#allocate(4 * SAMPLES);
    const original = this.#place(values);
    const transformed = this.#place(values);
    const result = this.#allocate(4 * COUNT);
    const matrix = this.#place(rotation);
    const mean = this.#place(rotation.subarray(0, channels));
    const gains = this.#place(new Float32Array(channels).fill(1));
    const symbols = this.#place(Int16Array.from(values, Math.round));
    const decoded = this.#allocate(2 * COUNT);
    const scratch = this.#allocate(2 ** 20);
    const number = this.#allocate(64);
    const stream = this.#allocate(8 * COUNT);

    /** @type {Record<string, Kernel>} */
    const kernels = {};
    /** @param {string} label @param {number} bytes @param {string} name @param {readonly number[]} numbers */
    const add = (label, bytes, name, ...numbers) => {
      kernels[label] = { bytes, work: { run: () => this.#call(name, ...numbers) } };
    };
    // Each call starts from the same values: over and over they would grow beyond what a float holds.
    /** @param {string} label @param {string} name @param {readonly number[]} numbers */
    const addInPlace = (label, name, ...numbers) => {
      const prepare = () => this.copy(transformed, original, 4 * COUNT);
      const run = () => this.#call(name, ...numbers);
      kernels[label] = { bytes: 4 * COUNT, work: { prepare, run } };
    };

    const whole = [width, height];
    add(
      'rgb8_to_planar',
      SAMPLES,
      'rgb8_to_planar',
      picture,
      ...whole,
      0,
      0,
      planes,
      ...whole,
      1 / 255,
      0,
    );
    add(
      'planar_to_rgb8',
      4 * SAMPLES,
      'planar_to_rgb8',
      planes,
      ...whole,
      0,
      0,
      picture,
      ...whole,
      ...whole,
      0,
      0,
      255,
      0,
    );
    const latent = [LATENT.width, LATENT.height];
    const inner = [LATENT.width - 8, LATENT.height - 8];
    add(
      'copy_window_f32',
      4 * channels * (LATENT.width - 8) * (LATENT.height - 8),
      'copy_window_f32',
      original,
      ...latent,
      4,
      4,
      result,
      ...latent,
      4,
      4,
      ...inner,
      channels,
    );
    addInPlace('hadamard4', 'hadamard4_forward', transformed, channels, PLANE_LENGTH);
    for (const [kind, filter] of ['cdf53', 'haar'].entries()) {
      for (const levels of [1, 3]) {
        for (const direction of ['forward', 'inverse']) {
          addInPlace(
            `wavelet_${direction} ${filter} x${levels}`,
            `wavelet_${direction}`,
            kind,
            transformed,
            channels,
            ...latent,
            levels,
            scratch,
          );
        }
      }
    }
    for (const direction of ['forward', 'inverse']) {
      add(
        `klt_${direction}`,
        4 * COUNT,
        `klt_${direction}`,
        original,
        result,
        mean,
        matrix,
        channels,
        PLANE_LENGTH,
      );
    }
    add('quantise', 4 * COUNT, 'quantise', original, decoded, gains, channels, PLANE_LENGTH);
    add('dequantise', 2 * COUNT, 'dequantise', symbols, result, gains, channels, PLANE_LENGTH);
    add(
      'sum_squared_error_u8',
      2 * SAMPLES,
      'sum_squared_error_u8',
      picture,
      otherPicture,
      SAMPLES,
      number,
    );
    add(
      'blur_gaussian_rgb8 sigma 1',
      SAMPLES,
      'blur_gaussian_rgb8',
      picture,
      planes,
      ...whole,
      1,
      scratch,
    );
    const filter = new Uint8Array(
      readFileSync(new URL('../models/psnr/restoration.bin', import.meta.url)),
    );
    const filterOffset = this.#place(filter);
    const noAdjustment = this.#place(new Uint8Array(23));
    // Noise, filtered again by every call: the class changes from pixel to pixel, which no picture's does.
    const restored = this.#copyOf(picture, SAMPLES);
    add(
      'restore_rgb8',
      SAMPLES,
      'restore_rgb8',
      filterOffset,
      filter.length,
      1300,
      noAdjustment,
      restored,
      ...whole,
      0,
      0,
      ...whole,
    );
    add('symbols_entropy', 2 * COUNT, 'symbols_entropy', symbols, channels, PLANE_LENGTH, number);

    /** @param {string} label @param {number} count @param {() => void} run */
    const addCoder = (label, count, run) => {
      kernels[label] = { bytes: 2 * count, symbols: count, work: { run } };
    };
    const written = () => new DataView(this.memory.buffer).getUint32(number, true);
    const staticPlanes = [channels, PLANE_LENGTH, PLANE_LENGTH];
    const staticEncode = () =>
      this.#call('static_encode', symbols, ...staticPlanes, stream, 8 * COUNT, number);
    staticEncode();
    const staticStream = this.#copyOf(stream, written());
    const staticLength = written();
    addCoder('static_encode', COUNT, staticEncode);
    addCoder('static_decode', COUNT, () =>
      this.#call('static_decode', staticStream, staticLength, decoded, ...staticPlanes),
    );

    // The model has its own number of channels: the same symbols, cut into planes of another size.
    const file = readFileSync(new URL('../models/psnr/context.bin', import.meta.url));
    const handle = this.exports.context_model_load?.(this.#place(file), file.length) ?? -1;
    const contextChannels = this.exports.context_model_channels?.(handle, 0) ?? 0;
    const contextWidth = 64;
    const contextHeight = Math.floor(COUNT / contextChannels / contextWidth);
    const contextPlane = contextWidth * contextHeight;
    const shape = [contextPlane, contextWidth, contextHeight];
    const grids = this.#place(Uint32Array.of(symbols, decoded, ...shape));
    const contextEncode = () =>
      this.#call('context_encode', handle, RATE, grids, stream, 8 * COUNT, number);
    contextEncode();
    const contextStream = this.#copyOf(stream, written());
    const contextLength = written();
    const contextCount = contextPlane * contextChannels;
    addCoder('context_encode', contextCount, contextEncode);
    addCoder('context_decode', contextCount, () =>
      this.#call('context_decode', handle, RATE, contextStream, contextLength, grids),
    );
    this.#addPlanes(kernels, stream, number);
    return kernels;
  }

  /**
   * The plane coder on the photograph among the fixtures, exactly and with a step of 5 levels, and on a screenshot.
   * @param {Record<string, Kernel>} kernels
   * @param {number} stream
   * @param {number} number
   */
  #addPlanes(kernels, stream, number) {
    const lossy = [256, 5 * 64];
    for (const [label, file, coding] of /** @type {const} */ ([
      ['exact', 'photo.png', [0, 0]],
      ['step 5', 'photo.png', lossy],
      ['drawn', 'interface.png', [0, 0]],
    ])) {
      const { width, height, data } = rgbOf(new URL(`../fixtures/${file}`, import.meta.url));
      const samples = this.#place(data);
      const shape = [width, height, 3];
      const capacity = this.exports.planes_encode_bound?.(0, width, height, 3) ?? 0;
      const encode = () =>
        this.#call('planes_encode', 0, samples, ...shape, ...coding, stream, capacity, number);
      encode();
      const byteLength = new DataView(this.memory.buffer).getUint32(number, true);
      const band = this.#copyOf(stream, byteLength);
      kernels[`planes_encode ${label}`] = {
        bytes: data.length,
        symbols: data.length,
        work: { run: encode },
      };
      const decode = () => this.#call('planes_decode', 0, band, byteLength, samples, ...shape);
      kernels[`planes_decode ${label}`] = {
        bytes: data.length,
        symbols: data.length,
        work: { run: decode },
      };
    }
  }

  /** memory.copy of as many bytes, from one place to another. @param {number} bytes @returns {Work} */
  memcpy(bytes) {
    return { run: () => this.copy(this.copyOffset, this.copyOffset + 4 * SAMPLES, bytes) };
  }
}

/** Milliseconds of the fastest call of each, taken in turn. @param {readonly Work[]} contenders */
function fastest(contenders) {
  const best = contenders.map(() => Number.POSITIVE_INFINITY);
  const until = performance.now() + MILLISECONDS_A_KERNEL;
  for (let call = 0; call < CALLS_MIN || performance.now() < until; call++) {
    for (const [at, { prepare, run }] of contenders.entries()) {
      prepare?.();
      const startMs = performance.now();
      run();
      best[at] = Math.min(best[at] ?? 0, performance.now() - startMs);
    }
  }
  return best;
}

const { values: options, positionals } = parseArgs({
  options: { json: { type: 'string' } },
  allowPositionals: true,
});
const simd = new Bench(await loadCoreModule('simd'));
const scalar = new Bench(await loadCoreModule('scalar'));
const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, node ${process.versions.node}`;
const date = new Date().toISOString().slice(0, 10);
console.log(`${date}, ${machine}`);
console.log(
  `${'kernel'.padEnd(28)}${['memory.copy', 'SIMD', 'scalar', 'SIMD of copy', 'SIMD/scalar'].map((title) => title.padStart(15)).join('')}`,
);
const rows = [];
for (const [kernel, { bytes, symbols, work }] of Object.entries(simd.kernels)) {
  const isAsked = positionals.length === 0 || positionals.some((name) => kernel.startsWith(name));
  const scalarWork = scalar.kernels[kernel]?.work;
  if (!isAsked || scalarWork === undefined) continue;
  const [copyMs = 0, simdMs = 0, scalarMs = 0] = fastest([simd.memcpy(bytes), work, scalarWork]);
  const mbPerS = (/** @type {number} */ milliseconds) => bytes / milliseconds / 1000;
  const row = {
    kernel,
    bytes,
    memcpyMbPerS: mbPerS(copyMs),
    simdMbPerS: mbPerS(simdMs),
    scalarMbPerS: mbPerS(scalarMs),
    ...(symbols && {
      simdMsymPerS: symbols / simdMs / 1000,
      scalarMsymPerS: symbols / scalarMs / 1000,
    }),
  };
  rows.push(row);
  const speed = (/** @type {number} */ milliseconds) =>
    symbols === undefined
      ? `${mbPerS(milliseconds).toFixed(0)} MB/s`
      : `${(symbols / milliseconds / 1000).toFixed(1)} Msym/s`;
  const cells = [
    `${mbPerS(copyMs).toFixed(0)} MB/s`,
    speed(simdMs),
    speed(scalarMs),
    (copyMs / simdMs).toFixed(4),
    (scalarMs / simdMs).toFixed(2),
  ];
  console.log(kernel.padEnd(28) + cells.map((cell) => cell.padStart(15)).join(''));
}
if (options.json !== undefined) {
  writeFileSync(options.json, `${JSON.stringify({ date, machine, rows }, null, 2)}\n`);
}
