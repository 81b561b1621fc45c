/**
 * Pixels to the bytes of an image file.
 * @module
 */
import { defaultLimits, type Limits } from '../limits.js';
import type { ImageFormat } from './formats.js';
import { checkPixels, type Pixels } from './pixels.js';
import { writePng } from './png.js';
import { writePam, writePnm } from './pnm.js';

/**
 * Grey stays grey: one channel in, one channel in the file, in every format.
 * @returns bytes of its own, never a view of `pixels.data`
 * @throws UsageError when the record is not what it says, UnsupportedError for what the format does not hold
 */
export function encodeImage(
  pixels: Pixels,
  format: ImageFormat,
  limits: Limits = defaultLimits(),
): Uint8Array {
  checkPixels('image', pixels);
  switch (format) {
    case 'png':
      return writePng(pixels, limits);
    case 'ppm':
      return writePnm(pixels);
    case 'pam':
      return writePam(pixels);
  }
}
