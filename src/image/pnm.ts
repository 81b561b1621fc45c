/**
 * PPM (P6), PGM (P5) and PAM (P7) with 8-bit or 16-bit samples, as Netpbm defines them: a header of text, then the samples.
 * One picture a file; what follows the last sample is refused.
 * @module
 */
import { FormatError, UnsupportedError } from '../errors.js';
import { checkDimensions, type Limits } from '../limits.js';
import { settleAlpha } from './alpha.js';
import { type ChannelCount, hasAlpha, largestSample, type Pixels } from './pixels.js';
import { printable } from './printable.js';
import type { ReadChoices } from './read-choices.js';

/** Most bytes of a header, comments included: far above any that is written, and a bound on the search. */
export const PNM_HEAD_MAX_BYTES = 65_536;

/** PAM's tuples, in the order of their channels. */
const TUPLES: readonly (string | undefined)[] = [
  'GRAYSCALE',
  'GRAYSCALE_ALPHA',
  'RGB',
  'RGB_ALPHA',
];

/** What may follow the two characters of the kind. */
const GAP_START = /[\t\n\v\f\r #]/;

interface PnmHeader {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly channels: number;
  readonly maxValue: number;
  /** Of the first sample. */
  readonly dataOffset: number;
}

/** A header that was looked at. */
export interface PnmHead extends PnmHeader {
  readonly channels: ChannelCount;
  readonly maxValue: 255 | 65_535;
}

/** Any of Netpbm's kinds, P1 to P7; the reader says which of them it takes. */
export function isPnm(bytes: Uint8Array): boolean {
  const [first, kind = 0, next = 0] = bytes;
  return (
    first === 0x50 && kind >= 0x31 && kind <= 0x37 && GAP_START.test(String.fromCharCode(next))
  );
}

/**
 * @param bytes the file's beginning: all of the header, and its first 65,536 bytes are enough
 * @throws FormatError when the header is wrong
 * @throws UnsupportedError for text samples, bitmaps, and other depths than 8 and 16 bits
 * @throws LimitError when the picture is larger than the limits allow
 */
export function readPnmHead(bytes: Uint8Array, limits: Limits): PnmHead {
  const kind = String.fromCharCode(bytes[1] ?? 0);
  if (kind >= '1' && kind <= '4') {
    const name = ['a text bitmap', 'a text PGM', 'a text PPM', 'a bitmap'][Number(kind) - 1];
    throw new UnsupportedError(
      `pnm: expected P5, P6 or P7, got ${name} (P${kind}); convert it to a binary PPM first`,
    );
  }
  const text = Buffer.from(bytes.subarray(0, PNM_HEAD_MAX_BYTES)).toString('latin1');
  const header = kind === '7' ? readPamHeader(text) : readPnmHeader(text, kind === '6' ? 3 : 1);
  const { widthPx, heightPx, channels, maxValue } = header;
  if (widthPx < 1 || heightPx < 1) {
    throw new FormatError(`pnm: expected sides of at least 1 px, got ${widthPx}x${heightPx}`, 2);
  }
  checkDimensions('pnm', widthPx, heightPx, limits);
  if (maxValue < 1 || maxValue > 65_535) {
    throw new FormatError(`pnm: expected a maximum value of 1 to 65535, got ${maxValue}`, 2);
  }
  if (maxValue !== 255 && maxValue !== 65_535) {
    throw new UnsupportedError(
      `pnm: expected samples of 0 to 255 or 65535, got 0 to ${maxValue}; convert it to 8 or 16 bits first`,
    );
  }
  if (channels !== 1 && channels !== 2 && channels !== 3 && channels !== 4) {
    throw new UnsupportedError(
      `pnm: expected 1 to 4 channels, got ${channels}; convert it to RGB first`,
    );
  }
  return { ...header, channels, maxValue };
}

/**
 * @returns pixels whose `data` is a view of `bytes` where that has 8 bits
 * @throws FormatError when the number of samples is wrong, and as `readPnmHead`
 */
export function readPnm(bytes: Uint8Array, limits: Limits, choices: ReadChoices = {}): Pixels {
  const { widthPx, heightPx, channels, maxValue, dataOffset } = readPnmHead(bytes, limits);
  const sampleBytes = maxValue === 255 ? 1 : 2;
  const expected = widthPx * heightPx * channels * sampleBytes;
  const got = bytes.length - dataOffset;
  if (got !== expected) {
    const how = got < expected ? 'truncated' : 'trailing bytes';
    throw new FormatError(
      `pnm: expected ${expected} bytes of samples for ${widthPx}x${heightPx}x${channels}, got ${got} (${how})`,
      Math.min(bytes.length, dataOffset + expected),
    );
  }
  const samples = bytes.subarray(dataOffset);
  // A plain view, as `subarray` of a Buffer would be a Buffer.
  const data =
    sampleBytes === 2
      ? readWords(samples)
      : new Uint8Array(bytes.buffer, bytes.byteOffset + dataOffset, expected);
  return settleAlpha({ widthPx, heightPx, channels, data }, choices);
}

/** Big-endian, as Netpbm stores them. */
function readWords(bytes: Uint8Array): Uint16Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint16Array.from({ length: bytes.length / 2 }, (_, index) => view.getUint16(2 * index));
}

