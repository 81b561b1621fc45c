/**
 * A benchmark in tables for a terminal.
 * @module
 */
import type { BenchBdRate, BenchReport } from '../index.js';
import { formatBytes, formatMs, formatTable } from './report.js';

/** Beyond a screenful the rows are shown with `-v` only. */
const MOST_ROWS_SHOWN = 40;
/** The others are in the JSON. */
const HIDDEN_METRICS: ReadonlySet<string> = new Set(['mse', 'psnrLuma', 'ssim']);

export function describeBench(report: BenchReport, verbose: number): string {
  const { rows, codecs, model, threads, summary } = report;
  const metrics = report.metrics.filter(
    ({ name }) => report.metrics.length < 5 || !HIDDEN_METRICS.has(name),
  );
  const columns = ['bytes', 'bpp', ...metrics.map(({ label }) => label), 'encode', 'decode'];
  const figures = (
    row: Pick<(typeof rows)[number], 'byteLength' | 'bitsPerPixel' | 'metrics'>,
    encodeMs: number,
    decodeMs: number,
  ) => [
    formatBytes(Math.round(row.byteLength)),
    row.bitsPerPixel.toFixed(4),
    ...metrics.map(({ name, scale }) => row.metrics[name]?.toFixed(scale === 'log' ? 5 : 3) ?? '-'),
    formatMs(encodeMs),
    formatMs(decodeMs),
  ];
  const each = formatTable(
    ['image', 'codec', 'setting', ...columns],
    rows.map((row) => [
      row.image,
      row.codec,
      row.setting,
      ...figures(row, row.encode.wallMs, row.decode.wallMs),
    ]),
  );
  const means = formatTable(
    ['mean', 'setting', 'images', ...columns],
    summary.means.map((mean) => [
      mean.codec,
      mean.setting,
      String(mean.images),
      ...figures(mean, mean.encodeWallMs, mean.decodeWallMs),
    ]),
  );
  const sections = [
    verbose > 0 || rows.length <= MOST_ROWS_SHOWN ? each : '',
    means,
    describeRates(report),
    [
      ...codecs.map(({ name, version, missing }) =>
        missing === null ? `${name}: ${version}` : `${name}: missing, ${missing}`,
      ),
      model === null ? '' : `${threads} threads; time outside inference ${shareOutside(report)}`,
    ]
      .filter(Boolean)
      .join('\n'),
  ];
  return sections.filter(Boolean).join('\n\n');
}

function shareOutside({ summary: { overheadShare } }: BenchReport): string {
  const percent = (share = 0) => `${(100 * share).toFixed(1)} %`;
  return `${percent(overheadShare?.both)} (encode ${percent(overheadShare?.encode)}, decode ${percent(overheadShare?.decode)})`;
}

function describeRates({ summary, metrics }: BenchReport): string {
  const { anchor, bdRates } = summary;
  if (anchor === null) return '';
  const shown = metrics.filter(({ name }) => bdRates.some(({ metric }) => metric === name));
  const others = [...new Set(bdRates.map(({ codec }) => codec))];
  const cell = (rate: BenchBdRate | undefined) => {
    const percent = (value: number | undefined) =>
      value === undefined ? '-' : `${value > 0 ? '+' : ''}${value.toFixed(1)}`;
    return `${percent(rate?.averaged?.percent)} (${percent(rate?.perImage?.percent)})`;
  };
  return formatTable(
    [`bits against ${anchor}, %`, ...shown.map(({ label }) => label)],
    others.map((codec) => [
      codec,
      ...shown.map(({ name }) =>
        cell(bdRates.find((rate) => rate.codec === codec && rate.metric === name)),
      ),
    ]),
  ).concat('\nBD-rate of the averaged curves, in brackets the mean of the pictures’ own');
}
