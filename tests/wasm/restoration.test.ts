import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelError } from '#src/errors.js';
import { Core } from '#src/wasm/core.js';
import { loadCoreModule } from '#src/wasm/load.js';
import { ADJUSTMENT_BYTES, OBSERVED_NUMBERS } from '#src/wasm/restoration.js';

const file = new Uint8Array(await readFile('models/psnr/restoration.bin'));
const [simd, scalar] = await Promise.all(
  (['simd', 'scalar'] as const).map(
    async (build) => new Core(await loadCoreModule(build), 2 ** 22),
  ),
);
if (simd === undefined || scalar === undefined) throw new Error('expected two builds');

const cases = fc.record({
  width: fc.integer({ min: 1, max: 70 }),
  height: fc.integer({ min: 1, max: 20 }),
  seed: fc.nat(),
  rate: fc.integer({ min: 0, max: 4095 }),
  adjustment: fc.option(
    fc.uint8Array({ minLength: ADJUSTMENT_BYTES, maxLength: ADJUSTMENT_BYTES }),
    { nil: undefined },
  ),
});

/** An oblique edge under grain. */
function sample(index: number, width: number, seed: number): number {
  const [x, y] = [Math.floor(index / 3) % width, Math.floor(index / 3 / width)];
  const edge = ((seed % 5) * x + (seed % 7) * y) % 24 > 11 ? 150 : 60;
  return (edge + ((index * 2654435761 + seed) % (1 + (seed % 90)))) & 255;
}

describe('the restoration filter', () => {
  it('gives the same bytes and the same sums in both builds', () => {
    fc.assert(
      fc.property(cases, ({ width, height, seed, rate, adjustment }) => {
        const window = { x: seed % width, y: seed % height, width: 0, height: 0 };
        window.width = 1 + (seed % (width - window.x));
        window.height = 1 + (seed % (height - window.y));
        const results = [simd, scalar].map(({ arena, restoration }) => {
          arena.clear();
          const [picture, original] = [0, 1].map((offset) => {
            const tensor = arena.allocate('u8', [height, width, 3]);
            const view = arena.view(tensor);
            for (let i = 0; i < view.length; i++) view[i] = sample(i, width, seed + offset);
            return tensor;
          });
          if (picture === undefined || original === undefined) throw new Error('expected two');
          const sums = restoration.observe(file, rate, picture, original, window);
          restoration.restore(file, rate, adjustment, picture, window);
          return { bytes: arena.view(picture).slice(), sums };
        });
        expect(results[0]).toEqual(results[1]);
        expect(results[0]?.sums).toHaveLength(OBSERVED_NUMBERS);
      }),
      { numRuns: 150 },
    );
  });

  it('refuses what is no filter, and windows outside of the picture', () => {
    simd.arena.clear();
    const picture = simd.arena.allocate('u8', [4, 4, 3]);
    const window = { x: 0, y: 0, width: 4, height: 4 };
    const { restoration } = simd;
    expect(() => restoration.restore(file.slice(1), 0, undefined, picture, window)).toThrow(
      ModelError,
    );
    expect(() => restoration.observe(file.slice(1), 0, picture, picture, window)).toThrow(
      ModelError,
    );
    const outside = { ...window, x: 1 };
    expect(() => restoration.restore(file, 0, undefined, picture, outside)).toThrow(/core/);
    expect(() => restoration.restore(file, 0, new Uint8Array(22), picture, window)).toThrow(
      'restore: expected an adjustment of 23 bytes, got 22',
    );
  });
});
