/**
 * The report's tables: BD-rates, every row, and what the run was made of.
 * @module
 */
import type { BenchBdRate, BenchMetric, BenchReport, BenchRow } from '../rows.js';
import { legendMark } from './chart.js';
import { type Html, html } from './html.js';
import {
  grouped,
  shownCodecs,
  shownMetrics,
  signedNumber,
  signedPercent,
  writtenMetric,
  writtenMs,
} from './reading.js';

/** A table that may be wider than the screen: it scrolls on its own, by keyboard too. */
function scrolling(label: string, table: Html): Html {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${table}</div>`;
}

/** Bits at equal quality against the anchor. */
export function bdTable(report: BenchReport): Html {
  const { anchor, bdRates } = report.summary;
  const codecs = shownCodecs(report).filter(({ name }) => name !== anchor);
  if (anchor === null || codecs.length === 0) {
    return html`<p>BD-rates compare codecs; this run has rows of one.</p>`;
  }
  const metrics = shownMetrics(report).filter(({ name }) =>
    bdRates.some(({ metric }) => metric === name),
  );
  const find = (codec: string, metric: string): BenchBdRate | undefined =>
    bdRates.find((rate) => rate.codec === codec && rate.metric === metric);
  const anchorLabel = report.codecs.find(({ name }) => name === anchor)?.label ?? anchor;
  return html`<p class="fine">Bits at equal quality against ${anchorLabel}: below zero is fewer. In each cell the averaged curves, then the mean of the pictures’ own with its standard deviation, then the qualities that both curves reach.</p>${scrolling(
    `BD-rates against ${anchorLabel}`,
    html`<table class="bd"><thead><tr><th scope="col">codec</th>${metrics.map(({ label }) => html`<th scope="col">${label}</th>`)}</tr></thead>
    <tbody>${codecs.map(
      ({ name, label, index }) =>
        html`<tr><th scope="row">${legendMark(index)} ${label}</th>${metrics.map((metric) =>
          bdCell(find(name, metric.name), metric),
        )}</tr>`,
    )}</tbody></table>`,
  )}`;
}

function bdCell(rate: BenchBdRate | undefined, metric: BenchMetric): Html {
  if (!rate?.averaged && !rate?.perImage) return html`<td>no overlap</td>`;
  const { averaged, perImage } = rate;
  const unit = metric.scale === 'log' ? ' dB' : '';
  return html`<td>${
    averaged
      ? html`<b class="${averaged.percent < 0 ? 'fewer' : 'more'}">${signedPercent(averaged.percent)}</b>`
      : 'no overlap'
  }${
    perImage &&
    html`<br>${signedPercent(perImage.percent)} <span class="fine">± ${perImage.standardDeviation.toFixed(1)}, ${perImage.images} pictures</span>`
  }${averaged && html`<br><span class="fine">${signedNumber(averaged.overlap.from)} to ${signedNumber(averaged.overlap.to)}${unit}</span>`}</td>`;
}

/** Every row, the pictures in the order given; the script makes its columns sort. */
export function rowsTable(report: BenchReport, order: readonly string[]): Html {
  const metrics = shownMetrics(report);
  const codecs = shownCodecs(report);
  const columns = [
    ['image', 'text'],
    ['codec', 'text'],
    ['setting', 'text'],
    ['bytes', 'number'],
    ['bits per pixel', 'number'],
    ...metrics.map(({ label }) => [label, 'number']),
    ['encode', 'number'],
    ['decode', 'number'],
  ];
  const rowsOf = groupByImage(report.rows);
  return scrolling(
    'every picture, codec and setting',
    html`<table class="rows" id="rows"><thead><tr>${columns.map(([label, kind]) => html`<th scope="col" data-sort="${kind}">${label}</th>`)}</tr></thead>
    <tbody>${order.flatMap((image) =>
      (rowsOf.get(image) ?? []).map((row) => {
        const codec = codecs.find(({ name }) => name === row.codec);
        return html`<tr><th scope="row">${row.image}</th><td>${codec && legendMark(codec.index)} ${row.codec}</td><td data-value="${row.dial}">${row.setting}</td>${[
          cell(row.byteLength, grouped(row.byteLength)),
          cell(row.bitsPerPixel, row.bitsPerPixel.toFixed(4)),
          ...metrics.map((metric) => cell(row.metrics[metric.name], writtenMetric(metric, row))),
          cell(row.encode.wallMs, writtenMs(row.encode.wallMs)),
          cell(row.decode.wallMs, writtenMs(row.decode.wallMs)),
        ]}</tr>`;
      }),
    )}</tbody></table>`,
  );
}

function cell(value: number | null | undefined, written: string): Html {
  return html`<td class="number" data-value="${value ?? ''}">${written}</td>`;
}

/** What could not be measured, where there is anything. */
export function failureList({ codecs, failures, summary }: BenchReport): Html {
  const missing = codecs.filter((codec) => codec.missing !== null);
  if (missing.length + failures.length === 0) return html``;
  return html`<section id="failures"><h2>Not measured</h2><ul>${missing.map(
    ({ label, missing: why }) => html`<li><b>${label}</b> is missing: ${why ?? ''}</li>`,
  )}${failures.map(
    ({ image, codec, setting, message }) =>
      html`<li><b>${image}</b>${codec && ` through ${codec}`}${setting && ` at ${setting}`}: ${message}</li>`,
  )}</ul>${
    summary.leftOut.length > 0 &&
    html`<p>Left out of every codec’s means: ${summary.leftOut.join(', ')}.</p>`
  }</section>`;
}

/** Machine, versions and commands, so that the run can be made again. */
export function runTable(report: BenchReport): Html {
  const { machine, versions, model, codecs } = report;
  const facts: readonly (readonly [string, string])[] = [
    ['Command', report.command],
    ['Date', report.date],
    [
      'Machine',
      `${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB, ${machine.os}, Node ${machine.node}`,
    ],
    [
      'Versions',
      `vaerans ${versions.vaerans}, format ${versions.format}, core ${versions.core}, onnxruntime ${versions.onnxruntime}`,
    ],
    ...(model ? ([['Model', `${model.name} ${model.version}, id ${model.id}`]] as const) : []),
    ['Threads', `${report.threads} for ours; ${report.jobs} pictures in flight`],
  ];
  return html`<dl class="facts">${facts.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>${scrolling(
    'codecs and their commands',
    html`<table><thead><tr><th scope="col">codec</th><th scope="col">version</th><th scope="col">encodes with</th><th scope="col">decodes with</th></tr></thead><tbody>${codecs.map(
      (codec) =>
        html`<tr><th scope="row">${codec.label}</th><td>${codec.version ?? 'missing'}</td><td><code>${codec.encodeCommand ?? '–'}</code></td><td><code>${codec.decodeCommand ?? '–'}</code></td></tr>`,
    )}</tbody></table>`,
  )}`;
}

function groupByImage(rows: readonly BenchRow[]): Map<string, BenchRow[]> {
  const groups = new Map<string, BenchRow[]>();
  for (const row of rows) {
    const group = groups.get(row.image);
    if (group) group.push(row);
    else groups.set(row.image, [row]);
  }
  return groups;
}
