import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addLatents, BlendedPicture, planBlendedTiles, Turns } from '#src/stages/blend.js';

const grids = fc
  .record({
    width: fc.integer({ min: 1, max: 90 }),
    height: fc.integer({ min: 1, max: 90 }),
    margin: fc.integer({ min: 1, max: 4 }),
  })
  .chain((grid) =>
    fc.integer({ min: 4 * grid.margin, max: 40 }).map((tileSide) => ({ ...grid, tileSide })),
  );

describe('tiles that are mixed', () => {
  it('give back a latent that all of them agree on', () => {
    fc.assert(
      fc.property(grids, ({ width, height, tileSide, margin }) => {
        const grid = new Float32Array(width * height);
        for (const tile of planBlendedTiles(width, height, tileSide, margin)) {
          const { width: across, height: down, x, y } = tile.window;
          const latents = Float32Array.from({ length: across * down }, (_, i) =>
            valueAt(x + (i % across), y + Math.floor(i / across)),
          );
          addLatents(latents, tile, margin, grid, [1, height, width]);
        }
        const worst = grid.reduce(
          (most, value, i) =>
            Math.max(most, Math.abs(value - valueAt(i % width, Math.floor(i / width)))),
          0,
        );
        expect(worst).toBeLessThan(1e-4);
      }),
    );
  });

  it('give back a picture that all of them agree on, to the level, in any order', () => {
    fc.assert(
      fc.property(grids, fc.boolean(), ({ width, height, tileSide, margin }, isReversed) => {
        const blend = new BlendedPicture(width, height);
        const tiles = [...planBlendedTiles(width, height, tileSide, margin)];
        for (const tile of isReversed ? tiles.reverse() : tiles) {
          const { width: across, height: down, x, y } = tile.window;
          const rgb = Uint8Array.from({ length: across * down * 3 }, (_, i) => {
            const place = Math.floor(i / 3);
            return sampleAt(x + (place % across), y + Math.floor(place / across), i % 3);
          });
          blend.add(rgb, tile.window, tile, margin, [height, width]);
        }
        const picture = new Uint8Array(width * height * 3);
        blend.writeTo(picture);
        const expected = picture.map((_, i) => {
          const place = Math.floor(i / 3);
          return sampleAt(place % width, Math.floor(place / width), i % 3);
        });
        expect(Buffer.compare(picture, expected)).toBe(0);
      }),
    );
  });

  it('are of about equal size, none of them a sliver', () => {
    const tiles = planBlendedTiles(1030, 512, 1024, 64);
    expect(tiles.map(({ core }) => [core.width, core.height])).toEqual([
      [515, 512],
      [515, 512],
    ]);
  });

  it('go from one to the next without a step', () => {
    const blend = new BlendedPicture(64, 1);
    for (const [index, tile] of planBlendedTiles(64, 1, 32, 8).entries()) {
      const rgb = new Uint8Array(tile.window.width * 3).fill(index === 0 ? 0 : 160);
      blend.add(rgb, tile.window, tile, 8, [1, 64]);
    }
    const picture = new Uint8Array(64 * 3);
    blend.writeTo(picture);
    const steps = picture.slice(3).map((value, i) => Math.abs(value - (picture[i] ?? 0)));
    expect(Math.max(...steps)).toBeLessThanOrEqual(10);
    expect([picture[0], picture.at(-1)]).toEqual([0, 160]);
  });
});

it('work that ends in any order goes on in the order in which it was begun', async () => {
  const turns = new Turns();
  const order: number[] = [];
  const works = [30, 0, 10].map(async (delayMs, index) => {
    const turn = turns.take();
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await turn.before;
    order.push(index);
    turn.end();
  });
  await Promise.all(works);
  expect(order).toEqual([0, 1, 2]);
});

function valueAt(x: number, y: number): number {
  return Math.sin(x / 3) + y / 10;
}

function sampleAt(x: number, y: number, colour: number): number {
  return (x * 7 + y * 13 + colour * 50) & 255;
}
