/**
 * The coding that keeps a promise: codings of one latent at the rates that a search asks for.
 * @module
 */
import type { PixelSource } from '../image/pixel-rows.js';
import type { PlainPixels } from '../image/pixels.js';
import { codeKept, keepLatents, type ModelJob } from './latents.js';
import { psnr } from './quality.js';
import { ssim } from './ssim.js';
import { METRIC_SCALES, type Range, searchMetric, searchSize } from './targets.js';
import { type CodedColour, type Frame, toFile } from './to-file.js';

/** Every rate that there is. */
const RATES: Range = { coarsest: 0, finest: 4095 };

/**
 * The finest coding of a file no longer than asked.
 * @throws UsageError when there is none, naming the smallest file
 */
export async function codeToSize(
  job: ModelJob,
  source: PixelSource,
  frame: Frame,
  maxByteLength: number,
): Promise<CodedColour> {
  const codeAt = await coderOf(job, source);
  let best: CodedColour | undefined;
  const rate = await searchSize(maxByteLength, RATES, async (rate) => {
    const coded = await codeAt(rate);
    const { length } = toFile(frame, coded);
    // The search only ever moves up from a file that fits: the last one is its answer.
    if (length <= maxByteLength) best = coded;
    return length;
  });
  return best ?? codeAt(rate);
}

/**
 * The coarsest coding whose decoded colour is as good as asked.
 * @throws UsageError when there is none, naming the best
 */
export async function codeToMetric(
  job: ModelJob,
  source: PixelSource,
  pixels: PlainPixels,
  metric: 'psnr' | 'ssim',
  least: number,
): Promise<CodedColour> {
  const codeAt = await coderOf(job, source);
  const { widthPx, heightPx, channels } = pixels;
  // What is compared is the colour: a file of it alone.
  const frame: Frame = {
    widthPx,
    heightPx,
    grey: channels === 1,
    sixteenBit: false,
    colour: 'srgb',
    streams: [],
  };
  const { signal, trace } = job.options;
  const options = { ...(signal && { signal }), ...(trace && { trace }) };
  const measure = metric === 'psnr' ? psnr : ssim;
  let best: CodedColour | undefined;
  const rate = await searchMetric(least, METRIC_SCALES[metric], RATES, async (rate) => {
    const coded = await codeAt(rate);
    const decoded = await job.codec.decompress(toFile(frame, coded), options);
    const value = measure(pixels, decoded);
    // Likewise downwards: the last one that is good enough.
    if (value >= least) best = coded;
    return value;
  });
  return best ?? codeAt(rate);
}

/** Runs the encoder network once. */
async function coderOf(
  job: ModelJob,
  source: PixelSource,
): Promise<(rate: number) => Promise<CodedColour>> {
  const kept = await keepLatents(job, source);
  const keptByteLength = kept.reduce((sum, { values }) => sum + values.byteLength, 0);
  const held = { ...job, heldByteLength: job.heldByteLength + keptByteLength };
  return async (rate) => ({
    mode: 'model',
    latents: await codeKept(held, kept, rate),
    model: job.opened.model,
  });
}
