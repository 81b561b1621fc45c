/**
 * The file that keeps a promise: codings of one latent at the rates that a search asks for.
 * @module
 */
import { UsageError } from '../errors.js';
import type { PixelSource } from '../image/pixel-rows.js';
import type { Pixels } from '../image/pixels.js';
import type { Aim } from './aim.js';
import { codeKept, keepLatents, type ModelJob } from './latents.js';
import { psnr } from './quality.js';
import { ssim } from './ssim.js';
import { METRIC_SCALES, type Range, searchMetric, searchSize } from './targets.js';
import { toFile } from './to-file.js';

/** Every rate that there is. */
const RATES: Range = { coarsest: 0, finest: 4095 };

/**
 * @throws UsageError when no rate keeps the promise; the message names the nearest that one does
 */
export async function codeToTarget(
  job: ModelJob,
  input: Pixels | PixelSource,
  source: PixelSource,
  aim: Exclude<Aim, { kind: 'quality' }>,
): Promise<Uint8Array> {
  if (aim.kind !== 'size' && !('data' in input)) {
    throw new UsageError(
      `compress: expected a whole picture for a target ${aim.kind}, got rows; it is compared with what decodes`,
    );
  }
  const latents = await keepLatents(job, source);
  const kept = latents.reduce((sum, { values }) => sum + values.byteLength, job.heldByteLength);
  const tryJob = { ...job, heldByteLength: kept };
  let best: Uint8Array = new Uint8Array();
  const fileAt = async (rate: number) =>
    toFile(source, await codeKept(tryJob, latents, rate), job.opened.model);
  if (aim.kind === 'size') {
    await searchSize(aim.maxByteLength, RATES, async (rate) => {
      const file = await fileAt(rate);
      // The search only ever moves up from a file that fits: the last one is its answer.
      if (file.length <= aim.maxByteLength) best = file;
      return file.length;
    });
    return best;
  }
  const measure = aim.kind === 'psnr' ? psnr : ssim;
  const { signal, trace } = job.options;
  await searchMetric(aim.least, METRIC_SCALES[aim.kind], RATES, async (rate) => {
    const file = await fileAt(rate);
    const decoded = await job.codec.decompress(file, {
      ...(signal && { signal }),
      ...(trace && { trace }),
    });
    const value = measure(input as Pixels, decoded);
    // Likewise downwards: the last one that is good enough.
    if (value >= aim.least) best = file;
    return value;
  });
  return best;
}
