/**
 * How far a network sees: one column of its input is changed, and it is measured how far away anything changes.
 * @module
 */
import type { Manifest } from '../models/schemas.js';
import { Graph, type GraphTensor } from '../vae/graph.js';

export type NetworkName = 'encoder' | 'decoder';

/** What of a manifest says which windows a network takes. */
export type WindowShape = Pick<Manifest, 'grids' | 'padToPx' | 'inputRange'>;

/** Less is rounding. */
const CHANGE_MIN = 1e-6;
/** Layers may be blind to one change and not to another. */
const SEEDS = [2, 3];

/**
 * @param windowPx width of the window that is looked at; a network that sees further is not found out
 * @returns pixels from the changed column to the farthest change
 */
export async function measureReach(
  bytes: Uint8Array,
  network: NetworkName,
  shape: WindowShape,
  windowPx: number,
): Promise<number> {
  const { padToPx, inputRange, grids } = shape;
  const stridePx = grids[0]?.stridePx ?? 1;
  const { input, expected } = shapesOf(shape, network, 4, Math.ceil(windowPx / padToPx));
  const [low, high] = network === 'encoder' ? inputRange : ([-1, 1] as const);
  const width = input[3] ?? 1;
  const outWidth = expected[3] ?? 1;
  const graph = await Graph.open(bytes, { threads: 1 });
  let farthest = 0;
  try {
    for (const seed of SEEDS) {
      const next = noiseOf(seed);
      const before = filled(input, () => low + (high - low) * next());
      const after = { ...before, values: before.values.slice() };
      for (let i = 0; i < after.values.length; i += width) {
        after.values[i] = high - (after.values[i] ?? 0) + low;
      }
      const a = (await graph.run(before)).values;
      const b = (await graph.run(after)).values;
      for (const [i, value] of a.entries()) {
        if (Math.abs(value - (b[i] ?? 0)) > CHANGE_MIN) farthest = Math.max(farthest, i % outWidth);
      }
    }
  } finally {
    await graph.release();
  }
  return network === 'encoder' ? farthest * stridePx : Math.max(0, farthest - stridePx + 1);
}

/** Input and output of a network for a window of so many multiples of `padToPx`. */
export function shapesOf(
  { grids, padToPx }: WindowShape,
  network: NetworkName,
  rows: number,
  columns: number,
): { readonly input: number[]; readonly expected: number[] } {
  const { channels, stridePx } = grids[0] ?? { channels: 0, stridePx: 1 };
  const unit = padToPx / stridePx;
  const image = [1, 3, rows * padToPx, columns * padToPx];
  const latent = [1, channels, rows * unit, columns * unit];
  return network === 'encoder'
    ? { input: image, expected: latent }
    : { input: latent, expected: image };
}

export function filled(shape: readonly number[], value: (index: number) => number): GraphTensor {
  const length = shape.reduce((product, side) => product * side, 1);
  return { shape, values: Float32Array.from({ length }, (_, index) => value(index)) };
}

/** Uniform in 0 to 1, the same for a seed. */
export function noiseOf(seed: number): () => number {
  let state = seed * 747796405 + 2891336453;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return state / 2 ** 32;
  };
}
