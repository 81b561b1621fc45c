/**
 * One instance of the WASM core with the arena inside its memory. Kernels take tensor references, check that
 * shapes agree, and never keep a view; beneath this file there are only offsets.
 * @module
 */
import { type Arena, elementCount, type TensorRef } from './arena.js';
import { ContextCoder } from './context.js';
import type { CoreExports } from './exports.js';
import { CoreMemory } from './memory.js';
import { PlanesCoder } from './planes.js';
import { RestorationFilter } from './restoration.js';
import { checkSameShape, imageShape, planarShape } from './shapes.js';
import { StaticCoder } from './static.js';
import { checkStatus } from './status.js';

/** A rectangle of samples; x and y may lie outside the picture where edges are repeated. */
export interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type WaveletKind = 'cdf53' | 'haar';
const WAVELET_KIND: Record<WaveletKind, number> = { cdf53: 0, haar: 1 };

/** An instance this many times larger than the next plan is dropped, as WASM memory never shrinks. */
const OVERSIZE_FACTOR = 4;
/** Below this much nothing is too large. */
const KEPT_BYTES = 2 ** 24;

/**
 * A core whose arena is empty and has room for the plan: the one that there is, unless a far larger plan left it behind.
 * @throws LimitError when the memory cannot be had
 */
export function coreOfSize(
  core: Core | undefined,
  module: WebAssembly.Module,
  arenaByteLength: number,
): Core {
  const most = OVERSIZE_FACTOR * arenaByteLength + KEPT_BYTES;
  if (core === undefined || core.memoryByteLength > most) return new Core(module, arenaByteLength);
  core.resize(arenaByteLength);
  return core;
}

export class Core {
  readonly static: StaticCoder;
  readonly context: ContextCoder;
  readonly planes: PlanesCoder;
  readonly restoration: RestorationFilter;
  readonly #memory: CoreMemory;
  readonly #exports: CoreExports;

  /**
   * @param module from `loadCoreModule`
   * @param arenaByteLength the plan: everything that will be held at once
   * @throws LimitError when the memory cannot be had
   */
  constructor(module: WebAssembly.Module, arenaByteLength: number) {
    const instance = new WebAssembly.Instance(module, {});
    this.#exports = instance.exports as unknown as CoreExports;
    this.#memory = new CoreMemory(this.#exports, arenaByteLength);
    this.static = new StaticCoder(this.#memory);
    this.context = new ContextCoder(this.#memory);
    this.planes = new PlanesCoder(this.#memory);
    this.restoration = new RestorationFilter(this.#memory);
  }

  get arena(): Arena {
    return this.#memory.arena;
  }

  /** Bytes of linear memory that this instance holds; it never shrinks. */
  get memoryByteLength(): number {
    return this.#memory.byteLength;
  }

  /**
   * Makes the arena at least this large; what was in it is gone and every reference to it is stale.
   * @throws LimitError when the memory cannot be had
   */
  resize(arenaByteLength: number): void {
    this.#memory.resize(arenaByteLength);
  }

  /**
   * Interleaved RGB to three planes: `value = sample * scale + bias` over `window`; outside the picture its edge
   * is repeated.
   * @param src u8 [height, width, 3]
   * @param dst f32 [3, window.height, window.width]
   */
  rgb8ToPlanar(
    src: TensorRef<'u8'>,
    window: Window,
    dst: TensorRef<'f32'>,
    scale: number,
    bias: number,
  ): void {
    const [srcHeight, srcWidth] = imageShape(src);
    const [, dstHeight, dstWidth] = planarShape(dst);
    const status = this.#exports.rgb8_to_planar(
      this.arena.offset(src),
      srcWidth,
      srcHeight,
      window.x,
      window.y,
      this.arena.offset(dst),
      dstWidth,
      dstHeight,
      scale,
      bias,
    );
    checkStatus('rgb8_to_planar', status);
  }

  /**
   * Three planes to interleaved RGB: `window` of `src` lands at (dstX, dstY) of `dst`;
   * `sample = round(clamp(value * scale + bias, 0, 255))`.
   */
  planarToRgb8(
    src: TensorRef<'f32'>,
    window: Window,
    dst: TensorRef<'u8'>,
    dstX: number,
    dstY: number,
    scale: number,
    bias: number,
  ): void {
    const [, srcHeight, srcWidth] = planarShape(src);
    const [dstHeight, dstWidth] = imageShape(dst);
    const status = this.#exports.planar_to_rgb8(
      this.arena.offset(src),
      srcWidth,
      srcHeight,
      window.x,
      window.y,
      this.arena.offset(dst),
      dstWidth,
      dstHeight,
      window.width,
      window.height,
      dstX,
      dstY,
      scale,
      bias,
    );
    checkStatus('planar_to_rgb8', status);
  }

  /** Copies `window` of every plane of `src` to (dstX, dstY) of the same plane of `dst`. */
  copyWindow(
    src: TensorRef<'f32'>,
    window: Window,
    dst: TensorRef<'f32'>,
    dstX: number,
    dstY: number,
  ): void {
    const [channels, srcHeight, srcWidth] = planarShape(src);
    const [, dstHeight, dstWidth] = planarShape(dst);
    const status = this.#exports.copy_window_f32(
      this.arena.offset(src),
      srcWidth,
      srcHeight,
      window.x,
      window.y,
      this.arena.offset(dst),
      dstWidth,
      dstHeight,
      dstX,
      dstY,
      window.width,
      window.height,
      channels,
    );
    checkStatus('copy_window_f32', status);
  }

  /** Orthonormal Hadamard transform over groups of four channels, in place. */
  hadamard4(direction: 'forward' | 'inverse', data: TensorRef<'f32'>): void {
    const [channels, height, width] = planarShape(data);
    const kernel = `hadamard4_${direction}` as const;
    checkStatus(kernel, this.#exports[kernel](this.arena.offset(data), channels, height * width));
  }

  /** Wavelet transform of every plane, in place; subbands lie in Mallat order. `levels` is 1 to 10. */
  wavelet(
    direction: 'forward' | 'inverse',
    kind: WaveletKind,
    levels: number,
    data: TensorRef<'f32'>,
  ): void {
    const [planes, height, width] = planarShape(data);
    this.arena.scope(() => {
      const scratch = this.arena.allocate('f32', [
        this.#exports.wavelet_scratch_length(width, height),
      ]);
      const kernel = `wavelet_${direction}` as const;
      const status = this.#exports[kernel](
        WAVELET_KIND[kind],
        this.arena.offset(data),
        planes,
        width,
        height,
        levels,
        this.arena.offset(scratch),
      );
      checkStatus(kernel, status);
    });
  }

  /** `y = M (x - mean)` forward, `x = Mᵀ y + mean` back, for every position. */
  klt(
    direction: 'forward' | 'inverse',
    src: TensorRef<'f32'>,
    dst: TensorRef<'f32'>,
    mean: TensorRef<'f32'>,
    matrix: TensorRef<'f32'>,
  ): void {
    checkSameShape(src, dst);
    const [channels, height, width] = planarShape(src);
    const kernel = `klt_${direction}` as const;
    const status = this.#exports[kernel](
      this.arena.offset(src),
      this.arena.offset(dst),
      this.arena.offset(mean),
      this.arena.offset(matrix),
      channels,
      height * width,
    );
    checkStatus(kernel, status);
  }

