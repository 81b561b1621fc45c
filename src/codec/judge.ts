/**
 * By what codings of a picture are held against one another: squared error, or what is seen where the model was trained
 * for that. A plane coder keeps samples; by squared error it would beat a model that spends its bits on what is seen.
 * @module
 */
import { UsageError } from '../errors.js';
import type { Pixels } from '../image/pixels.js';
import type { Manifest } from '../models/schemas.js';
import { MetricsCore, type PictureSamples } from '../wasm/metrics.js';
import { psnr } from './quality.js';

/** PSNR in dB, SSIM or SSIMULACRA2, as the bench has them; higher is better. */
export type Judge = 'psnr' | 'ssim' | 'ssimulacra2';

/** What a pair of pictures needs for a metric: SSIMULACRA2 six scales of both, SSIM their samples and some rows. */
const NEEDS = {
  ssim: { sidePx: 11, bytesPerPixel: 6 },
  ssimulacra2: { sidePx: 8, bytesPerPixel: 16 },
} as const;
const SSIMULACRA2_MOST_PIXELS = 2 ** 24;

/** What a model's codings of a picture of this size are judged by. */
export function judgeOf(
  { tune }: Manifest,
  { widthPx, heightPx }: Pick<Pixels, 'widthPx' | 'heightPx'>,
): Judge {
  const sidePx = Math.min(widthPx, heightPx);
  if (tune !== 'eye' || sidePx < NEEDS.ssimulacra2.sidePx) return 'psnr';
  if (widthPx * heightPx <= SSIMULACRA2_MOST_PIXELS) return 'ssimulacra2';
  return sidePx < NEEDS.ssim.sidePx ? 'psnr' : 'ssim';
}

/** What judging a picture holds besides it, in bytes. */
export function heldByJudge(
  judge: Judge,
  { widthPx, heightPx }: Pick<Pixels, 'widthPx' | 'heightPx'>,
) {
  return judge === 'psnr' ? 0 : NEEDS[judge].bytesPerPixel * widthPx * heightPx;
}

/** @throws UsageError for a picture that is smaller than the metric's window */
export function checkMeasurable(
  judge: Judge,
  { widthPx, heightPx }: Pick<Pixels, 'widthPx' | 'heightPx'>,
): void {
  if (judge === 'psnr' || Math.min(widthPx, heightPx) >= NEEDS[judge].sidePx) return;
  throw new UsageError(
    `${judge}: expected a picture of at least ${NEEDS[judge].sidePx} px a side, got ${widthPx}x${heightPx}; aim at a PSNR`,
  );
}

let metricsCore: Promise<MetricsCore> | undefined;

/**
 * @param a of one or three channels, 8 or 16 bits; SSIM and SSIMULACRA2 look at 8 bits of either
 * @param b of the same size and channels
 * @throws UsageError when they differ in size or are too small, LimitError when there is no memory for either
 */
export async function measure(judge: Judge, a: Pixels, b: Pixels): Promise<number> {
  if (judge === 'psnr') return psnr(a, b);
  checkMeasurable(judge, a);
  metricsCore ??= MetricsCore.open();
  const core = await metricsCore;
  const [score] = core.measure(samplesOf(a), samplesOf(b), [judge]);
  return score ?? Number.NaN;
}

function samplesOf({ widthPx, heightPx, channels, data }: Pixels): PictureSamples {
  const samples =
    data instanceof Uint8Array ? data : Uint8Array.from(data, (value) => Math.round(value / 257));
  return { widthPx, heightPx, channels: channels === 1 ? 1 : 3, data: samples };
}
