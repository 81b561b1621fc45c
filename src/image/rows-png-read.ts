/**
 * PNG read row by row: the file lies in memory as it came, and its rows are inflated as they are wanted. The guards are
 * those of the whole reader: every chunk and CRC is checked before the first row, and the compressed data must hold
 * exactly the picture's scanlines.
 * @module
 */
import { Readable } from 'node:stream';
import { createInflate } from 'node:zlib';
import { FormatError } from '../errors.js';
import { checkPlannedMemory, type Limits } from '../limits.js';
import { ByteReader } from './byte-reader.js';
import { statedColour } from './colour.js';
import { readOrientation } from './exif.js';
import type { PixelRows, PixelSource } from './pixel-rows.js';
import { idatParts, type PngSurvey, surveyPng } from './png-chunks.js';
import { checkRatio, SAMPLES_BY_COLOUR_TYPE } from './png-guard.js';
import { bareExif, pngNotes, readPngMetadata } from './png-metadata.js';
import type { ReadChoices } from './read-choices.js';

const COLOUR_GREY = 0;
const COLOUR_PALETTE = 3;

/** What the inflater is handed and gives out at once. */
const PIECE_BYTES = 1 << 18;

/**
 * @param bytes a whole file for which `isPng` holds; kept until the last row is read
 * @param moreThanPixels smaller pictures are left to the reader of whole ones
 * @returns nothing for a picture that has to be looked at whole: interlaced, with alpha, turned, proportional to light
 * @throws FormatError when any chunk or checksum is wrong; LimitError
 */
export function pngSource(
  bytes: Uint8Array,
  limits: Limits,
  choices: ReadChoices,
  moreThanPixels = 0,
): PixelSource | undefined {
  const survey = surveyPng(bytes, limits);
  const { kind, noted } = survey;
  const { widthPx, heightPx, bitDepth, colourType } = kind;
  const hasAlpha = colourType >= 4 || noted.has('tRNS');
  const isUpright = readOrientation(bareExif(noted.get('eXIf'))) === 1;
  const isStraight = !kind.isInterlaced && !hasAlpha && isUpright;
  if (!isStraight || widthPx * heightPx <= moreThanPixels) return undefined;
  const isGrey = colourType === COLOUR_GREY;
  const { colour, ...carried } = readPngMetadata(survey, isGrey);
  if (colour.toLight !== undefined) return undefined;

  const lineByteLength = Math.ceil(
    (widthPx * (SAMPLES_BY_COLOUR_TYPE[colourType] ?? 0) * bitDepth) / 8,
  );
  checkRatio(survey, (1 + lineByteLength) * heightPx);
  checkPlannedMemory('png', bytes.length + 4 * lineByteLength, limits);
  for (const note of pngNotes(survey)) choices.onNote?.(note);
  if (colour.note !== undefined) choices.onNote?.(colour.note);

  const lines = new Lines(bytes, survey, lineByteLength);
  const spread = spreader(survey);
  const channels = isGrey ? 1 : 3;
  const rowLength = widthPx * channels;
  return {
    widthPx,
    heightPx,
    channels,
    bitsPerSample: bitDepth === 16 ? 16 : 8,
    ...statedColour(colour, carried),
    heldByteLength: bytes.length,
    async readRows(rows) {
      const length = rows * rowLength;
      const samples = bitDepth === 16 ? new Uint16Array(length) : new Uint8Array(length);
      for (let row = 0; row < rows; row++) {
        const line = await lines.next();
        spread(line, samples.subarray(row * rowLength, (row + 1) * rowLength));
      }
      return samples;
    },
  };
}

/** Scanlines without their filters. */
class Lines {
  readonly #inflated: ByteReader;
  readonly #survey: PngSurvey;
  readonly #pixelByteLength: number;
  readonly #scanline: Uint8Array;
  #above: Uint8Array;
  #line: Uint8Array;
  #left: number;

  constructor(bytes: Uint8Array, survey: PngSurvey, lineByteLength: number) {
    const { bitDepth, colourType, heightPx } = survey.kind;
    const pieces = Readable.from(piecesOf(idatParts(bytes, survey)));
    this.#inflated = new ByteReader(pieces.pipe(createInflate({ chunkSize: PIECE_BYTES })));
    this.#survey = survey;
    this.#pixelByteLength = Math.max(1, ((SAMPLES_BY_COLOUR_TYPE[colourType] ?? 0) * bitDepth) / 8);
    this.#scanline = new Uint8Array(1 + lineByteLength);
    this.#above = new Uint8Array(lineByteLength);
    this.#line = new Uint8Array(lineByteLength);
    this.#left = heightPx;
  }

