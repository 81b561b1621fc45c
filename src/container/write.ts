/**
 * Header and streams to the bytes of a `.vae` file. The layout is told in `layout.ts`.
 * @module
 */
import { crc32 } from 'node:zlib';
import { UsageError } from '../errors.js';
import { checkInteger } from '../limits.js';
import {
  CODERS,
  COLOURS,
  type ContainerHeader,
  type ContainerStream,
  expectedStreams,
  FLAG_ALPHA,
  FLAG_GREY,
  FLAG_MODEL_NAME,
  FLAG_SIXTEEN_BIT,
  MAGIC,
  MODEL_NAME_MAX_BYTES,
  MODES,
  NO_MODEL_ID,
  RATE_MAX,
  REQUIRED_BIT,
  REQUIRED_STREAM_TYPES,
  SLICES_MAX,
  STREAM_TYPES,
  VARINT_MAX,
  VERSION_MAJOR,
  VERSION_MINOR,
} from './layout.js';

/**
 * Builds a whole file. Streams may come in any order; they are stored in that of their type codes.
 * @returns a buffer of its own; nothing of the inputs is kept
 * @throws UsageError when a field is out of range, or the streams are not those that the header calls for
 */
export function writeContainer(
  header: ContainerHeader,
  streams: readonly ContainerStream[],
): Uint8Array {
  checkHeader(header);
  checkStreams(header, streams);
  const ordered = [...streams].sort(
    (a, b) => STREAM_TYPES.indexOf(a.type) - STREAM_TYPES.indexOf(b.type),
  );

  const fields: number[] = [];
  putFields(fields, header);
  fields.push(ordered.length);
  for (const stream of ordered) {
    putDirectoryEntry(fields, stream);
  }

  const preamble = [...MAGIC, VERSION_MAJOR, VERSION_MINOR];
  putVarint(preamble, fields.length + 4);
  const headerByteLength = preamble.length + fields.length + 4;
  const bodyByteLength = ordered.reduce((sum, { bytes }) => sum + bytes.length, 0);

  const file = new Uint8Array(headerByteLength + bodyByteLength);
  file.set(preamble);
  file.set(fields, preamble.length);
  const headerCrc: number[] = [];
  putU32(headerCrc, crc32(file.subarray(0, headerByteLength - 4)));
  file.set(headerCrc, headerByteLength - 4);
  let at = headerByteLength;
  for (const { bytes } of ordered) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

function checkHeader(header: ContainerHeader): void {
  checkInteger('container: widthPx', header.widthPx, 1, VARINT_MAX);
  checkInteger('container: heightPx', header.heightPx, 1, VARINT_MAX);
  checkInteger('container: rate', header.rate, 0, RATE_MAX);
  checkInteger('container: sliceRows', header.sliceRows, 0, VARINT_MAX);
  if (!/^[0-9a-f]{16}$/.test(header.modelId)) {
    throw new UsageError(
      `container: expected a model id of 16 lower-case hex digits, got "${header.modelId}"`,
    );
  }
  if ((header.modelId === NO_MODEL_ID) !== (header.mode === 'planes')) {
    throw new UsageError(
      `container: expected a model id of zero exactly in mode planes, got ${header.modelId} in mode ${header.mode}`,
    );
  }
  if (header.modelName !== undefined && !/^[\x20-\x7e]{1,32}$/.test(header.modelName)) {
    throw new UsageError(
      `container: expected a model name of 1 to ${MODEL_NAME_MAX_BYTES} printable ASCII characters, got "${header.modelName}"`,
    );
  }
  if (header.sliceRows > 0 && header.mode === 'planes') {
    throw new UsageError('container: expected no slices in mode planes, got sliceRows > 0');
  }
}

function checkStreams(header: ContainerHeader, streams: readonly ContainerStream[]): void {
  const present = new Set(streams.map(({ type }) => type));
  if (present.size !== streams.length) {
    throw new UsageError('container: expected each stream type once, got one twice');
  }
  for (const [type, expected] of expectedStreams(header)) {
    if (present.has(type) !== expected) {
      throw new UsageError(
        `container: expected ${expected ? 'a' : 'no'} ${type} stream for this header, got ${expected ? 'none' : 'one'}`,
      );
    }
  }
  for (const stream of streams) {
    checkInteger(`container: byte length of ${stream.type}`, stream.bytes.length, 0, VARINT_MAX);
    checkSlices(header, stream);
  }
}

function checkSlices(header: ContainerHeader, stream: ContainerStream): void {
  const sliced = stream.type === 'latent' && header.sliceRows > 0;
  const lengths = stream.sliceByteLengths;
  if (sliced !== (lengths !== undefined)) {
    throw new UsageError(
      `container: expected slice lengths exactly for a latent stream with sliceRows > 0, got ${lengths === undefined ? 'none' : 'some'} for ${stream.type}`,
    );
  }
  if (lengths === undefined) {
    return;
  }
  checkInteger('container: slice count', lengths.length, 1, SLICES_MAX);
  let sum = 0;
  for (const length of lengths) {
    checkInteger('container: slice byte length', length, 0, VARINT_MAX);
    sum += length;
  }
  if (sum !== stream.bytes.length) {
    throw new UsageError(
      `container: expected slices of ${stream.bytes.length} bytes together, got ${sum}`,
    );
  }
}

function putFields(out: number[], header: ContainerHeader): void {
  const { modelName } = header;
  putVarint(out, header.widthPx);
  putVarint(out, header.heightPx);
  out.push(...Buffer.from(header.modelId, 'hex'));
  const rateAndMode = header.rate | (MODES.indexOf(header.mode) << 12);
  out.push(rateAndMode & 0xff, rateAndMode >> 8);
  out.push(COLOURS.indexOf(header.colour) | (CODERS.indexOf(header.coder) << 4));
  out.push(
    (header.grey ? FLAG_GREY : 0) |
      (header.alpha ? FLAG_ALPHA : 0) |
      (header.sixteenBit ? FLAG_SIXTEEN_BIT : 0) |
      (modelName !== undefined ? FLAG_MODEL_NAME : 0),
  );
  putVarint(out, header.sliceRows);
  if (modelName !== undefined) {
    out.push(modelName.length, ...Buffer.from(modelName, 'latin1'));
  }
}

function putDirectoryEntry(out: number[], stream: ContainerStream): void {
  const code = STREAM_TYPES.indexOf(stream.type) + 1;
  out.push(code | (REQUIRED_STREAM_TYPES.has(stream.type) ? REQUIRED_BIT : 0));
  putVarint(out, stream.bytes.length);
  const lengths = stream.sliceByteLengths ?? [stream.bytes.length];
  let start = 0;
  const [firstCrc = 0, ...laterCrcs] = lengths.map((length) => {
    const slice = stream.bytes.subarray(start, start + length);
    start += length;
    return crc32(slice);
  });
  putU32(out, firstCrc);
  if (stream.sliceByteLengths === undefined) return;
  putVarint(out, lengths.length);
  for (const length of lengths.slice(0, -1)) putVarint(out, length);
  for (const crc of laterCrcs) putU32(out, crc);
}

/** @param value 0 to 2^32 - 1, which is why the shift is a division */
export function putVarint(out: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
}

function putU32(out: number[], value: number): void {
  out.push(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
}
