/**
 * Whether a model does what its manifest says: files, shapes of any size, finite numbers, the reach of its layers, tiles
 * against the whole, pictures there and back; and how near another model or precision comes to it.
 * @module
 */
import { type Codec, openCodec } from '../codec/open.js';
import { VaeransError } from '../errors.js';
import { readImage } from '../image/file.js';
import { hasAlpha, type PlainPixels } from '../image/pixels.js';
import {
  checkFiles,
  findModel,
  type Model,
  type ModelSearch,
  readModelFile,
} from '../models/registry.js';
import type { Manifest } from '../models/schemas.js';
import { World } from '../pipeline/world.js';
import { measurePsnr } from '../stages/metrics.js';
import { dequantise, quantise } from '../stages/quantise.js';
import { rotate, unrotate } from '../stages/rotate.js';
import { vaeDecode } from '../stages/vae-decode.js';
import { vaeEncode } from '../stages/vae-encode.js';
import { waveletForward, waveletInverse } from '../stages/wavelet.js';
import { Graph } from '../vae/graph.js';
import { decodeModel } from './onnx/read.js';
import { filled, measureReach, type NetworkName, noiseOf, shapesOf } from './reach.js';
import { cropMiddle } from './tune/samples.js';

export interface CheckOptions extends ModelSearch {
  /** Paths of pictures to send there and back; without them a drawn one serves. */
  readonly images?: readonly string[];
  /** Another model, or another precision of this one, to compare with. */
  readonly against?: string;
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

export interface CheckReport {
  readonly name: string;
  readonly modelId: string;
  readonly holds: boolean;
  readonly checks: readonly Check[];
  readonly comparison?: ModelComparison;
}

export interface Check {
  readonly name: string;
  readonly holds: boolean;
  readonly found: string;
}

/** What the other model makes of the same pictures; means over them, the error the largest of all. */
export interface ModelComparison {
  readonly against: string;
  readonly latentCosine: number;
  readonly latentRmse: number;
  readonly latentLargestError: number;
  /** Of one model's decoded picture against the other's. */
  readonly picturePsnrDb: number;
  /** PSNR there and back of this model less that of the other. */
  readonly psnrDifferenceDb: number;
}

/** Crops that pictures are checked on. */
const CROP_PX = 512;
const DRAWN_PX = 200;
const FINE_QUALITY = 80;
/** Where a tile has its margin, only rounding may differ from the whole. */
const TILE_ERROR_MAX = 1e-3;
/** Mixed tiles differ from the whole by what each of them does not see. */
const BLEND_PSNR_MIN = 25;
/** A decoder that gives less of its own encoder's latents belongs to another one. */
const ROUND_TRIP_PSNR_MIN = 10;

/** @throws ModelError when a model is not found; everything else is a check that does not hold */
export async function checkModel(wanted: string, options: CheckOptions = {}): Promise<CheckReport> {
  const model = await findModel(wanted, options);
  const checks: Check[] = [];
  const check = async (
    name: string,
    work: () => Promise<Omit<Check, 'name'>> | Omit<Check, 'name'>,
  ) => {
    try {
      checks.push({ name, ...(await work()) });
    } catch (error) {
      if (!(error instanceof VaeransError) || error.code === 'aborted') throw error;
      checks.push({ name, holds: false, found: error.message });
    }
    return checks.at(-1)?.holds ?? false;
  };
  if (!(await check('files', () => checkHashes(model)))) return reportOf(model, checks);
  const graphs = {
    encoder: await readGraph(model, 'encoder'),
    decoder: await readGraph(model, 'decoder'),
  };
  const checkGraph = (name: string, graph: Uint8Array) =>
    check(`${name} graph`, () => {
      const { nodes, weights } = decodeModel(graph);
      return { holds: true, found: `${nodes.length} nodes, ${weights.length} weights` };
    });
  const { gradient } = model.manifest;
  if (gradient !== undefined) await checkGraph('gradient', await readModelFile(model, gradient));
  for (const network of ['encoder', 'decoder'] as const) {
    await checkGraph(network, graphs[network]);
    // Several latent grids are several tensors; that they fit is seen in the tiles and there and back.
    if (model.manifest.grids.length > 1) continue;
    await check(`${network} shapes`, () => checkShapes(model.manifest, network, graphs[network]));
    await check(`${network} numbers`, () => checkFinite(model.manifest, network, graphs[network]));
    await check(`${network} reach`, () => checkReach(model.manifest, network, graphs[network]));
  }
  const pictures = await readPictures(options.images ?? []);
  await using codec = await openCodec({ ...options, model: model.folder, deterministic: true });
  await check('tiles', () => checkTiles(codec, pictures[0] ?? drawnPicture(DRAWN_PX), options));
  await check('there and back', () => checkRoundTrip(codec, pictures, options));
  if (options.against === undefined) return reportOf(model, checks);
  const other = await findModel(options.against, options);
  await using otherCodec = await openCodec({
    ...options,
    model: other.folder,
    deterministic: true,
  });
  const comparison = await compare(codec, otherCodec, pictures, options);
  return {
    ...reportOf(model, checks),
    comparison: { against: other.manifest.name, ...comparison },
  };
}

function reportOf({ manifest, modelId }: Model, checks: readonly Check[]): CheckReport {
  return { name: manifest.name, modelId, holds: checks.every(({ holds }) => holds), checks };
}

async function checkHashes(model: Model): Promise<Omit<Check, 'name'>> {
  const files = await checkFiles(model);
  const bad = files.filter(({ holds }) => !holds).map(({ file }) => `'${file}'`);
  if (bad.length > 0)
    return { holds: false, found: `not what the manifest names: ${bad.join(', ')}` };
  return { holds: true, found: `${files.length} with the manifest's hashes` };
}

function readGraph(model: Model, network: NetworkName): Promise<Uint8Array> {
  return readModelFile(model, model.manifest[network]);
}

/** Windows of two sizes, neither square, that have to come out in the manifest's stride. */
async function checkShapes(
  manifest: Manifest,
  network: NetworkName,
  bytes: Uint8Array,
): Promise<Omit<Check, 'name'>> {
  const graph = await Graph.open(bytes, { threads: 1 });
  try {
    const found: string[] = [];
    for (const [rows, columns] of [
      [5, 7],
      [8, 3],
    ] as const) {
      const { input, expected } = shapesOf(manifest, network, rows, columns);
      const { shape } = await graph.run(filled(input, () => 0.5));
      found.push(`[${input}] to [${shape}]`);
      if (shape.join() !== expected.join()) {
        return { holds: false, found: `${found.join(', ')}, expected [${expected}]` };
      }
    }
    return { holds: true, found: found.join(', ') };
  } finally {
    await graph.release();
  }
}

/** Black, white, noise, and latents ten times larger than usual. */
async function checkFinite(
  manifest: Manifest,
  network: NetworkName,
  bytes: Uint8Array,
): Promise<Omit<Check, 'name'>> {
  const [low, high] = network === 'encoder' ? manifest.inputRange : ([-10, 10] as const);
  const next = noiseOf(1);
  const inputs = {
    lowest: () => low,
    highest: () => high,
    noise: () => low + (high - low) * next(),
  };
  const graph = await Graph.open(bytes, { threads: 1 });
  try {
    const { input } = shapesOf(manifest, network, 6, 6);
    for (const [name, value] of Object.entries(inputs)) {
      const { values } = await graph.run(filled(input, value));
      const bad = values.findIndex((number) => !Number.isFinite(number));
      if (bad >= 0) return { holds: false, found: `${values[bad]} of ${name}` };
    }
    return { holds: true, found: `finite for ${Object.keys(inputs).join(', ')}` };
  } finally {
    await graph.release();
  }
}

async function checkReach(
  manifest: Manifest,
  network: NetworkName,
  bytes: Uint8Array,
): Promise<Omit<Check, 'name'>> {
  const { marginPx, blend } = manifest[network];
  const found = `tiles are mixed over ${2 * marginPx} px`;
  if (blend) return { holds: true, found: `the whole window; ${found}` };
  const reachPx = await measureReach(bytes, network, manifest, marginPx + 8 * manifest.padToPx);
  return { holds: reachPx <= marginPx, found: `${reachPx} px, margin ${marginPx} px` };
}

async function checkTiles(
  codec: Codec,
  picture: PlainPixels,
  { signal }: CheckOptions,
): Promise<Omit<Check, 'name'>> {
  const world = await codec.world(signal && { signal });
  const { manifest } = world.context.model;
  const { padToPx } = manifest;
  const marginPx = Math.max(manifest.encoder.marginPx, manifest.decoder.marginPx);
  const isBlended = (manifest.encoder.blend ?? manifest.decoder.blend) === true;
  const leastPx = Math.max(64, isBlended ? 4 * marginPx : 0);
  const tilePx = Math.ceil(leastPx / padToPx) * padToPx;
  const sidePx = Math.max(picture.widthPx, picture.heightPx);
  const tested = sidePx > tilePx ? picture : drawnPicture(tilePx + tilePx / 2);
  const cut = { ...manifest, tilePx };
  const tiled = new World(world.core, {
    ...world.context,
    model: { ...world.context.model, manifest: cut },
  });
  const whole = new World(world.core, {
    ...world.context,
    model: {
      ...world.context.model,
      manifest: {
        ...manifest,
        tilePx: Math.ceil(Math.max(tested.widthPx, tested.heightPx) / padToPx) * padToPx,
      },
    },
  });
  const first = await thereAndBack(whole, tested);
  const second = await thereAndBack(tiled, tested);
  const { rmse, largest, size } = errorsOf(first.latent, second.latent);
  const psnrDb = psnrOfBytes(first.rgb, second.rgb);
  const found = `${tilePx} px tiles: latents off by at most ${(largest / size).toExponential(1)} of their size, pictures ${db(psnrDb)} from the whole`;
  if (isBlended) return { holds: psnrDb >= BLEND_PSNR_MIN && rmse < size, found };
  return { holds: largest / size <= TILE_ERROR_MAX, found };
}

async function checkRoundTrip(
  codec: Codec,
  pictures: readonly PlainPixels[],
  { signal }: CheckOptions,
): Promise<Omit<Check, 'name'>> {
  const tested = pictures.length > 0 ? pictures : [drawnPicture(DRAWN_PX)];
  const world = await codec.world(signal && { signal });
  let sum = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const picture of tested) {
    const { psnrDb } = await thereAndBack(world, picture);
    sum += psnrDb;
    least = Math.min(least, psnrDb);
  }
  const mean = sum / tested.length;
  const of = pictures.length > 0 ? `${tested.length} pictures` : 'a drawn picture';
  return {
    holds: least >= ROUND_TRIP_PSNR_MIN,
    found: `${db(mean)} on ${of}, at least ${db(least)}, at quality ${FINE_QUALITY}`,
  };
}

