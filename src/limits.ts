/**
 * How much a hostile or careless input may ask of this machine, and the one place where that is checked.
 * @module
 */
import { availableParallelism, totalmem } from 'node:os';
import { LimitError, UsageError } from './errors.js';

/** Bounds on a picture and on memory, all of which a caller may raise. */
export interface Limits {
  /** Largest width times height of any picture, in pixels. */
  readonly maxPixels: number;
  /** Largest width or height, in pixels. */
  readonly maxSidePx: number;
  /** Most bytes that one call may plan to hold at once. */
  readonly maxMemoryBytes: number;
}

/** 268,402,689 = 16383², the limit that libvips and sharp made customary. */
export const DEFAULT_MAX_PIXELS = 268_402_689;
export const DEFAULT_MAX_SIDE_PX = 32_768;

export function defaultLimits(): Limits {
  return {
    maxPixels: DEFAULT_MAX_PIXELS,
    maxSidePx: DEFAULT_MAX_SIDE_PX,
    maxMemoryBytes: Math.floor(totalmem() / 4),
  };
}

/** Threads that one process may keep busy: the cores that the scheduler grants it. */
export function defaultThreads(): number {
  return availableParallelism();
}

/**
 * Refuses a picture before anything is allocated for it.
 * @param stage names the room in the message, for example `png`
 * @throws LimitError when a side or the area is larger than the limits allow
 */
export function checkDimensions(
  stage: string,
  widthPx: number,
  heightPx: number,
  limits: Limits,
): void {
  if (widthPx > limits.maxSidePx || heightPx > limits.maxSidePx) {
    throw new LimitError(
      `${stage}: expected sides of at most ${limits.maxSidePx} px, got ${widthPx}x${heightPx}; raise it with --max-side`,
    );
  }
  if (widthPx * heightPx > limits.maxPixels) {
    throw new LimitError(
      `${stage}: expected at most ${limits.maxPixels} pixels, got ${widthPx}x${heightPx} = ${widthPx * heightPx}; raise it with --max-pixels`,
    );
  }
}

/**
 * Refuses work whose planned memory is over the limit, before it starts.
 * @throws LimitError naming both figures in bytes
 */
export function checkPlannedMemory(stage: string, plannedBytes: number, limits: Limits): void {
  if (plannedBytes > limits.maxMemoryBytes) {
    throw new LimitError(
      `${stage}: expected a plan of at most ${limits.maxMemoryBytes} bytes, got ${plannedBytes}; raise it with --max-memory`,
    );
  }
}

/** @throws UsageError unless `value` is a whole number within [min, max] */
export function checkInteger(name: string, value: number, min: number, max: number): void {
  checkRange(name, value, min, max);
  if (!Number.isInteger(value)) {
    throw new UsageError(`${name}: expected a whole number, got ${value}`);
  }
}

/** @throws UsageError unless `value` is a finite number within [min, max] */
export function checkRange(name: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) {
    throw new UsageError(`${name}: expected a number from ${min} to ${max}, got ${value}`);
  }
}

const BYTES_OF_SUFFIX: Readonly<Record<string, number>> = {
  '': 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/** Bytes of a text such as `536870912`, `512M` or `1.5G`; nothing for any other text. */
export function parseByteCount(text: string): number | undefined {
  const [, digits, suffix = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(digits) * (BYTES_OF_SUFFIX[suffix.toUpperCase()] ?? Number.NaN));
  return bytes >= 1 && bytes <= Number.MAX_SAFE_INTEGER ? bytes : undefined;
}
