/**
 * Past what the model alone can do, and for drawn pictures: the plane coder on the picture itself or on what the model
 * left of it, whichever takes fewer bytes for the same error.
 *
 * A quality names a PSNR of this picture (or what else the model is judged by): that of the model's coding, and above the
 * model's last rate one between there and that of a largest error of 2 levels. Every mode is then made just fine enough
 * for it, and the smallest file is taken. So bytes and PSNR grow with quality for every picture, also where the mode changes.
 * @module
 */
import { UsageError } from '../errors.js';
import type { Pixels, PlainPixels } from '../image/pixels.js';
import { embeddedTune } from '../models/tunes.js';
import type { PlaneCoding } from '../wasm/planes.js';
import { corrected } from './compose.js';
import { type Judge, measure } from './judge.js';
import {
  codePlanes,
  type Job,
  type PlaneSamples,
  type PlaneShape,
  withPlaneRows,
} from './planes.js';
import { type MetricScale, type Range, searchMetric, searchSize } from './targets.js';
import type { CodedColour } from './to-file.js';

/** Steps of the wavelet from 64 levels down, 32 to an octave: a fifth of a decibel each. */
const STEPS: Range = { coarsest: 0, finest: 256 };
const STEPS_PER_OCTAVE = 32;
const COARSEST_STEP = 64;

/** As `METRIC_SCALES`, along the steps. */
const STEP_SCALES: Readonly<Record<Judge, MetricScale>> = {
  psnr: { name: 'PSNR', straighten: (db) => db, usualStart: 24, usualGrowth: 37, enough: 0.1 },
  ssim: {
    name: 'SSIM',
    straighten: (value) => -10 * Math.log10(Math.max(1 - value, 1e-9)),
    usualStart: 4,
    usualGrowth: 36,
    enough: 0.1,
  },
  ssimulacra2: {
    name: 'SSIMULACRA2',
    straighten: (score) => score,
    usualStart: -10,
    usualGrowth: 110,
    enough: 0.25,
  },
};

/** Largest error of quality 100, in levels of 8 bits. */
export const FINEST_MAX_ERROR = 2;

/** What errors of -2 to 2 come to when all are as frequent: a mean square of 2. */
export const FINEST_PSNR_DB = 10 * Math.log10(255 ** 2 / 2);

/** How much larger a coding at the step of another may be and still be worth a search. */
const PROBE_MARGIN = 1.03;

/** The model's coding of a picture, and what it decodes to. */
export interface ModelCoding {
  readonly coded: Extract<CodedColour, { mode: 'model' }>;
  readonly decoded: PlainPixels;
}

/** One coding and what it decodes to. */
interface Candidate {
  readonly coded: CodedColour;
  readonly decoded: Pixels;
}

/** Codes a picture with the plane coder, in one of two ways. */
export type CandidateCoder = (coding: PlaneCoding) => Promise<Candidate>;

/** The picture itself. @param pixels of one or three channels, 8 or 16 bits */
export function planesAlone(job: Job, pixels: Pixels): CandidateCoder {
  const { data } = pixels;
  const isWide = data instanceof Uint16Array;
  const shape = shapeOf(pixels, isWide ? 'u16' : 'u8');
  return async (coding) => {
    const planes = await codePlanes(job, data, shape, isWide ? widened(coding) : coding);
    const decoded = (await decodeAll(job, planes, shape)) as Pixels['data'];
    return { coded: { mode: 'planes', planes }, decoded: { ...pixels, data: decoded } };
  };
}

/** What the model left. */
export function residualOf(job: Job, pixels: PlainPixels, base: ModelCoding): CandidateCoder {
  const left = Int16Array.from(pixels.data, (value, i) => value - (base.decoded.data[i] ?? 0));
  const shape = shapeOf(pixels, 'i16');
  return async (coding) => {
    const planes = await codePlanes(job, left, shape, coding);
    const data = corrected(base.decoded.data, await decodeAll(job, planes, shape));
    const coded = { ...base.coded, mode: 'model+residual', planes } as const;
    return { coded, decoded: { ...pixels, data } };
  };
}

/**
 * The smallest coding that is as good as asked, of all coders.
 * @param pixels what is compared with
 */
export async function finestFor(
  coders: readonly CandidateCoder[],
  pixels: Pixels,
  judge: Judge,
  least: number,
): Promise<CodedColour> {
  let best: CodedColour | undefined;
  let bestIndex = STEPS.finest;
  for (const code of coders) {
    let found: CodedColour | undefined;
    // The same step means nearly the same error: what is larger there will not win by a search.
    if (best !== undefined) {
      const probe = await code({ stepSize: stepAt(bestIndex) });
      if (byteLengthOf(probe.coded) > PROBE_MARGIN * byteLengthOf(best)) continue;
    }
    try {
      await searchMetric(least, STEP_SCALES[judge], STEPS, async (index) => {
        const { coded, decoded } = await code({ stepSize: stepAt(index) });
        const value = await measure(judge, pixels, decoded);
        if (value >= least) {
          found = coded;
          bestIndex = index;
        }
        return value;
      });
    } catch (error) {
      // Finer than the finest step: only all of it will do.
      if (!(error instanceof UsageError)) throw error;
      ({ coded: found } = await code({ maxError: 0 }));
    }
    if (found !== undefined) best = best === undefined ? found : smaller(best, found);
  }
  // In fine grain prediction from neighbours can take fewer bytes than a wavelet; quality 100 is that.
  const [alone] = coders;
  const nearly = await alone?.({ maxError: FINEST_MAX_ERROR });
  if (nearly !== undefined && (await measure(judge, pixels, nearly.decoded)) >= least) {
    best = best === undefined ? nearly.coded : smaller(best, nearly.coded);
  }
  return best as CodedColour;
}

