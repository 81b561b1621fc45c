/**
 * The latent of a picture, band by band: coded as it is made, or kept for as many codings as a search asks for.
 * @module
 */
import type { EntropyCoder } from '../container/layout.js';
import type { PixelSource } from '../image/pixel-rows.js';
import { roundUp } from '../image/tiles.js';
import type { SymbolsData, WaveletPyramidData } from '../pipeline/components.js';
import type { Entity } from '../pipeline/entity.js';
import type { World } from '../pipeline/world.js';
import { entropyEncode } from '../stages/entropy.js';
import { quantise } from '../stages/quantise.js';
import { refine, refineByteLength } from '../stages/refine.js';
import { rotate } from '../stages/rotate.js';
import { latentShapes, searchedTilePx, vaeEncode } from '../stages/vae-encode.js';
import { waveletForward } from '../stages/wavelet.js';
import { adjustmentOf, isAdjustable, observeBand, observeByteLength } from './adjustment.js';
import { BandReader } from './band-reader.js';
import { inLanes } from './bands.js';
import {
  choosingOf,
  NO_REFINEMENT,
  type Refinement,
  refinementOf,
  refinementOfKept,
} from './effort.js';
import type { CompressOptions } from './options.js';
import {
  fitPlan,
  lanesFor,
  type MemoryPlan,
  type PlannedPicture,
  planCompress,
  searchByteLength,
} from './plan.js';
import type { Job } from './planes.js';

/** A picture on its way through the model: everything but how fine. */
export interface ModelJob extends Job {
  readonly options: CompressOptions;
  readonly picture: PlannedPicture;
}

/** The latent stream of a file. */
export interface CodedLatents {
  readonly rate: number;
  /** Bytes of their own, from the top. */
  readonly slices: readonly Uint8Array[];
  readonly sliceRows: number;
  readonly coder: EntropyCoder;
  /** What the model's restoration filter is adjusted by, where that is worth its bytes. */
  readonly adjustment?: Uint8Array | undefined;
}

/** A band as the quantiser takes it, out of the arena. */
interface LatentBand {
  readonly pyramid: Omit<WaveletPyramidData, 'grids'>;
  readonly grids: readonly { readonly shape: readonly number[]; readonly values: Float32Array }[];
}

interface CodedBand {
  readonly slices: readonly Uint8Array[];
  readonly coder: EntropyCoder;
  /** Sums for the filter's adjustment. */
  readonly observed?: Float64Array | undefined;
}

/** Runs the encoder network and codes each band at once, so that no call holds more of the latent than that. */
export async function codeAtRate(
  job: ModelJob,
  source: PixelSource,
  rate: number,
): Promise<CodedLatents> {
  const { sliceRows } = job.picture.bandPlan;
  const spawn = spawnerOf(job, source);
  const { manifest, widthPx, heightPx } = job.picture;
  const isSearchable = Math.min(widthPx, heightPx) >= (manifest.gradient?.leastSidePx ?? 1);
  const asked = (isSearchable ? refinementOf : refinementOfKept)(manifest, job.options, rate);
  const adjusts = asked.adjusts && isAdjustable(job.picture.pixels);
  const refinement = { ...asked, adjusts };
  const code = async (world: World, index: number) => {
    const picture = await spawn(world, index);
    const pyramid = await analysed(picture, world, rate, refinement);
    const symbols = await quantised(pyramid, rate, sliceRows, world, refinement.lambda);
    const coded = await codeBand(symbols, sliceRows, world);
    if (!refinement.adjusts) return coded;
    return { ...coded, observed: await observeBand(picture.get('Rgb'), symbols, world) };
  };
  const bands = await eachBand(job, code, refinement);
  const coded = joined(bands, rate, sliceRows);
  const byteLength = coded.slices.reduce((sum, { length }) => sum + length, 0);
  const sums = bands.flatMap((band) => band.observed ?? []);
  return { ...coded, adjustment: adjustmentOf(sums, byteLength, source.channels) };
}

/** What the encoder network made of a picture. */
export interface KeptLatents {
  readonly bands: readonly LatentBand[];
  readonly byteLength: number;
  /** Whether they were refined, where the effort asks for that. */
  readonly isRefined: boolean;
}

/**
 * Runs the encoder network once, for all codings.
 * @param refineAt a rate near to those of the codings, where what it gives is to be refined as the effort asks
 */
export async function keepLatents(
  job: ModelJob,
  source: PixelSource,
  refineAt?: number,
): Promise<KeptLatents> {
  const spawn = spawnerOf(job, source);
  const refinement =
    refineAt === undefined
      ? NO_REFINEMENT
      : refinementOfKept(job.opened.model.manifest, job.options, refineAt);
  const keep = async (world: World, index: number): Promise<LatentBand> => {
    const analysis = await analysed(await spawn(world, index), world, refineAt ?? 0, refinement);
    const { grids, ...pyramid } = analysis;
    const kept = grids.map((grid) => ({
      shape: grid.shape,
      values: world.arena.view(grid).slice(),
    }));
    return { pyramid, grids: kept };
  };
  const bands = await eachBand(job, keep, { ...refinement, adjusts: false });
  const byteLength = bands
    .flatMap(({ grids }) => grids)
    .reduce((sum, { values }) => sum + values.byteLength, 0);
  return { bands, byteLength, isRefined: refineAt !== undefined };
}

