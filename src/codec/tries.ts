/**
 * The coding that keeps a promise: codings of one latent at the rates that a search asks for, and past them what
 * `fine.ts` has.
 * @module
 */
import { UsageError } from '../errors.js';
import { sourceOf } from '../image/pixel-rows.js';
import type { Pixels, PlainPixels } from '../image/pixels.js';
import {
  aloneBeside,
  decodeBare,
  fineCoders,
  finestRate,
  originalOf,
  unlessDrawn,
} from './base.js';
import { isDrawn } from './drawn.js';
import { refinementOfKept } from './effort.js';
import { bestWithin, finestFor, type ModelCoding, smaller, smallestOf } from './fine.js';
import { checkMeasurable, heldByJudge, judgeOf, measure } from './judge.js';
import { codeKept, keepLatents, type ModelJob } from './latents.js';
import { METRIC_SCALES, type Range, searchMetric, searchSize } from './targets.js';
import { type CodedColour, type Frame, toFile } from './to-file.js';

/** Rates of the model alone. */
function ratesOf(job: ModelJob): Range {
  return { coarsest: 0, finest: finestRate(job) };
}

/** Codes one latent at any rate. */
type CodeAt = (rate: number) => Promise<ModelCoding['coded']>;

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
  const judge = judgeOf(job.opened.model.manifest, plain);
  const original = originalOf(colour, plain);
  const sizeOf = (candidate: CodedColour) => toFile(frame, candidate).length;
  const { finest } = ratesOf(job);
  const alone = isDrawn(plain) ? aloneBeside(job, colour, plain) : undefined;
  const drawn = alone && (await bestWithin([alone], original, judge, maxByteLength, sizeOf));
  if (drawn?.value === Number.POSITIVE_INFINITY) return drawn.coded;
  let leastByteLength = Number.POSITIVE_INFINITY;
  const found = await sized(await coderOf(job, plain));
  if (found === undefined) {
    if (drawn !== undefined) return drawn.coded;
    for (const coded of alone ? await smallestOf(alone) : []) {
      leastByteLength = Math.min(leastByteLength, sizeOf(coded));
    }
    throw new UsageError(
      `compress: expected a target size of at least ${leastByteLength} bytes for this picture, got ${maxByteLength}`,
    );
  }
  const refined = await ifRefined(job, plain, found.rate, sized);
  if (drawn === undefined && refined === undefined && found.rate < finest) return found.coded;
  let best = await judged(found.coded);
  if (refined !== undefined) {
    const rival = await judged(refined.coded);
    if (rival.value > best.value) best = rival;
  }
  const isModels = (refined ?? found).rate < finest;
  const fine = isModels
    ? drawn
    : await bestWithin(
        fineCoders(job, colour, plain, best),
        original,
        judge,
        maxByteLength,
        sizeOf,
      );
  return fine !== undefined && fine.value > best.value ? fine.coded : best.coded;

  async function sized(codeAt: CodeAt) {
    let coded: ModelCoding['coded'] | undefined;
    const rate = await searchSize(maxByteLength, ratesOf(job), async (rate) => {
      const candidate = await codeAt(rate);
      const byteLength = sizeOf(candidate);
      leastByteLength = Math.min(leastByteLength, byteLength);
      // The search only ever moves up from a file that fits: the last one is its answer.
      if (byteLength <= maxByteLength) coded = candidate;
      return byteLength;
    });
    return rate === undefined || coded === undefined ? undefined : { rate, coded };
  }

  async function judged(coded: ModelCoding['coded']) {
    const decoded = await decodeBare(job, plain, coded);
    return { coded, decoded, value: await measure(judge, plain, decoded) };
  }
}

/**
 * The smallest coding whose decoded colour is as good as asked.
 * @throws UsageError for a picture that is too small for the metric
 */
export async function codeToMetric(
  job: ModelJob,
  colour: Pixels,
  plain: PlainPixels,
  metric: 'psnr' | 'ssim',
  least: number,
): Promise<CodedColour> {
  const coded = await modelToMetric(job, colour, plain, metric, least);
  return unlessDrawn(job, colour, plain, coded, metric, () => least);
}

/** By the model at its coarsest good enough rate; past its finest one by what goes on from there. */
async function modelToMetric(
  given: ModelJob,
  colour: Pixels,
  plain: PlainPixels,
  metric: 'psnr' | 'ssim',
  least: number,
): Promise<CodedColour> {
  checkMeasurable(metric, plain);
  const judging = heldByJudge(metric, plain);
  const job = { ...given, heldByteLength: given.heldByteLength + judging };
  const { finest } = ratesOf(job);
  let base: ModelCoding | undefined;
  const found = await goodEnough(await coderOf(job, plain));
  const refined = await ifRefined(job, plain, found?.rate ?? finest, goodEnough);
  if (found && refined) return smaller(found.coded, refined.coded);
  const one = found ?? refined;
  if (one !== undefined) return one.coded;
  if (base === undefined) return (await coderOf(job, plain))(finest);
  const coders = fineCoders(job, colour, plain, base);
  const original = originalOf(colour, plain);
  const fine = await finestFor(coders, original, metric, least);
  // Steps this fine can take more than the samples themselves.
  return smaller(fine, await coders[0].code({ maxError: 0 }));

  async function goodEnough(codeAt: CodeAt) {
    let coded: ModelCoding['coded'] | undefined;
    try {
      const rate = await searchMetric(least, METRIC_SCALES[metric], ratesOf(job), async (rate) => {
        const candidate = await codeAt(rate);
        const decoded = await decodeBare(job, plain, candidate);
        if (rate === finest) base = { coded: candidate, decoded };
        const value = await measure(metric, plain, decoded);
        // Likewise downwards: the last one that is good enough.
        if (value >= least) coded = candidate;
        return value;
      });
      return coded && { rate, coded };
    } catch (error) {
      // Better than the model's best: the plane coder has no end but the picture itself.
      if (!(error instanceof UsageError)) throw error;
      return undefined;
    }
  }
}

/**
 * Searches once more, in a latent that is refined for the rate that was found: refining hurts at rates far from its own.
 * @returns nothing where the effort asks for none, or where there is nothing to be found
 */
async function ifRefined<T>(
  job: ModelJob,
  plain: PlainPixels,
  rate: number,
  search: (codeAt: CodeAt) => Promise<T>,
): Promise<T | undefined> {
  const { rounds } = refinementOfKept(job.opened.model.manifest, job.options, rate);
  return rounds === 0 ? undefined : search(await coderOf(job, plain, rate));
}

/** Runs the encoder network once. */
async function coderOf(job: ModelJob, plain: PlainPixels, refineAt?: number): Promise<CodeAt> {
  const kept = await keepLatents(job, sourceOf(plain), refineAt);
  const held = { ...job, heldByteLength: job.heldByteLength + kept.byteLength };
  return async (rate) => ({
    mode: 'model',
    latents: await codeKept(held, kept, rate),
    model: job.opened.model,
  });
}
