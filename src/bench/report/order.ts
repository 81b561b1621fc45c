/**
 * Which pictures a codec does worst on.
 * @module
 */
import type { BenchMetric, BenchReport, BenchRow } from '../rows.js';
import { plotted } from './reading.js';

/** A picture and how much worse the codec in question is on it. */
export interface JudgedPicture {
  readonly image: string;
  /**
   * Mean over the codec's settings of what the best other codec has more at equal bytes, on the plotted scale; where no
   * other codec reaches those bytes, of the metric itself, turned round so that larger is worse.
   */
  readonly loss: number;
  readonly isAgainstOthers: boolean;
}

interface Point {
  readonly logRate: number;
  readonly quality: number;
}

/** Worst first; pictures without a value last, in the order of the record. */
export function worstFirst(
  report: BenchReport,
  codec: string,
  metric: BenchMetric | undefined,
): JudgedPicture[] {
  const judged = report.images.map(({ name }) => {
    const curves = metric ? curvesOf(report.rows, name, metric) : new Map<string, Point[]>();
    const own = curves.get(codec) ?? [];
    curves.delete(codec);
    const others = [...curves.values()];
    const losses = own.flatMap(({ logRate, quality }) => {
      const reached = others.flatMap((curve) => interpolate(curve, logRate) ?? []);
      return reached.length > 0 ? [Math.max(...reached) - quality] : [];
    });
    if (losses.length > 0) return { image: name, loss: mean(losses), isAgainstOthers: true };
    const loss = own.length > 0 ? -mean(own.map(({ quality }) => quality)) : -Infinity;
    return { image: name, loss, isAgainstOthers: false };
  });
  return judged.toSorted(
    (a, b) =>
      Number(b.isAgainstOthers) - Number(a.isAgainstOthers) ||
      (a.loss === b.loss ? 0 : b.loss - a.loss),
  );
}

/** A picture's curve by codec, rates rising; quality turned so that higher is better. */
function curvesOf(
  rows: readonly BenchRow[],
  image: string,
  metric: BenchMetric,
): Map<string, Point[]> {
  const curves = new Map<string, Point[]>();
  const sign = metric.better === 'higher' ? 1 : -1;
  for (const row of rows) {
    const value = plotted(metric, row.metrics[metric.name]);
    if (row.image !== image || value === undefined) continue;
    const point = { logRate: Math.log(row.bitsPerPixel), quality: sign * value };
    curves.set(row.codec, [...(curves.get(row.codec) ?? []), point]);
  }
  for (const curve of curves.values()) curve.sort((a, b) => a.logRate - b.logRate);
  return curves;
}

/** Straight between the neighbours; nothing outside the curve. */
function interpolate(curve: readonly Point[], logRate: number): number | undefined {
  for (const [at, right] of curve.entries()) {
    if (right.logRate < logRate) continue;
    const left = curve[at - 1];
    if (left === undefined) return right.logRate === logRate ? right.quality : undefined;
    const share = (logRate - left.logRate) / (right.logRate - left.logRate);
    return left.quality + share * (right.quality - left.quality);
  }
  return undefined;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
