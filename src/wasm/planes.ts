/**
 * The plane coder of the core: bands of interleaved integer samples to bytes and back.
 * @module
 */
import { BackendError, LimitError } from '../errors.js';
import { checkInteger, checkRange } from '../limits.js';
import { type Arena, BYTES_PER_ELEMENT, elementCount, type TensorRef } from './arena.js';
import type { Band } from './context.js';
import type { CoreMemory } from './memory.js';
import { checkRows } from './shapes.js';
import { checkStatus } from './status.js';

/** u8 and u16: samples. i16: differences of 8-bit samples, -255 to 255. i32: of 16-bit ones, -65535 to 65535. */
export type PlaneDtype = 'u8' | 'u16' | 'i16' | 'i32';

/**
 * How exactly: no sample further off than `maxError` levels (0 to 255; 0 is lossless), or the least squared error for
 * the bits with a wavelet's `stepSize` in levels (1/64 to 65,536).
 */
export type PlaneCoding = { readonly maxError: number } | { readonly stepSize: number };

const DTYPE: Readonly<Record<PlaneDtype, number>> = { u8: 0, u16: 1, i16: 2, i32: 3 };
const MAX_ERROR_LIMIT = 255;
const STEPS_PER_LEVEL = 64;

/** The kernels' two numbers for a coding; the second counts where the first is past its limit. */
function codingNumbers(coding: PlaneCoding): [maxError: number, step: number] {
  if ('maxError' in coding) {
    checkInteger('planes: maxError', coding.maxError, 0, MAX_ERROR_LIMIT);
    return [coding.maxError, 0];
  }
  checkRange('planes: stepSize', coding.stepSize, 1 / STEPS_PER_LEVEL, 65_536);
  return [MAX_ERROR_LIMIT + 1, Math.round(coding.stepSize * STEPS_PER_LEVEL)];
}

/** Offset of a band's first pixel, and the kernels' numbers for its shape. */
function bandNumbers(arena: Arena, samples: TensorRef<PlaneDtype>, band: Band) {
  const [height = 0, width = 0, components = 0] = samples.shape;
  const { firstRow, rows } = band;
  if (samples.shape.length !== 3) {
    throw new BackendError(
      `planes: expected a tensor [height, width, components], got [${samples.shape.join(',')}]`,
    );
  }
  checkRows(firstRow, rows, height);
  const rowByteLength = width * components * BYTES_PER_ELEMENT[samples.dtype];
  const byteOffset = arena.offset(samples) + firstRow * rowByteLength;
  return { byteOffset, shape: [width, rows, components] as const };
}

export class PlanesCoder {
  readonly #memory: CoreMemory;

  constructor(memory: CoreMemory) {
    this.#memory = memory;
  }

  /** Most bytes that `encode` can write for a band of so many rows. */
  encodeBound(dtype: PlaneDtype, rows: number, width: number, components: number): number {
    const { exports } = this.#memory;
    const bound = exports.planes_encode_bound(DTYPE[dtype], width, rows, components) >>> 0;
    // The kernel's answer where a length does not fit its 32 bits.
    if (bound > 0) return bound;
    throw new LimitError(
      `planes: expected a band below 4 GiB, got ${rows}x${width} pixels of ${components} components; use fewer rows`,
    );
  }

  /**
   * Codes one band of samples by itself, exactly or not, by integers alone.
   * @param src [height, width, components], interleaved; 1 to 4 components
   * @param band at most 65,535 rows, and together with the width 2^26 pixels
   * @param room at least `encodeBound` bytes
   * @returns bytes written at the start of `room`
   */
  encode(
    src: TensorRef<PlaneDtype>,
    band: Band,
    coding: PlaneCoding,
    room: TensorRef<'u8'>,
  ): number {
    const { arena, exports, resultOffset } = this.#memory;
    const { byteOffset, shape } = bandNumbers(arena, src, band);
    const status = exports.planes_encode(
      DTYPE[src.dtype],
      byteOffset,
      ...shape,
      ...codingNumbers(coding),
      arena.offset(room),
      elementCount(room.shape),
      resultOffset,
    );
    checkStatus('planes_encode', status);
    return this.#memory.resultU32();
  }

  /**
   * Decodes all of `src` into the rows of `dst` that `band` names; the others stay.
   * @throws FormatError when the bytes cannot be such a band
   */
  decode(src: TensorRef<'u8'>, dst: TensorRef<PlaneDtype>, band: Band): void {
    const { arena, exports } = this.#memory;
    const { byteOffset, shape } = bandNumbers(arena, dst, band);
    const status = exports.planes_decode(
      DTYPE[dst.dtype],
      arena.offset(src),
      elementCount(src.shape),
      byteOffset,
      ...shape,
    );
    checkStatus('planes_decode', status);
  }

  /**
   * Makes of a band, in place, what it decodes to when coded with a wavelet's `stepSize`, without coding it. Only a band
   * that such a step would make larger than its samples comes out better than this.
   */
  roundTrip(data: TensorRef<PlaneDtype>, band: Band, stepSize: number): void {
    const { arena, exports } = this.#memory;
    const { byteOffset, shape } = bandNumbers(arena, data, band);
    const [, step] = codingNumbers({ stepSize });
    const status = exports.planes_round_trip(DTYPE[data.dtype], byteOffset, ...shape, step);
    checkStatus('planes_round_trip', status);
  }
}
