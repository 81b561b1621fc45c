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
  planesAtStep,
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
    // What is missing from 100, in dB: halving the step halves it, about.
    straighten: (score) => -20 * Math.log10(Math.max(100 - score, 0.1)),
    usualStart: -41,
    usualGrowth: 45,
    enough: 0.2,
  },
};

/** Largest error of quality 100, in levels of 8 bits. */
export const FINEST_MAX_ERROR = 2;

/** What errors of -2 to 2 come to when all are as frequent: a mean square of 2. */
export const FINEST_PSNR_DB = 10 * Math.log10(255 ** 2 / 2);

/** How much larger a coding at the step of another may be and still be worth a search. */
const PROBE_MARGIN = 1.03;

/** Rows from the middle tell what all take: an eighth of them, and no fewer than this. */
const ESTIMATE_ROWS_MIN = 64;
const ESTIMATE_SHARE = 8;

/** How much larger a coding may look by its estimate and still be worth making. */
const ESTIMATE_MARGIN = 1.3;

/** The model's coding of a picture, and what it decodes to. */
export interface ModelCoding {
  readonly coded: Extract<CodedColour, { mode: 'model' }>;
  readonly decoded: PlainPixels;
}

/** Codes a picture with the plane coder, in one of two ways. */
export interface CandidateCoder {
  readonly code: (coding: PlaneCoding) => Promise<FineColour>;
  readonly decode: (coded: FineColour) => Promise<Pixels>;
  /** What a wavelet's coding decodes to, in a tenth of the time that it takes to make. */
  readonly decodedAt: (stepSize: number) => Promise<Pixels>;
  /** About how many bytes a coding takes, by some rows of it. */
  readonly estimate: (coding: PlaneCoding) => Promise<number>;
}

/** The picture's own coder first. */
export type CandidateCoders = readonly [CandidateCoder, ...CandidateCoder[]];

type FineColour = Exclude<CodedColour, { mode: 'model' }>;

/** The picture itself. @param pixels of one or three channels, 8 or 16 bits */
export function planesAlone(job: Job, pixels: Pixels): CandidateCoder {
  const { data } = pixels;
  const isWide = data instanceof Uint16Array;
  const shape = shapeOf(pixels, isWide ? 'u16' : 'u8');
  const level = isWide ? 257 : 1;
  const codeSamples = (samples: PlaneSamples, coded: PlaneShape, coding: PlaneCoding) =>
    codePlanes(job, samples, coded, isWide ? widened(coding) : coding);
  const codeAll = async (coding: PlaneCoding): Promise<FineColour> => ({
    mode: 'planes',
    planes: await codeSamples(data, shape, coding),
  });
  // The scale's end, the coding nearest to it and quality 100 are all the same coding, and the slowest.
  let nearly: Promise<FineColour> | undefined;
  return {
    code(coding) {
      if (!('maxError' in coding) || coding.maxError !== FINEST_MAX_ERROR) return codeAll(coding);
      nearly ??= codeAll(coding);
      return nearly;
    },
    estimate: (coding) => estimated(shape, data, (rows, part) => codeSamples(rows, part, coding)),
    decode: async ({ planes }) => ({
      ...pixels,
      data: (await decodeAll(job, planes, shape)) as Pixels['data'],
    }),
    decodedAt: async (stepSize) => ({
      ...pixels,
      data: await planesAtStep(job, data, shape, level * stepSize),
    }),
  };
}

/** What the model left. */
export function residualOf(job: Job, pixels: PlainPixels, base: ModelCoding): CandidateCoder {
  const left = Int16Array.from(pixels.data, (value, i) => value - (base.decoded.data[i] ?? 0));
  const shape = shapeOf(pixels, 'i16');
  const withLeft = (samples: PlaneSamples) => ({
    ...pixels,
    data: corrected(base.decoded.data, samples),
  });
  return {
    code: async (coding) => ({
      ...base.coded,
      mode: 'model+residual',
      planes: await codePlanes(job, left, shape, coding),
    }),
    estimate: (coding) =>
      estimated(shape, left, (rows, part) => codePlanes(job, rows, part, coding)),
    decode: async ({ planes }) => withLeft(await decodeAll(job, planes, shape)),
    decodedAt: async (stepSize) => withLeft(await planesAtStep(job, left, shape, stepSize)),
  };
}

/**
 * The smallest coding that is as good as asked, of all coders.
 * @param pixels what is compared with
 */
export async function finestFor(
  coders: CandidateCoders,
  pixels: Pixels,
  judge: Judge,
  least: number,
): Promise<CodedColour> {
  let best: CodedColour | undefined;
  let bestIndex = STEPS.finest;
  for (const { code, decodedAt } of coders) {
    // The same step means nearly the same error: what is larger there will not win by a search.
    if (best !== undefined) {
      const probe = await code({ stepSize: stepAt(bestIndex) });
      if (byteLengthOf(probe) > PROBE_MARGIN * byteLengthOf(best)) continue;
    }
    let found: CodedColour;
    try {
      bestIndex = await searchMetric(least, STEP_SCALES[judge], STEPS, async (index) =>
        measure(judge, pixels, await decodedAt(stepAt(index))),
      );
      found = await code({ stepSize: stepAt(bestIndex) });
    } catch (error) {
      // Finer than the finest step: only all of it will do.
      if (!(error instanceof UsageError)) throw error;
      found = await code({ maxError: 0 });
    }
    best = best === undefined ? found : smaller(best, found);
  }
  // In fine grain prediction from neighbours can take fewer bytes than a wavelet; quality 100 is that.
  const [alone] = coders;
  const coding = { maxError: FINEST_MAX_ERROR };
  const bestByteLength = byteLengthOf(best as CodedColour);
  if ((await alone.estimate(coding)) <= ESTIMATE_MARGIN * bestByteLength) {
    const nearly = await alone.code(coding);
    const isSmaller = byteLengthOf(nearly) < bestByteLength;
    if (isSmaller && (await measure(judge, pixels, await alone.decode(nearly))) >= least) {
      return nearly;
    }
  }
  return best as CodedColour;
}

