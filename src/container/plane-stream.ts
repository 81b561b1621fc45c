/**
 * How the bands of a `planes` or `alpha` stream lie in it: each can be found, and decoded, without the others.
 *
 * ```
 * bytes   field           range and meaning
 * varint  bandRows        rows of a band, the last may have fewer; 0 = one band. Always below the picture's height
 * varint  bandByteLength  for every band but the last, which has the rest: at least 1
 * ...                     the bands, from the top
 * ```
 * @module
 */
import { FormatError } from '../errors.js';
import { checkInteger } from '../limits.js';
import { Cursor } from './cursor.js';
import { putVarint } from './write.js';

/** Pixels of a band where nothing else is asked for: learning anew in each costs under 0.5 % of it. */
export const PLANE_BAND_PIXELS = 1 << 20;
const BAND_ROWS_MULTIPLE = 64;
const BANDS_MAX = 65_536;
/** What the core takes of a band (crates/vaerans-core/src/planes/mod.rs). */
const BAND_SIDE_MAX = 65_535;
const BAND_PIXELS_MAX = 2 ** 26;

/** Rows of a band for a picture of this size: the picture's height where one band is enough. */
export function planeBandRows(widthPx: number, heightPx: number): number {
  const rows = Math.floor(PLANE_BAND_PIXELS / widthPx / BAND_ROWS_MULTIPLE) * BAND_ROWS_MULTIPLE;
  return Math.min(heightPx, Math.max(rows, BAND_ROWS_MULTIPLE), BAND_SIDE_MAX);
}

/**
 * Puts the bands of a picture into one stream.
 * @param bandRows rows of a band, the last may have fewer
 * @returns a buffer of its own
 * @throws UsageError when the bands are not as many as the rows call for
 */
export function writePlaneStream(
  bandRows: number,
  heightPx: number,
  bands: readonly Uint8Array[],
): Uint8Array {
  checkInteger('planes: bandRows', bandRows, 1, heightPx);
  const bandCount = Math.ceil(heightPx / bandRows);
  checkInteger('planes: bands', bands.length, bandCount, Math.min(bandCount, BANDS_MAX));
  const head: number[] = [];
  putVarint(head, bandCount === 1 ? 0 : bandRows);
  for (const { length } of bands.slice(0, -1)) putVarint(head, length);
  const stream = new Uint8Array(bands.reduce((sum, { length }) => sum + length, head.length));
  stream.set(head);
  let at = head.length;
  for (const band of bands) {
    stream.set(band, at);
    at += band.length;
  }
  return stream;
}

/**
 * Takes a whole stream apart; the bands are views of it.
 * @throws FormatError when the lengths do not add up, or a band is larger than any is written
 */
export function readPlaneStream(
  bytes: Uint8Array,
  widthPx: number,
  heightPx: number,
): { readonly bandRows: number; readonly bands: readonly Uint8Array[] } {
  const cursor = new Cursor(bytes, 0);
  const stored = cursor.varint();
  const bandRows = stored || heightPx;
  const bandCount = Math.ceil(heightPx / bandRows);
  if ((stored !== 0 && bandCount === 1) || bandCount > BANDS_MAX) {
    throw new FormatError(
      `planes: expected 1 to ${BANDS_MAX} bands of fewer rows than ${heightPx}, got ${bandCount} of ${stored}`,
      0,
    );
  }
  if (Math.max(widthPx, bandRows) > BAND_SIDE_MAX || widthPx * bandRows > BAND_PIXELS_MAX) {
    throw new FormatError(
      `planes: expected bands of at most ${BAND_SIDE_MAX} px a side and ${BAND_PIXELS_MAX} pixels, got ${widthPx}x${bandRows}`,
      0,
    );
  }
  const lengths = Array.from({ length: bandCount - 1 }, () => cursor.varint());
  const rest = lengths.reduce((left, length) => left - length, bytes.length - cursor.offset);
  const byteLengths = [...lengths, rest];
  if (!byteLengths.every((length) => length > 0)) {
    throw new FormatError(
      `planes: expected bands that fill a stream of ${bytes.length} bytes, got ${bytes.length - rest} bytes before the last`,
      0,
    );
  }
  let end = cursor.offset;
  const bands = byteLengths.map((length) => {
    end += length;
    return bytes.subarray(end - length, end);
  });
  return { bandRows, bands };
}
