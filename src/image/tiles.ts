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

/** Next multiple of `step` at or above `value`. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/**
 * Cuts a grid of `width` x `height` into cores of `tileSide` with windows reaching `margin` further, clipped to
 * the grid. All in the same unit.
 */
export function planTiles(
  width: number,
  height: number,
  tileSide: number,
  margin: number,
): readonly Tile[] {
  const tiles: Tile[] = [];
  for (let y = 0; y < height; y += tileSide) {
    for (let x = 0; x < width; x += tileSide) {
      const core = {
        x,
        y,
        width: Math.min(tileSide, width - x),
        height: Math.min(tileSide, height - y),
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
