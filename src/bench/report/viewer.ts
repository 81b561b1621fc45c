/**
 * The viewer's markup: the pictures as figures that can be read without script, and the controls that the script
 * brings to life.
 * @module
 */
import { isOurs } from '../options.js';
import type { BenchMetric, BenchReport, BenchRow } from '../rows.js';
import type { ViewedPicture } from './client/data.js';
import { type Html, html, jsonScript } from './html.js';
import { type EmbeddedLatent, SHEET_COLUMNS } from './latent.js';
import type { EmbeddedPicture, EmbeddedVersion } from './pictures.js';
import { grouped, shownMetrics, signedPercent, writtenMetric } from './reading.js';

/** The viewer and, below it, every picture as figures. */
export function pictureViewer(report: BenchReport, pictures: readonly EmbeddedPicture[]): Html {
  if (pictures.length === 0) {
    return html`<p>No decoded pictures were kept, so there is none to look at.</p>`;
  }
  const metrics = shownMetrics(report);
  const label = (codec: string) => report.codecs.find(({ name }) => name === codec)?.label ?? codec;
  const viewed = pictures.map((picture, at) => toViewed(picture, at, label, metrics));
  return html`${controls(viewed)}
    <div class="galleries">${pictures.map((picture, at) => gallery(picture, at, label, metrics))}</div>
    ${jsonScript('viewer-data', viewed)}`;
}

function toViewed(
  { name, part, versions, latent }: EmbeddedPicture,
  at: number,
  label: (codec: string) => string,
  metrics: readonly BenchMetric[],
): ViewedPicture {
  const budget = versions[0]?.row.byteLength ?? 0;
  return {
    name,
    widthPx: part.width,
    heightPx: part.height,
    versions: [
      { name: 'original', label: 'Original', figures: '', elementId: elementId(at, 0) },
      ...versions.map(({ row }, index) => ({
        name: row.codec,
        label: `${label(row.codec)} ${row.setting}`,
        figures: `${writtenBytes(row, budget)} · ${writtenMetrics(row, metrics)}`,
        elementId: elementId(at, index + 1),
      })),
    ],
    latent: latent
      ? {
          version: 1 + versions.findIndex(({ row }) => isOurs(row.codec)),
          stridePx: latent.stridePx,
          width: latent.width,
          height: latent.height,
          bitsElementId: elementId(at, 'bits'),
          maxBitsPerPixel: latent.maxBitsPerPixel,
          planesElementId: elementId(at, 'planes'),
          sheetColumns: SHEET_COLUMNS,
          planes: latent.planes,
        }
      : null,
  };
}

/** `21,310 B (+3.1 %), 0.433 bpp`: against the bytes that all versions are chosen for. */
function writtenBytes({ byteLength, bitsPerPixel }: BenchRow, budget: number): string {
  const apart =
    byteLength === budget ? '' : ` (${signedPercent((100 * byteLength) / budget - 100)})`;
  return `${grouped(byteLength)} B${apart}, ${bitsPerPixel.toFixed(3)} bpp`;
}

function writtenMetrics(row: BenchRow, metrics: readonly BenchMetric[]): string {
  return metrics
    .map((metric) => {
      const [name, unit = ''] = metric.label.split(', ');
      return `${name} ${writtenMetric(metric, row)} ${unit}`.trim();
    })
    .join(' · ');
}

function elementId(picture: number, version: number | 'bits' | 'planes'): string {
  return `picture-${picture}-${version}`;
}

/** The views, with the key of each. */
export const VIEWS = [
  ['split', 'Split', 's'],
  ['side', 'Side by side', 'w'],
  ['blink', 'Blink', 'b'],
  ['difference', 'Difference', 'd'],
  ['heat', 'Error map', 'e'],
  ['bits', 'Bits', 'm'],
  ['latent', 'Latent', 'l'],
] as const;

