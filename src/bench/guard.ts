/**
 * A run against a baseline: whether our codec needs more bits than it did, and whether the bytes of golden inputs are
 * still the same.
 * @module
 */
import { createHash } from 'node:crypto';
import { openCodec } from '../codec/open.js';
import type { CodecOptions } from '../codec/options.js';
import { FormatError, UsageError } from '../errors.js';
import { readImage } from '../image/file.js';
import { bdRate, type RatePoint } from './bd-rate.js';
import { plotted, shownMetrics } from './report/reading.js';
import type { BenchMetric, BenchReport, BenchRow } from './rows.js';

export const BASELINE_SCHEMA = 'vaerans.baseline/1';

/** Our codec. Others change with what is installed, and that is not ours to guard. */
const GUARDED = 'ours';

/** Most that BD-rate may worsen by, in percent. */
export const GUARD_PERCENT = 0.5;

/** What a baseline keeps of a run, and what was made of it then. */
export interface Baseline {
  readonly schema: typeof BASELINE_SCHEMA;
  readonly date: string;
  readonly command: string;
  readonly model: BenchReport['model'];
  readonly metrics: readonly BenchMetric[];
  readonly rows: readonly BaselineRow[];
  readonly golden: readonly GoldenInput[];
}

export type BaselineRow = Pick<
  BenchRow,
  'image' | 'codec' | 'setting' | 'byteLength' | 'bitsPerPixel' | 'metrics'
>;

/** A picture whose file may not change while the model is the same. */
export interface GoldenInput {
  readonly image: string;
  /** 1 to 100. */
  readonly quality: number;
  readonly byteLength: number;
  readonly sha256: string;
}

/** The verdict on a run. */
export interface GuardVerdict {
  /** What is worse, in words; nothing where all is well. */
  readonly faults: readonly string[];
  /** What was compared, with figures. */
  readonly notes: readonly string[];
}

/**
 * Keeps of a run what later ones are compared with.
 * @param golden quality to code every picture at for the golden bytes; the model has to give the same floats
 * everywhere, as `fixture` does
 */
export async function makeBaseline(
  report: BenchReport,
  goldenQuality: number,
  options: CodecOptions,
): Promise<Baseline> {
  const { date, command, model } = report;
  const metrics = shownMetrics(report);
  const rows = report.rows
    .filter(({ codec }) => codec === GUARDED)
    .map(({ image, codec, setting, byteLength, bitsPerPixel, metrics: values }) => ({
      image,
      codec,
      setting,
      byteLength,
      bitsPerPixel,
      metrics: values,
    }));
  await using codec = await openCodec(options);
  const golden: GoldenInput[] = [];
  for (const { name, path } of report.images) {
    const bytes = await codec.compress(await readImage(path), { quality: goldenQuality });
    golden.push({ image: name, quality: goldenQuality, ...fingerprint(bytes) });
  }
  return { schema: BASELINE_SCHEMA, date, command, model, metrics, rows, golden };
}

/** @throws FormatError for what `makeBaseline` did not make */
export function readBaseline(bytes: Uint8Array): Baseline {
  let baseline: Partial<Baseline> | null;
  try {
    baseline = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Baseline> | null;
  } catch (cause) {
    throw new FormatError('baseline: expected JSON, got none', 0, { cause });
  }
  const isWhole =
    baseline?.schema === BASELINE_SCHEMA &&
    [baseline.metrics, baseline.rows, baseline.golden].every(Array.isArray);
  if (!isWhole) {
    throw new FormatError(
      `baseline: expected schema ${BASELINE_SCHEMA}, got ${String(baseline?.schema)}`,
      0,
    );
  }
  return baseline as Baseline;
}

/**
 * Compares a run with a baseline. Golden bytes are compared where the model is the same.
 * @param options the codec that the run was made with
 * @throws UsageError when the two have no picture of ours in common
 */
export async function compareWithBaseline(
  report: BenchReport,
  baseline: Baseline,
  options: CodecOptions,
): Promise<GuardVerdict> {
  const rates = compareRates(report, baseline);
  const isSameModel = baseline.model?.id === report.model?.id;
  const bytes = isSameModel
    ? await compareGolden(report, baseline, options)
    : { faults: [], notes: ['golden bytes are of another model and were not compared'] };
  return {
    faults: [...rates.faults, ...bytes.faults],
    notes: [...rates.notes, ...bytes.notes],
  };
}

