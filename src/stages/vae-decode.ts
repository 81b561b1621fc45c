/**
 * Latent to picture: the decoder network over tiles with their margin, each cropped, written in its place and, where the
 * model has a filter for it, restored.
 * For the inverse see `vaeEncode`.
 * @module
 */
import {
  NO_MARGIN,
  overlaps,
  planTiles,
  type Rect,
  type RowMargin,
  roundUp,
  type Tile,
} from '../image/tiles.js';
import { RESTORATION_REACH_PX } from '../models/reach.js';
import type { Manifest } from '../models/schemas.js';
import type { QuantParams, RgbData } from '../pipeline/components.js';
import type { Stage } from '../pipeline/stage.js';
import type { World } from '../pipeline/world.js';
import { buffersOf } from '../vae/buffers.js';
import type { VaePool } from '../vae/pool.js';
import { elementCount, type TensorRef } from '../wasm/arena.js';
import { BlendedPicture, planBlendedTiles } from './blend.js';
import { runTiles } from './vae-tiles.js';

/** One tile of one picture. */
interface DecodeTile {
  readonly grids: readonly TensorRef<'f32'>[];
  /** How the latent was quantised, where it was. */
  readonly quant: QuantParams | undefined;
  /** Of the band, in latent rows. */
  readonly rowMargin: RowMargin;
  readonly picture: TensorRef<'u8'>;
  /** What the network sees, in samples of the coarsest grid. */
  readonly window: Rect;
  /** What the tile contributes to the picture, in pixels of the picture, padding cut off. */
  readonly corePx: Rect;
  /** The same, counted from the window's corner. */
  readonly cropPx: Rect;
  /** Where tiles are mixed: the tile on the coarsest grid, and the picture to mix it into. */
  readonly blend?: { readonly tile: Tile; readonly into: BlendedPicture };
}

export interface VaeDecodeOptions {
  /** The part of the picture or band that is wanted: tiles that have nothing of it are left black. */
  readonly region?: Rect | undefined;
}

/** Makes the `ReconRgb` of every latent. */
export function vaeDecode({ region }: VaeDecodeOptions = {}): Stage<'Latent', 'ReconRgb'> {
  return {
    name: 'vaeDecode',
    requires: ['Latent'],
    produces: ['ReconRgb'],
    canRun: (entity) => entity.has('Latent'),
    async run(entities, world) {
      const { manifest } = world.context.model;
      const tiles: DecodeTile[] = [];
      const made: RgbData[] = [];
      let pixels = 0;
      for (const entity of entities) {
        const { grids, widthPx, heightPx, margin = NO_MARGIN, quant } = entity.get('Latent');
        const picture = world.arena.allocate('u8', [heightPx, widthPx, 3]);
        made.push({ pixels: picture });
        const cut = cutLatent(manifest, grids, picture, margin);
        const all = cut.map((tile) => ({ ...tile, quant, rowMargin: margin }));
        const wanted = region ? all.filter(({ corePx }) => overlaps(corePx, region)) : all;
        if (wanted.length < all.length) world.arena.view(picture).fill(0);
        tiles.push(...wanted);
        pixels += widthPx * heightPx;
      }
      const pool = world.context.vae(pixels);
      const inferenceMs = await runTiles(tiles, pool, world, (tile) =>
        decodeTile(tile, world, pool),
      );
      const blended = new Map(tiles.map(({ picture, blend }) => [picture, blend?.into]));
      for (const [picture, into] of blended) into?.writeTo(world.arena.view(picture));
      // Only now: a run that was cut short leaves no half of a picture behind.
      for (const [index, picture] of made.entries()) entities[index]?.add('ReconRgb', picture);
      return { inferenceMs, tiles: tiles.length };
    },
  };
}

