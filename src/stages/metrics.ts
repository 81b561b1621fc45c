/**
 * Stages that measure: they make no component, and write what they found into the entity's metadata.
 * @module
 */
import type { ComponentsOf } from '../pipeline/stage.js';
import { defineStage, type Stage } from '../pipeline/stage.js';
import type { World } from '../pipeline/world.js';
import { elementCount } from '../wasm/arena.js';

/** The pictures that a metric compares, on one entity. */
type Compared = 'Rgb' | 'ReconRgb';

/** Writes `mse`, the mean squared error over all samples (0 to 65,025), into the metadata. */
export function measureMse(): Stage<Compared, never> {
  return defineMetric('measureMse', 'mse', (mse) => mse);
}

/** Writes `psnrDb`, the peak signal-to-noise ratio in dB (infinity for equal pictures), into the metadata. */
export function measurePsnr(): Stage<Compared, never> {
  return defineMetric('measurePsnr', 'psnrDb', psnrOfMse);
}

/** Peak signal-to-noise ratio in dB of 8-bit samples with this mean squared error; infinity for none. */
export function psnrOfMse(mse: number): number {
  return 10 * Math.log10(255 ** 2 / mse);
}

function defineMetric(
  name: string,
  key: string,
  ofMse: (mse: number) => number,
): Stage<Compared, never> {
  return defineStage({
    name,
    requires: ['Rgb', 'ReconRgb'],
    produces: [],
    transform(inputs, world, entity) {
      entity.metadata.set(key, ofMse(meanSquaredError(inputs, world)));
      return {};
    },
  });
}

function meanSquaredError({ Rgb, ReconRgb }: ComponentsOf<Compared>, { core }: World): number {
  const sum = core.sumSquaredError(Rgb.pixels, ReconRgb.pixels);
  return sum / elementCount(Rgb.pixels.shape);
}