/**
 * The smallest coding without an error above 2 levels, no worse than asked on average and, where it is not the picture
 * itself, no smaller than asked.
 */
export async function nearlyLossless(
  coders: CandidateCoders,
  pixels: Pixels,
  judge: Judge,
  least: number,
  leastByteLength: number,
): Promise<CodedColour> {
  let best: CodedColour | undefined;
  for (const { code, decode } of coders) {
    for (let maxError = FINEST_MAX_ERROR; maxError >= 0; maxError--) {
      const coded = await code({ maxError });
      const isEnough =
        maxError === 0 ||
        (byteLengthOf(coded) >= leastByteLength &&
          (await measure(judge, pixels, await decode(coded))) >= least);
      if (!isEnough) continue;
      best = best === undefined ? coded : smaller(best, coded);
      break;
    }
  }
  return best as CodedColour;
}

/** The best coding of at most so many bytes; nothing where no coder has one. */
export async function bestWithin(
  coders: CandidateCoders,
  pixels: Pixels,
  judge: Judge,
  maxByteLength: number,
  sizeOf: (coded: CodedColour) => number,
): Promise<{ readonly coded: CodedColour; readonly value: number } | undefined> {
  let best: { readonly coded: CodedColour; readonly value: number } | undefined;
  for (const { code, decode } of coders) {
    const exact = await code({ maxError: 0 });
    if (sizeOf(exact) <= maxByteLength) {
      return { coded: exact, value: Number.POSITIVE_INFINITY };
    }
    let found: FineColour | undefined;
    await searchSize(maxByteLength, STEPS, async (index) => {
      const coded = await code({ stepSize: stepAt(index) });
      const byteLength = sizeOf(coded);
      if (byteLength <= maxByteLength) found = coded;
      return byteLength;
    });
    if (found === undefined) continue;
    const value = await measure(judge, pixels, await decode(found));
    if (best === undefined || value > best.value) best = { coded: found, value };
  }
  return best;
}

/** The codings of which one is the smallest that `bestWithin` knows. */
export async function smallestOf({ code }: CandidateCoder): Promise<CodedColour[]> {
  return [await code({ maxError: 0 }), await code({ stepSize: stepAt(STEPS.coarsest) })];
}

/** The coarsest coding of the first coder that takes at least so many bytes; the picture itself where that takes fewer. */
export async function noSmallerThan(
  byteLength: number,
  [{ code }]: CandidateCoders,
): Promise<CodedColour> {
  const exact = await code({ maxError: 0 });
  if (byteLengthOf(exact) <= byteLength) return exact;
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
      const coded = await code({ stepSize: stepAt(index) });
      if (byteLengthOf(coded) >= byteLength) found = coded;
      return byteLengthOf(coded);
    });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
  }
  return found ?? exact;
}

/** A directory entry with its slices, about. */
const ENTRY_BYTES = 9;
/** Of a short stream without slices. */
export const STREAM_BYTES = 6;

/** Bytes of coded colour, with what the header spends on its streams and on naming the model. */
export function byteLengthOf(coded: CodedColour): number {
  const planes = coded.mode === 'model' ? 0 : ENTRY_BYTES + coded.planes.length;
  if (coded.mode === 'planes') return planes;
  const { modelId, manifest } = coded.model;
  const named = embeddedTune(modelId) === undefined ? 1 + manifest.name.length : 0;
  const { slices, adjustment } = coded.latents;
  const filter = adjustment === undefined ? 0 : STREAM_BYTES + adjustment.length;
  return slices.reduce((sum, { length }) => sum + length, planes + filter + ENTRY_BYTES + named);
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

async function estimated(
  shape: PlaneShape,
  samples: PlaneSamples,
  code: (rows: PlaneSamples, shape: PlaneShape) => Promise<Uint8Array>,
): Promise<number> {
  const { widthPx, heightPx, components } = shape;
  const rows = Math.min(
    heightPx,
    Math.max(ESTIMATE_ROWS_MIN, Math.ceil(heightPx / ESTIMATE_SHARE)),
  );
  const rowLength = widthPx * components;
  const first = Math.floor((heightPx - rows) / 2) * rowLength;
  const part = samples.subarray(first, first + rows * rowLength);
  const { length } = await code(part, { ...shape, heightPx: rows });
  return (length * heightPx) / rows;
}

function decodeAll(job: Job, stream: Uint8Array, shape: PlaneShape): Promise<PlaneSamples> {
  return withPlaneRows(job, stream, shape, 0, (take) => take(shape.heightPx));
}
