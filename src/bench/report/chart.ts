/**
 * Charts as static SVG, made of d3's scales and shapes. Colours are classes, so that the page's style sheet settles
 * them for light and dark; a codec has a mark of its own beside its colour.
 * @module
 */
import { scaleLinear, scaleLog } from 'd3-scale';
import { line, symbol, symbolsFill } from 'd3-shape';
import { type Html, html } from './html.js';

/** A curve, or a row of a range chart. */
export interface ChartSeries {
  readonly label: string;
  /** Chooses colour and mark, the same in every chart. */
  readonly index: number;
}

export interface CurvePoint {
  readonly x: number;
  readonly y: number;
  /** Shown where a pointer rests. */
  readonly title: string;
}

export interface Curve extends ChartSeries {
  /** x rising. */
  readonly points: readonly CurvePoint[];
}

export interface CurveChart {
  /** Of the element, unique on the page. */
  readonly id: string;
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly curves: readonly Curve[];
}

/** Colours there are, one for each codec that bench knows; further series begin again. */
export const SERIES_STYLES = 8;

const WIDTH = 460;
const HEIGHT = 330;
const MARGIN = { top: 14, right: 92, bottom: 46, left: 46 } as const;
/** Where the curves' names stand under one another. */
const NAMES_LEFT = WIDTH - MARGIN.right + 16;
/** Least distance between the labels at the curves' ends. */
const LABEL_HEIGHT = 15;

/** Curves over a logarithmic x axis, with a name at the end of each. At least one point. */
export function curveChart({ id, title, xLabel, yLabel, curves }: CurveChart): Html {
  const points = curves.flatMap((curve) => curve.points);
  const x = scaleLog(
    extent(
      points.map((point) => point.x),
      1.08,
    ),
    [MARGIN.left, WIDTH - MARGIN.right],
  );
  const [low, high] = padded(points.map((point) => point.y));
  const y = scaleLinear([low, high], [HEIGHT - MARGIN.bottom, MARGIN.top]);
  const yTicks = y.ticks(6);
  const path = line<CurvePoint>(
    (point) => round(x(point.x)),
    (point) => round(y(point.y)),
  );
  const ends = spreadLabels(
    curves.flatMap((curve) => {
      const last = curve.points.at(-1);
      return last ? [{ curve, from: { x: x(last.x), y: y(last.y) }, y: y(last.y) }] : [];
    }),
  );
  return figure(
    id,
    WIDTH,
    HEIGHT,
    title,
    `${yLabel} over ${xLabel}, logarithmic`,
    html`
    ${logTicks(x.domain(), 8).map(
      (tick) => html`<g class="tick" transform="translate(${round(x(tick))} 0)"
        ><line y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}"/><text y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${number(tick)}</text></g>`,
    )}
    ${yTicks.map(
      (tick) => html`<g class="tick" transform="translate(0 ${round(y(tick))})"
        ><line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}"/><text x="${MARGIN.left - 7}" dy="0.35em" text-anchor="end">${number(tick)}</text></g>`,
    )}
    <text class="axis" x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${xLabel}</text>
    ${curves.map(
      (curve) => html`<g class="series ${styleOf(curve.index)}">
        <path class="curve" d="${path(curve.points) ?? ''}"/>
        ${curve.points.map(
          (point) =>
            html`<path class="mark" transform="translate(${round(x(point.x))} ${round(y(point.y))})" d="${markOf(curve.index)}"><title>${point.title}</title></path>`,
        )}</g>`,
    )}
    ${ends.map(
      (end) =>
        html`<g class="${styleOf(end.curve.index)}"><path class="leader" d="M${round(end.from.x + 6)} ${round(end.from.y)}L${NAMES_LEFT - 5} ${round(end.y)}"/><text class="name" x="${NAMES_LEFT}" y="${round(end.y)}" dy="0.35em">${end.curve.label}</text></g>`,
    )}`,
  );
}

export interface RangeRow extends ChartSeries {
  /** Where the mark stands, above 0. */
  readonly value: number;
  /** End of the line from there, where there is one. */
  readonly to?: number;
  readonly title: string;
  /** Written beside it. */
  readonly note: string;
}

export interface RangeChart {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly RangeRow[];
  readonly format: (value: number) => string;
}

const ROW_HEIGHT = 30;
const RANGE_LEFT = 96;
const RANGE_RIGHT = 70;

/** One mark a row over a logarithmic axis. At least one row. */
export function rangeChart({ id, title, description, rows, format }: RangeChart): Html {
  const height = rows.length * ROW_HEIGHT + 36;
  const bottom = height - 24;
  const x = scaleLog(
    extent(
      rows.flatMap((row) => [row.value, row.to ?? row.value]),
      1.3,
    ),
    [RANGE_LEFT, WIDTH - RANGE_RIGHT],
  );
  return figure(
    id,
    WIDTH,
    height,
    title,
    `${description}, logarithmic`,
    html`
    ${logTicks(x.domain(), 4).map(
      (tick) => html`<g class="tick" transform="translate(${round(x(tick))} 0)"
        ><line y1="6" y2="${bottom}"/><text y="${bottom + 17}" text-anchor="middle">${format(tick)}</text></g>`,
    )}
    ${rows.map((row, at) => {
      const to = x(row.to ?? row.value);
      return html`<g class="series ${styleOf(row.index)}" transform="translate(0 ${at * ROW_HEIGHT + 22})"
        ><title>${row.title}</title><text class="name" x="${RANGE_LEFT - 12}" dy="0.35em" text-anchor="end">${row.label}</text
        ><line class="curve" x1="${round(x(row.value))}" x2="${round(to)}"/><path class="mark" transform="translate(${round(x(row.value))} 0)" d="${markOf(row.index)}"
        /><text class="note" x="${round(to) + 12}" dy="0.35em">${row.note}</text></g>`;
    })}`,
  );
}

/** A codec's mark for a legend in running text. */
export function legendMark(index: number): Html {
  return html`<svg class="key ${styleOf(index)}" viewBox="-8 -8 16 16" width="16" height="16" aria-hidden="true"><path class="mark" d="${markOf(index)}"/></svg>`;
}

/** The class that the style sheet has a colour for. */
export function styleOf(index: number): string {
  return `s${index % SERIES_STYLES}`;
}

function markOf(index: number): string {
  const shape = symbolsFill[index % symbolsFill.length] ?? symbolsFill[0];
  return (shape && symbol(shape, 58)()) ?? '';
}

function figure(
  id: string,
  width: number,
  height: number,
  title: string,
  description: string,
  content: Html,
): Html {
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-text"><title id="${id}-title">${title}</title><desc id="${id}-text">${description}</desc>${content}</svg>`;
}

