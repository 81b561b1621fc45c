/**
 * Stages that measure: they make no component, and write what they found into the entity's metadata.
 * @module
 */
import type { Components } from '../pipeline/components.js';
import type { ComponentsOf } from '../pipeline/stage.js';
import { defineStage, type Stage } from '../pipeline/stage.js';
import type { World } from '../pipeline/world.js';
import { elementCount } from '../wasm/arena.js';
import { type Measure, MetricsCore, type PictureSamples } from '../wasm/metrics.js';

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

/** Writes `psnrLumaDb`: PSNR of the luma 0.299 R + 0.587 G + 0.114 B, unrounded. */
export function measurePsnrLuma(): Stage<Compared, never> {
  return defineMeasure('measurePsnrLuma', 'psnrLumaDb', 'meanSquaredLumaError', psnrOfMse);
}

/** Writes `ssim`: Gaussian window of 11 taps, sigma 1.5, mean of the channels; nothing below 11 pixels a side. */
export function measureSsim(): Stage<Compared, never> {
  return defineMeasure('measureSsim', 'ssim', 'ssim');
}

/** Writes `msssim`: five scales, mean of the channels; nothing below 161 pixels a side. */
export function measureMsSsim(): Stage<Compared, never> {
  return defineMeasure('measureMsSsim', 'msssim', 'msSsim');
}

/** Writes `ssimulacra2`, 100 for equal pictures; nothing below 8 pixels a side. */
export function measureSsimulacra2(): Stage<Compared, never> {
  return defineMeasure('measureSsimulacra2', 'ssimulacra2', 'ssimulacra2');
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

let metricsCore: Promise<MetricsCore> | undefined;

/** A stage of the metrics' own module, which is loaded when the first of them runs. */
function defineMeasure(
  name: string,
  key: string,
  measure: Measure,
  ofValue: (value: number) => number = (value) => value,
): Stage<Compared, never> {
  return defineStage({
    name,
    requires: ['Rgb', 'ReconRgb'],
    produces: [],
    async transform({ Rgb, ReconRgb }, { arena }, entity) {
      metricsCore ??= MetricsCore.open();
      const core = await metricsCore;
      const samplesOf = ({ pixels }: Components['Rgb']): PictureSamples => {
        const [heightPx = 0, widthPx = 0] = pixels.shape;
        return { widthPx, heightPx, channels: 3, data: arena.view(pixels) };
      };
      const [value] = core.measure(samplesOf(Rgb), samplesOf(ReconRgb), [measure]);
      if (typeof value === 'number') entity.metadata.set(key, ofValue(value));
      return {};
    },
  });
}
