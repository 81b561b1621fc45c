/**
 * Pictures as files: the format is sniffed when reading and named by the suffix when writing.
 * @module
 */
import { UsageError } from '../errors.js';
import { readBytes, writeFileAtomic } from '../files.js';
import { defaultLimits, type Limits } from '../limits.js';
import { IMAGE_SUFFIXES, type ImageFormat, imageFormatFromPath } from './formats.js';
import { PeerNeededError } from './peer.js';
import type { Pixels } from './pixels.js';
import { readImageBytes } from './read.js';
import type { ReadChoices } from './read-choices.js';
import { encodeAnyImage } from './write.js';

/** How a picture is read. */
export interface ReadOptions extends ReadChoices {
  readonly limits?: Partial<Limits>;
}

/**
 * Reads a picture from a path or from bytes.
 * @throws IoError, FormatError for damaged bytes, UnsupportedError for a kind not handled yet, LimitError
 */
export async function readImage(
  source: string | Uint8Array,
  { limits, ...choices }: ReadOptions = {},
): Promise<Pixels> {
  const bytes = typeof source === 'string' ? await readBytes(source) : source;
  return readAnyImage(bytes, { ...defaultLimits(), ...limits }, choices);
}

/** By the readers of this room, or by sharp where they have none. */
export async function readAnyImage(
  bytes: Uint8Array,
  limits: Limits,
  choices: ReadChoices = {},
): Promise<Pixels> {
  try {
    return readImageBytes(bytes, limits, choices);
  } catch (error) {
    if (!(error instanceof PeerNeededError)) throw error;
    const { readByPeer } = await import('./peer-read.js');
    return readByPeer(error, bytes, limits, choices);
  }
}

/**
 * Writes a picture, whole or not at all.
 * @param format named by the path's suffix where left out
 * @throws UsageError when neither says which format, IoError when the file cannot be written
 */
export async function writeImage(
  path: string,
  pixels: Pixels,
  format: ImageFormat | undefined = imageFormatFromPath(path),
): Promise<void> {
  if (format === undefined) {
    throw new UsageError(`write: expected a name ending in ${IMAGE_SUFFIXES}, got '${path}'`);
  }
  await writeFileAtomic(path, await encodeAnyImage(pixels, format));
}
