/**
 * Checks a PNG to its last bit before a library sees it: every chunk and CRC, the order of chunks, legal fields, limits,
 * and that the compressed data holds exactly the picture's scanlines with legal filters.
 * @module
 */
import { crc32, inflateSync } from 'node:zlib';
import { FormatError } from '../errors.js';
import { checkDimensions, checkPlannedMemory, type Limits } from '../limits.js';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const CHUNK_OVERHEAD_BYTES = 12;
const IHDR_BYTES = 13;

/** Deflate's best case is 258 bytes for 2 bits, so no stream inflates to more than this many times its length. */
const DEFLATE_MAX_RATIO = 1032;

/** Bits a sample that PNG allows, and samples a pixel, by colour type. */
const COLOUR_TYPES: ReadonlyMap<number, { readonly depths: readonly number[]; samples: number }> =
  new Map([
    [0, { depths: [1, 2, 4, 8, 16], samples: 1 }],
    [2, { depths: [8, 16], samples: 3 }],
    [3, { depths: [1, 2, 4, 8], samples: 1 }],
    [4, { depths: [8, 16], samples: 2 }],
    [6, { depths: [8, 16], samples: 4 }],
  ]);

/** Adam7: first column and row of each pass, and the steps between. */
const ADAM7: readonly (readonly [x: number, y: number, stepX: number, stepY: number])[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/** What a sound PNG is. */
export interface PngKind {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly bitDepth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha. */
  readonly colourType: number;
  readonly isInterlaced: boolean;
  readonly hasTransparency: boolean;
  readonly isAnimated: boolean;
}

/** A file that passed. */
export interface GuardedPng {
  readonly kind: PngKind;
  /** IHDR, one IDAT and IEND made anew from what was checked; its CRCs are zero. Without PLTE and tRNS. */
  readonly plainFile: Buffer;
}

interface Chunk {
  readonly name: string;
  /** Of the length field, from the start of the file. */
  readonly byteOffset: number;
  readonly data: Uint8Array;
}

/** Scanlines of one pass; a picture that is not interlaced is one pass. */
interface Pass {
  readonly rows: number;
  /** With the filter byte. */
  readonly rowByteLength: number;
}

export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, index) => bytes[index] === byte);
}

/**
 * @param bytes a file for which `isPng` holds
 * @throws FormatError with the offset of the chunk that is wrong
 * @throws LimitError before anything of the picture's size is allocated
 */
export function guardPng(bytes: Uint8Array, limits: Limits): GuardedPng {
  const chunks = walkChunks(bytes, limits);
  const kind = readKind(chunks);
  const { depths: _, samples } = colourTypeOf(kind.colourType);
  const passes = passesOf(kind, samples);
  const scanlineBytes = passes.reduce((sum, pass) => sum + pass.rows * pass.rowByteLength, 0);
  const idat = chunks.filter(({ name }) => name === 'IDAT');
  const idatBytes = idat.reduce((sum, { data }) => sum + data.length, 0);
  checkPlannedMemory('png', plannedBytes(kind, scanlineBytes, idatBytes), limits);

  const idatOffset = idat[0]?.byteOffset ?? 0;
  const ihdr = chunks[0]?.data ?? new Uint8Array(0);
  const dataOffset = SIGNATURE.length + CHUNK_OVERHEAD_BYTES + IHDR_BYTES + 8;
  const file = Buffer.alloc(dataOffset + idatBytes + 4 + CHUNK_OVERHEAD_BYTES);
  let at = dataOffset;
  for (const { data } of idat) {
    file.set(data, at);
    at += data.length;
  }
  const compressed = file.subarray(dataOffset, at);
  const { scanlines, usedBytes } = inflateExactly(compressed, scanlineBytes, idatOffset);
  checkFilters(scanlines, passes, idatOffset);

  // Bytes behind the zlib stream's end are legal to ignore, but pngjs would miscount its output with them.
  file.set(SIGNATURE);
  putChunkHead(file, SIGNATURE.length, 'IHDR', IHDR_BYTES);
  file.set(ihdr, SIGNATURE.length + 8);
  putChunkHead(file, dataOffset - 8, 'IDAT', usedBytes);
  const iendOffset = dataOffset + usedBytes + 4;
  putChunkHead(file, iendOffset, 'IEND', 0);
  return { kind, plainFile: file.subarray(0, iendOffset + CHUNK_OVERHEAD_BYTES) };
}

