/**
 * Tiles of a network that sees its whole window at once, by group norm or attention: neighbours overlap, and are mixed
 * over the overlap with weights that add up to one at every sample.
 * @module
 */
import type { Rect, Tile } from '../image/tiles.js';

/** Weights of pictures add up to 16 along each side, so that 256 times a sample still fits 16 bits. */
const PICTURE_UNIT = 16;

/**
 * Cuts a grid into cores of about equal size with windows reaching `margin` further: a sliver at the end would be a
 * window of its own kind. All in one unit, which the cut keeps to whole.
 * @param tileSide largest side of a core, at least four margins
 */
export function planBlendedTiles(
  width: number,
  height: number,
  tileSide: number,
  margin: number,
): readonly Tile[] {
  const columns = cutEvenly(width, tileSide);
  return cutEvenly(height, tileSide).flatMap(([y, rows]) =>
    columns.map(([x, across]) => {
      const left = Math.max(0, x - margin);
      const top = Math.max(0, y - margin);
      return {
        core: { x, y, width: across, height: rows },
        window: {
          x: left,
          y: top,
          width: Math.min(width, x + across + margin) - left,
          height: Math.min(height, y + rows + margin) - top,
        },
      };
    }),
  );
}

function cutEvenly(length: number, tileSide: number): (readonly [start: number, length: number])[] {
  const side = Math.ceil(length / Math.ceil(length / tileSide));
  const count = Math.ceil(length / side);
  return Array.from({ length: count }, (_, index) => [
    index * side,
    Math.min(side, length - index * side),
  ]);
}

/** Weights of one side of a window: a straight rise over each border that has a neighbour behind it. */
function ramp(
  window: readonly [start: number, length: number],
  core: readonly [start: number, length: number],
  gridLength: number,
  margin: number,
  unit: number,
): number[] {
  const rise = (at: number, border: number) => {
    const share = Math.min(1, Math.max(0, (at - border + margin + 0.5) / (2 * margin)));
    return unit === 1 ? share : Math.round(unit * share);
  };
  const [start, length] = core;
  const end = start + length;
  return Array.from({ length: window[1] }, (_, index) => {
    const at = window[0] + index;
    if (start > 0 && at < start + margin) return rise(at, start);
    if (end < gridLength && at >= end - margin) return unit - rise(at, end);
    return unit;
  });
}

/**
 * Adds a tile's latents, weighted, to the grid. Sums of floats depend on their order: call it tile by tile.
 * @param latents [channels, window.height, window.width]
 * @param grid f32 [channels, height, width], zero before the first tile
 */
export function addLatents(
  latents: Float32Array,
  { core, window }: Tile,
  margin: number,
  grid: Float32Array,
  [channels, height, width]: readonly [number, number, number],
): void {
  const across = ramp([window.x, window.width], [core.x, core.width], width, margin, 1);
  const down = ramp([window.y, window.height], [core.y, core.height], height, margin, 1);
  let from = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < window.height; row++) {
      const weight = down[row] ?? 0;
      const to = (channel * height + window.y + row) * width + window.x;
      for (let column = 0; column < window.width; column++, from++) {
        const added = (latents[from] ?? 0) * weight * (across[column] ?? 0);
        grid[to + column] = (grid[to + column] ?? 0) + added;
      }
    }
  }
}

/** A picture that tiles are mixed into: sums of whole numbers, so that the order of tiles does not matter. */
export class BlendedPicture {
  readonly #sums: Uint16Array;
  readonly #widthPx: number;

  constructor(widthPx: number, heightPx: number) {
    this.#sums = new Uint16Array(widthPx * heightPx * 3);
    this.#widthPx = widthPx;
  }

  /**
   * @param rgb interleaved [covered.height, covered.width, 3]
   * @param covered the part of the window that lies in the picture; it starts where the window starts
   * @param tile in pixels of the padded grid
   */
  add(
    rgb: Uint8Array,
    covered: Rect,
    { core, window }: Tile,
    marginPx: number,
    [gridHeightPx, gridWidthPx]: readonly [number, number],
  ): void {
    const unit = PICTURE_UNIT;
    const across = ramp(
      [window.x, window.width],
      [core.x, core.width],
      gridWidthPx,
      marginPx,
      unit,
    );
    const down = ramp(
      [window.y, window.height],
      [core.y, core.height],
      gridHeightPx,
      marginPx,
      unit,
    );
    let from = 0;
    for (let row = 0; row < covered.height; row++) {
      let to = ((covered.y + row) * this.#widthPx + covered.x) * 3;
      for (let column = 0; column < covered.width; column++) {
        const weight = (down[row] ?? 0) * (across[column] ?? 0);
        for (let colour = 0; colour < 3; colour++, from++, to++) {
          this.#sums[to] = (this.#sums[to] ?? 0) + weight * (rgb[from] ?? 0);
        }
      }
    }
  }

  /** The mixed picture, once every tile was added. @param into u8 [height, width, 3] */
  writeTo(into: Uint8Array): void {
    const half = PICTURE_UNIT ** 2 / 2;
    for (let i = 0; i < into.length; i++) {
      into[i] = ((this.#sums[i] ?? 0) + half) >> 8;
    }
  }
}

/** Lets work that ends in any order go on in the order in which it was begun. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** @returns the turn before this one, and what ends this one; it has to be called, however the work ends */
  take(): { readonly before: Promise<void>; readonly end: () => void } {
    const before = this.#last;
    let end: () => void = () => {};
    this.#last = new Promise((resolve) => {
      end = resolve;
    });
    return { before, end };
  }
}
