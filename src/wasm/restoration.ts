/**
 * The restoration filter of the core: what follows the decoder network, by a file that the model has.
 * @module
 */
import { BackendError, ModelError } from '../errors.js';
import type { Arena, TensorRef } from './arena.js';
import type { Window } from './core.js';
import type { CoreMemory } from './memory.js';
import { checkSameShape, imageShape } from './shapes.js';
import { checkStatus, Status } from './status.js';

/** Bytes of an adjustment: luma's share and pairs, then those of both colour differences. */
export const ADJUSTMENT_BYTES = 23;

/** Unknowns of luma and of each colour difference in an adjustment. */
export const ADJUSTMENT_LENGTHS = [5, 9, 9] as const;
/** Unknowns that there is room for in the sums of a component. */
export const COMPONENT_SIDE = 9;
/** Numbers of a component in the sums: squares, products, error. */
export const COMPONENT_SUMS = COMPONENT_SIDE * COMPONENT_SIDE + COMPONENT_SIDE + 1;
/** Numbers of all sums that `observe` gives. */
export const OBSERVED_NUMBERS = ADJUSTMENT_LENGTHS.length * COMPONENT_SUMS;

export class RestorationFilter {
  readonly #memory: CoreMemory;

  constructor(memory: CoreMemory) {
    this.#memory = memory;
  }

  /**
   * Filters a window of a picture in place, as if nothing lay outside of it.
   * @param file the bytes of the model's restoration file
   * @param rate 0 to 4095
   * @param adjustment what the picture's file says of its filter: i8 [23], or nothing
   * @param picture u8 [height, width, 3]
   * @param window inside the picture
   * @throws ModelError when the file is not one
   */
  restore(
    file: Uint8Array,
    rate: number,
    adjustment: Uint8Array | undefined,
    picture: TensorRef<'u8'>,
    window: Window,
  ): void {
    const { arena, exports } = this.#memory;
    checkFile(file);
    const [height, width] = imageShape(picture);
    const own = adjustment ?? new Uint8Array(ADJUSTMENT_BYTES);
    if (own.length !== ADJUSTMENT_BYTES) {
      throw new BackendError(
        `restore: expected an adjustment of ${ADJUSTMENT_BYTES} bytes, got ${own.length}`,
      );
    }
    const status = arena.scope(() =>
      exports.restore_rgb8(
        copied(file, arena),
        file.length,
        rate,
        copied(own, arena),
        arena.offset(picture),
        width,
        height,
        window.x,
        window.y,
        window.width,
        window.height,
      ),
    );
    check('restore_rgb8', status);
  }

  /**
   * Sums that an adjustment is found by, of a window of a picture.
   * @param decoded u8 [height, width, 3], not restored
   * @param original of the same shape
   * @returns for luma and for each colour difference: products of the filter's share and of pairs [9][9], the lower
   *   triangle, their products with what is missing [9], and that squared
   */
  observe(
    file: Uint8Array,
    rate: number,
    decoded: TensorRef<'u8'>,
    original: TensorRef<'u8'>,
    window: Window,
  ): Float64Array {
    const { arena, exports } = this.#memory;
    checkFile(file);
    checkSameShape(decoded, original);
    const [height, width] = imageShape(decoded);
    return arena.scope(() => {
      const sums = arena.allocate('f64', [OBSERVED_NUMBERS]);
      arena.view(sums).fill(0);
      const status = exports.restore_observe(
        copied(file, arena),
        file.length,
        rate,
        arena.offset(decoded),
        arena.offset(original),
        width,
        height,
        window.x,
        window.y,
        window.width,
        window.height,
        arena.offset(sums),
      );
      check('restore_observe', status);
      return arena.view(sums).slice();
    });
  }
}

/** Header, and 64 knots of 144 classes with 36 weights of two bytes. */
const FILE_MAX_BYTES = 6 + 64 * 144 * 36 * 2;

function copied(bytes: Uint8Array, arena: Arena): number {
  const copy = arena.allocate('u8', [bytes.length]);
  arena.view(copy).set(bytes);
  return arena.offset(copy);
}

/** Every plan of memory has room for what is no larger. */
function checkFile(file: Uint8Array): void {
  if (file.length <= FILE_MAX_BYTES) return;
  throw new ModelError(
    `restore: expected a restoration filter of at most ${FILE_MAX_BYTES} bytes, got ${file.length}`,
  );
}

function check(kernel: string, status: number): void {
  if (status === Status.corrupt) {
    throw new ModelError('restore: expected a restoration filter, got a file that is none');
  }
  checkStatus(kernel, status);
}
