/**
 * One instance of the WASM core with the arena inside its memory. Kernels take tensor references, check that
 * shapes agree, and never keep a view; beneath this file there are only offsets.
 * @module
 */
import { LimitError } from '../errors.js';
import { Arena, elementCount, type TensorRef } from './arena.js';
import { type Band, ContextCoder, GRIDS_BYTES } from './context.js';
import type { CoreExports } from './exports.js';
import { type PlaneBand, type PlaneCoding, type PlaneDtype, PlanesCoder } from './planes.js';
import { checkSameShape, imageShape, planarShape } from './shapes.js';
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

/** Where kernels leave a single number for us. */
const RESULT_BYTES = 64;
export class Core {
  readonly #exports: CoreExports;
  #arena: Arena;
  #resultOffset = 0;
  readonly #context: ContextCoder;
  readonly #planes: PlanesCoder;

  /**
   * @param module from `loadCoreModule`
   * @param arenaByteLength the plan: everything that will be held at once
   * @throws LimitError when the memory cannot be had
   */
  constructor(module: WebAssembly.Module, arenaByteLength: number) {
    const instance = new WebAssembly.Instance(module, {});
    this.#exports = instance.exports as unknown as CoreExports;
    this.#arena = this.#reserve(arenaByteLength);
    this.#context = new ContextCoder(this.#exports);
    this.#planes = new PlanesCoder(this.#exports);
  }

  get arena(): Arena {
    return this.#arena;
  }

  /** Bytes of linear memory that this instance holds; it never shrinks. */
  get memoryByteLength(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  /**
   * Makes the arena at least this large; what was in it is gone and every reference to it is stale.
   * @throws LimitError when the memory cannot be had
   */
  resize(arenaByteLength: number): void {
    this.#arena.clear();
    if (arenaByteLength > this.#arena.byteLength) this.#arena = this.#reserve(arenaByteLength);
  }

  #reserve(arenaByteLength: number): Arena {
    const byteLength = arenaByteLength + RESULT_BYTES + GRIDS_BYTES;
    const offset = byteLength < 2 ** 32 ? this.#exports.arena_reserve(byteLength) >>> 0 : 0;
    if (offset === 0) {
      throw new LimitError(
        `core: expected ${byteLength} bytes of WASM memory, got none; use a smaller picture or fewer at once`,
      );
    }
    this.#resultOffset = offset;
    const firstOffset = offset + RESULT_BYTES + GRIDS_BYTES;
    return new Arena(this.#exports.memory, firstOffset, arenaByteLength);
  }

  #resultU32(): number {
    return new DataView(this.#exports.memory.buffer).getUint32(this.#resultOffset, true);
  }

  #resultF64(): number {
    return new DataView(this.#exports.memory.buffer).getFloat64(this.#resultOffset, true);
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
      this.#arena.offset(src),
      srcWidth,
      srcHeight,
      window.x,
      window.y,
      this.#arena.offset(dst),
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
      this.#arena.offset(src),
      srcWidth,
      srcHeight,
      window.x,
      window.y,
      this.#arena.offset(dst),
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
      this.#arena.offset(src),
      srcWidth,
      srcHeight,
      window.x,
      window.y,
      this.#arena.offset(dst),
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
    checkStatus(kernel, this.#exports[kernel](this.#arena.offset(data), channels, height * width));
  }

  /** Wavelet transform of every plane, in place; subbands lie in Mallat order. `levels` is 1 to 10. */
  wavelet(
    direction: 'forward' | 'inverse',
    kind: WaveletKind,
    levels: number,
    data: TensorRef<'f32'>,
  ): void {
    const [planes, height, width] = planarShape(data);
    this.#arena.scope(() => {
      const scratch = this.#arena.allocate('f32', [
        this.#exports.wavelet_scratch_length(width, height),
      ]);
      const kernel = `wavelet_${direction}` as const;
      const status = this.#exports[kernel](
        WAVELET_KIND[kind],
        this.#arena.offset(data),
        planes,
        width,
        height,
        levels,
        this.#arena.offset(scratch),
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
      this.#arena.offset(src),
      this.#arena.offset(dst),
      this.#arena.offset(mean),
      this.#arena.offset(matrix),
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
      this.#arena.offset(logKnots),
      knots,
      channels,
      rate,
      this.#arena.offset(dst),
    );
    checkStatus('gains_at_rate', status);
  }

