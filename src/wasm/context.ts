/**
 * The context coder of the core: a band of rows of every latent grid to bytes and back, by a model that is parsed once.
 * @module
 */
import { LimitError, ModelError } from '../errors.js';
import { BYTES_PER_ELEMENT, elementCount, type TensorRef } from './arena.js';
import type { CoreMemory } from './memory.js';
import { checkRows, planarShape } from './shapes.js';
import { checkStatus, Status } from './status.js';

/**
 * A band of latent rows: rows `firstRow` to `firstRow + rows - 1` of every plane. Of several grids it is rows of the
 * coarsest, and of the others the rows that lie in those.
 */
export interface Band {
  readonly firstRow: number;
  readonly rows: number;
}

/** Most bytes of a model's file: every plan of memory has a MiB for this and what else is small. */
const FILE_MAX_BYTES = 960 * 2 ** 10;

/** Numbers for each grid: see crates/vaerans-wasm/src/context.rs. */
const GRID_NUMBERS = 5;

export class ContextCoder {
  readonly #memory: CoreMemory;
  readonly #models = new WeakMap<Uint8Array, number>();

  constructor(memory: CoreMemory) {
    this.#memory = memory;
  }

  /**
   * Gives the core a context model; it is parsed once per instance.
   * @param file the bytes of the model's context file; the same array gives the same handle
   * @param channels of every latent grid, coarse to fine
   * @returns a handle for the calls below
   * @throws ModelError when the file is not one, is too large, or is for other numbers of channels
   */
  model(file: Uint8Array, channels: readonly number[]): number {
    const { arena, exports } = this.#memory;
    if (file.length > FILE_MAX_BYTES) {
      throw new ModelError(
        `context: expected a context model of at most ${FILE_MAX_BYTES} bytes, got ${file.length}`,
      );
    }
    let handle = this.#models.get(file);
    if (handle === undefined) {
      handle = arena.scope(() => {
        const copy = arena.allocate('u8', [file.length]);
        arena.view(copy).set(file);
        return exports.context_model_load(arena.offset(copy), file.length);
      });
      if (handle === Status.corrupt) {
        throw new ModelError('context: expected a context model, got a file that is none');
      }
      if (handle < 0) checkStatus('context_model_load', handle);
      this.#models.set(file, handle);
    }
    const found: number[] = [];
    for (let count = 1; count > 0; ) {
      count = exports.context_model_channels(handle, found.length);
      if (count > 0) found.push(count);
    }
    if (found.join() !== channels.join()) {
      throw new ModelError(
        `context: expected a context model of ${channels.join(' and ')} channels, got ${found.join(' and ')}`,
      );
    }
    return handle;
  }

  /**
   * Most bytes that `encode` can write for a band.
   * @throws LimitError when they would not fit WASM's memory
   */
  encodeBound(handle: number, grids: readonly TensorRef<'i16'>[], band: Band): number {
    const places = this.#tell(grids, grids, band);
    const bound = this.#memory.exports.context_encode_bound(handle, places) >>> 0;
    if (bound === 0) {
      throw new LimitError(
        `context_encode: expected a band of latent rows below 4 GiB, got ${band.rows} rows of ${grids.map(({ shape }) => shape.join('x')).join(' and ')}`,
      );
    }
    return bound;
  }

  /**
   * Codes a band of rows of all channels.
   * @param grids the symbols of every grid, coarse to fine, each [channels, height, width]
   * @returns the bytes written at the start of `dst`
   */
  encode(
    handle: number,
    rate: number,
    grids: readonly TensorRef<'i16'>[],
    band: Band,
    dst: TensorRef<'u8'>,
  ): number {
    const { arena, exports, resultOffset } = this.#memory;
    const status = exports.context_encode(
      handle,
      rate,
      this.#tell(grids, grids, band),
      arena.offset(dst),
      elementCount(dst.shape),
      resultOffset,
    );
    checkStatus('context_encode', status);
    return this.#memory.resultU32();
  }

  /**
   * Chooses the symbols of a band for `encode` at the same rate: the nearest one, or the one beside it that the
   * context expects, whichever has the smaller sum of squared error and `lambda` times its bits.
   * @param values [channels, height, width] of every grid, as `symbols`
   * @param gains one a channel, all grids' in turn: steps for one
   * @param lambda squared steps for a bit, 0 to 1
   */
  choose(
    handle: number,
    rate: number,
    lambda: number,
    values: readonly TensorRef<'f32'>[],
    gains: TensorRef<'f32'>,
    band: Band,
    symbols: readonly TensorRef<'i16'>[],
  ): void {
    const { arena, exports } = this.#memory;
    const status = exports.context_choose(
      handle,
      rate,
      lambda,
      arena.offset(gains),
      this.#tell(values, symbols, band),
    );
    checkStatus('context_choose', status);
  }

  /** Writes the bits that every symbol of a band takes in `encode` to its place in `bits`, of the same shapes. */
  cost(
    handle: number,
    rate: number,
    symbols: readonly TensorRef<'i16'>[],
    band: Band,
    bits: readonly TensorRef<'f32'>[],
  ): void {
    const places = this.#tell(symbols, bits, band);
    checkStatus('context_cost', this.#memory.exports.context_cost(handle, rate, places));
  }

  /**
   * Decodes what `encode` wrote at the same rate into the same band.
   * @throws FormatError when the bytes cannot be such a stream
   */
  decode(
    handle: number,
    rate: number,
    src: TensorRef<'u8'>,
    grids: readonly TensorRef<'i16'>[],
    band: Band,
  ): void {
    const { arena, exports } = this.#memory;
    const status = exports.context_decode(
      handle,
      rate,
      arena.offset(src),
      elementCount(src.shape),
      this.#tell(grids, grids, band),
    );
    checkStatus('context_decode', status);
  }

  /** Writes down where a band lies in every grid, to be read and to be written. @returns where that is */
  #tell(from: readonly TensorRef[], to: readonly TensorRef[], band: Band): number {
    const { arena, exports, gridsOffset } = this.#memory;
    const numbers = new Uint32Array(exports.memory.buffer, gridsOffset, GRID_NUMBERS * from.length);
    const coarsestRows = from[0]?.shape[1] ?? 0;
    checkRows(band.firstRow, band.rows, coarsestRows);
    for (const [index, ref] of from.entries()) {
      const [, height, width] = planarShape(ref);
      const ratio = height / coarsestRows;
      const first = band.firstRow * ratio * width;
      const [start, startTo] = [ref, to[index] ?? ref].map(
        (tensor) => arena.offset(tensor) + first * BYTES_PER_ELEMENT[tensor.dtype],
      );
      const place = [start ?? 0, startTo ?? 0, height * width, width, band.rows * ratio];
      numbers.set(place, GRID_NUMBERS * index);
    }
    return gridsOffset;
  }
}
