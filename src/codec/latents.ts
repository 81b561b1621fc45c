/**
 * The latent of a picture, band by band: coded as it is made, or kept for as many codings as a search asks for.
 * @module
 */
import type { EntropyCoder } from '../container/layout.js';
import type { PixelSource } from '../image/pixel-rows.js';
import { roundUp } from '../image/tiles.js';
import type { WaveletPyramidData } from '../pipeline/components.js';
import type { World } from '../pipeline/world.js';
import { entropyEncode } from '../stages/entropy.js';
import { quantise } from '../stages/quantise.js';
import { rotate } from '../stages/rotate.js';
import { vaeEncode } from '../stages/vae-encode.js';
import { waveletForward } from '../stages/wavelet.js';
import { type BandPixels, BandReader } from './band-reader.js';
import { inLanes } from './bands.js';
import { fitPlan, lanesFor, type PlannedPicture, planCompress } from './plan.js';
import type { Job } from './planes.js';

/** A picture on its way through the model: everything but how fine. */
export interface ModelJob extends Job {
  readonly picture: PlannedPicture;
}

/** The latent stream of a file. */
export interface CodedLatents {
  readonly rate: number;
  /** Bytes of their own, from the top. */
  readonly slices: readonly Uint8Array[];
  readonly sliceRows: number;
  readonly coder: EntropyCoder;
}

/** A band as the quantiser takes it, out of the arena. */
interface LatentBand {
  readonly pyramid: Omit<WaveletPyramidData, 'values'>;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

interface CodedBand {
  readonly slices: readonly Uint8Array[];
  readonly coder: EntropyCoder;
}

/** Runs the encoder network and codes each band at once, so that no call holds more of the latent than that. */
export async function codeAtRate(
  job: ModelJob,
  source: PixelSource,
  rate: number,
): Promise<CodedLatents> {
  const { sliceRows } = job.picture.bandPlan;
  const reader = readerOf(job, source);
  const coded = await eachBand(job, async (world, index) => {
    const pyramid = await analyse(await reader(index), world);
    return codeBand(pyramid, rate, sliceRows, world);
  });
  return joined(coded, rate, sliceRows);
}

/** Runs the encoder network once, for all codings. */
export function keepLatents(job: ModelJob, source: PixelSource): Promise<readonly LatentBand[]> {
  const reader = readerOf(job, source);
  return eachBand(job, async (world, index) => {
    const { values, ...pyramid } = await analyse(await reader(index), world);
    return { pyramid, shape: values.shape, values: world.arena.view(values).slice() };
  });
}

/** Codes what was kept. */
export async function codeKept(
  job: ModelJob,
  kept: readonly LatentBand[],
  rate: number,
): Promise<CodedLatents> {
  const { sliceRows } = job.picture.bandPlan;
  const coded = await eachBand(job, (world, index) => {
    const band = kept[index];
    if (band === undefined) throw new RangeError(`latents: expected band ${index}, got none`);
    const values = world.arena.allocate('f32', band.shape);
    world.arena.view(values).set(band.values);
    return codeBand({ ...band.pyramid, values }, rate, sliceRows, world);
  });
  return joined(coded, rate, sliceRows);
}

function readerOf(
  { picture }: ModelJob,
  source: PixelSource,
): (index: number) => Promise<BandPixels> {
  const { manifest, bandPlan } = picture;
  const reader = new BandReader(source, roundUp(manifest.encoder.marginPx, manifest.padToPx));
  return (index) => {
    const band = bandPlan.bands[index];
    if (band === undefined) throw new RangeError(`latents: expected band ${index}, got none`);
    return reader.read(band);
  };
}

/** Runs `work` on every band, several side by side, each in a world of its own that is empty again afterwards. */
async function eachBand<T>(
  { codec, opened, picture, options, heldByteLength }: ModelJob,
  work: (world: World, index: number) => Promise<T>,
): Promise<T[]> {
  const depth = codec.depthFor(opened, picture.pixels);
  const plan = fitPlan(
    (lanes, tiles) => planCompress(picture, lanes, tiles, heldByteLength),
    lanesFor(picture, depth),
    depth,
    codec.limits,
  );
  const results: T[] = [];
  await codec.withWorlds(opened, plan, picture, options, (worlds) =>
    inLanes(worlds, picture.bandPlan.bands, async (world, { index }) => {
      results[index] = await work(world, index);
      world.clear();
    }),
  );
  return results;
}

function analyse({ pixels, margin }: BandPixels, world: World): Promise<WaveletPyramidData> {
  return world
    .pipe(world.spawnImage(pixels, margin))
    .to(vaeEncode())
    .to(rotate())
    .to(waveletForward())
    .out('WaveletPyramid');
}

async function codeBand(
  pyramid: WaveletPyramidData,
  rate: number,
  sliceRows: number,
  world: World,
): Promise<CodedBand> {
  const { slices, coder } = await world
    .pipe(world.newEntity().add('WaveletPyramid', pyramid))
    .to(quantise({ rate }))
    .to(entropyEncode({ sliceRows }))
    .out('Bitstream');
  return { slices: slices.map((slice) => world.arena.view(slice).slice()), coder };
}

function joined(bands: readonly CodedBand[], rate: number, sliceRows: number): CodedLatents {
  const coder = bands[0]?.coder ?? 'static';
  return { rate, coder, sliceRows, slices: bands.flatMap((band) => band.slices) };
}
