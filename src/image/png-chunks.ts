/**
 * Walks the chunks of a hostile PNG once: names, lengths, every CRC, order and number, and the fields of IHDR.
 * Keeps no list of chunks but of texts, up to a bound, as a file can hold millions of empty ones.
 * @module
 */
import { crc32 } from 'node:zlib';
import { FormatError } from '../errors.js';
import { checkDimensions, type Limits } from '../limits.js';
import { BlockList } from './blocks.js';

export const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** Length, name and CRC around a chunk's data. */
export const CHUNK_OVERHEAD_BYTES = 12;
/** Signature and IHDR, which every PNG begins with. */
export const PNG_HEAD_BYTES = 33;

const IHDR_BYTES = 13;
const PALETTE_MAX_BYTES = 768;

/** Bits a sample that PNG allows, by colour type. */
const LEGAL_DEPTHS: ReadonlyMap<number, readonly number[]> = new Map([
  [0, [1, 2, 4, 8, 16]],
  [2, [8, 16]],
  [3, [1, 2, 4, 8]],
  [4, [8, 16]],
  [6, [8, 16]],
]);

/** Chunks that are looked up: those that others depend on, and those that say how samples are meant. */
const NOTED_CHUNKS: ReadonlySet<string> = new Set([
  'PLTE',
  'tRNS',
  'IDAT',
  'acTL',
  'eXIf',
  'cICP',
  'iCCP',
  'sRGB',
  'gAMA',
  'cHRM',
]);

/** Text of any kind, of which the first with XMP's keyword is noted. */
export const XMP_CHUNK = 'iTXt';
export const XMP_KEYWORD = 'XML:com.adobe.xmp';

/** What a PNG is, from its IHDR and from which chunks it has. */
export interface PngKind {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly bitDepth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha. */
  readonly colourType: number;
  readonly isInterlaced: boolean;
}

/** A PNG whose chunks are sound; what IDAT holds is not looked at. */
export interface PngSurvey {
  readonly kind: PngKind;
  /** Of the first IDAT chunk, from the start of the file. */
  readonly idatOffset: number;
  /** Of all IDAT data together. */
  readonly idatByteLength: number;
  /** Data of the first of each noted chunk, as views of the file. */
  readonly noted: ReadonlyMap<string, Uint8Array>;
  /** All texts but the noted XMP, as views of the file. */
  readonly texts: BlockList;
  /** How many bytes follow IEND. */
  readonly trailingByteLength: number;
}

interface Chunk {
  readonly name: string;
  readonly byteOffset: number;
  readonly byteLength: number;
}

export function isPng(bytes: Uint8Array): boolean {
  return PNG_SIGNATURE.every((byte, index) => bytes[index] === byte);
}

/**
 * @param bytes a file for which `isPng` holds
 * @throws FormatError with the offset of the chunk that is wrong
 * @throws LimitError as soon as IHDR is read, when the picture is larger than the limits allow
 */
export function surveyPng(bytes: Uint8Array, limits: Limits): PngSurvey {
  const view = viewOf(bytes);
  if (bytes.length === PNG_SIGNATURE.length) {
    throw new FormatError('png: expected chunks, got a signature alone', bytes.length);
  }
  const ihdr = readChunk(bytes, view, PNG_SIGNATURE.length);
  checkIhdr(ihdr, view, limits);
  const colourType = view.getUint8(25);

  const noted = new Map<string, Uint8Array>();
  const texts = new BlockList();
  let previous = ihdr;
  let idatOffset = 0;
  let idatByteLength = 0;
  while (previous.name !== 'IEND') {
    const chunk = readChunk(bytes, view, endOf(previous));
    checkChunk(chunk, previous, noted, colourType);
    if (chunk.name === 'IDAT') {
      idatOffset ||= chunk.byteOffset;
      idatByteLength += chunk.byteLength;
    }
    const dataOffset = chunk.byteOffset + 8;
    const data = bytes.subarray(dataOffset, dataOffset + chunk.byteLength);
    const isNoted = NOTED_CHUNKS.has(chunk.name) || (chunk.name === XMP_CHUNK && isXmp(data));
    if (isNoted && !noted.has(chunk.name)) {
      noted.set(chunk.name, data);
    } else if (isText(chunk.name)) {
      texts.add({ kind: chunk.name, bytes: data });
    }
    previous = chunk;
  }
  const kind = {
    widthPx: view.getUint32(16),
    heightPx: view.getUint32(20),
    bitDepth: view.getUint8(24),
    colourType,
    isInterlaced: view.getUint8(28) === 1,
  };
  const trailingByteLength = bytes.length - endOf(previous);
  return { kind, idatOffset, idatByteLength, noted, texts, trailingByteLength };
}

/** Data of the IDAT chunks, one after another, as views of the file. */
export function* idatParts(bytes: Uint8Array, survey: PngSurvey): Generator<Uint8Array> {
  const view = viewOf(bytes);
  let left = survey.idatByteLength;
  for (let from = survey.idatOffset; left > 0; ) {
    const byteLength = view.getUint32(from);
    yield bytes.subarray(from + 8, from + 8 + byteLength);
    from += byteLength + CHUNK_OVERHEAD_BYTES;
    left -= byteLength;
  }
}

/** Copies the data of all IDAT chunks, one after another, to `target` from `targetOffset` on. */
export function copyIdat(
  bytes: Uint8Array,
  survey: PngSurvey,
  target: Uint8Array,
  targetOffset: number,
): void {
  let to = targetOffset;
  for (const part of idatParts(bytes, survey)) {
    target.set(part, to);
    to += part.length;
  }
}

