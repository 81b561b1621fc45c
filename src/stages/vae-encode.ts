/**
 * Picture to latent: the encoder network over tiles, put together on one global grid. For the inverse see
 * `vaeDecode`.
 * @module
 */
import {
  NO_MARGIN,
  planTiles,
  type Rect,
  type RowMargin,
  roundUp,
  type Tile,
} from '../image/tiles.js';
import { checkInteger } from '../limits.js';
import { SEARCHED_TILE_PX } from '../models/reach.js';
import type { Manifest } from '../models/schemas.js';
import type { GridShape, LatentData } from '../pipeline/components.js';
import type { Stage } from '../pipeline/stage.js';
import type { World } from '../pipeline/world.js';
import { buffersOf } from '../vae/buffers.js';
import type { VaePool } from '../vae/pool.js';
import type { Search } from '../vae/search.js';
import { elementCount, type TensorRef } from '../wasm/arena.js';
import { addLatents, planBlendedTiles, Turns } from './blend.js';
import { withGains } from './quantise.js';
import { runTiles } from './vae-tiles.js';

/** The finest rate. */
const RATE_MAX = 4095;

/** One tile of one picture, in pixels. */
interface EncodeTile {
  readonly picture: TensorRef<'u8'>;
  readonly grids: readonly TensorRef<'f32'>[];
  /** Rows of the picture above the latent's first: those of the band before. */
  readonly rowsAbove: number;
  /** What the tile contributes, what the network sees, and the part of that which the picture covers. */
  readonly core: Rect;
  readonly window: Rect;
  readonly covered: Rect;
}

/** [channels, height, width] of every latent grid of a picture, coarse to fine, padding included. */
export function latentShapes(
  { grids, padToPx }: Manifest,
  widthPx: number,
  heightPx: number,
): GridShape[] {
  return grids.map(({ channels, stridePx }) => [
    channels,
    roundUp(heightPx, padToPx) / stridePx,
    roundUp(widthPx, padToPx) / stridePx,
  ]);
}

export interface VaeEncodeOptions {
  /** Where better latents are to be searched for than the network's; the model has to have a gradient's graph. */
  readonly search?: {
    /** That the latent will be quantised at: integer, 0 to 4095. */
    readonly rate: number;
    /** 1 to 1,000; each costs three to seven runs of the decoder network. */
    readonly rounds: number;
  };
}

/** Pixels that are searched at once. */
const SEARCHED_PIXELS_MAX = 640 * 640;

/** Side of the tiles that a picture or band is searched in, rows around it left out. */
export function searchedTilePx({ tilePx }: Manifest, widthPx: number, heightPx: number): number {
  const isOne = Math.max(widthPx, heightPx) <= tilePx && widthPx * heightPx <= SEARCHED_PIXELS_MAX;
  return isOne ? tilePx : Math.min(tilePx, SEARCHED_TILE_PX);
}

/** Pixels of the largest window that a picture is searched in. */
export function searchedWindowPixels(
  { padToPx, tilePx, encoder }: Manifest,
  widthPx: number,
  heightPx: number,
): number {
  const around = 2 * roundUp(encoder.marginPx, padToPx);
  const most = Math.max(
    SEARCHED_PIXELS_MAX + around * tilePx,
    (Math.min(tilePx, SEARCHED_TILE_PX) + around) ** 2,
  );
  return Math.min(most, roundUp(widthPx, padToPx) * roundUp(heightPx, padToPx));
}

/**
 * Makes the `Latent` of every picture. A window with a side below the gradient's least is not searched.
 * @throws UsageError when rate or rounds are out of range
 */
export function vaeEncode({ search: asked }: VaeEncodeOptions = {}): Stage<'Rgb', 'Latent'> {
  if (asked !== undefined) {
    checkInteger('vaeEncode: rate', asked.rate, 0, RATE_MAX);
    checkInteger('vaeEncode: rounds', asked.rounds, 1, 1000);
  }
  return {
    name: 'vaeEncode',
    requires: ['Rgb'],
    produces: ['Latent'],
    canRun: (entity) => entity.has('Rgb'),
    async run(entities, world) {
      const { manifest } = world.context.model;
      const tiles: EncodeTile[] = [];
      const made: LatentData[] = [];
      let pixels = 0;
      for (const entity of entities) {
        const { pixels: picture, margin = NO_MARGIN } = entity.get('Rgb');
        const [rows = 0, widthPx = 0] = picture.shape;
        const heightPx = rows - margin.above - margin.below;
        const grids = latentShapes(manifest, widthPx, heightPx).map((shape) =>
          world.arena.allocate('f32', shape),
        );
        made.push({ grids, widthPx, heightPx });
        const tilePx = asked ? searchedTilePx(manifest, widthPx, heightPx) : manifest.tilePx;
        tiles.push(...cutPicture({ ...manifest, tilePx }, picture, grids, margin));
        pixels += widthPx * heightPx;
      }
      const pool = world.context.vae(pixels);
      if (manifest.encoder.blend) {
        for (const grid of made.flatMap(({ grids }) => grids)) world.arena.view(grid).fill(0);
      }
      const turns = new Turns();
      const search = asked && searchOf(asked, world);
      const inferenceMs = await runTiles(tiles, pool, world, (tile) =>
        encodeTile(tile, search, world, pool, turns),
      );
      // Only now: a run that was cut short leaves no half of a latent behind.
      for (const [index, latent] of made.entries()) entities[index]?.add('Latent', latent);
      return { inferenceMs, tiles: tiles.length };
    },
  };
}

