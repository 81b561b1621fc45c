/**
 * How a picture is cut into bands: full-width runs of rows that are coded one after the other, so that no call holds a
 * whole latent. A band is whole tiles and whole slices, a property of the model alone.
 * @module
 */
import { type Rect, roundUp } from '../image/tiles.js';
import type { Manifest } from '../models/schemas.js';
import { ENTROPY_ENCODE_DEFAULTS } from '../stages/entropy.js';

/** A run of rows of a picture and of its coarsest latent grid; the last may be shorter. */
export interface PictureBand {
  readonly index: number;
  readonly firstRowPx: number;
  readonly rowsPx: number;
  /** In the coarsest latent grid, padding included. */
  readonly firstRow: number;
  readonly rows: number;
}

export interface BandPlan {
  readonly bands: readonly PictureBand[];
  /** Latent rows, of the coarsest grid, of the slices that an encoder makes. */
  readonly sliceRows: number;
}

/**
 * Cuts a picture. A wavelet over the latent grid knows no bands, and tiles that are mixed reach into their neighbours:
 * such a model has one, the whole picture, which still is coded in slices.
 */
export function planBands(
  { grids, padToPx, tilePx, transform, encoder, decoder }: Manifest,
  heightPx: number,
): BandPlan {
  const stridePx = grids[0]?.stridePx ?? 1;
  const tileRows = tilePx / stridePx;
  const sliceRows = sliceRowsOf(tileRows, stridePx / (grids.at(-1)?.stridePx ?? stridePx));
  const gridRows = roundUp(heightPx, padToPx) / stridePx;
  const isWhole = transform?.wavelet || encoder.blend || decoder.blend;
  const bandRows = isWhole ? gridRows : roundUp(tileRows, sliceRows);
  const bands = Array.from({ length: Math.ceil(gridRows / bandRows) }, (_, index) => {
    const firstRow = index * bandRows;
    const firstRowPx = firstRow * stridePx;
    const rows = Math.min(bandRows, gridRows - firstRow);
    return {
      index,
      firstRowPx,
      rowsPx: Math.min(rows * stridePx, heightPx - firstRowPx),
      firstRow,
      rows,
    };
  });
  return { bands, sliceRows };
}

/**
 * The bands, or parts of bands, whose tiles have anything of a region. They begin and end at tiles all the same, so that
 * every tile is what it is in the whole picture.
 */
export function bandsWithin(
  { bands }: BandPlan,
  { grids, tilePx, transform, decoder }: Manifest,
  region: Rect,
): PictureBand[] {
  // A wavelet is undone as a whole, and tiles that are mixed are cut in another way.
  if (transform?.wavelet || decoder.blend) return [...bands];
  const stridePx = grids[0]?.stridePx ?? 1;
  const topPx = region.y - (region.y % tilePx);
  const endPx = roundUp(region.y + region.height, tilePx);
  return bands.flatMap((band) => {
    const skippedPx = Math.max(0, topPx - band.firstRowPx);
    const rowsPx = Math.min(band.rowsPx, endPx - band.firstRowPx) - skippedPx;
    if (rowsPx <= 0) return [];
    const isCut = rowsPx < band.rowsPx - skippedPx;
    return [
      {
        ...band,
        firstRowPx: band.firstRowPx + skippedPx,
        rowsPx,
        firstRow: band.firstRow + skippedPx / stridePx,
        rows: isCut ? rowsPx / stridePx : band.rows - skippedPx / stridePx,
      },
    ];
  });
}

/** Whether these bands are one that is the whole latent, which needs no rows of others. */
export function areWhole(bands: readonly PictureBand[], gridRows: number): boolean {
  return bands.length === 1 && bands[0]?.rows === gridRows;
}

/**
 * As many rows of tiles as fit the usual slice, or an even part of one that is larger.
 * @param ratio rows of the finest grid to one of the coarsest: the usual slice has its rows in the finest
 */
function sliceRowsOf(tileRows: number, ratio: number): number {
  const usual = Math.max(1, Math.floor(ENTROPY_ENCODE_DEFAULTS.sliceRows / ratio));
  if (tileRows <= usual) return usual - (usual % tileRows);
  let rows = usual;
  while (tileRows % rows !== 0) rows--;
  return rows;
}

/**
 * Runs `work` on all items in order, one at a time in every lane. Ends only when no lane works any more, also when one
 * fails: what a lane holds may then be used for something else.
 * @throws what the first lane to fail threw
 */
export async function inLanes<Lane, Item>(
  lanes: readonly Lane[],
  items: readonly Item[],
  work: (lane: Lane, item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  let failure: { readonly error: unknown } | undefined;
  const run = async (lane: Lane) => {
    for (const item of queue) {
      try {
        await work(lane, item);
      } catch (error) {
        failure ??= { error };
      }
      if (failure !== undefined) return;
    }
  };
  await Promise.all(lanes.map(run));
  if (failure !== undefined) throw failure.error;
}