/** A chunk that lies within the file and whose CRC is right. */
function readChunk(bytes: Uint8Array, view: DataView, byteOffset: number): Chunk {
  const remaining = bytes.length - byteOffset;
  if (remaining < CHUNK_OVERHEAD_BYTES) {
    throw new FormatError(
      `png: expected another chunk up to IEND, got ${remaining} bytes (truncated)`,
      byteOffset,
    );
  }
  const byteLength = view.getUint32(byteOffset);
  const name = String.fromCharCode(...bytes.subarray(byteOffset + 4, byteOffset + 8));
  if (!/^[A-Za-z]{4}$/.test(name)) {
    throw new FormatError('png: expected a chunk name of four letters, got others', byteOffset + 4);
  }
  if (byteLength > remaining - CHUNK_OVERHEAD_BYTES) {
    throw new FormatError(
      `png: expected ${byteLength} bytes of ${name}, got ${remaining - CHUNK_OVERHEAD_BYTES} (truncated)`,
      byteOffset,
    );
  }
  const crcOffset = byteOffset + 8 + byteLength;
  if (view.getUint32(crcOffset) !== crc32(bytes.subarray(byteOffset + 4, crcOffset))) {
    throw new FormatError(`png: expected the CRC of ${name} to fit, got another`, byteOffset);
  }
  return { name, byteOffset, byteLength };
}

/** Looked at before the rest of the file, so that what is too large is refused at once. */
function checkIhdr({ name, byteOffset, byteLength }: Chunk, view: DataView, limits: Limits): void {
  if (name !== 'IHDR' || byteLength !== IHDR_BYTES) {
    throw new FormatError(
      `png: expected IHDR of ${IHDR_BYTES} bytes first, got ${name} of ${byteLength}`,
      byteOffset,
    );
  }
  const widthPx = view.getUint32(16);
  const heightPx = view.getUint32(20);
  if (widthPx === 0 || heightPx === 0) {
    throw new FormatError(`png: expected sides of at least 1 px, got ${widthPx}x${heightPx}`, 16);
  }
  const bitDepth = view.getUint8(24);
  const colourType = view.getUint8(25);
  if (!LEGAL_DEPTHS.get(colourType)?.includes(bitDepth)) {
    throw new FormatError(
      `png: expected a legal pair of depth and colour type, got ${bitDepth} and ${colourType}`,
      24,
    );
  }
  const methods = [view.getUint8(26), view.getUint8(27), view.getUint8(28)] as const;
  if (methods[0] !== 0 || methods[1] !== 0 || methods[2] > 1) {
    throw new FormatError(
      `png: expected compression 0, filter 0 and interlace 0 or 1, got ${methods.join(', ')}`,
      26,
    );
  }
  checkDimensions('png', widthPx, heightPx, limits);
}

/** @param seen noted chunks before this one */
function checkChunk(
  { name, byteOffset, byteLength }: Chunk,
  previous: Chunk,
  seen: ReadonlyMap<string, Uint8Array>,
  colourType: number,
): void {
  const demand = (isRight: boolean, expectation: string): void => {
    if (!isRight) {
      throw new FormatError(`png: expected ${expectation}`, byteOffset);
    }
  };
  switch (name) {
    case 'IHDR':
      demand(false, 'one IHDR, got another');
      break;
    case 'PLTE':
      demand(!seen.has('PLTE'), 'one PLTE at most, got another');
      demand(!seen.has('IDAT'), 'PLTE before IDAT, got it after');
      demand(colourType !== 0 && colourType !== 4, 'no PLTE in a grey picture, got one');
      demand(
        byteLength > 0 && byteLength % 3 === 0 && byteLength <= PALETTE_MAX_BYTES,
        `PLTE of 1 to 256 entries of 3 bytes, got ${byteLength} bytes`,
      );
      break;
    case 'tRNS':
      demand(!seen.has('tRNS'), 'one tRNS at most, got another');
      demand(!seen.has('IDAT'), 'tRNS before IDAT, got it after');
      demand(
        isTransparencyLength(byteLength, colourType, seen.get('PLTE')?.length ?? 0),
        `tRNS that fits colour type ${colourType} and its palette, got ${byteLength} bytes`,
      );
      break;
    case 'IDAT':
      demand(previous.name === 'IDAT' || !seen.has('IDAT'), 'all IDAT together, got a gap');
      demand(
        seen.has('PLTE') || colourType !== 3,
        'PLTE before IDAT in a palette picture, got none',
      );
      break;
    case 'IEND':
      demand(byteLength === 0, `an empty IEND, got ${byteLength} bytes`);
      demand(seen.has('IDAT'), 'IDAT before IEND, got none');
      break;
    default:
      // A capital first letter marks a chunk without which the picture cannot be shown.
      demand(/^[a-z]/.test(name), `no critical chunk beyond PNG's own, got ${name}`);
  }
}

/** One colour, or an alpha for entries of the palette before it. */
function isTransparencyLength(
  byteLength: number,
  colourType: number,
  paletteByteLength: number,
): boolean {
  switch (colourType) {
    case 0:
      return byteLength === 2;
    case 2:
      return byteLength === 6;
    case 3:
      return byteLength > 0 && byteLength * 3 <= paletteByteLength;
    default:
      return false;
  }
}

/** Whether a chunk of this name carries text, in one of PNG's three forms. */
export function isText(name: string): name is 'tEXt' | 'zTXt' | 'iTXt' {
  return name === 'tEXt' || name === 'zTXt' || name === 'iTXt';
}

function isXmp(data: Uint8Array): boolean {
  const keyword = Buffer.from(data.subarray(0, XMP_KEYWORD.length + 1)).toString('latin1');
  return keyword === `${XMP_KEYWORD}\0`;
}

function endOf({ byteOffset, byteLength }: Chunk): number {
  return byteOffset + byteLength + CHUNK_OVERHEAD_BYTES;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
