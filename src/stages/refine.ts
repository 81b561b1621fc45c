/**
 * Analysis by synthesis: what the networks lose between them is added to the coefficients before they are quantised. An
 * encoder's business; a decoder sees symbols like any others.
 * @module
 */
import { NO_MARGIN, roundUp } from '../image/tiles.js';
import { checkInteger, checkRange } from '../limits.js';
import type { RgbData, WaveletPyramidData } from '../pipeline/components.js';
import type { Entity } from '../pipeline/entity.js';
import type { Stage } from '../pipeline/stage.js';
import type { World } from '../pipeline/world.js';
import { type TensorRef, tensorByteLength } from '../wasm/arena.js';
import { withGains } from './quantise.js';
import { rotate, unrotate } from './rotate.js';
import { vaeDecode } from './vae-decode.js';
import { vaeEncode } from './vae-encode.js';
import { waveletForward, waveletInverse } from './wavelet.js';

export interface RefineOptions {
  /** Of the quantiser that follows: its gains and their inverses are on the way to the decoder network. */
  readonly rate: number;
  /** 1 to 8; each runs the decoder network and the encoder network once. */
  readonly rounds?: number;
  /** How much of the difference is added, 0 to 1. */
  readonly strength?: number;
}

/**
 * For squared error. What `compress` does with it at every rate, and why, is in codec/effort.ts.
 */
export const REFINE_DEFAULTS = { rounds: 1, strength: 0.8 } as const satisfies Omit<
  RefineOptions,
  'rate'
>;

/**
 * Replaces the `WaveletPyramid` of `Rgb` by one whose decoded picture comes out of the encoder network nearer to it.
 * @throws UsageError when an option is out of range
 */
export function refine(options: RefineOptions): Stage<'Rgb' | 'WaveletPyramid', 'WaveletPyramid'> {
  const { rate, rounds, strength } = { ...REFINE_DEFAULTS, ...options };
  checkInteger('refine: rate', rate, 0, 4095);
  checkInteger('refine: rounds', rounds, 1, 8);
  checkRange('refine: strength', strength, 0, 1);
  return {
    name: 'refine',
    requires: ['Rgb', 'WaveletPyramid'],
    produces: ['WaveletPyramid'],
    canRun: (entity) => entity.has('Rgb', 'WaveletPyramid'),
    async run(entities, world) {
      for (const entity of entities) {
        entity.add('WaveletPyramid', await refined(entity, rate, rounds, strength, world));
      }
      return { rounds };
    },
  };
}

/** Bytes that a round leaves in the arena, of a picture or band with so many pixels, margin included, and such latents. */
export function refineByteLength(
  latentShapes: readonly (readonly number[])[],
  rgbShape: readonly number[],
): number {
  const latent = latentShapes.reduce((sum, shape) => sum + tensorByteLength('f32', shape), 0);
  return 5 * latent + 2 * tensorByteLength('u8', rgbShape);
}

async function refined(
  entity: Entity<'Rgb' | 'WaveletPyramid'>,
  rate: number,
  rounds: number,
  strength: number,
  world: World,
): Promise<WaveletPyramidData> {
  const { arena } = world;
  const [rgb, wanted] = [entity.get('Rgb'), entity.get('WaveletPyramid')];
  const [first, last] = rowsToRefine(rgb, wanted, world);
  const grids = wanted.grids.map((grid) => arena.copy(grid));
  const coarsestRows = planes(grids[0]).height;
  for (let round = 0; round < rounds; round++) {
    const got = await analysed(await synthesised({ ...wanted, grids }, rate, world), rgb, world);
    for (const [grid, values] of grids.entries()) {
      const [from, to] = [got[grid], wanted.grids[grid]];
      if (from === undefined || to === undefined) continue;
      const { channels, height, width } = planes(values);
      const rows = width * (height / coarsestRows);
      const [into, fromView, toView] = [arena.view(values), arena.view(from), arena.view(to)];
      for (let channel = 0; channel < channels; channel++) {
        const plane = channel * height * width;
        for (let at = plane + first * rows; at < plane + last * rows; at++) {
          into[at] = Number(into[at]) + strength * (Number(toView[at]) - Number(fromView[at]));
        }
      }
    }
  }
  return { ...wanted, grids };
}

/** The picture of coefficients that are scaled as quantiser and dequantiser would, but not rounded. */
async function synthesised(
  pyramid: WaveletPyramidData,
  rate: number,
  world: World,
): Promise<TensorRef<'u8'>> {
  const { arena } = world;
  const grids = pyramid.grids.map((grid) => arena.copy(grid));
  for (const table of ['logGain', 'logInverseGain'] as const) {
    withGains(table, rate, world, (_gains, gainsOf) => {
      for (const [grid, scaled] of grids.entries()) {
        const { height, width } = planes(scaled);
        const view = arena.view(scaled);
        for (const [channel, gain] of arena.view(gainsOf(grid)).entries()) {
          const plane = channel * height * width;
          for (let at = plane; at < plane + height * width; at++) {
            view[at] = Number(view[at]) * gain;
          }
        }
      }
    });
  }
  const { pixels } = await world
    .pipe(world.newEntity().add('WaveletPyramid', { ...pyramid, grids, quant: { rate } }))
    .to(waveletInverse())
    .to(unrotate())
    .to(vaeDecode())
    .out('ReconRgb');
  return pixels;
}

/** The coefficients of a decoded picture, which has the original's rows beside it where that is a band. */
async function analysed(
  picture: TensorRef<'u8'>,
  original: RgbData,
  world: World,
): Promise<readonly TensorRef<'f32'>[]> {
  const { arena } = world;
  const pixels = arena.copy(original.pixels);
  const rowBytes = (original.pixels.shape[1] ?? 0) * 3;
  const first = (original.margin ?? NO_MARGIN).above * rowBytes;
  arena.view(pixels).set(arena.view(picture), first);
  const pyramid = await world
    .pipe(world.newEntity().add('Rgb', { ...original, pixels }))
    .to(vaeEncode())
    .to(rotate())
    .to(waveletForward())
    .out('WaveletPyramid');
  return pyramid.grids;
}

/** From which row of the coarsest grid to which: near the edge to another band the decoder network would need that band's latent. */
function rowsToRefine(
  { margin = NO_MARGIN }: RgbData,
  { grids: latents, levels }: WaveletPyramidData,
  { context }: World,
): [first: number, last: number] {
  const { encoder, decoder, grids } = context.model.manifest;
  const stridePx = grids[0]?.stridePx ?? 1;
  const reach = roundUp(encoder.marginPx + decoder.marginPx, stridePx) / stridePx;
  const { height } = planes(latents[0]);
  const isBand = margin.above > 0 || margin.below > 0;
  if (isBand && levels > 0) return [0, 0];
  return [margin.above > 0 ? reach : 0, margin.below > 0 ? height - reach : height];
}

function planes(tensor: TensorRef | undefined): {
  channels: number;
  height: number;
  width: number;
} {
  const [channels = 0, height = 0, width = 0] = tensor?.shape ?? [];
  return { channels, height, width };
}
