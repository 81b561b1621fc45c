/**
 * The pictures of the viewer: which, at which settings, which part of them, as PNG.
 * @module
 */
import { resolve } from 'node:path';
import { mapLatent } from '../../codec/latent-map.js';
import type { CodecOptions } from '../../codec/options.js';
import { ModelError } from '../../errors.js';
import { readBytes } from '../../files.js';
import { readImage } from '../../image/file.js';
import type { Pixels } from '../../image/pixels.js';
import type { Rect } from '../../image/tiles.js';
import { encodeImage } from '../../image/write.js';
import { isOurs } from '../options.js';
import type { BenchReport, BenchRow } from '../rows.js';
import { type EmbeddedLatent, embedLatent } from './latent.js';
import type { BenchPageOptions } from './options.js';

/** Rate that the codec in question is shown at, as near as its settings come: low enough that losses are seen. */
const SHOWN_BITS_PER_PIXEL = 0.4;

/** Sides of the largest part that is embedded. */
const LARGEST_PART = { width: 1024, height: 768 } as const;
/** Parts begin at multiples of this, so that they begin at a latent position of any usual stride. */
const PART_GRID_PX = 64;

/** A picture with what the codecs made of it, cut out and ready to embed. */
export interface EmbeddedPicture {
  readonly name: string;
  /** Of the whole picture. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** What of it is embedded. */
  readonly part: Rect;
  readonly originalPng: Uint8Array;
  /** The codec in question first; its bytes are those that the others come near to. */
  readonly versions: readonly EmbeddedVersion[];
  /** Of our version; nothing without one, or without its model. */
  readonly latent: EmbeddedLatent | undefined;
}

export interface EmbeddedVersion {
  readonly row: BenchRow;
  readonly png: Uint8Array;
}

/**
 * Reads a picture and its decoded versions.
 * @param codec the codec in question
 * @returns nothing when the run kept no decoded picture of that codec
 * @throws IoError, FormatError when a file is not there or damaged
 */
export async function embedPicture(
  report: BenchReport,
  name: string,
  codec: string,
  { folder = '.', codec: options = {}, atRate }: BenchPageOptions,
): Promise<EmbeddedPicture | undefined> {
  const picture = report.images.find((image) => image.name === name);
  const measured = rowsAtEqualBytes(report.rows, name, codec);
  const [first] = measured;
  if (picture === undefined || first === undefined) return undefined;
  const turned = (await atRate?.(name, first.bitsPerPixel)) ?? [];
  const rows = measured.map((row) =>
    nearest(
      [row, ...turned.filter((other) => other.codec === row.codec && other.decodedPath)],
      first.byteLength,
    ),
  );
  const original = await readImage(resolve(folder, picture.path));
  const decoded: Pixels[] = [];
  for (const { decodedPath = '' } of rows)
    decoded.push(await readImage(resolve(folder, decodedPath)));
  const part = worstPart(original, decoded[0] ?? original);
  const toPng = (pixels: Pixels) => encodeImage(cutOut(pixels, part), 'png');
  return {
    name,
    widthPx: original.widthPx,
    heightPx: original.heightPx,
    part,
    originalPng: toPng(original),
    versions: decoded.flatMap((pixels, at) => {
      const row = rows[at];
      return row ? [{ row, png: toPng(pixels) }] : [];
    }),
    latent: await latentOf(rows, part, folder, options),
  };
}

