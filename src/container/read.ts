/**
 * Hostile bytes of a `.vae` file to header and directory. The layout is told in `layout.ts`. Nothing is allocated from a
 * number that was not checked.
 * @module
 */
import { crc32 } from 'node:zlib';
import { FormatError } from '../errors.js';
import type { Limits } from '../limits.js';
import { Cursor } from './cursor.js';
import {
  type ContainerHeader,
  MAGIC,
  REST_MAX_BYTES,
  REST_MIN_BYTES,
  VERSION_MAJOR,
  VERSION_MINOR,
} from './layout.js';
import { type DirectoryEntry, readDirectory, type StreamPart } from './read-directory.js';
import { readFields } from './read-fields.js';

/** How a header is read of a file that may not be whole. */
export interface CutOptions {
  /** The file may end before the last stream does. */
  readonly mayBeCut?: boolean;
}

/** A header that its own CRC vouches for, and what it says about the rest of the file. */
export interface ParsedHeader extends ContainerHeader {
  readonly versionMinor: number;
  readonly headerByteLength: number;
  readonly fileByteLength: number;
  readonly directory: readonly DirectoryEntry[];
}

/**
 * Reads the header and directory only; no stream is looked at, no CRC but the header's is checked.
 * @param bytes the file's beginning; its first `HEADER_MAX_BYTES` (layout.ts) are always enough
 * @param limits applied to the sides; left out where nothing will be allocated for the picture
 * @param fileByteLength of the whole file, against the directory's sum
 * @throws FormatError when damaged, truncated, of a higher major version, or longer than it says
 * @throws LimitError when the picture is larger than the limits allow
 */
export function readHeader(
  bytes: Uint8Array,
  limits?: Limits,
  fileByteLength: number = bytes.length,
  { mayBeCut = false }: CutOptions = {},
): ParsedHeader {
  const { versionMinor, fieldsOffset, headerByteLength } = readPreamble(bytes);
  const cursor = new Cursor(bytes.subarray(0, headerByteLength - 4), fieldsOffset);
  const header = readFields(cursor, limits);
  const directory = readDirectory(cursor, header, headerByteLength);
  if (versionMinor <= VERSION_MINOR && cursor.offset !== headerByteLength - 4) {
    throw new FormatError(
      `container: expected the header's fields to end at byte ${headerByteLength - 4}, got ${cursor.offset}`,
      cursor.offset,
    );
  }
  const end = directory.reduce((sum, entry) => sum + entry.byteLength, headerByteLength);
  if (fileByteLength > end || (fileByteLength < end && !mayBeCut)) {
    const how = fileByteLength < end ? 'truncated' : 'trailing bytes';
    throw new FormatError(
      `container: expected a file of ${end} bytes, got ${fileByteLength} (${how})`,
      Math.min(fileByteLength, end),
    );
  }
  return { ...header, versionMinor, headerByteLength, fileByteLength, directory };
}

/**
 * @param bytes what was read of that place in the file
 * @throws FormatError when they are not as they were written
 */
export function checkPart(bytes: Uint8Array, { byteOffset, crc }: StreamPart, what: string): void {
  const actual = crc32(bytes);
  if (actual !== crc) {
    throw new FormatError(
      `container: expected CRC-32 ${hex(crc)} of ${what}, got ${hex(actual)}`,
      byteOffset,
    );
  }
}

/** Magic, version, length and CRC: after this the header's bytes are those that were written. */
function readPreamble(bytes: Uint8Array): {
  readonly versionMinor: number;
  readonly fieldsOffset: number;
  readonly headerByteLength: number;
} {
  if (bytes.length === 0) {
    throw new FormatError('container: expected a .vae file, got an empty one', 0);
  }
  for (const [index, byte] of MAGIC.entries()) {
    if (index < bytes.length && bytes[index] !== byte) {
      throw new FormatError(
        `container: expected a .vae file beginning ${hexBytes(MAGIC)}, got ${hexBytes(bytes.subarray(0, MAGIC.length))}`,
        index,
      );
    }
  }
  const cursor = new Cursor(bytes, MAGIC.length);
  const versionMajor = cursor.u8();
  if (versionMajor !== VERSION_MAJOR) {
    throw new FormatError(
      versionMajor > VERSION_MAJOR
        ? `container: expected format version ${VERSION_MAJOR}, got ${versionMajor}; a newer vaerans reads it`
        : `container: expected format version ${VERSION_MAJOR}, got ${versionMajor}`,
      MAGIC.length,
    );
  }
  const versionMinor = cursor.u8();
  const restOffset = cursor.offset;
  const restByteLength = cursor.varint();
  if (restByteLength < REST_MIN_BYTES || restByteLength > REST_MAX_BYTES) {
    throw new FormatError(
      `container: expected a header of ${REST_MIN_BYTES} to ${REST_MAX_BYTES} more bytes, got ${restByteLength}`,
      restOffset,
    );
  }
  const fieldsOffset = cursor.offset;
  const headerByteLength = fieldsOffset + restByteLength;
  const stored = new Cursor(bytes, headerByteLength - 4).u32();
  const actual = crc32(bytes.subarray(0, headerByteLength - 4));
  if (stored !== actual) {
    throw new FormatError(
      `container: expected header CRC-32 ${hex(stored)}, got ${hex(actual)}`,
      headerByteLength - 4,
    );
  }
  return { versionMinor, fieldsOffset, headerByteLength };
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
