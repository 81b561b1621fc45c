/**
 * Checks a PNG to its last bit before a library sees it: chunks and limits (png-chunks.ts), and that the compressed data
 * holds exactly the picture's scanlines with legal filters. What passes is written anew as the plainest PNG there is.
 * @module
 */
import { inflateSync } from 'node:zlib';
import { FormatError } from '../errors.js';
import { checkPlannedMemory, type Limits } from '../limits.js';
import {
  CHUNK_OVERHEAD_BYTES,
  copyIdat,
  PNG_HEAD_BYTES,
  type PngKind,
  type PngSurvey,
  surveyPng,
} from './png-chunks.js';

/** Deflate's best is 258 bytes from 2 bits, so no stream inflates to more than this many times its length. */
const DEFLATE_MAX_RATIO = 1032;

const COLOUR_PALETTE = 3;

export const SAMPLES_BY_COLOUR_TYPE: Readonly<Record<number, number>> = {
  0: 1,
  2: 3,
  3: 1,
  4: 2,
  6: 4,
};

/** Adam7: first column and row of each pass, and the steps to the next. */
const ADAM7 = [
  { x: 0, y: 0, stepX: 8, stepY: 8 },
  { x: 4, y: 0, stepX: 8, stepY: 8 },
  { x: 0, y: 4, stepX: 4, stepY: 8 },
  { x: 2, y: 0, stepX: 4, stepY: 4 },
  { x: 0, y: 2, stepX: 2, stepY: 4 },
  { x: 1, y: 0, stepX: 2, stepY: 2 },
  { x: 0, y: 1, stepX: 1, stepY: 2 },
] as const;

const ONE_PASS = [{ x: 0, y: 0, stepX: 1, stepY: 1 }] as const;

/** A file that passed. */
export interface GuardedPng {
  readonly survey: PngSurvey;
  /**
   * Signature, IHDR, PLTE and tRNS of a palette picture, one IDAT and IEND, made of what was checked; all CRCs but IHDR's
   * are zero. Whether samples of a palette picture have entries is the one thing left to find out.
   */
  readonly plainFile: Buffer;
}

/** The scanlines of one pass. */
interface Pass {
  readonly rows: number;
  /** With the filter byte in front. */
  readonly rowByteLength: number;
}

/**
 * @param bytes a file for which `isPng` holds
 * @throws FormatError with the offset of the chunk that is wrong
 * @throws LimitError before anything of the picture's size is allocated
 */
export function guardPng(bytes: Uint8Array, limits: Limits): GuardedPng {
  const survey = surveyPng(bytes, limits);
  const passes = passesOf(survey.kind);
  const scanlineBytes = passes.reduce((sum, pass) => sum + pass.rows * pass.rowByteLength, 0);
  checkPlan(survey, scanlineBytes, limits);
  checkRatio(survey, scanlineBytes);

  const colourChunks = ['PLTE', 'tRNS'].flatMap((name) => {
    const data = survey.noted.get(name);
    // Beside true colour a palette is a suggestion, and of transparent colours pngjs would lose the colour.
    const isNeeded = survey.kind.colourType === COLOUR_PALETTE;
    return data !== undefined && isNeeded ? [{ name, data }] : [];
  });
  const idatAt = colourChunks.reduce(
    (at, { data }) => at + data.length + CHUNK_OVERHEAD_BYTES,
    PNG_HEAD_BYTES,
  );
  const file = Buffer.alloc(idatAt + survey.idatByteLength + 2 * CHUNK_OVERHEAD_BYTES);
  file.set(bytes.subarray(0, PNG_HEAD_BYTES));
  let at = PNG_HEAD_BYTES;
  for (const { name, data } of colourChunks) {
    putChunkHead(file, at, name, data.length);
    file.set(data, at + 8);
    at += data.length + CHUNK_OVERHEAD_BYTES;
  }
  copyIdat(bytes, survey, file, idatAt + 8);
  const compressed = file.subarray(idatAt + 8, idatAt + 8 + survey.idatByteLength);
  const { scanlines, usedBytes } = inflateExactly(compressed, scanlineBytes, survey.idatOffset);
  checkFilters(scanlines, passes, survey.idatOffset);

  // Bytes behind the zlib stream's end may be ignored, but with them pngjs miscounts what it inflated: they are cut off.
  const iendAt = idatAt + usedBytes + CHUNK_OVERHEAD_BYTES;
  putChunkHead(file, idatAt, 'IDAT', usedBytes);
  file.fill(0, iendAt - 4);
  putChunkHead(file, iendAt, 'IEND', 0);
  return { survey, plainFile: file.subarray(0, iendAt + CHUNK_OVERHEAD_BYTES) };
}

