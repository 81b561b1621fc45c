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
import { ssim } from './ssim.js';

/** PSNR in dB, SSIM of the luma, or SSIMULACRA2; higher is better. */
export type Judge = 'psnr' | 'ssim' | 'ssimulacra2';

/** SSIMULACRA2 has six scales, of which the first needs so much; below 16 bytes of memory a pixel. */
const SSIMULACRA2_LEAST_SIDE_PX = 8;
const SSIMULACRA2_BYTES_PER_PIXEL = 16;
const SSIMULACRA2_MOST_PIXELS = 2 ** 24;

/** What a model's codings of a picture of this size are judged by. */
export function judgeOf(
  { tune }: Manifest,
  { widthPx, heightPx }: Pick<Pixels, 'widthPx' | 'heightPx'>,
): Judge {
  if (tune !== 'eye') return 'psnr';
  const isMeasurable =
    Math.min(widthPx, heightPx) >= SSIMULACRA2_LEAST_SIDE_PX &&
    widthPx * heightPx <= SSIMULACRA2_MOST_PIXELS;
  return isMeasurable ? 'ssimulacra2' : 'ssim';
}

/** What judging a picture holds besides it, in bytes. */
export function heldByJudge(
  judge: Judge,
  { widthPx, heightPx }: Pick<Pixels, 'widthPx' | 'heightPx'>,
) {
  return judge === 'ssimulacra2' ? SSIMULACRA2_BYTES_PER_PIXEL * widthPx * heightPx : 0;
}

let metricsCore: Promise<MetricsCore> | undefined;

/**
 * @param a of one or three channels, 8 or 16 bits; SSIMULACRA2 looks at 8 bits of either
 * @param b of the same size and channels
 * @throws UsageError when they differ in size, LimitError when there is no memory for SSIMULACRA2
 */
export async function measure(judge: Judge, a: Pixels, b: Pixels): Promise<number> {
  if (judge === 'psnr') return psnr(a, b);
  if (judge === 'ssim') return ssim(a, b);
  metricsCore ??= MetricsCore.open();
  const core = await metricsCore;
  const [score] = core.measure(samplesOf(a), samplesOf(b), ['ssimulacra2']);
  if (typeof score !== 'number') {
    throw new UsageError(
      `judge: expected a picture of at least ${SSIMULACRA2_LEAST_SIDE_PX} px a side, got ${a.widthPx}x${a.heightPx}`,
    );
  }
  return score;
}

function samplesOf({ widthPx, heightPx, channels, data }: Pixels): PictureSamples {
  const samples =
    data instanceof Uint8Array ? data : Uint8Array.from(data, (value) => Math.round(value / 257));
  return { widthPx, heightPx, channels: channels === 1 ? 1 : 3, data: samples };
}
