/**
 * Hostile bytes to named tensors: the safetensors format. Eight bytes of header length, a JSON header, then the data:
 * nothing in such a file can run, and every length is checked against the file's own before anything is allocated.
 * @module
 */
import { type FileHandle, open } from 'node:fs/promises';
import { FormatError, IoError, UnsupportedError } from '../errors.js';

/** FLUX's autoencoder has 30 kB of header, a whole SDXL checkpoint 300 kB. */
const HEADER_MAX_BYTES = 4 * 2 ** 20;
const TENSORS_MAX = 65_536;
const DIMS_MAX = 8;

const BYTES_OF_DTYPE: ReadonlyMap<string, number> = new Map([
  ['F64', 8],
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
  ['I64', 8],
  ['U64', 8],
  ['I32', 4],
  ['U32', 4],
  ['I16', 2],
  ['U16', 2],
  ['I8', 1],
  ['U8', 1],
  ['BOOL', 1],
  ['F8_E4M3', 1],
  ['F8_E5M2', 1],
]);

export interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Where its bytes lie in the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

/**
 * Reads the header.
 * @param bytes the file's beginning, the whole header in it
 * @param fileByteLength how long the whole file is
 * @throws FormatError for a header that is damaged, names anything outside the file, or lets tensors overlap
 */
export function parseSafetensors(
  bytes: Uint8Array,
  fileByteLength: number,
): ReadonlyMap<string, TensorEntry> {
  const headerByteLength = headerLengthOf(bytes, fileByteLength);
  const text = decodeUtf8(bytes.subarray(8, 8 + headerByteLength));
  checkStructure(text);
  const header = parseJson(text);
  const tensors = new Map<string, TensorEntry>();
  const dataStart = 8 + headerByteLength;
  const dataByteLength = fileByteLength - dataStart;
  for (const [name, value] of Object.entries(header)) {
    if (name !== '__metadata__')
      tensors.set(name, readEntry(name, value, dataStart, dataByteLength));
  }
  checkOverlap(tensors, dataStart, dataByteLength);
  return tensors;
}

function headerLengthOf(bytes: Uint8Array, fileByteLength: number): number {
  if (bytes.length < 8) {
    throw new FormatError(`safetensors: expected 8 bytes of header length, got ${bytes.length}`, 0);
  }
  const length = Buffer.from(bytes.buffer, bytes.byteOffset, 8).readBigUInt64LE();
  if (length > BigInt(HEADER_MAX_BYTES) || length < 2n) {
    throw new FormatError(
      `safetensors: expected a header of 2 to ${HEADER_MAX_BYTES} bytes, got ${length}`,
      0,
    );
  }
  if (8 + Number(length) > Math.min(bytes.length, fileByteLength)) {
    throw new FormatError(
      `safetensors: expected ${length} bytes of header, got a file of ${fileByteLength} bytes`,
      8,
    );
  }
  return Number(length);
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError('safetensors: expected a header in UTF-8, got other bytes', 8, { cause });
  }
}

function parseJson(text: string): object {
  try {
    const header: unknown = JSON.parse(text);
    if (header !== null && typeof header === 'object' && !Array.isArray(header)) return header;
  } catch {
    // Told below, with every other header that is none.
  }
  throw new FormatError('safetensors: expected a JSON object as header, got other text', 8);
}

const COLON = /\s*:/y;

/**
 * Refuses what JSON.parse would accept: names given twice, of which it keeps the last, and nesting or numbers of
 * tensors that cost far more memory than text.
 */
function checkStructure(text: string): void {
  const names: (Set<string> | undefined)[] = [];
  let tensors = 0;
  const fail = (what: string, at: number): never => {
    throw new FormatError(`safetensors: expected ${what}`, 8 + at);
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') {
      if (names.length >= 3) fail('a header of three levels, got more', at);
      if (character === '{' && ++tensors > TENSORS_MAX) fail(`at most ${TENSORS_MAX} tensors`, at);
      names.push(character === '{' ? new Set() : undefined);
    } else if (character === '}' || character === ']') {
      names.pop();
    } else if (character === '"') {
      const start = at;
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
      COLON.lastIndex = at + 1;
      if (!COLON.test(text)) continue;
      const name = text.slice(start, at + 1);
      const level = names.at(-1);
      if (level?.has(name)) fail(`each name once, got ${name.slice(0, 80)} twice`, start);
      level?.add(name);
      // The same name could be written with escapes; no exporter does.
      if (name.includes('\\')) fail('names without escapes', start);
    }
  }
}

