/**
 * The name of an ICC profile, which tells sRGB from what is not.
 * @module
 */
import { printable } from './printable.js';

const TAG_COUNT_OFFSET = 128;
const TAG_BYTES = 12;
/** Profiles have about twenty. */
const TAGS_MAX = 100;
const NAME_MAX_BYTES = 256;

/**
 * @param profile hostile bytes, or `undefined` where a picture has none
 * @returns a line for a person when the picture's colours are not sRGB by the profile's name
 */
export function profileNote(stage: string, profile: Uint8Array | undefined): string | undefined {
  if (profile === undefined) return undefined;
  const name = profileName(profile);
  if (name === undefined) return `${stage}: damaged colour profile ignored; read as sRGB`;
  return /sRGB/i.test(name)
    ? undefined
    : `${stage}: colour profile '${printable(name)}' ignored; read as sRGB`;
}

/** @returns the description, `undefined` when there is none to be found */
function profileName(profile: Uint8Array): string | undefined {
  const bytes = Buffer.from(profile.buffer, profile.byteOffset, profile.byteLength);
  if (bytes.length < TAG_COUNT_OFFSET + 4) return undefined;
  const tags = Math.min(bytes.readUInt32BE(TAG_COUNT_OFFSET), TAGS_MAX);
  for (let index = 0; index < tags; index++) {
    const at = TAG_COUNT_OFFSET + 4 + index * TAG_BYTES;
    if (at + TAG_BYTES > bytes.length) return undefined;
    if (bytes.toString('latin1', at, at + 4) === 'desc') {
      const from = bytes.readUInt32BE(at + 4);
      return readText(bytes.subarray(from, from + bytes.readUInt32BE(at + 8)));
    }
  }
  return undefined;
}

/** Text of version 2 (`desc`, ASCII) or the first of version 4 (`mluc`, UTF-16). */
function readText(tag: Buffer): string | undefined {
  const kind = tag.toString('latin1', 0, 4);
  if (kind === 'desc' && tag.length >= 12) {
    const byteLength = Math.min(tag.readUInt32BE(8), NAME_MAX_BYTES);
    return tag.toString('latin1', 12, 12 + byteLength).replace(/\0.*$/s, '');
  }
  if (kind === 'mluc' && tag.length >= 28) {
    const from = tag.readUInt32BE(24);
    const byteLength = Math.min(tag.readUInt32BE(20), NAME_MAX_BYTES) & ~1;
    const text = Buffer.from(tag.subarray(from, from + byteLength));
    return text.length === byteLength ? text.swap16().toString('utf16le') : undefined;
  }
  return undefined;
}
