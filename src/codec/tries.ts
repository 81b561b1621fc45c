/**
 * The coding that keeps a promise: codings of one latent at the rates that a search asks for, and past them what
 * `fine.ts` has.
 * @module
 */
import { UsageError } from '../errors.js';
import { type PixelSource, sourceOf } from '../image/pixel-rows.js';
import type { Pixels, PlainPixels } from '../image/pixels.js';
import { decodeBare, fineCoders, finestRate } from './base.js';
import { bestWithin, finestFor, type ModelCoding } from './fine.js';
import { judgeOf, measure } from './judge.js';
import { codeKept, keepLatents, type ModelJob } from './latents.js';
import { METRIC_SCALES, type Range, searchMetric, searchSize } from './targets.js';
import { type CodedColour, type Frame, toFile } from './to-file.js';

/** Rates of the model alone. */
function ratesOf(job: ModelJob): Range {
  return { coarsest: 0, finest: finestRate(job) };
}

/**
 * The finest coding of a file no longer than asked.
 * @throws UsageError when there is none, naming the smallest file
 */
export async function codeToSize(
  job: ModelJob,
  colour: Pixels,
  plain: PlainPixels,
  frame: Frame,
  maxByteLength: number,
): Promise<CodedColour> {
  const codeAt = await coderOf(job, sourceOf(plain));
  const range = ratesOf(job);
  let best: ModelCoding['coded'] | undefined;
  const rate = await searchSize(maxByteLength, range, async (rate) => {
    const coded = await codeAt(rate);
    const { length } = toFile(frame, coded);
    // The search only ever moves up from a file that fits: the last one is its answer.
    if (length <= maxByteLength) best = coded;
    return length;
  });
  const coded = best ?? (await codeAt(rate));
  if (rate < range.finest) return coded;
  const base = { coded, decoded: await decodeBare(job, plain, coded) };
  const coders = fineCoders(job, colour, plain, base);
  const original = colour.data instanceof Uint16Array ? colour : plain;
  const sizeOf = (candidate: CodedColour) => toFile(frame, candidate).length;
  const judge = judgeOf(job.opened.model.manifest, plain);
  const fine = await bestWithin(coders, original, judge, maxByteLength, sizeOf);
  const reached = await measure(judge, plain, base.decoded);
  return fine !== undefined && fine.value > reached ? fine.coded : coded;
}

/**
 * The coarsest coding whose decoded colour is as good as asked.
 */
export async function codeToMetric(
  job: ModelJob,
  colour: Pixels,
  plain: PlainPixels,
  metric: 'psnr' | 'ssim',
  least: number,
): Promise<CodedColour> {
  const codeAt = await coderOf(job, sourceOf(plain));
  const range = ratesOf(job);
  let best: CodedColour | undefined;
  let base: ModelCoding | undefined;
  try {
    await searchMetric(least, METRIC_SCALES[metric], range, async (rate) => {
      const coded = await codeAt(rate);
      const decoded = await decodeBare(job, plain, coded);
      if (rate === range.finest) base = { coded, decoded };
      const value = await measure(metric, plain, decoded);
      // Likewise downwards: the last one that is good enough.
      if (value >= least) best = coded;
      return value;
    });
  } catch (error) {
    // Better than the model's best: the plane coder has no end but the picture itself.
    if (!(error instanceof UsageError)) throw error;
  }
  if (best !== undefined || base === undefined) return best ?? codeAt(range.finest);
  const coders = fineCoders(job, colour, plain, base);
  const original = colour.data instanceof Uint16Array ? colour : plain;
  return finestFor(coders, original, metric, least);
}

/** Runs the encoder network once. */
async function coderOf(
  job: ModelJob,
  source: PixelSource,
): Promise<(rate: number) => Promise<ModelCoding['coded']>> {
  const kept = await keepLatents(job, source);
  const keptByteLength = kept
    .flatMap(({ grids }) => grids)
    .reduce((sum, { values }) => sum + values.byteLength, 0);
  const held = { ...job, heldByteLength: job.heldByteLength + keptByteLength };
  return async (rate) => ({
    mode: 'model',
    latents: await codeKept(held, kept, rate),
    model: job.opened.model,
  });
}
