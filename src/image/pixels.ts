/**
 * A decoded picture in memory: what every reader makes and every writer takes.
 * @module
 */
import { UsageError } from '../errors.js';

/** Interleaved 8-bit samples, row by row from the top, no padding between rows. */
export interface Pixels {
  readonly widthPx: number;
  readonly heightPx: number;
  /** 1 = grey, 3 = RGB in the picture's own (gamma-encoded) colour space. */
  readonly channels: 1 | 3;
  /** `widthPx * heightPx * channels` samples, 0 to 255. */
  readonly data: Uint8Array;
}

/**
 * Checks that the record is what it says, as callers outside TypeScript may hand over anything.
 * @throws UsageError when sides, channels and length do not agree
 */
export function checkPixels(stage: string, pixels: Pixels): void {
  const { widthPx, heightPx, channels, data } = pixels;
  if (!Number.isInteger(widthPx) || !Number.isInteger(heightPx) || widthPx < 1 || heightPx < 1) {
    throw new UsageError(`${stage}: expected sides of at least 1 px, got ${widthPx}x${heightPx}`);
  }
  if (channels !== 1 && channels !== 3) {
    throw new UsageError(`${stage}: expected 1 or 3 channels, got ${channels}`);
  }
  const expected = widthPx * heightPx * channels;
  if (!(data instanceof Uint8Array) || data.length !== expected) {
    const got = data instanceof Uint8Array ? `${data.length} bytes` : typeof data;
    throw new UsageError(
      `${stage}: expected ${expected} bytes for ${widthPx}x${heightPx}x${channels}, got ${got}`,
    );
  }
}
