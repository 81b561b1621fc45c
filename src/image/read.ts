/**
 * Bytes of an image file to pixels. What a file is, is told by its first bytes and never by its name.
 * @module
 */
import { FormatError, UnsupportedError } from '../errors.js';
import type { Limits } from '../limits.js';
import { readJpeg } from './jpeg.js';
import { isJpeg } from './jpeg-guard.js';
import { PeerNeededError } from './peer.js';
import type { Pixels } from './pixels.js';
import { readPng } from './png.js';
import { isPng } from './png-chunks.js';
import { isPnm, readPnm } from './pnm.js';
import type { ReadChoices } from './read-choices.js';
import { nameForeignFormat } from './sniff.js';

/**
 * Reads PNG, JPEG, PPM, PGM and PAM, upright, with their colours and metadata.
 * @param bytes a whole file; never kept
 * @throws FormatError when the bytes are damaged, or not an image at all
 * @throws UnsupportedError when they are an image of a kind that is not handled: PeerNeededError where sharp may read it
 * @throws LimitError when the picture is larger than the limits allow
 */
export function readImageBytes(
  bytes: Uint8Array,
  limits: Limits,
  choices: ReadChoices = {},
): Pixels {
  if (isPng(bytes)) {
    return readPng(bytes, limits, choices);
  }
  if (isJpeg(bytes)) {
    return readJpeg(bytes, limits, choices);
  }
  if (isPnm(bytes)) {
    return readPnm(bytes, limits, choices);
  }
  if (bytes.length === 0) {
    throw new FormatError('image: expected an image file, got an empty one', 0);
  }
  const foreign = nameForeignFormat(bytes);
  const wanted = 'PNG, JPEG, PPM, PGM or PAM';
  if (foreign.peer !== undefined) {
    throw new PeerNeededError('image', wanted, foreign.peer, foreign.name);
  }
  const message = `image: expected ${wanted}, got ${foreign.name}`;
  if (foreign.advice !== undefined) {
    throw new UnsupportedError(`${message}; ${foreign.advice}`);
  }
  throw new FormatError(message, 0);
}
