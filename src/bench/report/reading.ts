/**
 * A run's record as the report reads it: which codec has which colour, what a metric is plotted as, how figures are
 * written.
 * @module
 */
import { isOurs } from '../options.js';
import type { BenchCodec, BenchMetric, BenchReport, BenchRow } from '../rows.js';

/** A codec that has rows, with its place among the colours. */
export interface ShownCodec extends BenchCodec {
  readonly index: number;
}

/** Codecs that have rows, ours first. */
export function shownCodecs({ codecs, rows }: BenchReport): ShownCodec[] {
  const measured = codecs.filter(({ name }) => rows.some(({ codec }) => codec === name));
  return measured
    .toSorted((a, b) => Number(isOurs(b.name)) - Number(isOurs(a.name)))
    .map((codec, index) => ({ ...codec, index }));
}

/** Metrics that have a value somewhere; of MSE and PSNR, which say the same, PSNR. */
export function shownMetrics({ metrics, rows }: BenchReport): BenchMetric[] {
  const valued = metrics.filter(({ name }) => rows.some((row) => isNumber(row.metrics[name])));
  const hasPsnr = valued.some(({ name }) => name === 'psnrRgb');
  return valued.filter(({ name }) => !(hasPsnr && name === 'mse'));
}

/** The metric that the report judges pictures by: the one nearest to the eye that was measured. */
export function judgingMetric(report: BenchReport): BenchMetric | undefined {
  const shown = shownMetrics(report);
  return ['ssimulacra2', 'msssim', 'ssim', 'psnrRgb']
    .map((name) => shown.find((metric) => metric.name === name))
    .find((metric) => metric !== undefined);
}

/** A metric's value as it is plotted, which for `log` is in dB; nothing where that is not finite. */
export function plotted(metric: BenchMetric, value: number | null | undefined): number | undefined {
  if (!isNumber(value)) return undefined;
  const shown = metric.scale === 'log' ? -10 * Math.log10(1 - value) : value;
  return Number.isFinite(shown) ? shown : undefined;
}

/** What stands at a plot's axis and over a column of plotted values. */
export function plottedLabel({ label, scale }: BenchMetric): string {
  return scale === 'log' ? `${label} as −10 log₁₀(1 − x), dB` : label;
}

/** As it is written in tables. */
export function writtenMetric(metric: BenchMetric, row: Pick<BenchRow, 'metrics'>): string {
  const value = row.metrics[metric.name];
  if (isNumber(value)) return metric.scale === 'log' ? value.toFixed(4) : value.toFixed(2);
  return row.metrics.mse === 0 ? 'equal' : '–';
}

export function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** `21,300` */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** `+3.1 %`, with a real minus sign. */
export function signedPercent(percent: number, digits = 1): string {
  const text = Math.abs(percent).toFixed(digits);
  const sign = Number(text) === 0 ? '±' : percent < 0 ? '−' : '+';
  return `${sign}${text} %`;
}

/** `−6.3`, with a real minus sign. */
export function signedNumber(value: number): string {
  return value.toFixed(1).replace('-', '−');
}

/** `8.4 ms`, `1.3 s` */
export function writtenMs(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

export function writtenMiB(mebibytes: number): string {
  return `${grouped(mebibytes)} MiB`;
}