/** Every chunk of the file in order, IHDR first and IEND last, CRCs right, sides within the limits. */
function walkChunks(bytes: Uint8Array, limits: Limits): readonly Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  let byteOffset = SIGNATURE.length;
  if (bytes.length === byteOffset) {
    throw new FormatError('png: expected chunks, got a signature alone', byteOffset);
  }
  for (;;) {
    const remaining = bytes.length - byteOffset;
    if (remaining < CHUNK_OVERHEAD_BYTES) {
      throw new FormatError(
        `png: expected another chunk up to IEND, got ${remaining} bytes (truncated)`,
        byteOffset,
      );
    }
    const byteLength = view.getUint32(byteOffset);
    const nameBytes = bytes.subarray(byteOffset + 4, byteOffset + 8);
    if (!nameBytes.every((byte) => (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122))) {
      throw new FormatError(
        'png: expected a chunk name of four letters, got other bytes',
        byteOffset,
      );
    }
    const name = String.fromCharCode(...nameBytes);
    if (byteLength > remaining - CHUNK_OVERHEAD_BYTES) {
      throw new FormatError(
        `png: expected ${byteLength} bytes of ${name}, got ${remaining - CHUNK_OVERHEAD_BYTES} (truncated)`,
        byteOffset,
      );
    }
    const dataEnd = byteOffset + 8 + byteLength;
    if (view.getUint32(dataEnd) !== crc32(bytes.subarray(byteOffset + 4, dataEnd))) {
      throw new FormatError(`png: expected the CRC of ${name} to fit, got another`, byteOffset);
    }
    const chunk = { name, byteOffset, data: bytes.subarray(byteOffset + 8, dataEnd) };
    if (chunks.length === 0) {
      checkIhdr(chunk, limits);
    }
    chunks.push(chunk);
    byteOffset = dataEnd + 4;
    if (name === 'IEND') {
      break;
    }
  }
  if (byteOffset !== bytes.length) {
    throw new FormatError(
      `png: expected the file to end with IEND, got ${bytes.length - byteOffset} more bytes`,
      byteOffset,
    );
  }
  checkOrder(chunks);
  return chunks;
}

/** Looked at before the rest of the file, so that what is too large is refused at once. */
function checkIhdr({ name, byteOffset, data }: Chunk, limits: Limits): void {
  if (name !== 'IHDR' || data.length !== IHDR_BYTES) {
    throw new FormatError(
      `png: expected IHDR of ${IHDR_BYTES} bytes first, got ${name} of ${data.length}`,
      byteOffset,
    );
  }
  const { widthPx, heightPx, bitDepth, colourType } = fieldsOf(data);
  // PNG's own limit is 2^31 - 1, which every side limit is below.
  if (widthPx === 0 || heightPx === 0) {
    throw new FormatError(
      `png: expected sides of at least 1 px, got ${widthPx}x${heightPx}`,
      byteOffset + 8,
    );
  }
  if (!COLOUR_TYPES.get(colourType)?.depths.includes(bitDepth)) {
    throw new FormatError(
      `png: expected a legal pair of depth and colour type, got ${bitDepth} and ${colourType}`,
      byteOffset + 16,
    );
  }
  const [compression = 0, filter = 0, interlace = 0] = data.subarray(10);
  if (compression !== 0 || filter !== 0 || interlace > 1) {
    throw new FormatError(
      `png: expected methods 0, 0 and 0 or 1, got ${compression}, ${filter} and ${interlace}`,
      byteOffset + 18,
    );
  }
  checkDimensions('png', widthPx, heightPx, limits);
}

function checkOrder(chunks: readonly Chunk[]): void {
  const names = chunks.map(({ name }) => name);
  const firstIdat = names.indexOf('IDAT');
  const lastIdat = names.lastIndexOf('IDAT');
  for (const [index, { name, byteOffset, data }] of chunks.entries()) {
    const refuse = (expected: string): never => {
      throw new FormatError(`png: expected ${expected}`, byteOffset);
    };
    switch (name) {
      case 'IHDR':
        if (index > 0) refuse('one IHDR, got another');
        break;
      case 'PLTE':
        if (names.indexOf('PLTE') !== index) refuse('one PLTE at most, got another');
        if (index > firstIdat) refuse('PLTE before IDAT, got it after');
        if (data.length === 0 || data.length % 3 !== 0 || data.length > 768) {
          refuse(`PLTE of 1 to 256 entries of 3 bytes, got ${data.length} bytes`);
        }
        break;
      case 'tRNS':
        if (names.indexOf('tRNS') !== index) refuse('one tRNS at most, got another');
        if (index > firstIdat) refuse('tRNS before IDAT, got it after');
        break;
      case 'IDAT':
        if (index > firstIdat && names[index - 1] !== 'IDAT')
          refuse('all IDAT together, got a gap');
        break;
      case 'IEND':
        if (data.length !== 0) refuse(`an empty IEND, got ${data.length} bytes`);
        if (lastIdat < 0) refuse('IDAT before IEND, got none');
        break;
      default:
        // A capital first letter marks a chunk that must be understood to show the picture.
        if (name < 'a') refuse(`the critical chunks of PNG, got ${name}`);
    }
  }
}

