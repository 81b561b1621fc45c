/**
 * How much memory a call will hold at once, reckoned before any of it is taken (DESIGN section 7), and how many bands and
 * tiles may be worked on side by side within the limit. None of that changes a byte of what comes out.
 * @module
 */
import { type Rect, roundUp } from '../image/tiles.js';
import { checkPlannedMemory, type Limits } from '../limits.js';
import type { Manifest } from '../models/schemas.js';
import type { GridShape } from '../pipeline/components.js';
import { sliceArenaByteLength } from '../slices/protocol.js';
import { latentShapes, searchedWindowPixels } from '../stages/vae-encode.js';
import { IDLE_BYTES_MAX } from '../vae/buffers.js';
import { type Dtype, elementCount, tensorByteLength } from '../wasm/arena.js';
import { areWhole, type BandPlan, bandsWithin, planBands } from './bands.js';

/** What a call will hold. */
export interface MemoryPlan {
  /** One arena for every world of the call. */
  readonly arenaByteLengths: readonly number[];
  /** Tiles that inference works on or waits for. */
  readonly tilesInFlight: number;
  /** Arenas, what lies beside them, and what the inference threads take. */
  readonly totalByteLength: number;
}

/** The picture and its bands, as both directions reckon with them. */
export interface PlannedPicture {
  readonly manifest: Manifest;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly bandPlan: BandPlan;
  readonly pixels: number;
  /** Tiles that a network is run on. */
  readonly tiles: number;
}

/** @param region what is wanted of the picture; all of it where left out */
export function planPicture(
  manifest: Manifest,
  widthPx: number,
  heightPx: number,
  region: Rect = { x: 0, y: 0, width: widthPx, height: heightPx },
): PlannedPicture {
  const { tilePx } = manifest;
  const tilesOf = (start: number, length: number) =>
    Math.ceil((start + length) / tilePx) - Math.floor(start / tilePx);
  const plan = planBands(manifest, heightPx);
  return {
    manifest,
    widthPx,
    heightPx,
    bandPlan: { ...plan, bands: bandsWithin(plan, manifest, region) },
    // Of the whole picture: a region is decoded by the provider that would decode all of it, so that it is a part of that.
    pixels: widthPx * heightPx,
    tiles: tilesOf(region.x, region.width) * tilesOf(region.y, region.height),
  };
}

/** Beside what is counted by name: alignment, gain tables, the coder's rows. */
const SLACK_BYTES = 1 << 20;

/** onnxruntime and its thread with the default model loaded, measured as resident memory over a bare Node and rounded up. */
const RUNTIME_BYTES = 64 * 2 ** 20;

/** A thread of JavaScript with an instance of the core and a context model. */
const THREAD_BYTES = 8 * 2 ** 20;

/** f32 planes of a window where a manifest does not say: the default model's, measured and doubled. */
const ACTIVATION_PLANES = 8;

/** Room of the coder for one symbol that no table holds: its coded form, its place and its context. */
const CODED_SYMBOL_MAX_BYTES = 12;

/**
 * Takes the most lanes and tiles in flight that the limit leaves room for.
 * @param lanes bands side by side that would keep all threads busy
 * @param depth tiles in flight that would
 * @throws LimitError when even one band with one tile in flight is too much
 */
export function fitPlan(
  reckon: (lanes: number, tilesInFlight: number) => MemoryPlan,
  lanes: number,
  depth: number,
  limits: Limits,
): MemoryPlan {
  let plan = reckon(lanes, depth);
  const isOver = () => plan.totalByteLength > limits.maxMemoryBytes;
  for (let fewer = lanes - 1; fewer > 0 && isOver(); fewer--) plan = reckon(fewer, depth);
  for (let fewer = depth - 1; fewer > 0 && isOver(); fewer--) plan = reckon(1, fewer);
  checkPlannedMemory('codec', plan.totalByteLength, limits);
  return plan;
}

/** Bands to be worked on side by side: while one is coded, the tiles of others keep the threads busy. */
export function lanesFor({ manifest, widthPx, bandPlan }: PlannedPicture, depth: number): number {
  const tilesPerBand = Math.ceil(widthPx / manifest.tilePx);
  return Math.min(bandPlan.bands.length, 1 + Math.ceil(depth / tilesPerBand));
}

