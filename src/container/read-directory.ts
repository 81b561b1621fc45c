/**
 * The directory of streams: which there are, where they lie, how they are cut into slices.
 * @module
 */
import { FormatError } from '../errors.js';
import type { Cursor } from './cursor.js';
import {
  type ContainerHeader,
  expectedStreams,
  REQUIRED_BIT,
  REQUIRED_STREAM_TYPES,
  SLICES_MAX,
  STREAM_TYPES,
  STREAMS_MAX,
  type StreamType,
} from './layout.js';

/** Where one stream lies, from the directory. */
export interface DirectoryEntry {
  /** `undefined` for an optional stream of a kind that this version does not know. */
  readonly type: StreamType | undefined;
  /** 1 to 127. */
  readonly typeCode: number;
  /** From the start of the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
  /** What a CRC-32 stands for each: the slices of a `latent` with `sliceRows` > 0, else the stream. */
  readonly parts: readonly StreamPart[];
  /** All slice lengths in bytes, of `latent` where `sliceRows` > 0. */
  readonly sliceByteLengths?: readonly number[];
}

/** A run of bytes that is checked by itself. */
export interface StreamPart {
  /** From the start of the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly crc: number;
}

/**
 * Reads from `streamCount` on and leaves the cursor behind the last entry.
 * @throws FormatError when the entries break the layout, or are not those that the header calls for
 */
export function readDirectory(
  cursor: Cursor,
  header: ContainerHeader,
  headerByteLength: number,
): readonly DirectoryEntry[] {
  const countOffset = cursor.offset;
  const count = cursor.u8();
  if (count < 1 || count > STREAMS_MAX) {
    throw new FormatError(
      `container: expected 1 to ${STREAMS_MAX} streams, got ${count}`,
      countOffset,
    );
  }
  const directory: DirectoryEntry[] = [];
  let byteOffset = headerByteLength;
  let previousCode = 0;
  for (let index = 0; index < count; index++) {
    const entryOffset = cursor.offset;
    const entry = readEntry(cursor, header, byteOffset);
    if (entry.typeCode <= previousCode) {
      throw new FormatError(
        `container: expected stream types to rise, got ${entry.typeCode} after ${previousCode}`,
        entryOffset,
      );
    }
    previousCode = entry.typeCode;
    byteOffset += entry.byteLength;
    directory.push(entry);
  }
  for (const [type, expected] of expectedStreams(header)) {
    if (directory.some((entry) => entry.type === type) !== expected) {
      throw new FormatError(
        `container: expected ${expected ? 'a' : 'no'} ${type} stream for this header, got ${expected ? 'none' : 'one'}`,
        countOffset,
      );
    }
  }
  return directory;
}

function readEntry(cursor: Cursor, header: ContainerHeader, byteOffset: number): DirectoryEntry {
  const entryOffset = cursor.offset;
  const typeByte = cursor.u8();
  const typeCode = typeByte & ~REQUIRED_BIT;
  const required = (typeByte & REQUIRED_BIT) !== 0;
  const type = STREAM_TYPES[typeCode - 1];
  if (type === undefined && required) {
    throw new FormatError(
      `container: expected stream types 1 to ${STREAM_TYPES.length}, got required type ${typeCode}; a newer vaerans may read it`,
      entryOffset,
    );
  }
  if (type !== undefined && REQUIRED_STREAM_TYPES.has(type) !== required) {
    throw new FormatError(
      `container: expected stream ${type} to be marked ${required ? 'optional' : 'required'}`,
      entryOffset,
    );
  }
  const byteLength = cursor.varint();
  const crc = cursor.u32();
  const sliced = type === 'latent' && header.sliceRows > 0;
  const at = { type, typeCode, byteOffset, byteLength };
  if (!sliced) return { ...at, parts: [{ byteOffset, byteLength, crc }] };
  const sliceByteLengths = readSliceLengths(cursor, byteLength);
  let sliceOffset = byteOffset;
  const parts = sliceByteLengths.map((sliceByteLength, index) => {
    const part = {
      byteOffset: sliceOffset,
      byteLength: sliceByteLength,
      crc: index === 0 ? crc : cursor.u32(),
    };
    sliceOffset += sliceByteLength;
    return part;
  });
  return { ...at, parts, sliceByteLengths };
}

function readSliceLengths(cursor: Cursor, streamByteLength: number): readonly number[] {
  const countOffset = cursor.offset;
  const count = cursor.varint();
  if (count < 1 || count > SLICES_MAX) {
    throw new FormatError(
      `container: expected 1 to ${SLICES_MAX} slices, got ${count}`,
      countOffset,
    );
  }
  const lengths: number[] = [];
  let remaining = streamByteLength;
  for (let index = 1; index < count; index++) {
    const lengthOffset = cursor.offset;
    const length = cursor.varint();
    if (length > remaining) {
      throw new FormatError(
        `container: expected slices of ${streamByteLength} bytes together, got more`,
        lengthOffset,
      );
    }
    lengths.push(length);
    remaining -= length;
  }
  lengths.push(remaining);
  return lengths;
}