async function latentOf(
  rows: readonly BenchRow[],
  part: Rect,
  folder: string,
  options: CodecOptions,
): Promise<EmbeddedLatent | undefined> {
  const path = rows.find(({ codec }) => isOurs(codec))?.codedPath;
  if (path === undefined) return undefined;
  try {
    const map = await mapLatent(await readBytes(resolve(folder, path)), options);
    return map && embedLatent(map, part);
  } catch (error) {
    // The record may have come from where another model lies.
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}

/**
 * A row of every codec, of about equal bytes. Of the codec in question that row is taken which the others come near to,
 * and which is near to the shown rate, the first for more: twice as far from that rate is as bad as a codec whose bytes
 * are a fifth apart.
 */
export function rowsAtEqualBytes(
  rows: readonly BenchRow[],
  image: string,
  codec: string,
): BenchRow[] {
  const kept = rows.filter((row) => row.image === image && row.decodedPath !== undefined);
  const others = new Set(kept.map((row) => row.codec).filter((name) => name !== codec));
  const choices = kept
    .filter((row) => row.codec === codec)
    .map((own) => {
      const near = [...others].map((name) =>
        nearest(
          kept.filter((row) => row.codec === name),
          own.byteLength,
        ),
      );
      const apart = near.map((row) => Math.abs(Math.log(row.byteLength / own.byteLength)));
      const fromShown = Math.abs(Math.log2(own.bitsPerPixel / SHOWN_BITS_PER_PIXEL));
      return { rows: [own, ...near], cost: Math.max(0, ...apart) + 0.2 * fromShown };
    });
  return choices.toSorted((a, b) => a.cost - b.cost)[0]?.rows ?? [];
}

/** @param rows at least one */
function nearest(rows: readonly BenchRow[], byteLength: number): BenchRow {
  const distance = (row: BenchRow) => Math.abs(Math.log(row.byteLength / byteLength));
  return rows.reduce((best, row) => (distance(row) < distance(best) ? row : best));
}

/** All of a picture that is small enough, else the part around its worst block. */
function worstPart(original: Pixels, decoded: Pixels): Rect {
  const { widthPx, heightPx } = original;
  const width = Math.min(widthPx, LARGEST_PART.width);
  const height = Math.min(heightPx, LARGEST_PART.height);
  if (width === widthPx && height === heightPx) return { x: 0, y: 0, width, height };
  const worst = worstBlock(original, decoded);
  const start = (middle: number, side: number, whole: number) => {
    const wanted = Math.min(Math.max(0, middle - side / 2), whole - side);
    return PART_GRID_PX * Math.floor(wanted / PART_GRID_PX);
  };
  return {
    x: start(worst.x, width, widthPx),
    y: start(worst.y, height, heightPx),
    width,
    height,
  };
}

/** Middle of the block of the grid with the largest squared error. */
function worstBlock(original: Pixels, decoded: Pixels): { readonly x: number; readonly y: number } {
  const columns = Math.ceil(original.widthPx / PART_GRID_PX);
  const errors = new Float64Array(columns * Math.ceil(original.heightPx / PART_GRID_PX));
  const rowSamples = original.widthPx * original.channels;
  if (decoded.data.length === original.data.length) {
    for (const [at, sample] of original.data.entries()) {
      const y = Math.floor(at / rowSamples / PART_GRID_PX);
      const x = Math.floor((at % rowSamples) / original.channels / PART_GRID_PX);
      const error = sample - (decoded.data[at] ?? 0);
      errors[y * columns + x] = (errors[y * columns + x] ?? 0) + error * error;
    }
  }
  const worst = errors.indexOf(errors.reduce((a, b) => Math.max(a, b), 0));
  return {
    x: ((worst % columns) + 0.5) * PART_GRID_PX,
    y: (Math.floor(worst / columns) + 0.5) * PART_GRID_PX,
  };
}

/** A part of a picture in the 8 bits that screens show. */
function cutOut({ widthPx, channels, data }: Pixels, part: Rect): Pixels {
  const rowLength = part.width * channels;
  const cut = new Uint8Array(rowLength * part.height);
  for (let row = 0; row < part.height; row++) {
    const start = ((part.y + row) * widthPx + part.x) * channels;
    const samples = data.subarray(start, start + rowLength);
    cut.set(
      samples instanceof Uint8Array ? samples : samples.map((sample) => Math.round(sample / 257)),
      row * rowLength,
    );
  }
  return { widthPx: part.width, heightPx: part.height, channels, data: cut };
}
