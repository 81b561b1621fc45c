/**
 * The rate that keeps a promise about the file: the search over what a picture comes to at each rate. It knows nothing
 * of codecs: what a rate gives is asked through a function, and every answer is dear.
 * @module
 */
import { UsageError } from '../errors.js';

/** What one rate gave; larger is finer. */
interface Probe {
  readonly rate: number;
  readonly value: number;
}

export interface Range {
  readonly coarsest: number;
  readonly finest: number;
}

/** A file this near below its size is near enough: 0.5 %, where 2 % are promised. */
const SIZE_ENOUGH = 0.995;

/** Halving alone ends after 12 steps of 4,096 rates; sizes are so smooth that 5 are usual. */
const SIZE_TRIES = 24;

/** The searches' promise: a picture is decoded so often and no more. */
export const METRIC_TRIES = 7;

/**
 * The finest rate found whose file is no larger than asked. Sizes grow with the rate nearly always, not always: the
 * answer is one whose size was seen, so the promise never rests on that.
 * @param sizeAt bytes of the whole file at a rate
 * @returns nothing where even the coarsest rate's is too large
 */
export async function searchSize(
  maxByteLength: number,
  { coarsest, finest }: Range,
  sizeAt: (rate: number) => Promise<number>,
): Promise<number | undefined> {
  const least = { rate: coarsest, value: await sizeAt(coarsest) };
  if (least.value > maxByteLength) return undefined;
  if (least.value >= SIZE_ENOUGH * maxByteLength) return coarsest;
  const most = { rate: finest, value: await sizeAt(finest) };
  if (most.value <= maxByteLength) return finest;
  let [below, above]: [Probe, Probe] = [least, most];
  for (let tries = 0; tries < SIZE_TRIES && above.rate - below.rate > 1; tries++) {
    // Sizes are nearly exponential in the rate; every third step halves, so that a kink costs little.
    const aim = Math.log(maxByteLength) + Math.log((1 + SIZE_ENOUGH) / 2);
    const rate = between(below, above, tries % 3 === 2 ? undefined : aim, Math.log);
    const probe = { rate, value: await sizeAt(rate) };
    if (probe.value <= maxByteLength) below = probe;
    else above = probe;
    if (below.value >= SIZE_ENOUGH * maxByteLength) break;
  }
  return below.rate;
}

/** A metric that grows with the rate, and how to search on it. */
export interface MetricScale {
  readonly name: string;
  /** Makes it nearly linear in the rate. */
  readonly straighten: (value: number) => number;
  /** Straightened growth from the coarsest rate to the finest that photographs show: the first step's slope. */
  readonly usualGrowth: number;
  /** Straightened value of photographs at the coarsest rate: the first guess. */
  readonly usualStart: number;
  /** Straightened excess over what was asked for that is not worth another try. */
  readonly enough: number;
}

export const METRIC_SCALES: Readonly<Record<'psnr' | 'ssim', MetricScale>> = {
  psnr: {
    name: 'PSNR',
    straighten: (db) => db,
    usualStart: 26,
    usualGrowth: 12,
    enough: 0.03,
  },
  ssim: {
    name: 'SSIM',
    // In dB too: 0.9 is 10, 0.99 is 20.
    straighten: (ssim) => -10 * Math.log10(Math.max(1 - ssim, 1e-9)),
    usualStart: 5,
    usualGrowth: 13,
    enough: 0.05,
  },
};

/**
 * The coarsest rate found whose decoded picture is at least as good as asked, after at most `METRIC_TRIES` decodes.
 * @param valueAt the metric of what a rate decodes to
 * @throws UsageError naming the best there is, when even the finest rate is not good enough
 */
export async function searchMetric(
  least: number,
  scale: MetricScale,
  { coarsest, finest }: Range,
  valueAt: (rate: number) => Promise<number>,
): Promise<number> {
  const aim = scale.straighten(least) + scale.enough / 2;
  let below: Probe | undefined;
  let above: Probe | undefined;
  let last: Probe | undefined;
  let slope = scale.usualGrowth / (finest - coarsest);
  let best = Number.NEGATIVE_INFINITY;
  /** How often in a row the same side of the bracket moved: the straight line then misses in the same way again. */
  let sameSide = 0;
  const isDone = () =>
    below?.rate === finest ||
    (above !== undefined &&
      (above.rate === coarsest ||
        above.value - scale.straighten(least) <= scale.enough ||
        (below !== undefined && above.rate - below.rate <= 1)));
  for (let left = METRIC_TRIES; left > 0 && !isDone(); left--) {
    const rate = next(left);
    const value = await valueAt(rate);
    best = Math.max(best, value);
    const probe = { rate, value: scale.straighten(value) };
    if (last !== undefined && probe.value !== last.value) {
      slope = Math.max(slope / 8, (probe.value - last.value) / (probe.rate - last.rate));
    }
    const side = value >= least ? above : below;
    sameSide = side !== undefined && side === last ? sameSide + 1 : 0;
    if (value >= least) above = probe;
    else below = probe;
    last = probe;
  }
  if (above === undefined) {
    throw new UsageError(
      `compress: expected a target ${scale.name} of at most ${floor4(best)} for this picture, got ${least}`,
    );
  }
  return above.rate;

  function next(left: number): number {
    // The last try must not leave us without an answer: the finest rate is the surest there is.
    if (above === undefined && left === 1) return finest;
    if (above !== undefined && below !== undefined) return bracketed(below, above, left === 1);
    if (last === undefined) return inside(coarsest + (aim - scale.usualStart) / slope);
    // Half as far again, as the other side of the bracket is worth more than the exact place.
    const far = last.rate + (1.5 * (aim - last.value)) / slope;
    return inside(
      above === undefined ? Math.max(far, last.rate + 32) : Math.min(far, last.rate - 32),
    );
  }

  function bracketed(low: Probe, high: Probe, isLast: boolean): number {
    const straight = between(low, high, aim, (value) => value);
    const half = Math.round((low.rate + high.rate) / 2);
    // What is tried last should be good enough: a little to that side of the line.
    if (isLast) return Math.max(straight, Math.round(0.7 * straight + 0.3 * half));
    if (sameSide === 0) return straight;
    if (sameSide > 1) return half;
    const far = last === above ? 2 * straight - high.rate : 2 * straight - low.rate;
    return clamp(
      last === above ? Math.max(half, far) : Math.min(half, far),
      low.rate + 1,
      high.rate - 1,
    );
  }

  function inside(rate: number): number {
    return clamp(rate, coarsest, finest);
  }
}

/** A whole rate strictly between two probes: by the straight line through them, or half-way without an aim. */
function between(
  below: Probe,
  above: Probe,
  aim: number | undefined,
  straighten: (value: number) => number,
): number {
  const low = straighten(below.value);
  const high = straighten(above.value);
  const share = aim === undefined || high <= low ? 0.5 : (aim - low) / (high - low);
  const rate = Math.round(below.rate + share * (above.rate - below.rate));
  return clamp(rate, below.rate + 1, above.rate - 1);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, Math.round(value)));
}

/** Rounded down to four places, so that what is named can be reached. */
function floor4(value: number): number {
  return Math.floor(value * 1e4) / 1e4;
}