function passesOf(kind: PngKind): readonly Pass[] {
  const bitsPerPixel = (SAMPLES_BY_COLOUR_TYPE[kind.colourType] ?? 0) * kind.bitDepth;
  return (kind.isInterlaced ? ADAM7 : ONE_PASS).flatMap(({ x, y, stepX, stepY }) => {
    const columns = Math.ceil((kind.widthPx - x) / stepX);
    const rows = Math.ceil((kind.heightPx - y) / stepY);
    // A pass without pixels has no scanlines, not even filter bytes.
    return columns > 0 && rows > 0
      ? [{ rows, rowByteLength: 1 + Math.ceil((columns * bitsPerPixel) / 8) }]
      : [];
  });
}

/** Held at once at the peak: the file anew and within pngjs, scanlines before and after filters, RGBA, the result and it turned upright. */
function checkPlan(survey: PngSurvey, scanlineBytes: number, limits: Limits): void {
  const { kind, idatByteLength } = survey;
  const pixels = kind.widthPx * kind.heightPx;
  const bytesAPixel = kind.bitDepth === 16 ? 3 * 8 : 3 * 4;
  checkPlannedMemory('png', 2 * idatByteLength + 3 * scanlineBytes + bytesAPixel * pixels, limits);
}

/** @throws FormatError where so few compressed bytes cannot hold so many */
export function checkRatio({ idatByteLength, idatOffset }: PngSurvey, scanlineBytes: number): void {
  if (scanlineBytes > idatByteLength * DEFLATE_MAX_RATIO) {
    throw new FormatError(
      `png: expected ${scanlineBytes} bytes of scanlines, got ${idatByteLength} compressed bytes, which cannot hold them`,
      idatOffset,
    );
  }
}

/** @returns `scanlines` of exactly `expectedBytes`, and how many compressed bytes they took */
function inflateExactly(
  compressed: Uint8Array,
  expectedBytes: number,
  byteOffset: number,
): { readonly scanlines: Uint8Array; readonly usedBytes: number } {
  const { buffer, engine } = inflate(compressed, expectedBytes, byteOffset);
  if (buffer.length !== expectedBytes) {
    throw new FormatError(
      `png: expected ${expectedBytes} bytes of scanlines, got ${buffer.length}`,
      byteOffset,
    );
  }
  return { scanlines: buffer, usedBytes: engine.bytesWritten };
}

/** What `inflateSync` returns with `info`, which its types leave out. `bytesWritten` to the engine = consumed by it. */
interface InflateInfo {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

function inflate(compressed: Uint8Array, maxBytes: number, byteOffset: number): InflateInfo {
  try {
    // One byte more than there may be is room enough to see that there is more, and lets one buffer do.
    const chunkSize = Math.max(64, maxBytes + 1);
    const options = { info: true, maxOutputLength: maxBytes, chunkSize };
    return inflateSync(compressed, options) as unknown as InflateInfo;
  } catch (error) {
    const isTooLong =
      error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw new FormatError(
      isTooLong
        ? `png: expected ${maxBytes} bytes of scanlines, got more`
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
        throw new FormatError(`png: expected filters 0 to 4, got ${filter}`, byteOffset);
      }
    }
  }
}

function putChunkHead(file: Buffer, byteOffset: number, name: string, byteLength: number): void {
  file.writeUInt32BE(byteLength, byteOffset);
  file.write(name, byteOffset + 4, 'latin1');
}
