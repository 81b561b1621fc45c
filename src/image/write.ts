/**
 * Pixels to the bytes of an image file.
 * @module
 */
import { defaultLimits, type Limits } from '../limits.js';
import { type ImageFormat, isPeerFormat, type NativeFormat } from './formats.js';
import { writeJpeg } from './jpeg.js';
import { writeByPeer } from './peer-write.js';
import { checkPixels, type Pixels } from './pixels.js';
import { writePng } from './png.js';
import { writePam, writePnm } from './pnm.js';

/**
 * Grey stays grey: one channel in, one channel in the file, but for JPEG.
 * @returns bytes of its own, never a view of `pixels.data`
 * @throws UsageError when the record is not what it says, UnsupportedError for what the format does not hold
 */
export function encodeImage(
  pixels: Pixels,
  format: NativeFormat,
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
    case 'jpg':
      return writeJpeg(pixels, limits);
  }
}

/**
 * As `encodeImage`, and by sharp what is left to it.
 * @throws UnsupportedError where sharp is absent, or its build lacks the kind
 */
export async function encodeAnyImage(
  pixels: Pixels,
  format: ImageFormat,
  limits: Limits = defaultLimits(),
): Promise<Uint8Array> {
  if (!isPeerFormat(format)) return encodeImage(pixels, format, limits);
  checkPixels('image', pixels);
  return await writeByPeer(pixels, format, limits);
}