/** BD-rate of the run against the baseline, by every metric, of averaged curves and in the mean of the pictures. */
export function compareRates(
  report: Pick<BenchReport, 'rows'>,
  baseline: Pick<Baseline, 'rows' | 'metrics'>,
): GuardVerdict {
  const [now, then] = [report.rows, baseline.rows].map((rows) =>
    rows.filter(({ codec }) => codec === GUARDED),
  ) as [BaselineRow[], BaselineRow[]];
  const known = new Set(then.map(({ image }) => image));
  const images = [...new Set(now.map(({ image }) => image))].filter((name) => known.has(name));
  if (images.length === 0) {
    throw new UsageError('against: expected pictures that the baseline has, got none of ours');
  }
  const faults: string[] = [];
  const notes: string[] = [];
  for (const metric of baseline.metrics) {
    const ofImages = images.flatMap(
      (image) => bdRate(pointsOf(then, image, metric), pointsOf(now, image, metric)) ?? [],
    );
    const ofMeans = bdRate(meanPoints(then, images, metric), meanPoints(now, images, metric));
    const worst = Math.max(
      ofMeans?.percent ?? -Infinity,
      ofImages.length > 0 ? mean(ofImages.map(({ percent }) => percent)) : -Infinity,
    );
    if (!Number.isFinite(worst)) continue;
    const change = `${worst < 0 ? '' : '+'}${worst.toFixed(2)} % of bits at equal ${metric.label}`;
    notes.push(change);
    if (worst > GUARD_PERCENT) faults.push(`${change}, more than ${GUARD_PERCENT} %`);
  }
  if (notes.length === 0) {
    throw new UsageError('against: expected qualities that the baseline reaches too, got none');
  }
  return { faults, notes };
}

async function compareGolden(
  report: BenchReport,
  baseline: Baseline,
  options: CodecOptions,
): Promise<GuardVerdict> {
  await using codec = await openCodec(options);
  const faults: string[] = [];
  let compared = 0;
  for (const { image, quality, byteLength, sha256 } of baseline.golden) {
    const path = report.images.find(({ name }) => name === image)?.path;
    if (path === undefined) continue;
    const got = fingerprint(await codec.compress(await readImage(path), { quality }));
    compared++;
    if (got.sha256 === sha256) continue;
    const change =
      got.byteLength === byteLength
        ? `other bytes, ${byteLength} as before`
        : `${got.byteLength} bytes, not ${byteLength}`;
    faults.push(`'${image}' at quality ${quality} has ${change}`);
  }
  return { faults, notes: [`${compared} golden inputs coded again`] };
}

function fingerprint(bytes: Uint8Array): { byteLength: number; sha256: string } {
  return {
    byteLength: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

function pointsOf(rows: readonly BaselineRow[], image: string, metric: BenchMetric): RatePoint[] {
  return rows.flatMap((row) => (row.image === image ? toPoint(row, metric) : []));
}

/** Over the pictures at each setting that all of them have a value at. */
function meanPoints(
  rows: readonly BaselineRow[],
  images: readonly string[],
  metric: BenchMetric,
): RatePoint[] {
  const settings = [...new Set(rows.map(({ setting }) => setting))];
  return settings.flatMap((setting) => {
    const points = rows.flatMap((row) =>
      row.setting === setting && images.includes(row.image) ? toPoint(row, metric) : [],
    );
    if (points.length < images.length) return [];
    return [
      {
        rate: mean(points.map(({ rate }) => rate)),
        quality: mean(points.map(({ quality }) => quality)),
      },
    ];
  });
}

/** Turned so that higher is better. */
function toPoint(row: BaselineRow, metric: BenchMetric): RatePoint[] {
  const value = plotted(metric, row.metrics[metric.name]);
  if (value === undefined) return [];
  return [{ rate: row.bitsPerPixel, quality: metric.better === 'higher' ? value : -value }];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
