/**
 * How a picture is cut for a network that sees a bounded neighbourhood: tiles of a fixed size, each run with a
 * margin and cropped. The cut depends on the model alone, so bytes do not depend on the machine.
 * @module
 */

/** A rectangle in one unit, pixels or latent samples. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One tile: `core` is what it contributes, `window` is what the network is run on. Windows contain their cores. */
export interface Tile {
  readonly core: Rect;
  readonly window: Rect;
}

/** Rows at the top and at the bottom of a grid that tiles may see but do not contribute: those of the bands beside it. */
export interface RowMargin {
  readonly above: number;
  readonly below: number;
}

/** Of a grid that stands for itself alone. */
export const NO_MARGIN: RowMargin = { above: 0, below: 0 };

/** Whether two rectangles have anything in common. */
export function overlaps(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** Next multiple of `step` at or above `value`. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/**
 * Cuts a grid of `width` x `height` into cores of `tileSide` with windows reaching `margin` further, clipped to
 * the grid. All in the same unit.
 * @param rowMargin rows of `height` that no core covers
 */
export function planTiles(
  width: number,
  height: number,
  tileSide: number,
  margin: number,
  rowMargin: RowMargin = NO_MARGIN,
): readonly Tile[] {
  const tiles: Tile[] = [];
  const end = height - rowMargin.below;
  for (let y = rowMargin.above; y < end; y += tileSide) {
    for (let x = 0; x < width; x += tileSide) {
      const core = {
        x,
        y,
        width: Math.min(tileSide, width - x),
        height: Math.min(tileSide, end - y),
      };
      tiles.push({ core, window: widen(core, margin, width, height) });
    }
  }
  return tiles;
}

function widen(core: Rect, margin: number, width: number, height: number): Rect {
  const x = Math.max(0, core.x - margin);
  const y = Math.max(0, core.y - margin);
  return {
    x,
    y,
    width: Math.min(width, core.x + core.width + margin) - x,
    height: Math.min(height, core.y + core.height + margin) - y,
  };
}