function cutLatent(
  { grids: [coarsest], tilePx, decoder }: Manifest,
  grids: readonly TensorRef<'f32'>[],
  picture: TensorRef<'u8'>,
  rowMargin: RowMargin,
): Omit<DecodeTile, 'quant' | 'rowMargin'>[] {
  const stridePx = coarsest?.stridePx ?? 1;
  const [, gridHeight = 0, gridWidth = 0] = grids[0]?.shape ?? [];
  const [heightPx = 0, widthPx = 0] = picture.shape;
  const margin = roundUp(decoder.marginPx, stridePx) / stridePx;
  if (decoder.blend && Math.max(gridWidth, gridHeight) > tilePx / stridePx) {
    const into = new BlendedPicture(widthPx, heightPx);
    const mixed = planBlendedTiles(gridWidth, gridHeight, tilePx / stridePx, margin);
    return mixed.map((tile) => {
      const { x, y, width, height } = scaleRect(tile.window, stridePx);
      const corePx = {
        x,
        y,
        width: Math.min(width, widthPx - x),
        height: Math.min(height, heightPx - y),
      };
      const cropPx = { ...corePx, x: 0, y: 0 };
      return { grids, picture, window: tile.window, corePx, cropPx, blend: { tile, into } };
    });
  }
  const tiles = planTiles(gridWidth, gridHeight, tilePx / stridePx, margin, rowMargin);
  return tiles.map(({ core, window }) => {
    const x = core.x * stridePx;
    const y = (core.y - rowMargin.above) * stridePx;
    const width = Math.min(core.width * stridePx, widthPx - x);
    const height = Math.min(core.height * stridePx, heightPx - y);
    const corePx = { x, y, width, height };
    const cropPx = {
      ...corePx,
      x: (core.x - window.x) * stridePx,
      y: (core.y - window.y) * stridePx,
    };
    return { grids, picture, window, corePx, cropPx };
  });
}

async function decodeTile(tile: DecodeTile, world: World, pool: VaePool): Promise<number> {
  const { picture, window, corePx, blend } = tile;
  const { width: windowWidthPx, height: windowHeightPx } = scaleRect(
    window,
    world.context.model.manifest.grids[0]?.stridePx ?? 1,
  );
  const around = aroundOf(tile, windowWidthPx, windowHeightPx, world);
  const cropPx = grown(tile.cropPx, around);
  const { pictures, inferenceMs } = await pool.decode(
    {
      kind: 'decode',
      latents: [cutOutLatents(tile, world, pool)],
      windowWidthPx,
      windowHeightPx,
      cropX: cropPx.x,
      cropY: cropPx.y,
      cropWidthPx: cropPx.width,
      cropHeightPx: cropPx.height,
    },
    world.context.signal,
  );
  for (const rgb of pictures) {
    if (blend !== undefined) blendPixels(rgb, tile, blend, world);
    else if (around === undefined) placePixels(rgb, world.arena.view(picture), picture, corePx);
    else restorePixels(rgb, tile, cropPx, around, world);
  }
  pool.buffers.give(buffersOf(pictures));
  return inferenceMs;
}

/** Pixels of the network's picture around a tile's own. */
interface Around {
  readonly left: number;
  readonly right: number;
  readonly above: number;
  readonly below: number;
}

/** What a filter has to see around a tile, where there is a filter: nothing beyond an edge of the picture but padding. */
function aroundOf(
  { quant, picture, corePx, cropPx, rowMargin }: DecodeTile,
  windowWidthPx: number,
  windowHeightPx: number,
  { context }: World,
): Around | undefined {
  if (context.tables.restoration === undefined || quant === undefined) return undefined;
  const [heightPx = 0, widthPx = 0] = picture.shape;
  const least = (...there: number[]) => Math.min(RESTORATION_REACH_PX, ...there);
  const inWindow = {
    right: windowWidthPx - cropPx.x - cropPx.width,
    below: windowHeightPx - cropPx.y - cropPx.height,
  };
  const rowsBelow = heightPx - corePx.y - corePx.height;
  return {
    left: least(cropPx.x),
    right: least(inWindow.right, widthPx - corePx.x - corePx.width),
    above: least(cropPx.y),
    // Where there are more rows, of this band or the next, the window's are taken: as many whatever part of a band is decoded.
    below: rowsBelow > 0 || rowMargin.below > 0 ? least(inWindow.below) : 0,
  };
}

