import { type Codec, dequantise, quantise, UsageError, type World } from 'vaerans';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { subbandsOf } from '#src/stages/wavelet.js';
import { only, openFixtureCodec } from '../pipeline/fixture.js';

let codec: Codec;
let world: World;
beforeAll(async () => {
  codec = await openFixtureCodec();
  world = await codec.world({ arenaByteLength: 1 << 20 });
});
beforeEach(() => world.clear());
afterAll(() => codec.close());

/** Coefficients for the fixture model's 8 channels, a row of `width` each. */
function pyramidEntity(coefficients: (channel: number, x: number) => number, width = 4) {
  const values = world.arena.allocate('f32', [8, 1, width]);
  const view = world.arena.view(values);
  view.set(view.map((_, at) => coefficients(Math.floor(at / width), at % width)));
  const size = { widthPx: 4 * width, heightPx: 4 };
  const subbands = subbandsOf(width, 1, 0);
  return world
    .newEntity()
    .add('WaveletPyramid', { grids: [values], ...size, kind: 'cdf53', levels: 0, subbands });
}

const symbolsOf = async (rate: number, ...row: number[]) => {
  const entity = pyramidEntity((_, x) => row[x] ?? 0, row.length);
  const { grids } = await world.pipe(entity).to(quantise({ rate })).out('Symbols');
  return [...world.arena.view(only(grids)).subarray(0, row.length)];
};

it('multiplies by the gain of the rate and rounds halves to even', async () => {
  // The fixture model's gain is 1/32 at rate 0 and 1 at rate 4095, log-linear between.
  expect(await symbolsOf(4095, 0.5, 1.5, -0.5, -1.5, 2.49, -7)).toEqual([0, 2, 0, -2, 2, -7]);
  expect(await symbolsOf(0, 31, 33, -100, 320)).toEqual([1, 1, -3, 10]);
});

it('saturates, and makes nothing of what is no number', async () => {
  expect(await symbolsOf(4095, 1e9, -1e9, Number.NaN, Infinity)).toEqual([32767, -32767, 0, 32767]);
});

it('is undone to within half a step', async () => {
  for (const rate of [0, 1000, 2047, 4095]) {
    const stepSize = 32 ** (1 - rate / 4095);
    const entity = pyramidEntity((channel, x) => 37.7 * Math.sin(channel * 5 + x), 16);
    const symbols = await world.pipe(entity).to(quantise({ rate })).out('Symbols');
    const alone = world.newEntity().add('Symbols', symbols);
    const back = await world.pipe(alone).to(dequantise()).out('WaveletPyramid');
    const before = world.arena.view(only(entity.get('WaveletPyramid').grids));
    for (const [at, value] of world.arena.view(only(back.grids)).entries()) {
      expect(Math.abs(value - (before[at] ?? NaN))).toBeLessThanOrEqual(stepSize / 2 + 1e-3);
    }
  }
});

it('takes a quality for what the model says it is', async () => {
  const symbols = await world
    .pipe(pyramidEntity((channel) => channel))
    .to(quantise({ quality: 50 }))
    .out('Symbols');
  expect(symbols.quant).toEqual({ rate: world.context.model.manifest.quality[49] });
});

it('says of the pyramid what the caller says, where the model has none', async () => {
  const symbols = await world
    .pipe(pyramidEntity(() => 1))
    .to(quantise({ rate: 0 }))
    .out('Symbols');
  const stage = dequantise({ kind: 'haar', levels: 1 });
  const entity = world.newEntity().add('Symbols', symbols);
  const pyramid = await world.pipe(entity).to(stage).out('WaveletPyramid');
  expect(pyramid).toMatchObject({ kind: 'haar', levels: 1, subbands: subbandsOf(4, 1, 1) });
});

it('refuses rates and qualities that there are not', () => {
  for (const rate of [-1, 4096, Number.NaN]) expect(() => quantise({ rate })).toThrow(UsageError);
  for (const quality of [0, 101]) expect(() => quantise({ quality })).toThrow(/quality/);
});
