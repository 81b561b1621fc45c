/**
 * What a call of compress is after: a quality, or the cheapest file that keeps a promise.
 * @module
 */
import { UsageError } from '../errors.js';
import { checkRange } from '../limits.js';
import { COMPRESS_DEFAULTS, type CompressOptions } from './options.js';

export type Aim =
  | { readonly kind: 'lossless' }
  | { readonly kind: 'quality'; readonly quality: number }
  /** Most bytes of the file. */
  | { readonly kind: 'size'; readonly maxByteLength: number }
  /** Least value of a metric. */
  | { readonly kind: 'psnr' | 'ssim'; readonly least: number };

const AIMS = [
  'quality',
  'targetSize',
  'targetBpp',
  'targetPsnr',
  'targetSsim',
  'lossless',
] as const;

/** @throws UsageError for two aims at once, or one out of range */
export function aimOf(options: CompressOptions, pixelCount: number): Aim {
  const given = AIMS.filter((name) => options[name] !== undefined && options[name] !== false);
  if (given.length > 1) {
    throw new UsageError(
      `compress: expected at most one of ${AIMS.join(', ')}, got ${given.join(' and ')}`,
    );
  }
  const { quality = COMPRESS_DEFAULTS.quality, targetSize, targetBpp } = options;
  const { targetPsnr, targetSsim, lossless } = options;
  if (lossless) return { kind: 'lossless' };
  if (targetSize !== undefined) {
    checkRange('compress: target size in bytes', targetSize, 1, 2 ** 40);
    return { kind: 'size', maxByteLength: Math.floor(targetSize) };
  }
  if (targetBpp !== undefined) {
    checkRange('compress: target in bits per pixel', targetBpp, 0.0001, 256);
    return { kind: 'size', maxByteLength: Math.floor((targetBpp * pixelCount) / 8) };
  }
  if (targetPsnr !== undefined) {
    checkRange('compress: target PSNR in dB', targetPsnr, 1, 100);
    return { kind: 'psnr', least: targetPsnr };
  }
  if (targetSsim !== undefined) {
    checkRange('compress: target SSIM', targetSsim, 0, 1);
    return { kind: 'ssim', least: targetSsim };
  }
  checkRange('compress: quality', quality, 1, 100);
  return { kind: 'quality', quality };
}