  /**
   * Gains at a rate: the knots' logarithms are interpolated linearly over rate / 4095, then exponentiated, with
   * the same bits on every machine.
   * @param logKnots f32 [knots, channels]
   * @param rate 0 to 4095
   * @param dst f32 [channels]
   */
  gainsAtRate(logKnots: TensorRef<'f32'>, rate: number, dst: TensorRef<'f32'>): void {
    const [knots = 0, channels = 0] = logKnots.shape;
    const status = this.#exports.gains_at_rate(
      this.arena.offset(logKnots),
      knots,
      channels,
      rate,
      this.arena.offset(dst),
    );
    checkStatus('gains_at_rate', status);
  }

  /** `symbol = roundHalfEven(value * gain[channel])`, saturating. */
  quantise(src: TensorRef<'f32'>, gains: TensorRef<'f32'>, dst: TensorRef<'i16'>): void {
    checkSameShape(src, dst);
    const [channels, height, width] = planarShape(src);
    const status = this.#exports.quantise(
      this.arena.offset(src),
      this.arena.offset(dst),
      this.arena.offset(gains),
      channels,
      height * width,
    );
    checkStatus('quantise', status);
  }

  /** `value = symbol * inverseGain[channel]`. */
  dequantise(src: TensorRef<'i16'>, inverseGains: TensorRef<'f32'>, dst: TensorRef<'f32'>): void {
    checkSameShape(src, dst);
    const [channels, height, width] = planarShape(src);
    const status = this.#exports.dequantise(
      this.arena.offset(src),
      this.arena.offset(dst),
      this.arena.offset(inverseGains),
      channels,
      height * width,
    );
    checkStatus('dequantise', status);
  }

  /** Order-0 entropy of the symbols, each channel by itself, in bits of the whole tensor. */
  symbolsEntropyBits(symbols: TensorRef<'i16'>): number {
    const [channels, height, width] = planarShape(symbols);
    const status = this.#exports.symbols_entropy(
      this.arena.offset(symbols),
      channels,
      height * width,
      this.#memory.resultOffset,
    );
    checkStatus('symbols_entropy', status);
    return this.#memory.resultF64();
  }

  /** Sum of squared differences of two equal tensors of samples. */
  sumSquaredError(a: TensorRef<'u8'>, b: TensorRef<'u8'>): number {
    checkSameShape(a, b);
    const status = this.#exports.sum_squared_error_u8(
      this.arena.offset(a),
      this.arena.offset(b),
      elementCount(a.shape),
      this.#memory.resultOffset,
    );
    checkStatus('sum_squared_error_u8', status);
    return this.#memory.resultF64();
  }

  /**
   * Gaussian blur, rows then columns; outside the picture its edge is repeated.
   * @param sigmaPx standard deviation, above 0 and up to 64 pixels
   */
  blurGaussian(src: TensorRef<'u8'>, dst: TensorRef<'u8'>, sigmaPx: number): void {
    checkSameShape(src, dst);
    const [height, width] = imageShape(src);
    this.arena.scope(() => {
      const scratchLength = this.#exports.blur_scratch_length(width, sigmaPx) >>> 0;
      const scratch = this.arena.allocate('f32', [scratchLength]);
      const status = this.#exports.blur_gaussian_rgb8(
        this.arena.offset(src),
        this.arena.offset(dst),
        width,
        height,
        sigmaPx,
        this.arena.offset(scratch),
      );
      checkStatus('blur_gaussian_rgb8', status);
    });
  }
}