/** @param heldByteLength of the picture where the caller holds it whole, or of the file that its rows come from */
export function planCompress(
  picture: PlannedPicture,
  lanes: number,
  tilesInFlight: number,
  heldByteLength: number,
): MemoryPlan {
  const { manifest, widthPx, heightPx, bandPlan } = picture;
  const { sliceRows } = bandPlan;
  const bandPx = bandPlan.bands[0]?.rowsPx ?? 0;
  const marginPx = roundUp(manifest.encoder.marginPx, manifest.padToPx);
  const rows = tensorByteLength('u8', [Math.min(heightPx, bandPx + 2 * marginPx), widthPx, 3]);
  const shapes = latentShapes(manifest, widthPx, bandPx);
  const bandSymbols = symbolsOf(shapes);
  const sliceShare = Math.min(1, sliceRows / (shapes[0]?.[1] ?? 1));
  // What the coder may write at worst; of that most pages are never touched.
  const coded = 2 * bandSymbols + CODED_SYMBOL_MAX_BYTES * bandSymbols * sliceShare;
  const tile = planTile(picture);
  const arena =
    rows +
    byteLengthOf('f32', shapes) * (1 + transformsOf(manifest)) +
    byteLengthOf('i16', shapes) +
    waveletScratch(manifest, shapes) +
    coded +
    tile.latent +
    SLACK_BYTES;
  // Coded slices wait for the last one and are then put together: a byte a symbol, twice.
  const payload = 2 * symbolsOf(latentShapes(manifest, widthPx, heightPx));
  const held = heldByteLength + (lanes + 1) * rows;
  return {
    arenaByteLengths: new Array<number>(lanes).fill(arena),
    tilesInFlight,
    totalByteLength:
      lanes * arena +
      held +
      payload +
      tilesInFlight * tile.byteLength +
      travelling(tilesInFlight, tile.travelByteLength) +
      RUNTIME_BYTES,
  };
}

/**
 * @param pictureByteLength of the picture where it is given out whole, else 0
 * @param sliceThreads that decode slices; without them slices have the first arena, where there are several bands
 */
export function planDecompress(
  picture: PlannedPicture,
  lanes: number,
  tilesInFlight: number,
  latent: { readonly slices: readonly Uint8Array[]; readonly sliceRows: number },
  pictureByteLength: number,
  sliceThreads = 0,
): MemoryPlan {
  const { manifest, widthPx, heightPx, bandPlan } = picture;
  const wholeShapes = latentShapes(manifest, widthPx, heightPx);
  const gridHeight = wholeShapes[0]?.[1] ?? 1;
  /** Of so many rows of the coarsest grid. */
  const shapesOf = (rows: number) =>
    wholeShapes.map(
      ([channels, height, width]): GridShape => [
        channels,
        (height * Math.min(gridHeight, rows)) / gridHeight,
        width,
      ],
    );
  const { bands } = bandPlan;
  const bandPx = Math.max(...bands.map((band) => band.rowsPx));
  const bandRows = Math.max(...bands.map((band) => band.rows));
  const margin = marginRows(manifest);
  const shapes = shapesOf(bandRows + 2 * margin);
  const rows = tensorByteLength('u8', [bandPx, widthPx, 3]);
  const isOneBand = areWhole(bands, gridHeight);
  const tile = planTile(picture);
  const byteLengths = latent.slices.map(({ length }) => tensorByteLength('u8', [length]));
  const codedByteLength = byteLengths.reduce((sum, byteLength) => sum + byteLength, 0);
  const lane =
    byteLengthOf('i16', shapes) +
    byteLengthOf('f32', shapes) * (1 + transformsOf(manifest)) +
    waveletScratch(manifest, shapes) +
    rows +
    (isOneBand ? codedByteLength : 0) +
    tile.latent +
    SLACK_BYTES;
  const sliceShapes = shapesOf(latent.sliceRows);
  const slice = byteLengthOf('i16', sliceShapes);
  const decoder = sliceArenaByteLength(Math.max(...byteLengths), sliceShapes);
  const arenaByteLengths = new Array<number>(lanes).fill(lane);
  if (!isOneBand && sliceThreads === 0) arenaByteLengths.unshift(decoder);
  const slicesHeld = Math.ceil((lanes * bandRows + 2 * margin) / latent.sliceRows) + 1;
  // Rows and symbols outside of arenas, twice: memory that is left is collected some time later.
  const loose = 2 * (rows + (isOneBand ? 0 : slicesHeld * slice));
  return {
    arenaByteLengths,
    tilesInFlight,
    totalByteLength:
      arenaByteLengths.reduce((sum, byteLength) => sum + byteLength, 0) +
      sliceThreads * (decoder + THREAD_BYTES) +
      codedByteLength +
      pictureByteLength +
      // What blending adds up to before it is rounded, 16 bits a sample.
      (manifest.decoder.blend ? 2 * rows : 0) +
      loose +
      tilesInFlight * tile.byteLength +
      travelling(tilesInFlight, tile.travelByteLength) +
      RUNTIME_BYTES,
  };
}

