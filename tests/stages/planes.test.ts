import { type Codec, planesDecode, planesEncode, residual, type World } from 'vaerans';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { planesRoundTrip } from '#src/stages/planes.js';
import { openFixtureCodec, picture } from '../pipeline/fixture.js';

let codec: Codec;
let world: World;
beforeAll(async () => {
  codec = await openFixtureCodec();
  world = await codec.world({ arenaByteLength: 4 << 20 });
});
afterAll(() => codec.close());

it('a picture comes back exactly, however many bands it was cut into', async () => {
  const original = picture(61, 43, 2);
  for (const bandRows of [1, 16, 43]) {
    const coded = world
      .pipe(world.spawnImage(original))
      .to(planesEncode({ from: 'Rgb', bandRows }));
    const { pixels } = await coded.to(planesDecode({ to: 'Rgb' })).out('Rgb');
    expect(world.arena.view(pixels)).toEqual(original.data);
    expect((await coded.out('PlaneStream')).bands).toHaveLength(Math.ceil(43 / bandRows));
  }
});

it('what a step makes of samples is told without coding them, band by band', async () => {
  const values = world.arena.allocate('u8', [43, 61, 3]);
  world.arena.view(values).set(picture(61, 43, 2).data);
  const entity = world.newEntity().add('Samples', { values });
  for (const [stepSize, bandRows] of [
    [3, 43],
    [20.5, 16],
  ] as const) {
    const coding = { stepSize };
    const decoded = await world
      .pipe(entity)
      .to(planesEncode({ from: 'Samples', coding, bandRows }))
      .out('PlaneStream');
    const back = await world
      .pipe(world.newEntity().add('PlaneStream', decoded))
      .to(planesDecode({ to: 'Samples' }))
      .out('Samples');
    const told = await world
      .pipe(world.newEntity().add('Samples', { values }))
      .to(planesRoundTrip({ stepSize, bandRows }))
      .out('Samples');
    expect(world.arena.view(told.values)).toEqual(world.arena.view(back.values));
    expect(world.arena.view(told.values)).not.toEqual(world.arena.view(values));
    expect(world.arena.view(values)).toEqual(picture(61, 43, 2).data);
  }
});

it('a residual comes back within the error that it may have', async () => {
  const entity = world.spawnImage(picture(40, 30, 1));
  const other = world.spawnImage(picture(40, 30, 2));
  const { values } = await world
    .pipe(entity.add('ReconRgb', other.get('Rgb')))
    .to(residual())
    .out('Residual');
  const before = world.arena.view(values).slice();
  const after = await world
    .pipe(world.newEntity().add('Residual', { values }))
    .to(planesEncode({ from: 'Residual', coding: { maxError: 2 } }))
    .to(planesDecode({ to: 'Residual' }))
    .out('Residual');
  const worst = world.arena
    .view(after.values)
    .reduce((most, value, i) => Math.max(most, Math.abs(value - (before[i] ?? 0))), 0);
  expect(worst).toBeGreaterThan(0);
  expect(worst).toBeLessThanOrEqual(2);
});

it('samples of 16 bits and two components come back exactly; as a picture they are refused', async () => {
  const values = world.arena.allocate('u16', [9, 14, 2]);
  world.arena.view(values).forEach((_, i, all) => {
    all[i] = (i * 997) & 0xffff;
  });
  const before = world.arena.view(values).slice();
  const entity = world.newEntity().add('Samples', { values });
  const stream = await world
    .pipe(entity)
    .to(planesEncode({ from: 'Samples' }))
    .out('PlaneStream');
  const decoded = world.newEntity().add('PlaneStream', stream);
  const back = await world
    .pipe(decoded)
    .to(planesDecode({ to: 'Samples' }))
    .out('Samples');
  expect(world.arena.view(back.values)).toEqual(before);
  await expect(
    world
      .pipe(decoded)
      .to(planesDecode({ to: 'Rgb' }))
      .out('Rgb'),
  ).rejects.toThrow(/expected u8 for Rgb, got u16/);
});