interface Trip {
  readonly latent: Float32Array;
  readonly rgb: Uint8Array;
  readonly psnrDb: number;
}

/**
 * Encodes and decodes as the codec does at a fine quality: a model may be trained with gains that are no reciprocals, and
 * gives something else without them.
 */
export async function thereAndBack(world: World, picture: PlainPixels): Promise<Trip> {
  const entity = world.spawnImage(picture);
  const pipe = world.pipe(entity).to(vaeEncode());
  const { grids } = await pipe.out('Latent');
  const latent = world.arena.gather(grids);
  const { pixels } = await pipe
    .to(rotate())
    .to(waveletForward())
    .to(quantise({ quality: FINE_QUALITY }))
    .to(dequantise())
    .to(waveletInverse())
    .to(unrotate())
    .to(vaeDecode())
    .to(measurePsnr())
    .out('ReconRgb');
  const rgb = world.arena.view(pixels).slice();
  const psnrDb = Number(entity.metadata.get('psnrDb'));
  world.clear();
  return { latent, rgb, psnrDb };
}

async function compare(
  codec: Codec,
  other: Codec,
  pictures: readonly PlainPixels[],
  { signal }: CheckOptions,
): Promise<Omit<ModelComparison, 'against'>> {
  const tested = pictures.length > 0 ? pictures : [drawnPicture(DRAWN_PX)];
  const sums = { cosine: 0, rmse: 0, psnr: 0, difference: 0 };
  let largestError = 0;
  for (const picture of tested) {
    const mine = await thereAndBack(await codec.world(signal && { signal }), picture);
    const theirs = await thereAndBack(await other.world(signal && { signal }), picture);
    const { cosine, rmse, largest } = errorsOf(mine.latent, theirs.latent);
    sums.cosine += cosine;
    sums.rmse += rmse;
    sums.psnr += psnrOfBytes(mine.rgb, theirs.rgb);
    sums.difference += mine.psnrDb - theirs.psnrDb;
    largestError = Math.max(largestError, largest);
  }
  const count = tested.length;
  return {
    latentCosine: sums.cosine / count,
    latentRmse: sums.rmse / count,
    latentLargestError: largestError,
    picturePsnrDb: sums.psnr / count,
    psnrDifferenceDb: sums.difference / count,
  };
}

