/**
 * The kinds of image file that can be written, and the suffixes that name them. Knows no library, so that the command
 * line may ask before anything is loaded.
 * @module
 */

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

/** @returns the format that a path's suffix asks for, in any case; `undefined` when it is none that can be written */
export function imageFormatFromPath(path: string): ImageFormat | undefined {
  const suffix = /\.[a-z]+$/i.exec(path)?.[0].toLowerCase() ?? '';
  return SUFFIXES.get(suffix);
}

/** @returns whether a path's suffix is that of a picture that can be read; for choosing files in a folder, no more */
export function isPicturePath(path: string): boolean {
  return imageFormatFromPath(path) !== undefined || /\.jpe?g$/i.test(path);
}
