/**
 * The report's charts: quality over rate for each metric, time and memory for each codec.
 * @module
 */
import type { BenchMetric, BenchReport, BenchTimes } from '../rows.js';
import { type Curve, curveChart, legendMark, type RangeRow, rangeChart } from './chart.js';
import { type Html, html } from './html.js';
import {
  isNumber,
  plotted,
  plottedLabel,
  type ShownCodec,
  shownCodecs,
  shownMetrics,
  writtenMiB,
  writtenMs,
} from './reading.js';

/** One plot for each metric, of the means over the pictures. */
export function ratePlots(report: BenchReport): Html {
  const codecs = shownCodecs(report);
  const plots = shownMetrics(report).flatMap((metric) => {
    const curves = codecs.map((codec) => toCurve(report, codec, metric));
    if (curves.every(({ points }) => points.length === 0)) return [];
    const better = metric.better === 'higher' ? 'up is better' : 'down is better';
    return [
      html`<figure class="card"><figcaption><b>${metric.label}</b> <span>${better}</span></figcaption>${curveChart(
        {
          id: `rate-${metric.name}`,
          title: `${metric.label} by bits per pixel`,
          xLabel: 'bits per pixel',
          yLabel: plottedLabel(metric),
          curves,
        },
      )}${metric.scale === 'log' && html`<p class="fine">Drawn as −10 log₁₀(1 − x), in dB.</p>`}</figure>`,
    ];
  });
  if (plots.length === 0) return html`<p>No row has a value to plot.</p>`;
  return html`${legend(codecs)}<div class="cards">${plots}</div>`;
}

function legend(codecs: readonly ShownCodec[]): Html {
  return html`<ul class="legend">${codecs.map(
    ({ index, name, label }) => html`<li>${legendMark(index)} <b>${name}</b> ${label}</li>`,
  )}</ul>`;
}

function toCurve(
  { summary }: BenchReport,
  { name, label, index }: ShownCodec,
  metric: BenchMetric,
): Curve {
  const points = summary.means
    .filter(({ codec }) => codec === name)
    .flatMap((mean) => {
      const y = plotted(metric, mean.metrics[metric.name]);
      if (y === undefined || !(mean.bitsPerPixel > 0)) return [];
      const title = `${label}, ${mean.setting}: ${mean.bitsPerPixel.toFixed(3)} bpp, ${y.toFixed(2)}`;
      return [{ x: mean.bitsPerPixel, y, title }];
    });
  return { label: name, index, points: points.toSorted((a, b) => a.x - b.x) };
}

const PROCESSOR = 'processor time of a picture, median, with a line to the 95th percentile';

/** Times and memory, one chart for each direction and kind that was measured. */
export function costCharts(report: BenchReport): Html {
  const timesOf = new Map(report.summary.times.map((times) => [times.codec, times]));
  const chart = (
    id: string,
    title: string,
    description: string,
    format: (value: number) => string,
    pick: (times: BenchTimes) => { readonly value: number | null; readonly to?: number },
  ): Html | false => {
    const rows = shownCodecs(report).flatMap(({ name, index }): RangeRow[] => {
      const times = timesOf.get(name);
      const { value = null, to = undefined } = times ? pick(times) : {};
      if (!isNumber(value) || value <= 0) return [];
      const note = format(value);
      const tail = to === undefined ? '' : `, 95 % within ${format(to)}`;
      return [
        { label: name, index, value, note, title: `${name}: ${note}${tail}`, ...(to && { to }) },
      ];
    });
    if (rows.length === 0) return false;
    return html`<figure class="card"><figcaption><b>${title}</b></figcaption>${rangeChart({ id, title, description, rows, format })}<p class="fine">${description}, logarithmic</p></figure>`;
  };
  const wall = 'wall time of a picture, median, with a line to the 95th percentile';
  const memory = 'most memory that the program held';
  return html`<div class="cards">${[
    chart('cost-encode', 'Encoding time', wall, writtenMs, ({ encodeWallMs: { p50, p95 } }) => ({
      value: p50,
      to: p95,
    })),
    chart('cost-decode', 'Decoding time', wall, writtenMs, ({ decodeWallMs: { p50, p95 } }) => ({
      value: p50,
      to: p95,
    })),
    chart(
      'cost-encode-cpu',
      'Encoding, processor time',
      PROCESSOR,
      writtenMs,
      ({ encodeCpuMs }) => ({ value: encodeCpuMs?.p50 ?? null, to: encodeCpuMs?.p95 ?? 0 }),
    ),
    chart(
      'cost-decode-cpu',
      'Decoding, processor time',
      PROCESSOR,
      writtenMs,
      ({ decodeCpuMs }) => ({ value: decodeCpuMs?.p50 ?? null, to: decodeCpuMs?.p95 ?? 0 }),
    ),
    chart(
      'cost-encode-memory',
      'Encoding memory',
      memory,
      writtenMiB,
      ({ encodePeakMemoryBytes }) => ({ value: inMiB(encodePeakMemoryBytes) }),
    ),
    chart(
      'cost-decode-memory',
      'Decoding memory',
      memory,
      writtenMiB,
      ({ decodePeakMemoryBytes }) => ({ value: inMiB(decodePeakMemoryBytes) }),
    ),
  ]}</div>`;
}

function inMiB(byteLength: number | null): number | null {
  return byteLength === null ? null : byteLength / 2 ** 20;
}
