/**
 * What is left of a damaged file: which rows can still be decoded, which cannot, and how those look. Every slice of the
 * latent has a checksum of its own; any other stream has one alone, and is whole or lost.
 * @module
 */
import type { ParsedHeader } from '../container/read.js';
import type { DirectoryEntry, StreamPart } from '../container/read-directory.js';
import type { FormatError } from '../errors.js';
import type { PixelFormat, PixelRows, PixelSink } from '../image/pixel-rows.js';
import { type Rect, roundUp } from '../image/tiles.js';
import type { Manifest } from '../models/schemas.js';
import { planBands } from './bands.js';

/** Rows of a picture, counted from its top. */
export interface RowRange {
  readonly firstRow: number;
  readonly rows: number;
}

/** What of a damaged file did not come back. */
export interface LostParts {
  /** Rows whose slices are damaged: they come hatched, and opaque. */
  readonly rows: readonly RowRange[];
  /** Rows that come, but not as they were: the decoder network saw lost ones beside them, or what corrects them is lost. */
  readonly inexactRows: readonly RowRange[];
  /** Streams that are left out as a whole: a residual's `planes`, `alpha`, `icc`, `exif`, `xmp`, `note`, `filter`, `unknown 10`. */
  readonly streams: readonly string[];
}

/** How a file is decoded in spite of its damage. */
export interface Remains {
  /** As if the damaged streams had never been written, but for the latent. */
  readonly header: ParsedHeader;
  readonly lost: LostParts;
  /** Takes the rows of the whole picture, from this one on, and marks those that are lost. */
  readonly marked: (sink: PixelSink, firstRow: number) => PixelSink;
}

const EXACT = 0;
const INEXACT = 1;
const LOST = 2;

/**
 * @param damage what `VaeFile.findDamage` found
 * @param region what is wanted: rows that it has nothing of are not told of
 * @returns `undefined` where nothing is lost of what is wanted
 * @throws FormatError, that of the first damaged part, where every row that is wanted is lost
 */
export function remainsOf(
  header: ParsedHeader,
  damage: ReadonlyMap<StreamPart, FormatError>,
  region: Rect,
  manifest: Manifest,
): Remains | undefined {
  const [first] = damage.values();
  if (first === undefined) return undefined;
  const gone = header.directory.filter(
    ({ type, parts }) => type !== 'latent' && parts.some((part) => damage.has(part)),
  );
  const isGone = (name: string) => gone.some(({ type }) => type === name);
  // Without the filter's adjustment every row is a little off, as without a residual.
  const isOff = isGone('planes') || isGone('filter');
  const states = rowStates(header, damage, manifest, isOff);
  const wanted = states.subarray(region.y, region.y + region.height);
  if (wanted.every((state) => state === LOST)) throw first;
  const lost: LostParts = {
    rows: rangesOf(wanted, LOST, region.y),
    inexactRows: rangesOf(wanted, INEXACT, region.y),
    streams: gone.map(({ type, typeCode }) => type ?? `unknown ${typeCode}`),
  };
  if (gone.length === 0 && wanted.every((state) => state === EXACT)) return undefined;
  const { mode, alpha, colour, directory } = header;
  return {
    header: {
      ...header,
      mode: isGone('planes') ? 'model' : mode,
      alpha: alpha && !isGone('alpha'),
      colour: isGone('icc') ? 'srgb' : colour,
      directory: directory.filter((entry) => !gone.includes(entry)),
    },
    lost,
    marked: (sink, firstRow) => new MarkSink(sink, states, firstRow),
  };
}

/** What becomes of every row of the picture. */
function rowStates(
  { mode, directory, heightPx, sliceRows }: ParsedHeader,
  damage: ReadonlyMap<StreamPart, FormatError>,
  manifest: Manifest,
  isOff: boolean,
): Uint8Array {
  const states = new Uint8Array(heightPx).fill(isOff ? INEXACT : EXACT);
  // Such a file has no filter, so that it is the planes that are gone.
  if (mode === 'planes') return isOff ? states.fill(LOST) : states;
  const latent = directory.find(({ type }) => type === 'latent');
  const lost = slicesLost(latent, damage);
  if (lost.length === 0) return states;
  // Where the latent is decoded as one, all of it is needed for any row.
  if (sliceRows === 0 || planBands(manifest, heightPx).bands.length === 1) return states.fill(LOST);
  // Of the coarsest grid, in whose rows slices and margins are counted.
  const stridePx = manifest.grids[0]?.stridePx ?? 1;
  const slicePx = sliceRows * stridePx;
  const marginPx = roundUp(manifest.decoder.marginPx, stridePx);
  for (const index of lost) {
    states.fill(INEXACT, Math.max(0, index * slicePx - marginPx), (index + 1) * slicePx + marginPx);
  }
  for (const index of lost) states.fill(LOST, index * slicePx, (index + 1) * slicePx);
  return states;
}

function slicesLost(
  latent: DirectoryEntry | undefined,
  damage: ReadonlyMap<StreamPart, FormatError>,
): number[] {
  return (latent?.parts ?? []).flatMap((part, index) => (damage.has(part) ? [index] : []));
}

/** Runs of rows in this state. */
function rangesOf(states: Uint8Array, state: number, firstRow: number): RowRange[] {
  const ranges: RowRange[] = [];
  for (let start = states.indexOf(state); start >= 0; ) {
    let end = start;
    while (end < states.length && states[end] === state) end++;
    ranges.push({ firstRow: firstRow + start, rows: end - start });
    start = states.indexOf(state, end);
  }
  return ranges;
}

/** Pixels of a stripe of the hatching, across and down. */
const STRIPE_PX = 8;
/** Two greys around the middle, of 8 bits. */
const STRIPES = [96, 160] as const;

/** Grey stripes from the upper right to the lower left: nothing that a picture would be taken for. */
export function hatchAt(x: number, y: number): number {
  return STRIPES[Math.floor((x + y) / STRIPE_PX) & 1] ?? 0;
}

/** Passes rows on, those that are lost hatched. */
class MarkSink implements PixelSink {
  readonly #sink: PixelSink;
  readonly #states: Uint8Array;
  #row: number;
  #format: PixelFormat | undefined;

  constructor(sink: PixelSink, states: Uint8Array, firstRow: number) {
    this.#sink = sink;
    this.#states = states;
    this.#row = firstRow;
  }

  begin(format: PixelFormat): Promise<void> | void {
    this.#format = format;
    return this.#sink.begin(format);
  }

  writeRows(rows: PixelRows): Promise<void> | void {
    const { widthPx = 1, channels = 1, bitsPerSample = 8 } = this.#format ?? {};
    const rowLength = widthPx * channels;
    const first = this.#row;
    this.#row += rows.length / rowLength;
    const states = this.#states.subarray(first, this.#row);
    if (!states.includes(LOST)) return this.#sink.writeRows(rows);
    const scale = bitsPerSample === 16 ? 257 : 1;
    const marked = rows.slice();
    for (const [at, state] of states.entries()) {
      if (state !== LOST) continue;
      for (let i = 0; i < rowLength; i++) {
        const isAlpha = channels % 2 === 0 && i % channels === channels - 1;
        const level = isAlpha ? 255 : hatchAt(Math.floor(i / channels), first + at);
        marked[at * rowLength + i] = scale * level;
      }
    }
    return this.#sink.writeRows(marked);
  }
}
