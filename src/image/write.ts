/**
 * Pixels to the bytes of an image file.
 * @module
 */
import { checkPixels, type Pixels } from './pixels.js';
import { writePng } from './png.js';
import { writePam, writePnm } from './pnm.js';

export const IMAGE_FORMATS = ['png', 'ppm', 'pam'] as const;

/** `ppm` is Netpbm's pair: PPM (P6) for RGB, PGM (P5) for grey. */
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

const SUFFIXES: ReadonlyMap<string, ImageFormat> = new Map([
  ['.png', 'png'],
  ['.ppm', 'ppm'],
  ['.pgm', 'ppm'],
  ['.pnm', 'ppm'],
  ['.pam', 'pam'],
]);

/**
 * Grey stays grey: one channel in, one channel in the file, in every format.
 * @returns bytes of its own, never a view of `pixels.data`
 * @throws UsageError when the record is not what it says
 */
export function encodeImage(pixels: Pixels, format: ImageFormat): Uint8Array {
  checkPixels('image', pixels);
  switch (format) {
    case 'png':
      return writePng(pixels);
    case 'ppm':
      return writePnm(pixels);
    case 'pam':
      return writePam(pixels);
  }
}

/** @returns the format that a path's suffix asks for, in any case; `undefined` when it is none that can be written */
export function imageFormatFromPath(path: string): ImageFormat | undefined {
  const suffix = /\.[a-z]+$/i.exec(path)?.[0].toLowerCase() ?? '';
  return SUFFIXES.get(suffix);
}