/**
 * The smallest coding without an error above 2 levels, no worse than asked on average and, where it is not the picture
 * itself, no smaller than asked.
 */
export async function nearlyLossless(
  coders: readonly CandidateCoder[],
  pixels: Pixels,
  judge: Judge,
  least: number,
  leastByteLength: number,
): Promise<CodedColour> {
  let best: CodedColour | undefined;
  for (const code of coders) {
    for (let maxError = FINEST_MAX_ERROR; maxError >= 0; maxError--) {
      const { coded, decoded } = await code({ maxError });
      const isEnough =
        byteLengthOf(coded) >= leastByteLength && (await measure(judge, pixels, decoded)) >= least;
      if (maxError > 0 && !isEnough) continue;
      best = best === undefined ? coded : smaller(best, coded);
      break;
    }
  }
  return best as CodedColour;
}

/** The best coding of at most so many bytes; nothing where no coder has one. */
export async function bestWithin(
  coders: readonly CandidateCoder[],
  pixels: Pixels,
  judge: Judge,
  maxByteLength: number,
  sizeOf: (coded: CodedColour) => number,
): Promise<{ readonly coded: CodedColour; readonly value: number } | undefined> {
  let best: { readonly coded: CodedColour; readonly value: number } | undefined;
  for (const code of coders) {
    const exact = await code({ maxError: 0 });
    if (sizeOf(exact.coded) <= maxByteLength) {
      return { coded: exact.coded, value: Number.POSITIVE_INFINITY };
    }
    let found: Candidate | undefined;
    try {
      await searchSize(maxByteLength, STEPS, async (index) => {
        const candidate = await code({ stepSize: stepAt(index) });
        const byteLength = sizeOf(candidate.coded);
        if (byteLength <= maxByteLength) found = candidate;
        return byteLength;
      });
    } catch (error) {
      // Too large with the coarsest step.
      if (!(error instanceof UsageError)) throw error;
    }
    if (found === undefined) continue;
    const value = await measure(judge, pixels, found.decoded);
    if (best === undefined || value > best.value) best = { coded: found.coded, value };
  }
  return best;
}

/** The coarsest coding of the first coder that takes at least so many bytes; the picture itself where that takes fewer. */
export async function noSmallerThan(
  byteLength: number,
  [code]: readonly CandidateCoder[],
): Promise<CodedColour> {
  if (code === undefined) throw new RangeError('fine: expected a coder, got none');
  const exact = await code({ maxError: 0 });
  if (byteLengthOf(exact.coded) <= byteLength) return exact.coded;
  // Bytes grow along the steps as a metric does.
  const scale: MetricScale = {
    name: 'size',
    straighten: Math.log,
    usualStart: Math.log(byteLength) - 3,
    usualGrowth: 5,
    enough: 0.01,
  };
  let found: CodedColour | undefined;
  try {
    await searchMetric(byteLength, scale, STEPS, async (index) => {
      const { coded } = await code({ stepSize: stepAt(index) });
      if (byteLengthOf(coded) >= byteLength) found = coded;
      return byteLengthOf(coded);
    });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
  }
  return found ?? exact.coded;
}

/** A directory entry with its slices, about. */
const ENTRY_BYTES = 9;

/** Bytes of coded colour, with what the header spends on its streams and on naming the model. */
export function byteLengthOf(coded: CodedColour): number {
  const planes = coded.mode === 'model' ? 0 : ENTRY_BYTES + coded.planes.length;
  if (coded.mode === 'planes') return planes;
  const { modelId, manifest } = coded.model;
  const named = embeddedTune(modelId) === undefined ? 1 + manifest.name.length : 0;
  return coded.latents.slices.reduce(
    (sum, { length }) => sum + length,
    planes + ENTRY_BYTES + named,
  );
}

/** The second where it is smaller. */
export function smaller(a: CodedColour, b: CodedColour): CodedColour {
  return byteLengthOf(b) < byteLengthOf(a) ? b : a;
}

function stepAt(index: number): number {
  return COARSEST_STEP * 2 ** (-index / STEPS_PER_OCTAVE);
}

/** Levels of 8 bits in those of 16; the coder's largest error ends below that of two, which is then made a step's. */
function widened(coding: PlaneCoding): PlaneCoding {
  if ('stepSize' in coding) return { stepSize: coding.stepSize * 257 };
  return { maxError: Math.min(255, coding.maxError * 257) };
}

function shapeOf({ widthPx, heightPx, channels }: Pixels, dtype: PlaneShape['dtype']): PlaneShape {
  return { widthPx, heightPx, components: channels, dtype };
}

function decodeAll(job: Job, stream: Uint8Array, shape: PlaneShape): Promise<PlaneSamples> {
  return withPlaneRows(job, stream, shape, 0, (take) => take(shape.heightPx));
}
