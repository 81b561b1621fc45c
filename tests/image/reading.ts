/** Reading pictures within the default limits, and what a refused one throws. */
import type { Pixels } from '#src/image/pixels.js';
import { readImageBytes } from '#src/image/read.js';
import type { ReadChoices } from '#src/image/read-choices.js';
import { defaultLimits } from '#src/limits.js';

export const LIMITS = defaultLimits();

export function read(bytes: Uint8Array, choices?: ReadChoices): Pixels {
  return readImageBytes(bytes, LIMITS, choices);
}

/** @returns what reading the file throws, `undefined` when it is taken */
export function refusal(bytes: Uint8Array): unknown {
  try {
    read(bytes);
  } catch (error) {
    return error;
  }
  return undefined;
}
