/**
 * The figure that the command line prints beside bytes; the full set of metrics is the bench's.
 * @module
 */
import { UsageError } from '../errors.js';
import type { Pixels } from '../image/pixels.js';
import { psnrOfMse } from '../stages/metrics.js';

/**
 * Peak signal-to-noise ratio over all samples, in dB; infinity for equal pictures.
 * @throws UsageError when sizes or channels differ
 */
export function psnr(a: Pixels, b: Pixels): number {
  if (a.widthPx !== b.widthPx || a.heightPx !== b.heightPx || a.channels !== b.channels) {
    const size = ({ widthPx, heightPx, channels }: Pixels) => `${widthPx}x${heightPx}x${channels}`;
    throw new UsageError(`psnr: expected pictures of equal size, got ${size(a)} and ${size(b)}`);
  }
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) {
    const difference = (a.data[i] ?? 0) - (b.data[i] ?? 0);
    sum += difference * difference;
  }
  return psnrOfMse(sum / a.data.length);
}