/** Smallest and largest, each moved outwards by a factor. */
function extent(values: readonly number[], factor: number): [number, number] {
  return [Math.min(...values) / factor, Math.max(...values) * factor];
}

function padded(values: readonly number[]): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = 0.04 * (high - low) || 1;
  return [low - room, high + room];
}

/** 1, 2 and 5 of every power of ten inside, or fewer of them where there are more than `most`. */
function logTicks([from = 1, to = 10]: readonly number[], most: number): number[] {
  for (const leads of [[1, 2, 5], [1, 3], [1]]) {
    const ticks: number[] = [];
    for (let power = Math.floor(Math.log10(from)); power <= Math.log10(to); power++) {
      ticks.push(...leads.map((lead) => Number(`${lead}e${power}`)));
    }
    const inside = ticks.filter((tick) => tick >= from && tick <= to);
    if (inside.length <= most) return inside;
  }
  return [];
}

/** Moves labels apart, upwards and downwards alike, keeping their order. */
function spreadLabels<Label extends { readonly y: number }>(labels: readonly Label[]): Label[] {
  const ordered = labels.toSorted((a, b) => a.y - b.y);
  const places: number[] = [];
  for (const { y } of ordered) places.push(Math.max(y, (places.at(-1) ?? 0) + LABEL_HEIGHT));
  let floor = HEIGHT - MARGIN.bottom;
  for (let at = places.length - 1; at >= 0; at--) {
    floor = Math.min(places[at] ?? floor, floor);
    places[at] = floor;
    floor -= LABEL_HEIGHT;
  }
  return ordered.map((label, at) => ({ ...label, y: places[at] ?? label.y }));
}

function number(value: number): string {
  return new Intl.NumberFormat('en', { maximumSignificantDigits: 4 }).format(value);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
