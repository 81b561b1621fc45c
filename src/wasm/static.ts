/**
 * The static coder of the core: a band of latent rows to bytes and back, with a table a channel in every band.
 * @module
 */
import { LimitError } from '../errors.js';
import { BYTES_PER_ELEMENT, elementCount, type TensorRef } from './arena.js';
import type { Band } from './context.js';
import type { CoreMemory } from './memory.js';
import { checkRows, planarShape } from './shapes.js';
import { checkStatus } from './status.js';

export class StaticCoder {
  readonly #memory: CoreMemory;

  constructor(memory: CoreMemory) {
    this.#memory = memory;
  }

  /**
   * Most bytes that `encode` can write for a band of `rows` rows of [channels, *, width].
   * @throws LimitError when they would not fit WASM's memory
   */
  encodeBound(channels: number, rows: number, width: number): number {
    const bound = this.#memory.exports.static_encode_bound(channels, rows * width) >>> 0;
    if (bound === 0) {
      throw new LimitError(
        `static_encode: expected a band of latent rows below 4 GiB, got ${channels}x${rows}x${width} symbols`,
      );
    }
    return bound;
  }

  /** Codes a band of rows of all channels. @returns the bytes written at the start of `dst` */
  encode(symbols: TensorRef<'i16'>, band: Band, dst: TensorRef<'u8'>): number {
    const { arena, exports, resultOffset } = this.#memory;
    const status = exports.static_encode(
      ...this.#placeOf(symbols, band),
      arena.offset(dst),
      elementCount(dst.shape),
      resultOffset,
    );
    checkStatus('static_encode', status);
    return this.#memory.resultU32();
  }

  /**
   * Decodes what `encode` wrote into the same band.
   * @throws FormatError when the bytes cannot be such a stream
   */
  decode(src: TensorRef<'u8'>, symbols: TensorRef<'i16'>, band: Band): void {
    const { arena, exports } = this.#memory;
    const status = exports.static_decode(
      arena.offset(src),
      elementCount(src.shape),
      ...this.#placeOf(symbols, band),
    );
    checkStatus('static_decode', status);
  }

  /** Offset of a band's first symbol, channels, symbols of a channel in the band, and in all. */
  #placeOf(symbols: TensorRef<'i16'>, band: Band): [number, number, number, number] {
    const [channels, height, width] = planarShape(symbols);
    checkRows(band.firstRow, band.rows, height);
    const first = band.firstRow * width * BYTES_PER_ELEMENT.i16;
    const offset = this.#memory.arena.offset(symbols) + first;
    return [offset, channels, band.rows * width, height * width];
  }
}
