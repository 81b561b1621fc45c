import {
  type Codec,
  entropyDecode,
  entropyEncode,
  FormatError,
  ModelError,
  type World,
} from 'vaerans';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { bandsOf } from '#src/stages/entropy.js';
import { only, openFixtureCodec } from '../pipeline/fixture.js';

let codec: Codec;
let world: World;
beforeAll(async () => {
  codec = await openFixtureCodec();
  world = await codec.world({ arenaByteLength: 4 << 20 });
});
beforeEach(() => world.clear());
afterAll(() => codec.close());

function symbolsEntity(height: number, width: number, symbolAt: (at: number) => number) {
  const values = world.arena.allocate('i16', [8, height, width]);
  const view = world.arena.view(values);
  view.set(view.map((_, at) => symbolAt(at)));
  const size = { widthPx: 4 * width, heightPx: 4 * height };
  return world.newEntity().add('Symbols', { grids: [values], quant: { rate: 7 }, ...size });
}

it('gives the symbols back, exactly, however they are cut into slices', async () => {
  for (const [height, width] of [
    [1, 1],
    [9, 7],
    [30, 4],
  ] as const) {
    for (const sliceRows of [1, 4, 128]) {
      const entity = symbolsEntity(height, width, (at) => Math.round(9 * Math.sin(at * at)));
      const coded = await world.pipe(entity).to(entropyEncode({ sliceRows })).out('Bitstream');
      expect(coded.slices).toHaveLength(Math.ceil(height / sliceRows));
      const alone = world.newEntity().add('Bitstream', coded);
      const back = await world.pipe(alone).to(entropyDecode()).out('Symbols');
      const before = entity.get('Symbols');
      expect(world.arena.view(only(back.grids))).toEqual(world.arena.view(only(before.grids)));
      expect(back).toMatchObject({ quant: { rate: 7 }, widthPx: 4 * width, heightPx: 4 * height });
    }
  }
});

it('codes the whole range of symbols', async () => {
  const extremes = [0, 1, -1, 255, -256, 32767, -32767];
  const entity = symbolsEntity(3, 7, (at) => extremes[at % 7] ?? 0);
  const coded = await world.pipe(entity).to(entropyEncode()).out('Bitstream');
  const alone = world.newEntity().add('Bitstream', coded);
  const { grids } = await world.pipe(alone).to(entropyDecode()).out('Symbols');
  expect([...world.arena.view(only(grids)).subarray(0, 7)]).toEqual(extremes);
});

it('holds no more of the arena than the bytes that it wrote', async () => {
  const entity = symbolsEntity(16, 16, () => 0);
  const usedByteLength = world.arena.usedByteLength;
  const { slices } = await world.pipe(entity).to(entropyEncode()).out('Bitstream');
  const written = slices[0]?.shape[0] ?? 0;
  expect(world.arena.usedByteLength - usedByteLength).toBe(Math.ceil(written / 64) * 64);
  expect(written).toBeLessThan(64);
});

it('refuses damaged slices', async () => {
  const entity = symbolsEntity(16, 16, (at) => Math.round(5 * Math.sin(at)));
  const coded = await world.pipe(entity).to(entropyEncode()).out('Bitstream');
  const [slice] = coded.slices;
  if (slice === undefined) throw new Error('there is one slice');
  const cut = world.arena.allocate('u8', [(slice.shape[0] ?? 0) >> 1]);
  world.arena.view(cut).set(world.arena.view(slice).subarray(0, cut.shape[0]));
  const damaged = world.newEntity().add('Bitstream', { ...coded, slices: [cut] });
  const run = world.pipe(damaged).to(entropyDecode()).out('Symbols');
  await expect(run).rejects.toThrow(FormatError);
});

it('refuses the context coder where the model has no tables for it', async () => {
  const entity = symbolsEntity(2, 2, () => 0);
  const run = world
    .pipe(entity)
    .to(entropyEncode({ coder: 'context' }))
    .out('Bitstream');
  await expect(run).rejects.toThrow(ModelError);
});

it('bands cover all rows in order', () => {
  expect(bandsOf(5, 2)).toEqual([
    { firstRow: 0, rows: 2 },
    { firstRow: 2, rows: 2 },
    { firstRow: 4, rows: 1 },
  ]);
  expect(bandsOf(4, 128)).toEqual([{ firstRow: 0, rows: 4 }]);
});
