/**
 * The restoration filter adjusted to a picture, by least squares between what an encoder's own decoder network gives and the
 * original: how strong the filter is to be, and a small filter that is the same for all classes of pixels.
 * @module
 */
import { NO_MARGIN } from '../image/tiles.js';
import type { RgbData, SymbolsData } from '../pipeline/components.js';
import type { World } from '../pipeline/world.js';
import { dequantise } from '../stages/quantise.js';
import { unrotate } from '../stages/rotate.js';
import { vaeDecode } from '../stages/vae-decode.js';
import { waveletInverse } from '../stages/wavelet.js';
import { tensorByteLength } from '../wasm/arena.js';
import {
  ADJUSTMENT_BYTES,
  ADJUSTMENT_LENGTHS,
  COMPONENT_SIDE,
  COMPONENT_SUMS,
  OBSERVED_NUMBERS,
} from '../wasm/restoration.js';
import { STREAM_BYTES } from './fine.js';

/** Squared levels of red, green and blue that a component's square comes to. */
const NORMS = [3, 2, 6] as const;
/** As crates/vaerans-core/src/restoration/adjustment.rs: units of a share to one, and of a pair's weight. */
const SHARE_UNITS = 64;
const PAIR_UNITS = 512;
/** A feature of which so little is its own takes no part. */
const LEAST_OWN = 1e-6;

/** About what share of a file's bytes a decibel is worth: a doubling of the bits brings 3 to 5 dB. */
const BYTE_SHARE_PER_DB = 0.2;

/** Below this many pixels chance has too large a part in what is found. */
const LEAST_PIXELS = 2 ** 14;

/** Whether there is enough of a picture to adjust a filter by. */
export function isAdjustable(pixels: number): boolean {
  return pixels >= LEAST_PIXELS;
}

/**
 * Sums for the adjustment, from a band as the decoder will see it, but for rows where it would need those of the bands
 * beside it.
 * @param symbols of the band alone
 */
export async function observeBand(
  { pixels, margin = NO_MARGIN }: RgbData,
  symbols: SymbolsData,
  world: World,
): Promise<Float64Array | undefined> {
  const { restoration } = world.context.tables;
  if (restoration === undefined) return undefined;
  const { widthPx, heightPx, quant } = symbols;
  const { grids, ...size } = await world
    .pipe(world.newEntity().add('Symbols', symbols))
    .to(dequantise())
    .to(waveletInverse())
    .to(unrotate())
    .out('Latent');
  const decoded = await world
    .pipe(world.newEntity().add('Latent', { grids, ...size, quant: undefined }))
    .to(vaeDecode())
    .out('ReconRgb');
  const original = world.arena.part(pixels, margin.above, heightPx);
  const { marginPx } = world.context.model.manifest.decoder;
  const above = margin.above > 0 ? marginPx : 0;
  const height = heightPx - above - (margin.below > 0 ? marginPx : 0);
  // Of a band that is all margin something is better than nothing.
  const rows = height > 0 ? { y: above, height } : { y: 0, height: heightPx };
  const window = { x: 0, width: widthPx, ...rows };
  return world.core.restoration.observe(restoration, quant.rate, decoded.pixels, original, window);
}

/** What observing a band leaves in its arena. */
export function observeByteLength(
  latentShapes: readonly (readonly number[])[],
  rgbShape: readonly number[],
): number {
  const latent = latentShapes.reduce((sum, shape) => sum + tensorByteLength('f32', shape), 0);
  return 3 * latent + tensorByteLength('u8', rgbShape);
}

/**
 * The adjustment that leaves least squared error, where that is worth its bytes.
 * @param bands sums of as many bands as were looked at
 * @param byteLength of the picture's symbols
 * @param channels that come back: of one, luma alone counts
 */
export function adjustmentOf(
  bands: readonly Float64Array[],
  byteLength: number,
  channels: number,
): Uint8Array | undefined {
  const sums = new Float64Array(OBSERVED_NUMBERS);
  for (const band of bands) {
    for (const [at, sum] of band.entries()) sums[at] = Number(sums[at]) + sum;
  }
  const found = new Int8Array(ADJUSTMENT_BYTES);
  let [before, after, at] = [0, 0, 0];
  for (const [component, length] of ADJUSTMENT_LENGTHS.entries()) {
    if (component > 0 && channels === 1) break;
    const own = sums.subarray(component * COMPONENT_SUMS, (component + 1) * COMPONENT_SUMS);
    const exact = solved(own, length);
    const norm = NORMS[component] ?? 1;
    for (const [index, value] of exact.entries()) {
      const units = index === 0 ? SHARE_UNITS : PAIR_UNITS;
      found[at + index] = Math.max(-128, Math.min(127, Math.round(value * units)));
      exact[index] = Number(found[at + index]) / units;
    }
    before += norm * Number(own.at(-1));
    after += norm * errorLeft(own, exact);
    at += length;
  }
  const gainDb = after > 0 ? 10 * Math.log10(before / after) : 0;
  const isWorthIt = BYTE_SHARE_PER_DB * gainDb * byteLength > STREAM_BYTES + ADJUSTMENT_BYTES;
  return isWorthIt ? new Uint8Array(found.buffer) : undefined;
}

/** Product of two features. */
function product(sums: Float64Array, a: number, b: number): number {
  return Number(sums[COMPONENT_SIDE * Math.max(a, b) + Math.min(a, b)]);
}

/** Product of a feature with what is missing. */
function missing(sums: Float64Array, index: number): number {
  return Number(sums[COMPONENT_SIDE * COMPONENT_SIDE + index]);
}

/** Squared error that is left with these coefficients. */
function errorLeft(sums: Float64Array, coefficients: Float64Array): number {
  let left = Number(sums.at(-1));
  for (const [a, x] of coefficients.entries()) {
    left -= 2 * x * missing(sums, a);
    for (const [b, y] of coefficients.entries()) left += x * y * product(sums, a, b);
  }
  return left;
}

/** Least squares by Gauss and Jordan's elimination, the normal equations' diagonal as pivots. */
function solved(sums: Float64Array, length: number): Float64Array {
  const rows = Array.from({ length }, (_, row) =>
    Float64Array.from({ length: length + 1 }, (_, column) =>
      column < length ? product(sums, row, column) : missing(sums, row),
    ),
  );
  for (const [at, pivotRow] of rows.entries()) {
    const pivot = Number(pivotRow[at]);
    const isOwn = pivot > LEAST_OWN * product(sums, at, at) && pivot > 0;
    // A feature that others make up has no weight.
    for (const [row, values] of rows.entries()) {
      if (!isOwn) values[at] = 0;
      else if (row !== at) {
        const factor = Number(values[at]) / pivot;
        for (const [column, value] of pivotRow.entries()) {
          values[column] = Number(values[column]) - factor * value;
        }
      }
    }
    if (!isOwn) pivotRow.fill(0);
  }
  return Float64Array.from(rows, (values, at) => {
    const pivot = Number(values[at]);
    return pivot > 0 ? Number(values[length]) / pivot : 0;
  });
}