/** Buffers that lie idle between two tiles, one of each kind for each tile in flight and the one before it. */
function travelling(tilesInFlight: number, byteLength: number): number {
  return Math.min(IDLE_BYTES_MAX, 2 * tilesInFlight * byteLength);
}

function byteLengthOf(dtype: Dtype, shapes: readonly GridShape[]): number {
  return shapes.reduce((sum, shape) => sum + tensorByteLength(dtype, shape), 0);
}

function symbolsOf(shapes: readonly GridShape[]): number {
  return shapes.reduce((sum, shape) => sum + elementCount(shape), 0);
}

/** Latent rows, of the coarsest grid, around a band that the decoder network needs to see. */
export function marginRows({ grids, decoder }: Manifest): number {
  const stridePx = grids[0]?.stridePx ?? 1;
  return roundUp(decoder.marginPx, stridePx) / stridePx;
}

/** Tensors that the transforms make beside the one they are given. */
function transformsOf({ transform }: Manifest): number {
  return (
    (transform?.channel && transform.channel !== 'none' ? 1 : 0) + (transform?.wavelet ? 1 : 0)
  );
}

/** Half of the largest plane: the rows that a level of the wavelet lifts before they have their place. */
function waveletScratch({ transform }: Manifest, shapes: readonly GridShape[]): number {
  const planes = shapes.map(([, height, width]) => tensorByteLength('f32', [height, width]));
  return transform?.wavelet ? Math.max(...planes) / 2 : 0;
}

/** What a search takes beside one tile in flight: symbols, gradient, moments and slopes, and what the graph holds. */
export function searchByteLength({ manifest, widthPx, heightPx }: PlannedPicture): number {
  const { activationPlanes = 0 } = manifest.gradient ?? {};
  const samples = manifest.grids.reduce(
    (sum, { channels, stridePx }) => sum + channels / stridePx ** 2,
    0,
  );
  const pixels = searchedWindowPixels(manifest, widthPx, heightPx);
  return pixels * Float32Array.BYTES_PER_ELEMENT * (5 * samples + activationPlanes);
}

/** The largest window: its latent, all that one in flight takes, and the buffers in which it travels to and fro. */
function planTile({ manifest, widthPx, heightPx }: PlannedPicture): {
  readonly latent: number;
  readonly byteLength: number;
  readonly travelByteLength: number;
} {
  const { padToPx, tilePx, encoder, decoder } = manifest;
  const marginPx = roundUp(Math.max(encoder.marginPx, decoder.marginPx), padToPx);
  const windowWidthPx = Math.min(roundUp(widthPx, padToPx), tilePx + 2 * marginPx);
  const windowHeightPx = Math.min(roundUp(heightPx, padToPx), tilePx + 2 * marginPx);
  const windowLatent = byteLengthOf('f32', latentShapes(manifest, windowWidthPx, windowHeightPx));
  // In the arena a tile's latent is cut out, and later its picture is filtered.
  const filtered = manifest.restoration
    ? tensorByteLength('u8', [windowHeightPx, windowWidthPx, 3])
    : 0;
  const latent = Math.max(windowLatent, filtered);
  const plane = 4 * windowWidthPx * windowHeightPx;
  const activationPlanes = Math.max(
    encoder.activationPlanes ?? ACTIVATION_PLANES,
    decoder.activationPlanes ?? ACTIVATION_PLANES,
  );
  return {
    latent,
    byteLength: latent + plane * (1 + 3 + activationPlanes),
    travelByteLength: latent + (3 * plane) / 4,
  };
}