function cutPicture(
  { padToPx, tilePx, encoder }: Manifest,
  picture: TensorRef<'u8'>,
  grids: readonly TensorRef<'f32'>[],
  { above, below }: RowMargin,
): EncodeTile[] {
  const [rows = 0, widthPx = 0] = picture.shape;
  const paddedWidthPx = roundUp(widthPx, padToPx);
  const paddedRows = roundUp(rows, padToPx);
  const marginPx = roundUp(encoder.marginPx, padToPx);
  const tiles = encoder.blend
    ? planBlendedTiles(
        paddedWidthPx / padToPx,
        paddedRows / padToPx,
        tilePx / padToPx,
        marginPx / padToPx,
      ).map((tile) => scaleTile(tile, padToPx))
    : // Bands begin at tiles, so only the picture's last rows are padded: in its last band or in the margin below another.
      planTiles(paddedWidthPx, paddedRows, tilePx, marginPx, {
        above,
        below: roundUp(below, padToPx),
      });
  return tiles.map(({ core, window }) => ({
    picture,
    grids,
    rowsAbove: above,
    core,
    window,
    covered: {
      ...window,
      width: Math.min(window.width, widthPx - window.x),
      height: Math.min(window.height, rows - window.y),
    },
  }));
}

function searchOf({ rate, rounds }: NonNullable<VaeEncodeOptions['search']>, world: World): Search {
  let gains = new Float32Array();
  withGains('logGain', rate, world, (all) => {
    gains = world.arena.view(all).slice();
  });
  return { gains, rate: rate / RATE_MAX, rounds };
}

async function encodeTile(
  tile: EncodeTile,
  search: Search | undefined,
  world: World,
  pool: VaePool,
  turns: Turns,
): Promise<number> {
  const { picture, covered, window } = tile;
  const { leastSidePx = 1 } = world.context.model.manifest.gradient ?? {};
  const isSearchable = Math.min(window.width, window.height) >= leastSidePx;
  const turn = turns.take();
  try {
    const { latents, inferenceMs } = await pool.encode(
      {
        kind: 'encode',
        sources: [cutOut(world.arena.view(picture), picture, covered, pool)],
        sourceWidthPx: covered.width,
        sourceHeightPx: covered.height,
        windowWidthPx: window.width,
        windowHeightPx: window.height,
        search: isSearchable ? search : undefined,
      },
      world.context.signal,
    );
    // Where tiles are mixed, their order shows in the last bit.
    await turn.before;
    for (const values of latents) placeLatents(values, tile, world);
    pool.buffers.give(buffersOf(latents));
    return inferenceMs;
  } finally {
    turn.end();
  }
}

function scaleTile({ core, window }: Tile, factor: number): Tile {
  const scale = ({ x, y, width, height }: Rect): Rect => ({
    x: x * factor,
    y: y * factor,
    width: width * factor,
    height: height * factor,
  });
  return { core: scale(core), window: scale(window) };
}

/** A rectangle of an interleaved RGB picture in a buffer of its own, to be transferred. */
function cutOut(
  rgb: Uint8Array,
  picture: TensorRef<'u8'>,
  rect: Rect,
  { buffers }: VaePool,
): Uint8Array {
  const rowStride = picture.strides[0] ?? 0;
  const rowBytes = rect.width * 3;
  const out = new Uint8Array(buffers.take(rowBytes * rect.height));
  for (let row = 0; row < rect.height; row++) {
    const start = (rect.y + row) * rowStride + rect.x * 3;
    out.set(rgb.subarray(start, start + rowBytes), row * rowBytes);
  }
  return out;
}

/** Puts a tile's latents, one grid after the other, in their places. */
function placeLatents(latents: Float32Array, tile: EncodeTile, world: World): void {
  let at = 0;
  for (const [index, { channels, stridePx }] of world.context.model.manifest.grids.entries()) {
    const length = (channels * tile.window.width * tile.window.height) / stridePx ** 2;
    const grid = tile.grids[index];
    if (grid !== undefined) {
      placeGrid(latents.subarray(at, at + length), tile, grid, stridePx, world);
    }
    at += length;
  }
}

/** Puts a tile's latents of one grid, margin cut off, in their place on the global grid. */
function placeGrid(
  latents: Float32Array,
  tile: EncodeTile,
  latent: TensorRef<'f32'>,
  stridePx: number,
  world: World,
): void {
  const { arena, core } = world;
  const { window } = tile;
  // The only tile of its picture: nothing to cut off, nothing to put together.
  const isWhole = tile.core.width === window.width && tile.core.height === window.height;
  if (isWhole && latents.length === elementCount(latent.shape)) {
    arena.view(latent).set(latents);
    return;
  }
  const { encoder, padToPx } = world.context.model.manifest;
  const [channels = 0, height = 0, width = 0] = latent.shape;
  if (encoder.blend) {
    const margin = roundUp(encoder.marginPx, padToPx) / stridePx;
    const grid = [channels, height, width] as const;
    addLatents(latents, scaleTile(tile, 1 / stridePx), margin, arena.view(latent), grid);
    return;
  }
  arena.scope(() => {
    const shape = [channels, window.height / stridePx, window.width / stridePx];
    const scratch = arena.allocate('f32', shape);
    arena.view(scratch).set(latents);
    core.copyWindow(
      scratch,
      {
        x: (tile.core.x - window.x) / stridePx,
        y: (tile.core.y - window.y) / stridePx,
        width: tile.core.width / stridePx,
        height: tile.core.height / stridePx,
      },
      latent,
      tile.core.x / stridePx,
      (tile.core.y - tile.rowsAbove) / stridePx,
    );
  });
}
