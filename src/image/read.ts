/**
 * Bytes of an image file to pixels. What a file is, is told by its first bytes and never by its name.
 * @module
 */
import { FormatError, UnsupportedError } from '../errors.js';
import type { Limits } from '../limits.js';
import type { Pixels } from './pixels.js';
import { readPng } from './png.js';
import { isPng } from './png-chunks.js';
import { isPnm, readPnm } from './pnm.js';
import { nameForeignFormat } from './sniff.js';

/**
 * Reads PNG (8-bit RGB and grey, interlaced too), PPM, PGM and PAM. Colour is taken for sRGB: profiles, gamma and
 * orientation are not looked at.
 * @param bytes a whole file; never kept
 * @throws FormatError when the bytes are damaged, or not an image at all
 * @throws UnsupportedError when they are an image of a kind that is not handled
 * @throws LimitError when the picture is larger than the limits allow
 */
export function readImageBytes(bytes: Uint8Array, limits: Limits): Pixels {
  if (isPng(bytes)) {
    return readPng(bytes, limits);
  }
  if (isPnm(bytes)) {
    return readPnm(bytes, limits);
  }
  if (bytes.length === 0) {
    throw new FormatError('image: expected an image file, got an empty one', 0);
  }
  const foreign = nameForeignFormat(bytes);
  if (foreign.advice !== undefined) {
    throw new UnsupportedError(
      `image: expected PNG, PPM, PGM or PAM, got ${foreign.name}; ${foreign.advice}`,
    );
  }
  throw new FormatError(`image: expected PNG, PPM, PGM or PAM, got ${foreign.name}`, 0);
}
