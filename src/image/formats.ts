/**
 * The kinds of image file that can be written, and the suffixes that name them. Knows no library, so that the command
 * line may ask before anything is loaded.
 * @module
 */

/** Written by this package itself. */
export const NATIVE_FORMATS = ['png', 'ppm', 'pam', 'jpg'] as const;
/** Written by the optional package sharp, where it is installed. */
export const PEER_FORMATS = ['webp', 'avif', 'tiff', 'jxl'] as const;
export const IMAGE_FORMATS = [...NATIVE_FORMATS, ...PEER_FORMATS] as const;

/** `ppm` is Netpbm's pair: PPM (P6) for RGB, PGM (P5) for grey. */
export type NativeFormat = (typeof NATIVE_FORMATS)[number];
export type PeerFormat = (typeof PEER_FORMATS)[number];
export type ImageFormat = NativeFormat | PeerFormat;

const SUFFIXES: ReadonlyMap<string, ImageFormat> = new Map([
  ['.png', 'png'],
  ['.ppm', 'ppm'],
  ['.pgm', 'ppm'],
  ['.pnm', 'ppm'],
  ['.pam', 'pam'],
  ['.jpg', 'jpg'],
  ['.jpeg', 'jpg'],
  ['.webp', 'webp'],
  ['.avif', 'avif'],
  ['.tif', 'tiff'],
  ['.tiff', 'tiff'],
  ['.jxl', 'jxl'],
]);

/** `.png, ... or .jxl`, for messages. */
export const IMAGE_SUFFIXES = `.${IMAGE_FORMATS.join(', .').replace(/, (?=[^,]*$)/, ' or ')}`;

/** Read by sharp and written by nothing. */
const READ_ONLY = /\.(?:heic|heif|gif)$/i;

export function isPeerFormat(format: ImageFormat): format is PeerFormat {
  return (PEER_FORMATS as readonly string[]).includes(format);
}

/** @returns the format that a path's suffix asks for, in any case; `undefined` when it is none that can be written */
export function imageFormatFromPath(path: string): ImageFormat | undefined {
  const suffix = /\.[a-z]+$/i.exec(path)?.[0].toLowerCase() ?? '';
  return SUFFIXES.get(suffix);
}

/** @returns whether a path's suffix is that of a picture that can be read; for choosing files in a folder, no more */
export function isPicturePath(path: string): boolean {
  return imageFormatFromPath(path) !== undefined || READ_ONLY.test(path);
}