/** Infinite where the models' latents have not even the same number of samples. */
function errorsOf(
  a: Float32Array,
  b: Float32Array,
): {
  readonly cosine: number;
  readonly rmse: number;
  readonly largest: number;
  readonly size: number;
} {
  if (a.length !== b.length) {
    return {
      cosine: 0,
      rmse: Number.POSITIVE_INFINITY,
      largest: Number.POSITIVE_INFINITY,
      size: 1,
    };
  }
  let [dot, aa, bb, squared, largest] = [0, 0, 0, 0, 0];
  for (const [i, value] of a.entries()) {
    const other = b[i] ?? 0;
    dot += value * other;
    aa += value * value;
    bb += other * other;
    squared += (value - other) ** 2;
    largest = Math.max(largest, Math.abs(value - other));
  }
  const size = Math.sqrt(aa / a.length) || 1;
  return {
    cosine: dot / (Math.sqrt(aa * bb) || 1),
    rmse: Math.sqrt(squared / a.length),
    largest,
    size,
  };
}

function psnrOfBytes(a: Uint8Array, b: Uint8Array): number {
  const squared = a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0);
  return 10 * Math.log10(255 ** 2 / (squared / a.length));
}

function db(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(2)} dB` : 'equal';
}

export async function readPictures(paths: readonly string[]): Promise<PlainPixels[]> {
  const pictures: PlainPixels[] = [];
  for (const path of paths) {
    const picture = await readImage(path);
    const { channels, data } = picture;
    if (hasAlpha(picture) || data instanceof Uint16Array || channels === 2 || channels === 4)
      continue;
    pictures.push(cropMiddle({ ...picture, channels, data }, CROP_PX));
  }
  return pictures;
}

/** Edges and waves in colour, for a machine without pictures. */
export function drawnPicture(sidePx: number): PlainPixels {
  const data = Uint8Array.from({ length: sidePx * sidePx * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % sidePx;
    const y = Math.floor(i / 3 / sidePx);
    const edge = (x >> 5) + (y >> 5) + (i % 3) * 7;
    return 128 + 60 * Math.sin((x + (i % 3) * 9) / 11) * Math.cos(y / 13) + ((edge * 29) % 60) - 30;
  });
  return { widthPx: sidePx, heightPx: sidePx, channels: 3, data };
}
