/**
 * PSNR without a core, for targets and for callers of the library; the full set of metrics is the bench's.
 * @module
 */
import { UsageError } from '../errors.js';
import { largestSample, type Pixels } from '../image/pixels.js';
import { psnrOfMse } from '../stages/metrics.js';

/**
 * Peak signal-to-noise ratio over all samples, alpha included, in dB; infinity for equal pictures.
 * @throws UsageError when sizes, channels or depths differ
 */
export function psnr(a: Pixels, b: Pixels): number {
  const size = (pixels: Pixels) =>
    `${pixels.widthPx}x${pixels.heightPx}x${pixels.channels}${largestSample(pixels) > 255 ? ' of 16 bits' : ''}`;
  if (size(a) !== size(b)) {
    throw new UsageError(`psnr: expected pictures of equal size, got ${size(a)} and ${size(b)}`);
  }
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) {
    const difference = (a.data[i] ?? 0) - (b.data[i] ?? 0);
    sum += difference * difference;
  }
  return psnrOfMse(sum / a.data.length / (largestSample(a) / 255) ** 2);
}
