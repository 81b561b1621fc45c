/**
 * PPM (P6), PGM (P5) and PAM (P7) with 8-bit samples, as Netpbm defines them: a header of text, then the samples.
 * One picture a file; what follows the last sample is refused.
 * @module
 */
import { FormatError, UnsupportedError } from '../errors.js';
import { checkDimensions, type Limits } from '../limits.js';
import type { Pixels, PlainPixels } from './pixels.js';
import { printable } from './printable.js';

/** Most bytes of a header, comments included: far above any that is written, and a bound on the search. */
const HEADER_MAX_BYTES = 65_536;

const TUPLE_CHANNELS: ReadonlyMap<string, number> = new Map([
  ['GRAYSCALE', 1],
  ['RGB', 3],
]);

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

/** Any of Netpbm's kinds, P1 to P7; the reader says which of them it takes. */
export function isPnm(bytes: Uint8Array): boolean {
  const [first, kind = 0, next = 0] = bytes;
  return (
    first === 0x50 && kind >= 0x31 && kind <= 0x37 && GAP_START.test(String.fromCharCode(next))
  );
}

/**
 * @returns pixels whose `data` is a view of `bytes`
 * @throws FormatError when the header or the number of samples is wrong
 * @throws UnsupportedError for text samples, bitmaps, other depths than 8 bits, and alpha
 * @throws LimitError when the picture is larger than the limits allow
 */
export function readPnm(bytes: Uint8Array, limits: Limits): Pixels {
  const kind = String.fromCharCode(bytes[1] ?? 0);
  if (kind >= '1' && kind <= '4') {
    const name = ['a text bitmap', 'a text PGM', 'a text PPM', 'a bitmap'][Number(kind) - 1];
    throw new UnsupportedError(
      `pnm: expected P5, P6 or P7, got ${name} (P${kind}); convert it to a binary PPM first`,
    );
  }
  const text = Buffer.from(bytes.subarray(0, HEADER_MAX_BYTES)).toString('latin1');
  const header = kind === '7' ? readPamHeader(text) : readPnmHeader(text, kind === '6' ? 3 : 1);
  const { widthPx, heightPx, channels, maxValue, dataOffset } = header;
  if (widthPx < 1 || heightPx < 1) {
    throw new FormatError(`pnm: expected sides of at least 1 px, got ${widthPx}x${heightPx}`, 2);
  }
  checkDimensions('pnm', widthPx, heightPx, limits);
  if (maxValue < 1 || maxValue > 65_535) {
    throw new FormatError(`pnm: expected a maximum value of 1 to 65535, got ${maxValue}`, 2);
  }
  if (maxValue !== 255) {
    throw new UnsupportedError(
      `pnm: expected samples of 0 to 255, got 0 to ${maxValue}; convert it to 8 bits first`,
    );
  }
  if (channels !== 1 && channels !== 3) {
    throw new UnsupportedError(
      `pnm: expected 1 or 3 channels, got ${channels}; remove the alpha channel first`,
    );
  }
  const expected = widthPx * heightPx * channels;
  const got = bytes.length - dataOffset;
  if (got !== expected) {
    const how = got < expected ? 'truncated' : 'trailing bytes';
    throw new FormatError(
      `pnm: expected ${expected} bytes of samples for ${widthPx}x${heightPx}x${channels}, got ${got} (${how})`,
      Math.min(bytes.length, dataOffset + expected),
    );
  }
  // A plain view, as `subarray` of a Buffer would be a Buffer.
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset + dataOffset, expected);
  return { widthPx, heightPx, channels, data };
}

/** PPM for RGB, PGM for grey. @param pixels checked by the caller */
export function writePnm(pixels: PlainPixels): Uint8Array {
  const { widthPx, heightPx, channels } = pixels;
  return joined(`${channels === 3 ? 'P6' : 'P5'}\n${widthPx} ${heightPx}\n255\n`, pixels);
}

/** @param pixels checked by the caller */
export function writePam(pixels: PlainPixels): Uint8Array {
  const { widthPx, heightPx, channels } = pixels;
  const tupleType = channels === 3 ? 'RGB' : 'GRAYSCALE';
  return joined(
    `P7\nWIDTH ${widthPx}\nHEIGHT ${heightPx}\nDEPTH ${channels}\nMAXVAL 255\nTUPLTYPE ${tupleType}\nENDHDR\n`,
    pixels,
  );
}

function joined(header: string, { data }: PlainPixels): Uint8Array {
  const file = new Uint8Array(header.length + data.length);
  file.set(Buffer.from(header, 'latin1'));
  file.set(data, header.length);
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
  if (tupleType !== undefined && !TUPLE_CHANNELS.has(tupleType)) {
    throw new UnsupportedError(
      `pam: expected tuples of RGB or GRAYSCALE, got ${printable(tupleType)}; convert it to one of them first`,
    );
  }
  if (tupleType !== undefined && TUPLE_CHANNELS.get(tupleType) !== channels) {
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