/** Codes what was kept. */
export async function codeKept(
  job: ModelJob,
  { bands, isRefined }: KeptLatents,
  rate: number,
): Promise<CodedLatents> {
  const { manifest } = job.opened.model;
  const { lambda } = (isRefined ? refinementOfKept : choosingOf)(manifest, job.options, rate);
  const { sliceRows } = job.picture.bandPlan;
  const coded = await eachBand(job, async (world, index) => {
    const band = bands[index];
    if (band === undefined) throw new RangeError(`latents: expected band ${index}, got none`);
    const grids = band.grids.map(({ shape, values }) => {
      const grid = world.arena.allocate('f32', shape);
      world.arena.view(grid).set(values);
      return grid;
    });
    const pyramid = { ...band.pyramid, grids };
    const symbols = await quantised(pyramid, rate, sliceRows, world, lambda);
    return codeBand(symbols, sliceRows, world);
  });
  return joined(coded, rate, sliceRows);
}

/** Reads bands in their order, each into a world. */
function spawnerOf(
  { picture }: ModelJob,
  source: PixelSource,
): (world: World, index: number) => Promise<Entity<'Rgb'>> {
  const { manifest, bandPlan } = picture;
  const reader = new BandReader(source, roundUp(manifest.encoder.marginPx, manifest.padToPx));
  return async (world, index) => {
    const band = bandPlan.bands[index];
    if (band === undefined) throw new RangeError(`latents: expected band ${index}, got none`);
    const { pixels, margin } = await reader.read(band);
    return world.spawnImage(pixels, margin);
  };
}

/** Runs `work` on every band, several side by side, each in a world of its own that is empty again afterwards. */
async function eachBand<T>(
  { codec, opened, picture, options, heldByteLength }: ModelJob,
  work: (world: World, index: number) => Promise<T>,
  refinement: Refinement = NO_REFINEMENT,
): Promise<T[]> {
  const depth = codec.depthFor(opened, picture.pixels);
  const plan = fitPlan(
    (lanes, tiles) =>
      withRefinement(planCompress(picture, lanes, tiles, heldByteLength), picture, refinement),
    lanesFor(picture, depth),
    depth,
    codec.limits,
  );
  const results: T[] = [];
  const tiles = tilesRun(picture, refinement);
  await codec.withWorlds(opened, plan, { ...picture, tiles }, options, (worlds) =>
    inLanes(worlds, picture.bandPlan.bands, async (world, { index }) => {
      results[index] = await work(world, index);
      world.clear();
    }),
  );
  return results;
}

/** What the quantiser takes of a band, searched for or refined at a rate where there are rounds of that. */
function analysed(
  picture: Entity<'Rgb'>,
  world: World,
  rate: number,
  { searchRounds, rounds, strength }: Refinement,
): Promise<WaveletPyramidData> {
  const search = searchRounds > 0 ? { search: { rate, rounds: searchRounds } } : {};
  const pipe = world.pipe(picture).to(vaeEncode(search)).to(rotate()).to(waveletForward());
  const refined = rounds > 0 ? pipe.to(refine({ rate, rounds, strength })) : pipe;
  return refined.out('WaveletPyramid');
}

function quantised(
  pyramid: WaveletPyramidData,
  rate: number,
  sliceRows: number,
  world: World,
  lambda: number,
): Promise<SymbolsData> {
  return world
    .pipe(world.newEntity().add('WaveletPyramid', pyramid))
    .to(quantise({ rate, lambda, sliceRows }))
    .out('Symbols');
}

async function codeBand(symbols: SymbolsData, sliceRows: number, world: World): Promise<CodedBand> {
  const { slices, coder } = await world
    .pipe(world.newEntity().add('Symbols', symbols))
    .to(entropyEncode({ sliceRows }))
    .out('Bitstream');
  return { slices: slices.map((slice) => world.arena.view(slice).slice()), coder };
}

function joined(bands: readonly CodedBand[], rate: number, sliceRows: number): CodedLatents {
  const coder = bands[0]?.coder ?? 'static';
  return { rate, coder, sliceRows, slices: bands.flatMap((band) => band.slices) };
}

/** Tiles that networks are run on: for each round there and back, and once more to observe what is decoded. */
function tilesRun(picture: PlannedPicture, { searchRounds, rounds, adjusts }: Refinement): number {
  const { tiles } = picture;
  const encoded = searchRounds > 0 ? searchedTiles(picture) : tiles;
  return encoded + tiles * (2 * rounds + Number(adjusts));
}

function searchedTiles({ manifest, widthPx, bandPlan }: PlannedPicture): number {
  return bandPlan.bands.reduce((sum, { rowsPx }) => {
    const tilePx = searchedTilePx(manifest, widthPx, rowsPx);
    return sum + Math.ceil(widthPx / tilePx) * Math.ceil(rowsPx / tilePx);
  }, 0);
}

/** What refining and observing leave in the arena of every lane, and what the search takes beside a tile. */
function withRefinement(
  plan: MemoryPlan,
  picture: PlannedPicture,
  { searchRounds, rounds, adjusts }: Refinement,
): MemoryPlan {
  if (searchRounds === 0 && rounds === 0 && !adjusts) return plan;
  const { manifest, widthPx, bandPlan } = picture;
  const marginPx = 2 * roundUp(manifest.encoder.marginPx, manifest.padToPx);
  const rowsPx = (bandPlan.bands[0]?.rowsPx ?? 0) + marginPx;
  const shapes = latentShapes(manifest, widthPx, rowsPx);
  const rgbShape = [rowsPx, widthPx, 3];
  const bytes =
    rounds * refineByteLength(shapes, rgbShape) +
    (adjusts ? observeByteLength(shapes, rgbShape) : 0);
  return {
    ...plan,
    arenaByteLengths: plan.arenaByteLengths.map((byteLength) => byteLength + bytes),
    totalByteLength:
      plan.totalByteLength +
      plan.arenaByteLengths.length * bytes +
      (searchRounds > 0 ? plan.tilesInFlight * searchByteLength(picture) : 0),
  };
}