  /** `symbol = roundHalfEven(value * gain[channel])`, saturating. */
  quantise(src: TensorRef<'f32'>, gains: TensorRef<'f32'>, dst: TensorRef<'i16'>): void {
    checkSameShape(src, dst);
    const [channels, height, width] = planarShape(src);
    const status = this.#exports.quantise(
      this.#arena.offset(src),
      this.#arena.offset(dst),
      this.#arena.offset(gains),
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
      this.#arena.offset(src),
      this.#arena.offset(dst),
      this.#arena.offset(inverseGains),
      channels,
      height * width,
    );
    checkStatus('dequantise', status);
  }

  /** Order-0 entropy of the symbols, each channel by itself, in bits of the whole tensor. */
  symbolsEntropyBits(symbols: TensorRef<'i16'>): number {
    const [channels, height, width] = planarShape(symbols);
    const status = this.#exports.symbols_entropy(
      this.#arena.offset(symbols),
      channels,
      height * width,
      this.#resultOffset,
    );
    checkStatus('symbols_entropy', status);
    return this.#resultF64();
  }

  /** Most bytes that `staticEncode` can write for a band of `rows` rows of [channels, *, width]. */
  staticEncodeBound(channels: number, rows: number, width: number): number {
    const bound = this.#exports.static_encode_bound(channels, rows * width) >>> 0;
    if (bound === 0) {
      throw new LimitError(
        `static_encode: expected a band of latent rows below 4 GiB, got ${channels}x${rows}x${width} symbols`,
      );
    }
    return bound;
  }

  /** Codes a band of rows of all channels. @returns the bytes written at the start of `dst` */
  staticEncode(symbols: TensorRef<'i16'>, band: Band, dst: TensorRef<'u8'>): number {
    const [channels, height, width] = planarShape(symbols);
    const status = this.#exports.static_encode(
      this.#arena.offset(symbols) + band.firstRow * width * Int16Array.BYTES_PER_ELEMENT,
      channels,
      band.rows * width,
      height * width,
      this.#arena.offset(dst),
      elementCount(dst.shape),
      this.#resultOffset,
    );
    checkStatus('static_encode', status);
    return this.#resultU32();
  }

  /**
   * Decodes what `staticEncode` wrote into the same band.
   * @throws FormatError when the bytes cannot be such a stream
   */
  staticDecode(src: TensorRef<'u8'>, symbols: TensorRef<'i16'>, band: Band): void {
    const [channels, height, width] = planarShape(symbols);
    const status = this.#exports.static_decode(
      this.#arena.offset(src),
      elementCount(src.shape),
      this.#arena.offset(symbols) + band.firstRow * width * Int16Array.BYTES_PER_ELEMENT,
      channels,
      band.rows * width,
      height * width,
    );
    checkStatus('static_decode', status);
  }

  /**
   * Gives the core a context model; it is parsed once per instance.
   * @param file the bytes of the model's context file; the same array gives the same handle
   * @param channels of every latent grid, coarse to fine
   * @returns a handle for the context coder
   * @throws ModelError when the file is not one, or is for other numbers of channels
   */
  contextModel(file: Uint8Array, channels: readonly number[]): number {
    return this.#context.model(this.#arena, file, channels);
  }

  /** Most bytes that `contextEncode` can write for a band. */
  contextEncodeBound(handle: number, grids: readonly TensorRef<'i16'>[], band: Band): number {
    return this.#context.encodeBound(handle, this.#placesOf(grids, grids, band), grids, band.rows);
  }

  /**
   * Codes a band of rows of all channels.
   * @param grids the symbols of every grid, coarse to fine, each [channels, height, width]
   * @returns the bytes written at the start of `dst`
   */
  contextEncode(
    handle: number,
    rate: number,
    grids: readonly TensorRef<'i16'>[],
    band: Band,
    dst: TensorRef<'u8'>,
  ): number {
    const status = this.#exports.context_encode(
      handle,
      rate,
      this.#placesOf(grids, grids, band),
      this.#arena.offset(dst),
      elementCount(dst.shape),
      this.#resultOffset,
    );
    checkStatus('context_encode', status);
    return this.#resultU32();
  }

  /**
   * Chooses the symbols of a band for `contextEncode` at the same rate: the nearest one, or the one beside it that the
   * context expects, whichever has the smaller sum of squared error and `lambda` times its bits.
   * @param values [channels, height, width] of every grid, as `symbols`
   * @param gains one a channel, all grids' in turn: steps for one
   * @param lambda squared steps for a bit, 0 to 1
   */
  contextChoose(
    handle: number,
    rate: number,
    lambda: number,
    values: readonly TensorRef<'f32'>[],
    gains: TensorRef<'f32'>,
    band: Band,
    symbols: readonly TensorRef<'i16'>[],
  ): void {
    const status = this.#exports.context_choose(
      handle,
      rate,
      lambda,
      this.#arena.offset(gains),
      this.#placesOf(values, symbols, band),
    );
    checkStatus('context_choose', status);
  }

  /** Writes the bits that every symbol of a band takes in `contextEncode` to its place in `bits`, of the same shapes. */
  contextCost(
    handle: number,
    rate: number,
    symbols: readonly TensorRef<'i16'>[],
    band: Band,
    bits: readonly TensorRef<'f32'>[],
  ): void {
    const status = this.#exports.context_cost(handle, rate, this.#placesOf(symbols, bits, band));
    checkStatus('context_cost', status);
  }

  /**
   * Decodes what `contextEncode` wrote at the same rate into the same band.
   * @throws FormatError when the bytes cannot be such a stream
   */
  contextDecode(
    handle: number,
    rate: number,
    src: TensorRef<'u8'>,
    grids: readonly TensorRef<'i16'>[],
    band: Band,
  ): void {
    const status = this.#exports.context_decode(
      handle,
      rate,
      this.#arena.offset(src),
      elementCount(src.shape),
      this.#placesOf(grids, grids, band),
    );
    checkStatus('context_decode', status);
  }

  #placesOf(from: readonly TensorRef[], to: readonly TensorRef[], band: Band): number {
    return this.#context.tell(this.#arena, from, to, band, this.#resultOffset + RESULT_BYTES);
  }

  /** Most bytes that `planesEncode` can write for a band of so many rows. */
  planesEncodeBound(dtype: PlaneDtype, rows: number, width: number, components: number): number {
    return this.#planes.encodeBound(dtype, rows, width, components);
  }

  /** Bytes that coding such a band takes outside the arena while the call lasts. */
  planesWorkingByteLength(rows: number, width: number, components: number): number {
    return this.#planes.workingByteLength(rows, width, components);
  }

  /**
   * Codes one band of samples by itself, exactly or not, by integers alone.
   * @param src [height, width, pixelStride], interleaved
   * @param room at least `planesEncodeBound` bytes
   * @returns bytes written at the start of `room`
   */
  planesEncode(
    src: TensorRef<PlaneDtype>,
    band: PlaneBand,
    coding: PlaneCoding,
    room: TensorRef<'u8'>,
  ): number {
    return this.#planes.encode(this.#arena, src, band, coding, room, this.#resultOffset);
  }

  /**
   * Decodes all of `src` into the rows and components of `dst` that `band` names; the others stay.
   * @throws FormatError when the bytes cannot be such a band
   */
  planesDecode(src: TensorRef<'u8'>, dst: TensorRef<PlaneDtype>, band: PlaneBand): void {
    this.#planes.decode(this.#arena, src, dst, band);
  }

  /**
   * Makes of a band, in place, what it decodes to when coded with a wavelet's `stepSize`, without coding it. Only a band
   * that such a step would make larger than its samples comes out better than this.
   */
  planesRoundTrip(data: TensorRef<PlaneDtype>, band: PlaneBand, stepSize: number): void {
    this.#planes.roundTrip(this.#arena, data, band, stepSize);
  }

  /**
   * Gives pixels whose last component, alpha, is 0 the colour of the pixel before, which costs next to nothing to code.
   * @param pixels [height, width, 2 or 4], changed in place
   */
  flattenTransparent(pixels: TensorRef<'u8' | 'u16'>): void {
    this.#planes.flattenTransparent(this.#arena, pixels);
  }

  /** Sum of squared differences of two equal tensors of samples. */
  sumSquaredError(a: TensorRef<'u8'>, b: TensorRef<'u8'>): number {
    checkSameShape(a, b);
    const status = this.#exports.sum_squared_error_u8(
      this.#arena.offset(a),
      this.#arena.offset(b),
      elementCount(a.shape),
      this.#resultOffset,
    );
    checkStatus('sum_squared_error_u8', status);
    return this.#resultF64();
  }

  /**
   * Gaussian blur, rows then columns; outside the picture its edge is repeated.
   * @param sigmaPx standard deviation, above 0 and up to 64 pixels
   */
  blurGaussian(src: TensorRef<'u8'>, dst: TensorRef<'u8'>, sigmaPx: number): void {
    checkSameShape(src, dst);
    const [height, width] = imageShape(src);
    this.#arena.scope(() => {
      const scratchLength = this.#exports.blur_scratch_length(width, sigmaPx) >>> 0;
      const scratch = this.#arena.allocate('f32', [scratchLength]);
      const status = this.#exports.blur_gaussian_rgb8(
        this.#arena.offset(src),
        this.#arena.offset(dst),
        width,
        height,
        sigmaPx,
        this.#arena.offset(scratch),
      );
      checkStatus('blur_gaussian_rgb8', status);
    });
  }
}