  /** @returns the next line, which is written over by the one after the next */
  async next(): Promise<Uint8Array> {
    const expected = this.#scanline.length;
    const got = await this.#sound(() => this.#inflated.take(this.#scanline));
    if (got < expected) throw this.#wrong('fewer (truncated)');
    [this.#above, this.#line] = [this.#line, this.#above];
    const [filter = 0] = this.#scanline;
    if (filter > 4) {
      throw new FormatError(`png: expected filters 0 to 4, got ${filter}`, this.#survey.idatOffset);
    }
    unfilter(filter, this.#scanline.subarray(1), this.#above, this.#pixelByteLength, this.#line);
    this.#left--;
    // Nothing of the last rows is given out before the stream has ended as it should, its checksum with it.
    if (this.#left === 0 && (await this.#sound(() => this.#inflated.peek(1))).length > 0) {
      throw this.#wrong('more');
    }
    return this.#line;
  }

  async #sound<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw new FormatError(
        'png: expected a sound zlib stream in IDAT, got a damaged or truncated one',
        this.#survey.idatOffset,
        { cause },
      );
    }
  }

  #wrong(got: string): FormatError {
    const byteLength = this.#scanline.length * this.#survey.kind.heightPx;
    return new FormatError(
      `png: expected ${byteLength} bytes of scanlines, got ${got}`,
      this.#survey.idatOffset,
    );
  }
}

/** Small enough that the inflater's own buffers stay small, however long a chunk is. */
function* piecesOf(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += PIECE_BYTES) {
      yield part.subarray(at, at + PIECE_BYTES);
    }
  }
}

/**
 * Undoes a filter of PNG: none, left, above, the mean of the two, or what Paeth (1991) foresees.
 * @param back bytes from a sample to the same of the pixel before
 */
function unfilter(
  filter: number,
  filtered: Uint8Array,
  above: Uint8Array,
  back: number,
  line: Uint8Array,
): void {
  if (filter === 0) {
    line.set(filtered);
    return;
  }
  for (let at = 0; at < line.length; at++) {
    const a = at < back ? 0 : (line[at - back] ?? 0);
    const b = above[at] ?? 0;
    let foreseen = a;
    if (filter === 2) foreseen = b;
    else if (filter === 3) foreseen = (a + b) >> 1;
    else if (filter === 4) {
      const c = at < back ? 0 : (above[at - back] ?? 0);
      const toA = Math.abs(b - c);
      const toB = Math.abs(a - c);
      const toC = Math.abs(a + b - c - c);
      foreseen = toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
    }
    line[at] = (filtered[at] ?? 0) + foreseen;
  }
}

/** Takes a line to samples: words from two bytes, fewer than 8 bits spread to 8, indices looked up. */
function spreader({
  kind,
  noted,
  idatOffset,
}: PngSurvey): (line: Uint8Array, samples: PixelRows) => void {
  const { bitDepth, colourType } = kind;
  const palette = colourType === COLOUR_PALETTE ? noted.get('PLTE') : undefined;
  if (bitDepth === 16) {
    return (line, samples) => {
      for (let at = 0; at < samples.length; at++) {
        samples[at] = ((line[2 * at] ?? 0) << 8) | (line[2 * at + 1] ?? 0);
      }
    };
  }
  if (palette === undefined && bitDepth === 8) return (line, samples) => samples.set(line);
  const mask = 2 ** bitDepth - 1;
  const perByte = 8 / bitDepth;
  const valueAt = (line: Uint8Array, x: number) => {
    const shift = 8 - bitDepth * ((x % perByte) + 1);
    return ((line[Math.floor(x / perByte)] ?? 0) >> shift) & mask;
  };
  if (palette === undefined) {
    return (line, samples) => {
      for (let x = 0; x < samples.length; x++) samples[x] = (valueAt(line, x) * 255) / mask;
    };
  }
  return (line, samples) => {
    for (let x = 0, to = 0; to < samples.length; x++, to += 3) {
      const from = 3 * valueAt(line, x);
      if (from >= palette.length) {
        throw new FormatError('png: expected samples that the palette has, got others', idatOffset);
      }
      samples[to] = palette[from] ?? 0;
      samples[to + 1] = palette[from + 1] ?? 0;
      samples[to + 2] = palette[from + 2] ?? 0;
    }
  };
}
