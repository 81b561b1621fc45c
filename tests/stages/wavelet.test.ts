import { type Codec, UsageError, type World, waveletForward, waveletInverse } from 'vaerans';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { subbandsOf } from '#src/stages/wavelet.js';
import { only, openFixtureCodec } from '../pipeline/fixture.js';

let codec: Codec;
let world: World;
beforeAll(async () => {
  codec = await openFixtureCodec();
  world = await codec.world({ arenaByteLength: 4 << 20 });
});
beforeEach(() => world.clear());
afterAll(() => codec.close());

function rotatedEntity(height: number, width: number, valueAt: (at: number) => number) {
  const values = world.arena.allocate('f32', [2, height, width]);
  const view = world.arena.view(values);
  view.set(view.map((_, at) => valueAt(at)));
  return world
    .newEntity()
    .add('Rotated', { grids: [values], widthPx: 4 * width, heightPx: 4 * height });
}

it('without levels passes the tensor on, not copied, with an index of one band', async () => {
  const entity = rotatedEntity(3, 5, (at) => at);
  const pyramid = await world.pipe(entity).to(waveletForward()).out('WaveletPyramid');
  expect(only(pyramid.grids)).toBe(only(entity.get('Rotated').grids));
  expect(pyramid).toMatchObject({ kind: 'cdf53', levels: 0 });
  expect(pyramid.subbands).toEqual([
    { level: 0, orientation: 'LL', x: 0, y: 0, width: 5, height: 3 },
  ]);
});

it.each(['cdf53', 'haar'] as const)('%s is undone at every size and depth', async (kind) => {
  for (const [height, width] of [
    [1, 1],
    [1, 6],
    [5, 1],
    [13, 9],
  ] as const) {
    for (const levels of [1, 2, 10]) {
      const entity = rotatedEntity(height, width, (at) => 30 * Math.sin(at * 2.1));
      const forward = world.pipe(entity).to(waveletForward({ kind, levels }));
      const pyramid = await forward.out('WaveletPyramid');
      const alone = world.newEntity().add('WaveletPyramid', pyramid);
      const back = await world.pipe(alone).to(waveletInverse()).out('Rotated');
      const before = world.arena.view(only(entity.get('Rotated').grids));
      for (const [at, value] of world.arena.view(only(back.grids)).entries()) {
        expect(value, `${kind} ${levels} ${width}x${height}`).toBeCloseTo(before[at] ?? NaN, 3);
      }
    }
  }
});

it('of a constant has nothing outside the approximation', async () => {
  const entity = rotatedEntity(8, 8, () => 5);
  const pyramid = await world
    .pipe(entity)
    .to(waveletForward({ levels: 2 }))
    .out('WaveletPyramid');
  const view = world.arena.view(only(pyramid.grids));
  const [approximation] = pyramid.subbands;
  if (approximation === undefined) throw new Error('a pyramid has an approximation');
  for (const [at, value] of view.subarray(0, 64).entries()) {
    const inside = at % 8 < approximation.width && Math.floor(at / 8) < approximation.height;
    expect(Math.abs(value) > 1e-4, `sample ${at}`).toBe(inside);
  }
});

it('indexes subbands that cover the plane once, from coarse to fine', () => {
  for (let width = 1; width <= 9; width++) {
    for (let height = 1; height <= 9; height++) {
      for (const levels of [0, 1, 3, 10]) {
        const covered = new Uint8Array(width * height);
        const bands = subbandsOf(width, height, levels);
        for (const band of bands) {
          for (let y = band.y; y < band.y + band.height; y++) {
            for (let x = band.x; x < band.x + band.width; x++) {
              covered[y * width + x] = (covered[y * width + x] ?? 0) + 1;
            }
          }
        }
        expect([...covered], `${width}x${height} ${levels}`).toEqual(Array(width * height).fill(1));
        const order = bands.map(({ level }) => level);
        expect(order).toEqual([...order].sort((a, b) => b - a));
      }
    }
  }
});

it('refuses depths that there are not', () => {
  for (const levels of [-1, 11, Number.NaN]) {
    expect(() => waveletForward({ levels })).toThrow(UsageError);
  }
});