function readEntry(
  name: string,
  value: unknown,
  dataStart: number,
  dataByteLength: number,
): TensorEntry {
  const fail = (what: string): never => {
    throw new FormatError(`safetensors: '${name.slice(0, 80)}': expected ${what}`, 8);
  };
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  const width = typeof dtype === 'string' ? BYTES_OF_DTYPE.get(dtype) : undefined;
  if (width === undefined) return fail(`a known dtype, got ${JSON.stringify(dtype)?.slice(0, 40)}`);
  if (!isSizes(shape) || shape.length > DIMS_MAX) return fail(`up to ${DIMS_MAX} whole sides`);
  if (!isSizes(offsets) || offsets.length !== 2) return fail('two whole offsets');
  const [start = 0, end = 0] = offsets;
  if (start > end || end > dataByteLength) {
    return fail(`data within ${dataByteLength} bytes, got ${start} to ${end}`);
  }
  const elements = shape.reduce((product, side) => product * side, 1);
  if (!Number.isSafeInteger(elements) || elements * width !== end - start) {
    return fail(`${elements} elements of ${width} bytes, got ${end - start} bytes`);
  }
  return {
    dtype: dtype as string,
    shape,
    byteOffset: dataStart + start,
    byteLength: end - start,
  };
}

function isSizes(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.every((side) => typeof side === 'number' && Number.isSafeInteger(side) && side >= 0)
  );
}

/** The format has tensors side by side without gaps, so that no bytes are hidden or read twice. */
function checkOverlap(
  tensors: ReadonlyMap<string, TensorEntry>,
  dataStart: number,
  dataByteLength: number,
): void {
  let end = dataStart;
  for (const entry of [...tensors.values()].sort((a, b) => a.byteOffset - b.byteOffset)) {
    if (entry.byteOffset !== end) {
      throw new FormatError(
        `safetensors: expected tensors side by side, got one from byte ${entry.byteOffset} after one to byte ${end}`,
        entry.byteOffset,
      );
    }
    end = entry.byteOffset + entry.byteLength;
  }
  if (end !== dataStart + dataByteLength) {
    throw new FormatError(
      `safetensors: expected the file to end with its last tensor, got ${dataStart + dataByteLength - end} bytes more`,
      end,
    );
  }
}

/** The tensors of one or more files, read when they are asked for. */
export interface TensorSource {
  readonly names: readonly string[];
  shapeOf(name: string): readonly number[] | undefined;
  /** @throws UnsupportedError for tensors that are not floats */
  read(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Opens a file; only its header is read.
 * @throws IoError when it cannot be read, FormatError as `parseSafetensors`
 */
export async function openSafetensors(path: string): Promise<TensorSource> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (cause) {
    throw new IoError(`import: expected a readable file, got none at '${path}'`, { cause });
  }
  try {
    const { size } = await file.stat();
    const beginning = await readAt(file, 0, Math.min(8, size));
    const headerByteLength = beginning.length < 8 ? 0 : headerLengthBound(beginning, size);
    const tensors = parseSafetensors(
      await readAt(file, 0, Math.min(8 + headerByteLength, size)),
      size,
    );
    return {
      names: [...tensors.keys()],
      shapeOf: (name) => tensors.get(name)?.shape,
      read: async (name) => {
        const entry = tensors.get(name);
        if (entry === undefined) throw new FormatError(`safetensors: expected '${name}'`, 8);
        return toFloats(name, entry, await readAt(file, entry.byteOffset, entry.byteLength));
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What of the header may be read: its claimed length, bounded. */
function headerLengthBound(beginning: Uint8Array, size: number): number {
  const claimed = Buffer.from(beginning).readBigUInt64LE();
  return claimed > BigInt(HEADER_MAX_BYTES) ? 0 : Math.min(Number(claimed), size);
}

async function readAt(
  file: FileHandle,
  byteOffset: number,
  byteLength: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(byteLength);
  let filled = 0;
  while (filled < byteLength) {
    const { bytesRead } = await file.read(bytes, filled, byteLength - filled, byteOffset + filled);
    if (bytesRead === 0)
      throw new FormatError('safetensors: expected more bytes', byteOffset + filled);
    filled += bytesRead;
  }
  return bytes;
}

function toFloats(name: string, { dtype }: TensorEntry, bytes: Uint8Array): Float32Array {
  switch (dtype) {
    case 'F32':
      return new Float32Array(bytes.buffer);
    case 'F64':
      return Float32Array.from(new Float64Array(bytes.buffer));
    case 'F16':
      return Float32Array.from(new Uint16Array(bytes.buffer), halfToFloat);
    case 'BF16': {
      const wide = Uint32Array.from(new Uint16Array(bytes.buffer), (half) => half << 16);
      return new Float32Array(wide.buffer);
    }
    default:
      throw new UnsupportedError(
        `safetensors: expected weights in F32, F16, BF16 or F64, got '${name}' in ${dtype}`,
      );
  }
}

/** IEEE binary16 to a number, exact. */
export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
