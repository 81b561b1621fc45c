/**
 * Writes by sharp the kinds of file that are left to it. It is handed a PNG, as that is how it takes profile, Exif and XMP.
 * @module
 */
import { BackendError, UnsupportedError } from '../errors.js';
import type { Limits } from '../limits.js';
import type { PeerFormat } from './formats.js';
import { loadSharp, type Sharp } from './peer.js';
import type { Pixels } from './pixels.js';
import { writePng } from './png.js';

/** As near to the pixels as each kind allows: they came from a decoder, and are not to be coded twice. */
const WRITERS: Readonly<Record<PeerFormat, (image: Sharp) => Sharp>> = {
  webp: (image) => image.webp({ lossless: true }),
  // Efforts above 1 take ten times as long for 4 % of the bytes.
  avif: (image) => image.avif({ lossless: true, effort: 1 }),
  tiff: (image) => image.tiff({ compression: 'deflate', predictor: 'horizontal' }),
  jxl: (image) => image.jxl({ lossless: true }),
};

/** libvips's name of what each is written by. */
const KINDS: Readonly<Record<PeerFormat, string>> = {
  webp: 'webp',
  avif: 'heif',
  tiff: 'tiff',
  jxl: 'jxl',
};

/**
 * @param pixels checked by the caller
 * @throws UnsupportedError where sharp is absent or its build lacks the kind, LimitError
 */
export async function writeByPeer(
  pixels: Pixels,
  format: PeerFormat,
  limits: Limits,
): Promise<Uint8Array> {
  const sharp = await loadSharp(
    new UnsupportedError(
      `write: expected png, ppm, pam or jpg, got ${format}; install the optional package 'sharp' to write it`,
    ),
  );
  const kinds = sharp.format as unknown as Record<string, { output: { buffer: boolean } }>;
  if (kinds[KINDS[format]]?.output.buffer !== true) {
    throw new UnsupportedError(
      `write: expected a kind that this build of sharp writes, got ${format}; write it as PNG`,
    );
  }
  const png = writePng(pixels, limits);
  try {
    const image = sharp(png, { limitInputPixels: false }).keepMetadata();
    // It writes 8 bits of all that is not in a space of 16.
    if (format === 'tiff' && pixels.data instanceof Uint16Array) {
      image.toColourspace(pixels.channels <= 2 ? 'grey16' : 'rgb16');
    }
    return new Uint8Array(await WRITERS[format](image).toBuffer());
  } catch (cause) {
    throw new BackendError(`write: expected sharp to write ${format}, got ${String(cause)}`, {
      cause,
    });
  }
}
