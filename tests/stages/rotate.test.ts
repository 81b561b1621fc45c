import { type Codec, type RotateOptions, rotate, UsageError, unrotate, type World } from 'vaerans';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { only, openFixtureCodec } from '../pipeline/fixture.js';

let codec: Codec;
let world: World;
beforeAll(async () => {
  codec = await openFixtureCodec();
  world = await codec.world({ arenaByteLength: 4 << 20 });
});
beforeEach(() => world.clear());
afterAll(() => codec.close());

/** A latent of `channels` planes of height x width that no symmetry hides anything in. */
function latentEntity(channels: number, height: number, width: number) {
  const values = world.arena.allocate('f32', [channels, height, width]);
  const view = world.arena.view(values);
  view.set(view.map((_, at) => 40 * Math.sin(at * 1.37) + (at % 7)));
  return world
    .newEntity()
    .add('Latent', { grids: [values], widthPx: 4 * width, heightPx: 4 * height });
}

async function thereAndBack(entity: ReturnType<typeof latentEntity>, options: RotateOptions) {
  const rotated = await world.pipe(entity).to(rotate(options)).out('Rotated');
  const alone = world.newEntity().add('Rotated', rotated);
  const back = await world.pipe(alone).to(unrotate(options)).out('Latent');
  const [before, turned, after] = [entity.get('Latent'), rotated, back].map(({ grids }) =>
    world.arena.view(only(grids)).slice(),
  ) as [Float32Array, Float32Array, Float32Array];
  return { before, turned, after };
}

/** Mean 3, and a turn by 3-4-5 in the plane of the first two channels. */
function turnOf(channels: number): Float32Array {
  const klt = new Float32Array(channels + channels * channels).fill(3, 0, channels);
  for (let c = 0; c < channels; c++) klt[channels + c * channels + c] = 1;
  klt.set([0.6, 0.8], channels);
  klt.set([-0.8, 0.6], channels + channels);
  return klt;
}

const energy = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);

it('passes the latent on, not copied, where the model asks for nothing', async () => {
  const entity = latentEntity(8, 2, 3);
  const { grids } = await world.pipe(entity).to(rotate()).out('Rotated');
  expect(only(grids)).toBe(only(entity.get('Latent').grids));
});

it.each([
  [1, 1],
  [1, 9],
  [7, 5],
])('Hadamard keeps the energy and is undone, %ix%i', async (height, width) => {
  const { before, turned, after } = await thereAndBack(latentEntity(8, height, width), {
    transform: 'hadamard4',
  });
  expect(turned).not.toEqual(before);
  expect(energy(turned) / energy(before)).toBeCloseTo(1, 5);
  for (const [at, value] of after.entries()) expect(value).toBeCloseTo(before[at] ?? NaN, 4);
});

it('a KLT turns the mean-free latent and is undone', async () => {
  const { before, turned, after } = await thereAndBack(latentEntity(3, 4, 5), {
    transform: 'klt',
    klt: turnOf(3),
  });
  const plane = 4 * 5;
  expect(turned[0]).toBeCloseTo(0.6 * ((before[0] ?? 0) - 3) + 0.8 * ((before[plane] ?? 0) - 3), 4);
  expect(turned[2 * plane]).toBeCloseTo((before[2 * plane] ?? 0) - 3, 5);
  for (const [at, value] of after.entries()) expect(value).toBeCloseTo(before[at] ?? NaN, 4);
});

it('leaves nothing in the arena but its result', async () => {
  const entity = latentEntity(4, 2, 2);
  const usedByteLength = world.arena.usedByteLength;
  await world
    .pipe(entity)
    .to(rotate({ transform: 'klt', klt: turnOf(4) }))
    .out('Rotated');
  expect(world.arena.usedByteLength).toBe(usedByteLength + 64);
});

it('refuses a KLT of another number of channels, and none at all', async () => {
  for (const klt of [turnOf(3), undefined]) {
    const stage = rotate({ transform: 'klt', ...(klt ? { klt } : {}) });
    const run = world
      .pipe(latentEntity(4, 2, 2))
      .to(stage)
      .out('Rotated');
    await expect(run).rejects.toThrow(UsageError);
    await expect(run).rejects.toThrow(/expected a klt of 4 \+ 4x4 values, got (12|none)/);
  }
});
