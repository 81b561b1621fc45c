/**
 * A run's record to one HTML file that needs nothing else: no network, readable without its script.
 * @module
 */
import { readFile } from 'node:fs/promises';
import type { BenchReport } from '../rows.js';
import { Html, html } from './html.js';
import { BENCH_PAGE_DEFAULTS, type BenchPageOptions } from './options.js';
import { worstFirst } from './order.js';
import { type EmbeddedPicture, embedPicture } from './pictures.js';
import { costCharts, ratePlots } from './plots.js';
import { grouped, judgingMetric, shownCodecs } from './reading.js';
import { bdTable, failureList, rowsTable, runTable } from './tables.js';
import { pictureViewer } from './viewer.js';

/** Modules of the page's script in the order in which they may be put one after another. */
const SCRIPTS = [
  'state',
  'colours',
  'frames',
  'paint',
  'controls',
  'pointers',
  'viewer',
  'table',
  'main',
] as const;

/**
 * Makes the page of a run.
 * @throws IoError, FormatError when a picture that the record names is not there or damaged
 */
export async function renderBenchPage(
  report: BenchReport,
  options: BenchPageOptions = {},
): Promise<string> {
  const { pictures: count, maxPictureBytes } = { ...BENCH_PAGE_DEFAULTS, ...options };
  const metric = judgingMetric(report);
  const [codec] = shownCodecs(report);
  const order = worstFirst(report, codec?.name ?? '', metric);
  const pictures: EmbeddedPicture[] = [];
  let pictureBytes = 0;
  for (const { image } of order) {
    if (pictures.length >= count || codec === undefined) break;
    const picture = await embedPicture(report, image, codec.name, options);
    const bytes = picture ? byteLengthOf(picture) : 0;
    if (picture === undefined || pictureBytes + bytes > maxPictureBytes) continue;
    pictures.push(picture);
    pictureBytes += bytes;
  }
  const judged =
    metric && order[0]?.isAgainstOthers
      ? `Worst first: by what the best other codec has more of ${metric.label} at equal bytes.`
      : metric
        ? `Worst first: by the mean of ${metric.label}.`
        : '';
  const body = html`
    <header><h1>Benchmark</h1><p class="lead">${report.images.length} pictures, ${shownCodecs(report).length} codecs, ${grouped(report.rows.length)} rows. ${report.date.slice(0, 10)}, ${report.machine.cpu}.</p>
    <nav aria-label="Sections"><a href="#rates">Rates</a><a href="#bd">BD-rate</a><a href="#cost">Time and memory</a><a href="#pictures">Pictures</a><a href="#table">Table</a><a href="#run">Run</a></nav></header>
    <main>
    <section id="rates"><h2>Quality over rate</h2><p class="fine">Means of the ${report.summary.images.length} pictures at which nothing failed.</p>${ratePlots(report)}</section>
    <section id="bd"><h2>BD-rate</h2>${bdTable(report)}</section>
    <section id="cost"><h2>Time and memory</h2>${costCharts(report)}</section>
    <section id="pictures"><h2>Pictures</h2><p class="fine">${judged} Bytes are those of the files, pixels what each codec’s own decoder made of them.</p>${pictureViewer(report, pictures)}</section>
    <section id="table"><h2>All rows</h2><p class="fine">Every picture at every setting, worst pictures first; the headers sort.</p>${rowsTable(
      report,
      order.map(({ image }) => image),
    )}</section>
    ${failureList(report)}
    <section id="run"><h2>Run</h2>${runTable(report)}</section>
    </main>`;
  const [style, script] = await Promise.all([asset('report.css'), clientScript()]);
  const byteLength = Buffer.byteLength(body.text) + style.length + script.length;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Benchmark of ${report.images.length} pictures, ${report.date.slice(0, 10)}</title><meta name="color-scheme" content="light dark">
<style>${new Html(style)}</style></head>
<body>${body}
<footer><p class="fine">Made by vaerans ${report.versions.vaerans}. This file has ${megabytes(byteLength)}, ${pictures.length} of ${report.images.length} pictures in it, and asks nothing of any network.</p></footer>
<script type="module">${new Html(script)}</script></body></html>
`.text;
}

function byteLengthOf({ originalPng, versions, latent }: EmbeddedPicture): number {
  const pngs = [originalPng, ...versions.map(({ png }) => png)];
  if (latent) pngs.push(latent.bitsPng, latent.planesPng);
  return pngs.reduce((sum, png) => sum + png.length, 0);
}

function megabytes(byteLength: number): string {
  return `${(byteLength / 1e6).toFixed(byteLength < 1e6 ? 2 : 1)} MB`;
}

function asset(name: string): Promise<string> {
  return readFile(new URL(name, import.meta.url), 'utf8');
}

/** The compiled modules of `client/` as one: names are unique among them, so that imports and exports can go. */
async function clientScript(): Promise<string> {
  const modules = await Promise.all(SCRIPTS.map((name) => asset(`client/${name}.js`)));
  return modules
    .join('\n')
    .replace(/^import [^;]*;$/gm, '')
    .replace(/^export (?!\{)/gm, '')
    .replace(/^export \{.*$/gm, '')
    .replace(/^\/\/# sourceMappingURL=.*$/gm, '');
}
