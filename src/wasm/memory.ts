/**
 * The memory of one WASM core: the arena in it, and the few bytes where kernels are told of what is no tensor, and leave
 * single numbers.
 * @module
 */
import { LimitError } from '../errors.js';
import { Arena } from './arena.js';
import type { CoreExports } from './exports.js';

const RESULT_BYTES = 64;
/** Room for what a kernel is told of latent grids. */
const GRIDS_BYTES = 64;

export class CoreMemory {
  readonly exports: CoreExports;
  #arena: Arena;
  #resultOffset = 0;

  /**
   * @param arenaByteLength the plan: everything that will be held at once
   * @throws LimitError when the memory cannot be had
   */
  constructor(exports: CoreExports, arenaByteLength: number) {
    this.exports = exports;
    this.#arena = this.#reserve(arenaByteLength);
  }

  get arena(): Arena {
    return this.#arena;
  }

  /** Bytes of linear memory; it never shrinks. */
  get byteLength(): number {
    return this.exports.memory.buffer.byteLength;
  }

  /**
   * Makes the arena at least this large; what was in it is gone and every reference to it is stale. There is none after an error.
   * @throws LimitError when the memory cannot be had
   */
  resize(arenaByteLength: number): void {
    this.#arena.clear();
    if (arenaByteLength > this.#arena.byteLength) this.#arena = this.#reserve(arenaByteLength);
  }

  #reserve(arenaByteLength: number): Arena {
    const byteLength = arenaByteLength + RESULT_BYTES + GRIDS_BYTES;
    const offset = byteLength < 2 ** 32 ? this.exports.arena_reserve(byteLength) >>> 0 : 0;
    if (offset === 0) {
      // The core has given the old one back: nothing may be put there any more.
      this.#arena = new Arena(this.exports.memory, 0, 0);
      throw new LimitError(
        `core: expected ${byteLength} bytes of WASM memory, got none; use a smaller picture or fewer at once`,
      );
    }
    this.#resultOffset = offset;
    return new Arena(this.exports.memory, this.gridsOffset + GRIDS_BYTES, arenaByteLength);
  }

  /** Where kernels leave a number. */
  get resultOffset(): number {
    return this.#resultOffset;
  }

  /** Where kernels are told of latent grids. */
  get gridsOffset(): number {
    return this.#resultOffset + RESULT_BYTES;
  }

  resultU32(): number {
    return new DataView(this.exports.memory.buffer).getUint32(this.#resultOffset, true);
  }

  resultF64(): number {
    return new DataView(this.exports.memory.buffer).getFloat64(this.#resultOffset, true);
  }
}