function grown({ x, y, width, height }: Rect, around: Around | undefined): Rect {
  if (around === undefined) return { x, y, width, height };
  const { left, right, above, below } = around;
  return {
    x: x - left,
    y: y - above,
    width: left + width + right,
    height: above + height + below,
  };
}

/** Filters a tile with what is around it, and writes its own pixels in their place. */
function restorePixels(
  rgb: Uint8Array,
  { quant, picture, corePx }: DecodeTile,
  { width, height }: Rect,
  { left, above }: Around,
  { arena, core, context }: World,
): void {
  const { restoration } = context.tables;
  if (restoration === undefined || quant === undefined) return;
  arena.scope(() => {
    const tile = arena.allocate('u8', [height, width, 3]);
    arena.view(tile).set(rgb);
    const whole = { x: 0, y: 0, width, height };
    core.restoration.restore(restoration, quant.rate, quant.adjustment, tile, whole);
    const rows = arena.view(tile).subarray(3 * (above * width + left));
    placePixels(rows, arena.view(picture), picture, corePx, 3 * width);
  });
}

/** A window of every latent grid, all channels, one after the other in a buffer of its own, to be transferred. */
function cutOutLatents(
  { grids, window }: DecodeTile,
  { arena, core }: World,
  { buffers }: VaePool,
): Float32Array {
  const [, rows = 0] = grids[0]?.shape ?? [];
  const parts = grids.map((grid) => {
    const [channels = 0, height = 0, width = 0] = grid.shape;
    const part = scaleRect(window, height / rows);
    const isWhole = part.width === width && part.height === height;
    return { grid, part, shape: [channels, part.height, part.width], isWhole };
  });
  const length = parts.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const out = new Float32Array(buffers.take(Float32Array.BYTES_PER_ELEMENT * length));
  let at = 0;
  for (const { grid, part, shape, isWhole } of parts) {
    if (isWhole) {
      out.set(arena.view(grid), at);
    } else {
      arena.scope(() => {
        const scratch = arena.allocate('f32', shape);
        core.copyWindow(grid, part, scratch, 0, 0);
        out.set(arena.view(scratch), at);
      });
    }
    at += elementCount(shape);
  }
  return out;
}

function blendPixels(
  rgb: Uint8Array,
  { grids: latents, corePx }: DecodeTile,
  { tile, into }: NonNullable<DecodeTile['blend']>,
  { context }: World,
): void {
  const { grids, decoder } = context.model.manifest;
  const stridePx = grids[0]?.stridePx ?? 1;
  const [, height = 0, width = 0] = latents[0]?.shape ?? [];
  const tilePx = {
    core: scaleRect(tile.core, stridePx),
    window: scaleRect(tile.window, stridePx),
  };
  const marginPx = roundUp(decoder.marginPx, stridePx);
  into.add(rgb, corePx, tilePx, marginPx, [height * stridePx, width * stridePx]);
}

function scaleRect({ x, y, width, height }: Rect, factor: number): Rect {
  return { x: x * factor, y: y * factor, width: width * factor, height: height * factor };
}

/** @param fromStride bytes from a row of `rgb` to the next */
function placePixels(
  rgb: Uint8Array,
  into: Uint8Array,
  picture: TensorRef<'u8'>,
  rect: Rect,
  fromStride: number = rect.width * 3,
): void {
  const rowStride = picture.strides[0] ?? 0;
  const rowBytes = rect.width * 3;
  for (let row = 0; row < rect.height; row++) {
    const start = (rect.y + row) * rowStride + rect.x * 3;
    into.set(rgb.subarray(row * fromStride, row * fromStride + rowBytes), start);
  }
}