function controls(pictures: readonly ViewedPicture[]): Html {
  return html`<div id="viewer" hidden>
    <div class="bar">
      <label>Picture <select id="viewer-picture">${pictures.map(
        ({ name }, at) => html`<option value="${at}">${name}</option>`,
      )}</select></label>
      <label>A <select id="viewer-a"></select></label>
      <label>B <select id="viewer-b"></select></label>
      <button type="button" id="viewer-swap" aria-label="Swap A and B">⇄</button>
    </div>
    <div class="bar">
      <div class="choice" role="group" aria-label="View">${VIEWS.map(
        ([view, label]) =>
          html`<button type="button" data-view="${view}" aria-pressed="false">${label}</button>`,
      )}</div>
      <div class="choice" role="group" aria-label="Zoom">
        <button type="button" id="viewer-out" aria-label="Zoom out">−</button>
        <output id="viewer-zoom">fit</output>
        <button type="button" id="viewer-in" aria-label="Zoom in">+</button>
        <button type="button" id="viewer-fit">Fit</button>
        <button type="button" id="viewer-one">1:1</button>
      </div>
    </div>
    <div class="stage" id="viewer-stage" tabindex="0" role="group" aria-label="Picture viewer; the keys are listed below" aria-describedby="viewer-readout">
      <canvas id="viewer-canvas" role="img" aria-label="The picture"></canvas>
      <span class="tag a" id="viewer-tag-a"></span><span class="tag b" id="viewer-tag-b"></span>
    </div>
    <p class="figures"><span id="viewer-figures-a"></span><span id="viewer-figures-b"></span></p>
    <div class="bar under">
      <label data-for="split">Split <input type="range" id="viewer-split" min="0" max="100" step="0.5"></label>
      <label data-for="blink"><input type="checkbox" id="viewer-blinking"> blinking</label>
      <label data-for="difference heat">Gain <select id="viewer-gain"><option value="1">×1</option><option value="4">×4</option><option value="8">×8</option><option value="16">×16</option></select></label>
      <label data-for="latent">Channel <select id="viewer-plane"></select></label>
      <span class="scale" data-for="heat bits"><span id="viewer-low">0</span><span class="ramp" aria-hidden="true"></span><span id="viewer-high"></span></span>
      <output id="viewer-readout" aria-live="off"></output>
    </div>
    <details class="keys"><summary>Keys</summary><dl>
      <div><dt><kbd>←</kbd> <kbd>→</kbd> <kbd>↑</kbd> <kbd>↓</kbd></dt><dd>move, with <kbd>Shift</kbd> further</dd></div>
      <div><dt><kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> <kbd>1</kbd></dt><dd>zoom in, out, fit, one to one</dd></div>
      ${VIEWS.map(([, label, key]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${label.toLowerCase()}</dd></div>`)}
      <div><dt><kbd>x</kbd></dt><dd>swap A and B</dd></div>
      <div><dt><kbd>Space</kbd></dt><dd>A or B, while blinking stands still</dd></div>
      <div><dt><kbd>[</kbd> <kbd>]</kbd></dt><dd>move the split</dd></div>
      <div><dt><kbd>,</kbd> <kbd>.</kbd></dt><dd>channel before, after</dd></div>
      <div><dt><kbd>p</kbd> <kbd>n</kbd></dt><dd>picture before, after</dd></div>
      <div><dt>wheel, drag, pinch</dt><dd>zoom once the viewer has the focus, or with <kbd>Ctrl</kbd>; move</dd></div>
    </dl></details>
  </div>`;
}

function gallery(
  picture: EmbeddedPicture,
  at: number,
  label: (codec: string) => string,
  metrics: readonly BenchMetric[],
): Html {
  const { name, widthPx, heightPx, part, versions, originalPng, latent } = picture;
  const budget = versions[0]?.row.byteLength ?? 0;
  const isWhole = part.width === widthPx && part.height === heightPx;
  const image = (png: Uint8Array, index: number, alt: string) =>
    embedded(png, elementId(at, index), part.width, part.height, alt);
  const caption = ({ row }: EmbeddedVersion) =>
    html`<b>${label(row.codec)}</b> ${row.setting}: ${writtenBytes(row, budget)}<br><span class="fine">${writtenMetrics(row, metrics)}</span>`;
  return html`<article><h3>${name}</h3><p class="fine">${widthPx} × ${heightPx} px${
    !isWhole &&
    `, of which the worst part is shown, ${part.width} × ${part.height} px from ${part.x}, ${part.y}`
  }. Every codec at the setting tried whose bytes come nearest to ${grouped(budget)} B.</p>
    <div class="gallery"><figure>${image(originalPng, 0, `${name}, original`)}<figcaption><b>Original</b></figcaption></figure>${versions.map(
      (version, index) =>
        html`<figure>${image(version.png, index + 1, `${name} through ${label(version.row.codec)} ${version.row.setting}`)}<figcaption>${caption(version)}</figcaption></figure>`,
    )}${latent && latentFigures(latent, name, at)}</div></article>`;
}

function latentFigures(
  { width, height, bitsPng, maxBitsPerPixel, planesPng, planes }: EmbeddedLatent,
  name: string,
  at: number,
): Html {
  const rows = Math.max(1, Math.ceil(planes.length / SHEET_COLUMNS));
  return html`<figure class="grid">${embedded(bitsPng, elementId(at, 'bits'), width, height, `${name}: bits of every latent position`)}<figcaption><b>Bits per area</b>, ours: white is ${maxBitsPerPixel.toFixed(2)} bits per pixel</figcaption></figure>
    <figure class="grid">${embedded(planesPng, elementId(at, 'planes'), SHEET_COLUMNS * width, rows * height, `${name}: planes of the latent`)}<figcaption><b>Latent planes</b>, ours: the ${planes.length} with most bits, most first; grey is 0</figcaption></figure>`;
}

function embedded(png: Uint8Array, id: string, width: number, height: number, alt: string): Html {
  return html`<img id="${id}" src="data:image/png;base64,${Buffer.from(png).toString('base64')}" width="${width}" height="${height}" alt="${alt}">`;
}
