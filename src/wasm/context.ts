/**
 * What the context coder of the core is told: models, each parsed once, and where a band lies in every latent grid. The
 * rest of the code calls `Core`.
 * @module
 */
import { LimitError, ModelError } from '../errors.js';
import { type Arena, BYTES_PER_ELEMENT, type TensorRef } from './arena.js';
import type { CoreExports } from './exports.js';
import { planarShape } from './shapes.js';
import { checkStatus, Status } from './status.js';

/**
 * A band of latent rows: rows `firstRow` to `firstRow + rows - 1` of every plane. Of several grids it is rows of the
 * coarsest, and of the others the rows that lie in those.
 */
export interface Band {
  readonly firstRow: number;
  readonly rows: number;
}

/** Where kernels are told of latent grids. */
export const GRIDS_BYTES = 64;
/** Numbers for each grid: see crates/vaerans-wasm/src/context.rs. */
const GRID_NUMBERS = 5;

export class ContextCoder {
  readonly #exports: CoreExports;
  readonly #models = new WeakMap<Uint8Array, number>();

  constructor(exports: CoreExports) {
    this.#exports = exports;
  }

  /**
   * A handle for a model; each file is parsed once.
   * @throws ModelError when the file is not one, or is for other numbers of channels
   */
  model(arena: Arena, file: Uint8Array, channels: readonly number[]): number {
    let handle = this.#models.get(file);
    if (handle === undefined) {
      const mark = arena.mark();
      try {
        const copy = arena.allocate('u8', [file.length]);
        arena.view(copy).set(file);
        handle = this.#exports.context_model_load(arena.offset(copy), file.length);
      } finally {
        arena.rewind(mark);
      }
      if (handle === Status.corrupt) {
        throw new ModelError('context: expected a context model, got a file that is none');
      }
      if (handle < 0) checkStatus('context_model_load', handle);
      this.#models.set(file, handle);
    }
    const found: number[] = [];
    for (let count = 1; count > 0; ) {
      count = this.#exports.context_model_channels(handle, found.length);
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
   * Most bytes that coding a band of `rows` rows can take.
   * @param places from `tell`
   */
  encodeBound(handle: number, places: number, grids: readonly TensorRef[], rows: number): number {
    const bound = this.#exports.context_encode_bound(handle, places) >>> 0;
    if (bound === 0) {
      throw new LimitError(
        `context_encode: expected a band of latent rows below 4 GiB, got ${rows} rows of ${grids.map(({ shape }) => shape.join('x')).join(' and ')}`,
      );
    }
    return bound;
  }

  /** Writes down where a band lies in every grid, to be read and to be written. @returns `offset` */
  tell(
    arena: Arena,
    from: readonly TensorRef[],
    to: readonly TensorRef[],
    band: Band,
    offset: number,
  ): number {
    const count = GRID_NUMBERS * from.length;
    const numbers = new Uint32Array(this.#exports.memory.buffer, offset, count);
    const coarsestRows = from[0]?.shape[1] ?? 0;
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
    return offset;
  }
}