function readKind(chunks: readonly Chunk[]): PngKind {
  const fields = fieldsOf(chunks[0]?.data ?? new Uint8Array(IHDR_BYTES));
  const has = (wanted: string) => chunks.some(({ name }) => name === wanted);
  const isGrey = fields.colourType === 0 || fields.colourType === 4;
  if (fields.colourType === 3 && !has('PLTE')) {
    throw new FormatError('png: expected PLTE with colour type 3, got none', SIGNATURE.length);
  }
  if (isGrey && has('PLTE')) {
    throw new FormatError('png: expected no PLTE in a grey picture, got one', SIGNATURE.length);
  }
  return { ...fields, hasTransparency: has('tRNS'), isAnimated: has('acTL') };
}

function fieldsOf(ihdr: Uint8Array): Omit<PngKind, 'hasTransparency' | 'isAnimated'> {
  const view = new DataView(ihdr.buffer, ihdr.byteOffset, ihdr.byteLength);
  return {
    widthPx: view.getUint32(0),
    heightPx: view.getUint32(4),
    bitDepth: view.getUint8(8),
    colourType: view.getUint8(9),
    isInterlaced: view.getUint8(12) === 1,
  };
}

function colourTypeOf(colourType: number): { readonly depths: readonly number[]; samples: number } {
  return COLOUR_TYPES.get(colourType) ?? { depths: [], samples: 0 };
}

function passesOf(kind: PngKind, samples: number): readonly Pass[] {
  const bitsPerPixel = samples * kind.bitDepth;
  const passes = kind.isInterlaced ? ADAM7 : [[0, 0, 1, 1] as const];
  return passes.flatMap(([x, y, stepX, stepY]) => {
    const columns = Math.ceil((kind.widthPx - x) / stepX);
    const rows = Math.ceil((kind.heightPx - y) / stepY);
    // A pass without pixels has no scanlines, not even filter bytes.
    return columns > 0 && rows > 0
      ? [{ rows, rowByteLength: 1 + Math.ceil((columns * bitsPerPixel) / 8) }]
      : [];
  });
}

/** The guard's copy of the file and scanlines, then what pngjs makes: scanlines twice, RGBA, and the result. */
function plannedBytes(kind: PngKind, scanlineBytes: number, idatBytes: number): number {
  const pixels = kind.widthPx * kind.heightPx;
  return 2 * idatBytes + 3 * scanlineBytes + 7 * pixels;
}

function inflateExactly(
  compressed: Uint8Array,
  expectedBytes: number,
  byteOffset: number,
): { readonly scanlines: Uint8Array; readonly usedBytes: number } {
  if (expectedBytes > compressed.length * DEFLATE_MAX_RATIO) {
    throw new FormatError(
      `png: expected ${expectedBytes} bytes of scanlines, got ${compressed.length} compressed bytes, which cannot hold them`,
      byteOffset,
    );
  }
  const { buffer, engine } = inflateWithInfo(compressed, expectedBytes, byteOffset);
  if (buffer.length !== expectedBytes) {
    throw new FormatError(
      `png: expected ${expectedBytes} bytes of scanlines, got ${buffer.length}`,
      byteOffset,
    );
  }
  return { scanlines: buffer, usedBytes: engine.bytesWritten };
}

/** One byte more than expected is room enough to see that there is too much. */
function inflateWithInfo(
  compressed: Uint8Array,
  expectedBytes: number,
  byteOffset: number,
): { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } } {
  try {
    // With `info` Node gives the engine too, which its types leave out; `bytesWritten` are the bytes it consumed.
    return inflateSync(compressed, {
      info: true,
      maxOutputLength: expectedBytes,
      chunkSize: Math.max(64, expectedBytes + 1),
    }) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
  } catch (error) {
    const tooLong =
      error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw new FormatError(
      tooLong
        ? `png: expected ${expectedBytes} bytes of scanlines, got more`
        : 'png: expected a sound zlib stream in IDAT, got a damaged or truncated one',
      byteOffset,
      { cause: error },
    );
  }
}

function checkFilters(scanlines: Uint8Array, passes: readonly Pass[], byteOffset: number): void {
  let at = 0;
  for (const { rows, rowByteLength } of passes) {
    for (let row = 0; row < rows; row++, at += rowByteLength) {
      const filter = scanlines[at] ?? 0;
      if (filter > 4) {
        throw new FormatError(`png: expected a filter of 0 to 4, got ${filter}`, byteOffset);
      }
    }
  }
}

function putChunkHead(file: Buffer, byteOffset: number, name: string, byteLength: number): void {
  file.writeUInt32BE(byteLength, byteOffset);
  file.write(name, byteOffset + 4, 'latin1');
}
