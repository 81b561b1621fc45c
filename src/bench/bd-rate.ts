/**
 * Bjøntegaard's difference: how many more bits a codec needs than another at equal quality, in the mean over the
 * qualities that both reach. Logarithm of the rate over the quality, by the monotone cubics of Fritsch and Butland
 * (PCHIP), which do not swing between the points as one polynomial does.
 * @module
 */
import type { BenchOverlap } from './rows.js';

/** A point of a rate-distortion curve. */
export interface RatePoint {
  /** Or any other measure of size, above 0. */
  readonly rate: number;
  /** Higher is better; dB where the metric is compared in dB. */
  readonly quality: number;
}

export interface RateDifference {
  /** Of the anchor's bits; negative is fewer. */
  readonly percent: number;
  readonly overlap: BenchOverlap;
}

/**
 * Nothing where the curves share no qualities, or one has fewer than two points.
 * @param span least and most rate: qualities that either curve reaches only beyond them do not count
 */
export function bdRate(
  anchor: readonly RatePoint[],
  test: readonly RatePoint[],
  [least, most]: readonly [least: number, most: number] = [0, Infinity],
): RateDifference | null {
  const curves = [toCurve(anchor), toCurve(test)] as const;
  const from = Math.max(...curves.map((curve) => qualityAt(curve, least)));
  const to = Math.min(...curves.map((curve) => qualityAt(curve, most)));
  if (curves.some(({ x }) => x.length < 2) || !(from < to)) return null;
  const [anchorMean, testMean] = curves.map((curve) => integral(curve, from, to) / (to - from));
  const percent = 100 * Math.expm1((testMean ?? 0) - (anchorMean ?? 0));
  return { percent, overlap: { from, to } };
}

/** Logarithm of the rate (y) over the quality (x), with the slope at every point. */
interface Curve {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly slopes: readonly number[];
}

/** Points that cost more and are no better than one before them say nothing of the codec's best, and are left out. */
function toCurve(points: readonly RatePoint[]): Curve {
  const x: number[] = [];
  const y: number[] = [];
  for (const { rate, quality } of points.toSorted((a, b) => a.rate - b.rate)) {
    if (!(rate > 0) || !Number.isFinite(quality) || quality <= (x.at(-1) ?? -Infinity)) continue;
    x.push(quality);
    y.push(Math.log(rate));
  }
  return { x, y, slopes: slopesOf(x, y) };
}

/** The quality that a rate buys, within what the curve has; the curve rises, so halving finds it. */
function qualityAt(curve: Curve, rate: number): number {
  const { x, y } = curve;
  const aim = Math.log(rate);
  let [low = Infinity, high = -Infinity] = [x[0], x.at(-1)];
  if (aim <= (y[0] ?? Infinity)) return low;
  if (aim >= (y.at(-1) ?? -Infinity)) return high;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (valueAt(curve, middle) < aim) low = middle;
    else high = middle;
  }
  return low;
}

/** Inside, a weighted harmonic mean of the neighbouring secants, 0 at an extremum; at the ends, a parabola's. */
function slopesOf(x: readonly number[], y: readonly number[]): number[] {
  const widths: number[] = [];
  const secants: number[] = [];
  for (let at = 0; at + 1 < x.length; at++) {
    const width = (x[at + 1] ?? 0) - (x[at] ?? 0);
    widths.push(width);
    secants.push(((y[at + 1] ?? 0) - (y[at] ?? 0)) / width);
  }
  if (secants.length < 2) return [...secants, ...secants];
  const inner = secants.slice(1).map((after, at) => {
    const before = secants[at] ?? 0;
    if (before * after <= 0) return 0;
    const near = 2 * (widths[at + 1] ?? 0) + (widths[at] ?? 0);
    const far = (widths[at + 1] ?? 0) + 2 * (widths[at] ?? 0);
    return (near + far) / (near / before + far / after);
  });
  return [
    endSlope(widths[0], widths[1], secants[0], secants[1]),
    ...inner,
    endSlope(widths.at(-1), widths.at(-2), secants.at(-1), secants.at(-2)),
  ];
}

function endSlope(width = 0, nextWidth = 0, secant = 0, nextSecant = 0): number {
  const slope = ((2 * width + nextWidth) * secant - width * nextSecant) / (width + nextWidth);
  if (slope * secant <= 0) return 0;
  if (secant * nextSecant <= 0 && Math.abs(slope) > 3 * Math.abs(secant)) return 3 * secant;
  return slope;
}

/** Exact: two points of Gauss serve a cubic. */
function integral(curve: Curve, from: number, to: number): number {
  const inside = curve.x.filter((x) => x > from && x < to);
  const borders = [from, ...inside, to];
  let sum = 0;
  for (let at = 0; at + 1 < borders.length; at++) {
    const [left = 0, right = 0] = [borders[at], borders[at + 1]];
    const middle = (left + right) / 2;
    const half = (right - left) / 2;
    const aside = half / Math.sqrt(3);
    sum += half * (valueAt(curve, middle - aside) + valueAt(curve, middle + aside));
  }
  return sum;
}

function valueAt({ x, y, slopes }: Curve, at: number): number {
  const after = x.findIndex((value) => value > at);
  const right = after === -1 ? x.length - 1 : after;
  const left = right - 1;
  const width = (x[right] ?? 0) - (x[left] ?? 0);
  const u = (at - (x[left] ?? 0)) / width;
  return (
    (1 + 2 * u) * (1 - u) ** 2 * (y[left] ?? 0) +
    u * (1 - u) ** 2 * width * (slopes[left] ?? 0) +
    u * u * (3 - 2 * u) * (y[right] ?? 0) +
    u * u * (u - 1) * width * (slopes[right] ?? 0)
  );
}
