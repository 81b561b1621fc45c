/**
 * The quality scale of a model. Apart from the manifest's reader, so that a stage can ask without loading a schema
 * library.
 * @module
 */
import type { Manifest } from './schemas.js';

/**
 * The rate of a quality, interpolated between the manifest's whole numbers.
 * @param quality 1 to 100, fractions allowed
 * @returns a whole rate, 0 to 4095
 */
export function rateOfQuality(manifest: Manifest, quality: number): number {
  const below = Math.floor(quality);
  const low = manifest.quality[below - 1] ?? 0;
  const high = manifest.quality[below] ?? low;
  return Math.round(low + (high - low) * (quality - below));
}
