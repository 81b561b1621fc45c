/**
 * Rows to what a reader wants to know: means, times, BD-rates.
 * @module
 */
import { bdRate, type RatePoint } from './bd-rate.js';
import { type BenchOptions, isOurs } from './options.js';
import type {
  BenchBdRate,
  BenchFailure,
  BenchMean,
  BenchMetric,
  BenchRow,
  BenchSpread,
  BenchSummary,
  BenchTimes,
} from './rows.js';

/** What is summed up. */
export interface Measured {
  readonly rows: readonly BenchRow[];
  readonly failures: readonly BenchFailure[];
  readonly metrics: readonly BenchMetric[];
}

/** @param options `anchor` is what BD-rates compare with, the first that is not ours where left out; and `bdSpan` */
export function summarise(
  { rows: all, failures, metrics }: Measured,
  { anchor, bdSpan }: Pick<BenchOptions, 'anchor' | 'bdSpan'> = {},
): BenchSummary {
  const leftOut = unique(failures.map(({ image }) => image));
  const rows = all.filter(({ image }) => !leftOut.includes(image));
  const codecs = unique(rows.map(({ codec }) => codec));
  const isAnchor = (codec: string) => (anchor === undefined ? !isOurs(codec) : codec === anchor);
  const compared = codecs.length > 1 ? codecs.find(isAnchor) : undefined;
  const means = codecs.flatMap((codec) => meansOf(rows.filter((row) => row.codec === codec)));
  return {
    images: unique(rows.map(({ image }) => image)),
    leftOut,
    means,
    times: codecs.map((codec) =>
      timesOf(
        codec,
        rows.filter((row) => row.codec === codec),
      ),
    ),
    anchor: compared ?? null,
    ...(bdSpan && { bdSpan }),
    bdRates:
      compared === undefined
        ? []
        : codecs
            .filter((codec) => codec !== compared)
            .flatMap((codec) =>
              metrics
                // PSNR says the same.
                .filter(({ name }) => name !== 'mse')
                .map((metric) => compareCurves(codec, compared, metric, means, rows, bdSpan)),
            ),
    overheadShare: overheadOf(rows.filter(({ codec }) => isOurs(codec))),
  };
}

function meansOf(rows: readonly BenchRow[]): BenchMean[] {
  return unique(rows.map(({ setting }) => setting)).map((setting) => {
    const same = rows.filter((row) => row.setting === setting);
    const names = unique(same.flatMap(({ metrics }) => Object.keys(metrics)));
    const [{ codec } = { codec: '' }] = same;
    return {
      codec,
      setting,
      images: same.length,
      byteLength: mean(same.map(({ byteLength }) => byteLength)) ?? 0,
      bitsPerPixel: mean(same.map(({ bitsPerPixel }) => bitsPerPixel)) ?? 0,
      metrics: Object.fromEntries(
        names.map((name) => [name, mean(same.flatMap(({ metrics }) => metrics[name] ?? []))]),
      ),
      encodeWallMs: mean(same.map(({ encode }) => encode.wallMs)) ?? 0,
      encodeCpuMs: meanOfAll(same.map(({ encode }) => encode.cpuMs)),
      decodeWallMs: mean(same.map(({ decode }) => decode.wallMs)) ?? 0,
      decodeCpuMs: meanOfAll(same.map(({ decode }) => decode.cpuMs)),
    };
  });
}

function timesOf(codec: string, rows: readonly BenchRow[]): BenchTimes {
  const largest = (values: readonly (number | null)[]) => {
    const known = values.flatMap((value) => value ?? []);
    return known.length === 0 ? null : known.reduce((a, b) => Math.max(a, b));
  };
  const spreadOfAll = (values: readonly (number | null)[]) => {
    const known = values.flatMap((value) => value ?? []);
    return known.length < values.length ? null : spreadOf(known);
  };
  return {
    codec,
    encodeWallMs: spreadOf(rows.map(({ encode }) => encode.wallMs)),
    decodeWallMs: spreadOf(rows.map(({ decode }) => decode.wallMs)),
    encodeCpuMs: spreadOfAll(rows.map(({ encode }) => encode.cpuMs)),
    decodeCpuMs: spreadOfAll(rows.map(({ decode }) => decode.cpuMs)),
    encodePeakMemoryBytes: largest(rows.map(({ encode }) => encode.peakMemoryBytes)),
    decodePeakMemoryBytes: largest(rows.map(({ decode }) => decode.peakMemoryBytes)),
  };
}

function spreadOf(values: readonly number[]): BenchSpread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    mean: mean(values) ?? 0,
    p50: percentile(sorted, 0.5),
    p95: percentile(sorted, 0.95),
    p99: percentile(sorted, 0.99),
  };
}

/** Straight between neighbours. */
function percentile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const [below = 0, above = below] = [sorted[low], sorted[low + 1]];
  return below + (place - low) * (above - below);
}

function compareCurves(
  codec: string,
  anchor: string,
  metric: BenchMetric,
  means: readonly BenchMean[],
  rows: readonly BenchRow[],
  span: BenchOptions['bdSpan'],
): BenchBdRate {
  const curveOf = (
    points: readonly Pick<BenchRow, 'codec' | 'bitsPerPixel' | 'metrics'>[],
    of: string,
  ): RatePoint[] =>
    points.flatMap((point) => {
      const value = point.metrics[metric.name] ?? null;
      if (point.codec !== of || value === null) return [];
      return [{ rate: point.bitsPerPixel, quality: qualityOf(metric, value) }];
    });
  const averaged = bdRate(curveOf(means, anchor), curveOf(means, codec), span);
  const perImage = unique(rows.map(({ image }) => image)).flatMap((image) => {
    const ofImage = rows.filter((row) => row.image === image);
    return bdRate(curveOf(ofImage, anchor), curveOf(ofImage, codec), span)?.percent ?? [];
  });
  const percent = mean(perImage);
  return {
    codec,
    metric: metric.name,
    averaged: averaged && { percent: averaged.percent, overlap: averaged.overlap },
    perImage:
      percent === null
        ? null
        : {
            percent,
            standardDeviation: Math.sqrt(
              perImage.reduce((sum, value) => sum + (value - percent) ** 2, 0) /
                Math.max(1, perImage.length - 1),
            ),
            images: perImage.length,
          },
  };
}

/** On the scale that is compared, higher being better. */
function qualityOf({ better, scale }: BenchMetric, value: number): number {
  if (scale === 'log') return -10 * Math.log10(Math.max(1 - value, 1e-12));
  return better === 'higher' ? value : -value;
}

function overheadOf(rows: readonly BenchRow[]): BenchSummary['overheadShare'] {
  if (rows.length === 0) return null;
  const sum = (pick: (row: BenchRow) => number) =>
    rows.reduce((total, row) => total + pick(row), 0);
  const encode = sum((row) => row.encode.wallMs);
  const decode = sum((row) => row.decode.wallMs);
  const encodeInside = sum((row) => row.encode.inferenceMs ?? 0);
  const decodeInside = sum((row) => row.decode.inferenceMs ?? 0);
  const outside = (whole: number, inside: number) =>
    whole === 0 ? 0 : Math.max(0, 1 - inside / whole);
  return {
    both: outside(encode + decode, encodeInside + decodeInside),
    encode: outside(encode, encodeInside),
    decode: outside(decode, decodeInside),
  };
}

function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Null where one is not known. */
function meanOfAll(values: readonly (number | null)[]): number | null {
  const known = values.flatMap((value) => value ?? []);
  return known.length < values.length ? null : mean(known);
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
