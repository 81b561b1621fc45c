/**
 * Rows to means: what a table in a README shows.
 * @module
 */
import type { BenchRow } from './run.js';

/** Means over the pictures at one quality. */
export interface BenchMean {
  readonly quality: number;
  readonly images: number;
  readonly byteLength: number;
  readonly bitsPerPixel: number;
  /** Mean of the pictures' PSNR in dB, equal ones left out; null where all are equal. */
  readonly psnrDb: number | null;
  readonly encodeMs: number;
  readonly decodeMs: number;
}

export interface BenchSummary {
  readonly means: readonly BenchMean[];
  /**
   * Time outside onnxruntime over the whole time of encoding and decoding, 0 to 1; images are neither read nor
   * written in it. Meaningful while one inference worker runs, that is on fewer than eight threads.
   */
  readonly overheadShare: number;
  /** The same of each direction. */
  readonly encodeOverheadShare: number;
  readonly decodeOverheadShare: number;
}

/** @param rows all of one model and one machine */
export function summarise(rows: readonly BenchRow[]): BenchSummary {
  const qualities = [...new Set(rows.map(({ quality }) => quality))];
  const encode = sums(rows, ({ encodeMs, encodeInferenceMs }) => [encodeMs, encodeInferenceMs]);
  const decode = sums(rows, ({ decodeMs, decodeInferenceMs }) => [decodeMs, decodeInferenceMs]);
  return {
    means: qualities.map((quality) =>
      meanOf(
        quality,
        rows.filter((row) => row.quality === quality),
      ),
    ),
    overheadShare: shareOutside(encode.whole + decode.whole, encode.inside + decode.inside),
    encodeOverheadShare: shareOutside(encode.whole, encode.inside),
    decodeOverheadShare: shareOutside(decode.whole, decode.inside),
  };
}

function meanOf(quality: number, rows: readonly BenchRow[]): BenchMean {
  const lossy = rows.flatMap(({ psnrDb }) => (psnrDb === null ? [] : [psnrDb]));
  return {
    quality,
    images: rows.length,
    byteLength: mean(rows.map(({ byteLength }) => byteLength)),
    bitsPerPixel: mean(rows.map(({ bitsPerPixel }) => bitsPerPixel)),
    psnrDb: lossy.length === 0 ? null : mean(lossy),
    encodeMs: mean(rows.map(({ encodeMs }) => encodeMs)),
    decodeMs: mean(rows.map(({ decodeMs }) => decodeMs)),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function sums(
  rows: readonly BenchRow[],
  pick: (row: BenchRow) => readonly [whole: number, inside: number],
): { readonly whole: number; readonly inside: number } {
  let whole = 0;
  let inside = 0;
  for (const row of rows) {
    const [wholeMs, insideMs] = pick(row);
    whole += wholeMs;
    inside += insideMs;
  }
  return { whole, inside };
}

function shareOutside(whole: number, inside: number): number {
  return whole === 0 ? 0 : Math.max(0, 1 - inside / whole);
}