/**
 * PPM for RGB, PGM for grey.
 * @param pixels checked by the caller
 * @throws UnsupportedError for alpha
 */
export function writePnm(pixels: Pixels): Uint8Array {
  return joined(pnmHead(pixels, largestSample(pixels)), pixels);
}

/** @param pixels checked by the caller */
export function writePam(pixels: Pixels): Uint8Array {
  return joined(pamHead(pixels, largestSample(pixels)), pixels);
}

type Shape = Pick<Pixels, 'widthPx' | 'heightPx' | 'channels'>;

/** @throws UnsupportedError for alpha */
export function pnmHead(shape: Shape, maxValue: number): string {
  const { widthPx, heightPx, channels } = shape;
  if (hasAlpha(shape)) {
    throw new UnsupportedError(
      'pnm: expected a picture without alpha, got one with it; write it as PNG or PAM',
    );
  }
  return `${channels === 3 ? 'P6' : 'P5'}\n${widthPx} ${heightPx}\n${maxValue}\n`;
}

export function pamHead({ widthPx, heightPx, channels }: Shape, maxValue: number): string {
  return `P7\nWIDTH ${widthPx}\nHEIGHT ${heightPx}\nDEPTH ${channels}\nMAXVAL ${maxValue}\nTUPLTYPE ${TUPLES[channels - 1]}\nENDHDR\n`;
}

function joined(header: string, { data }: Pixels): Uint8Array {
  const file = new Uint8Array(header.length + data.byteLength);
  file.set(Buffer.from(header, 'latin1'));
  if (data instanceof Uint8Array) {
    file.set(data, header.length);
    return file;
  }
  const view = new DataView(file.buffer, header.length);
  for (let index = 0; index < data.length; index++) view.setUint16(2 * index, data[index] ?? 0);
  return file;
}

/**
 * Width, height and maximum value, each after whitespace or comments (`#` to the line's end), then exactly one
 * whitespace character.
 */
function readPnmHeader(text: string, channels: 1 | 3): PnmHeader {
  const gap = '(?:[\\t\\n\\v\\f\\r ]|#[^\\n\\r]*[\\n\\r])+';
  const match = new RegExp(`^P.${gap}(\\d+)${gap}(\\d+)${gap}(\\d+)[\\t\\n\\v\\f\\r ]`).exec(text);
  if (!match) {
    throw new FormatError(
      `pnm: expected width, height and maximum value after ${text.slice(0, 2)}, got something else`,
      2,
    );
  }
  return {
    widthPx: Number(match[1]),
    heightPx: Number(match[2]),
    channels,
    maxValue: Number(match[3]),
    dataOffset: match[0].length,
  };
}

/** Lines of a keyword and a value up to `ENDHDR`; `TUPLTYPE` may be left out, comment lines begin with `#`. */
function readPamHeader(text: string): PnmHeader {
  const end = /\nENDHDR[\t ]*\n/.exec(text);
  if (!end) {
    throw new FormatError('pam: expected a header that ends with ENDHDR, got none', 2);
  }
  const fields = new Map<string, string>();
  let lineOffset = 3;
  for (const line of text.slice(3, end.index).split('\n')) {
    const [, keyword, value] = /^(\w+)\s+(\S.*)$/.exec(line.trim()) ?? [];
    if (line.trim() !== '' && !line.startsWith('#')) {
      if (keyword === undefined || value === undefined) {
        throw new FormatError('pam: expected a keyword and its value on each line', lineOffset);
      }
      if (fields.has(keyword)) {
        throw new FormatError(`pam: expected ${printable(keyword)} once, got it twice`, lineOffset);
      }
      fields.set(keyword, value);
    }
    lineOffset += line.length + 1;
  }
  const channels = pamNumber(fields, 'DEPTH');
  const tupleType = fields.get('TUPLTYPE');
  const tupleChannels = 1 + TUPLES.indexOf(tupleType);
  if (tupleType !== undefined && tupleChannels === 0) {
    throw new UnsupportedError(
      `pam: expected tuples of ${TUPLES.join(', ')}, got ${printable(tupleType)}; convert it to one of them first`,
    );
  }
  if (tupleType !== undefined && tupleChannels !== channels) {
    throw new FormatError(`pam: expected DEPTH to fit ${tupleType}, got ${channels}`, 2);
  }
  return {
    widthPx: pamNumber(fields, 'WIDTH'),
    heightPx: pamNumber(fields, 'HEIGHT'),
    channels,
    maxValue: pamNumber(fields, 'MAXVAL'),
    dataOffset: end.index + end[0].length,
  };
}

function pamNumber(fields: ReadonlyMap<string, string>, keyword: string): number {
  const value = fields.get(keyword);
  if (value === undefined || !/^\d+$/.test(value)) {
    throw new FormatError(`pam: expected ${keyword} and a whole number, got none`, 2);
  }
  return Number(value);
}
