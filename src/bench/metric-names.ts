/**
 * The metrics of the bench and of `vaerans metrics`: what they are called and how they are asked for.
 * @module
 */
import { UsageError } from '../errors.js';
import type { Measure } from '../wasm/metrics.js';
import type { BenchMetric } from './rows.js';

interface BuiltInMetric extends Omit<BenchMetric, 'name'> {
  readonly measure: Measure;
  readonly isPsnr?: boolean;
}

/** By the names that rows, files and flags have for them. */
export const BUILT_IN: Readonly<Record<string, BuiltInMetric>> = {
  mse: { label: 'MSE', better: 'lower', scale: 'linear', measure: 'meanSquaredError' },
  psnrRgb: {
    label: 'PSNR RGB, dB',
    better: 'higher',
    scale: 'linear',
    measure: 'meanSquaredError',
    isPsnr: true,
  },
  psnrLuma: {
    label: 'PSNR luma, dB',
    better: 'higher',
    scale: 'linear',
    measure: 'meanSquaredLumaError',
    isPsnr: true,
  },
  ssim: { label: 'SSIM', better: 'higher', scale: 'log', measure: 'ssim' },
  msssim: { label: 'MS-SSIM', better: 'higher', scale: 'log', measure: 'msSsim' },
  ssimulacra2: {
    label: 'SSIMULACRA2',
    better: 'higher',
    scale: 'linear',
    measure: 'ssimulacra2',
  },
};

export const METRIC_NAMES: readonly string[] = Object.keys(BUILT_IN);

/** A metric that is asked for: one of ours, or `name=path.onnx`. */
export interface MetricChoice {
  readonly name: string;
  /** A graph of two pictures, f32 [1, 3, height, width] of -1 to 1, that gives one number: lower is better. */
  readonly graphPath?: string;
}

/**
 * @param texts such as `ssim`, `MS-SSIM` or `lpips=path.onnx`; all of ours where there are none
 * @throws UsageError for a name that is not known
 */
export function parseMetrics(texts: readonly string[]): readonly MetricChoice[] {
  if (texts.length === 0) return METRIC_NAMES.map((name) => ({ name }));
  const choices = texts.map((text): MetricChoice => {
    const [, name = '', graphPath = ''] = /^([A-Za-z][\w-]*)=(.+)$/.exec(text) ?? [];
    if (name !== '' && !(name in BUILT_IN)) return { name, graphPath };
    const plain = (word: string) => word.toLowerCase().replace(/[-_]/g, '');
    const known = METRIC_NAMES.find((builtIn) => plain(builtIn) === plain(text));
    if (known === undefined) {
      throw new UsageError(
        `--metric: expected ${METRIC_NAMES.join(', ')} or NAME=FILE.onnx, got '${text}'`,
      );
    }
    return { name: known };
  });
  const names = choices.map(({ name }) => name);
  return choices.filter(({ name }, at) => names.indexOf(name) === at);
}

/** What a report says of a metric. */
export function describeMetric({ name }: MetricChoice): BenchMetric {
  const { label, better, scale } = BUILT_IN[name] ?? {
    label: name,
    better: 'lower' as const,
    scale: 'linear' as const,
  };
  return { name, label, better, scale };
}

/** Values by metric: PSNR of equal pictures is infinity, null is what is not defined for pictures that small. */
export type Comparison = Readonly<Record<string, number | null>>;
