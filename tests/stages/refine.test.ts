import { join } from 'node:path';
import {
  type Codec,
  dequantise,
  entropyEncode,
  measurePsnr,
  openCodec,
  quantise,
  refine,
  rotate,
  type Stage,
  UsageError,
  unrotate,
  vaeDecode,
  vaeEncode,
  type World,
  waveletForward,
  waveletInverse,
} from 'vaerans';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { readImage } from '#src/image/file.js';
import { only } from '../pipeline/fixture.js';

const PHOTO = join(import.meta.dirname, '../../fixtures/photo.png');

let codec: Codec;
let world: World;
beforeAll(async () => {
  codec = await openCodec({ model: 'psnr', threads: 1, deterministic: true });
  world = await codec.world({ arenaByteLength: 64 * 2 ** 20 });
});
beforeEach(() => world.clear());
afterAll(() => codec.close());

type Step = Stage<'Rgb' | 'WaveletPyramid', 'WaveletPyramid'>;
const unchanged: Step = {
  name: 'unchanged',
  requires: ['Rgb', 'WaveletPyramid'],
  produces: ['WaveletPyramid'],
  canRun: () => true,
  run: () => undefined,
};

/** Bytes and PSNR of the photograph at a rate. */
async function coded(rate: number, step: Step, lambda: number) {
  world.clear();
  const image = world.spawnImage(await readImage(PHOTO));
  const { slices } = await world
    .pipe(image)
    .to(vaeEncode())
    .to(rotate())
    .to(waveletForward())
    .to(step)
    .to(quantise({ rate, lambda }))
    .to(entropyEncode())
    .out('Bitstream');
  await world
    .pipe(world.query('Rgb', 'Symbols'))
    .to(dequantise())
    .to(waveletInverse())
    .to(unrotate())
    .to(vaeDecode())
    .to(measurePsnr())
    .out('ReconRgb');
  const byteLength = slices.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  return { byteLength, psnrDb: image.metadata.get('psnrDb') as number };
}

it('gives a photograph at high quality fewer bytes and less error at once', async () => {
  const plain = await coded(3888, unchanged, 0);
  const refined = await coded(3600, refine({ rate: 3600, rounds: 2 }), 0.04);
  expect(refined.byteLength).toBeLessThan(plain.byteLength);
  expect(refined.psnrDb).toBeGreaterThan(plain.psnrDb);
});

it('takes fewer bytes the more a bit is worth', async () => {
  const [free, cheap, dear] = [
    await coded(1600, unchanged, 0),
    await coded(1600, unchanged, 0.03),
    await coded(1600, unchanged, 0.2),
  ];
  expect(cheap.byteLength).toBeLessThan(free.byteLength);
  expect(dear.byteLength).toBeLessThan(cheap.byteLength);
});

it('changes a band where its neighbours do not matter, and nothing near them', async () => {
  const { encoder, decoder, grids } = (await codec.openModel()).model.manifest;
  const { widthPx, heightPx, channels, data } = await readImage(PHOTO);
  const pixels = { widthPx, heightPx: 256, channels, data: data.subarray(0, 256 * widthPx * 3) };
  const image = world.spawnImage(pixels as typeof pixels & { channels: 3 }, {
    above: 0,
    below: encoder.marginPx,
  });
  expect(heightPx).toBeGreaterThan(256);
  const before = await world
    .pipe(image)
    .to(vaeEncode())
    .to(rotate())
    .to(waveletForward())
    .out('WaveletPyramid');
  const values = world.arena.view(only(before.grids)).slice();
  const [after] = await world
    .pipe(world.query('Rgb', 'WaveletPyramid'))
    .to(refine({ rate: 3000 }))
    .out('WaveletPyramid');
  if (after === undefined) throw new Error('expected a pyramid');
  const [, height = 0, width = 0] = only(after.grids).shape;
  const changed = world.arena.view(only(after.grids)).map((value, at) => value - (values[at] ?? 0));
  const rowChanged = (row: number) =>
    changed.subarray(row * width, (row + 1) * width).some((difference) => difference !== 0);
  const still = Math.ceil((encoder.marginPx + decoder.marginPx) / only(grids).stridePx);
  expect(rowChanged(0)).toBe(true);
  expect(rowChanged(height - still - 1)).toBe(true);
  for (let row = height - still; row < height; row++) expect(rowChanged(row)).toBe(false);
});

it('refuses options out of range', () => {
  expect(() => refine({ rate: 4096 })).toThrow(UsageError);
  expect(() => refine({ rate: 1, rounds: 0 })).toThrow(UsageError);
  expect(() => refine({ rate: 1, rounds: 1.5 })).toThrow(UsageError);
  expect(() => refine({ rate: 1.5 })).toThrow(UsageError);
  expect(() => quantise({ rate: 1.5 })).toThrow(UsageError);
  expect(() => refine({ rate: 1, strength: 1.5 })).toThrow(UsageError);
  expect(() => quantise({ rate: 1, lambda: 1.5 })).toThrow(UsageError);
  expect(() => quantise({ rate: 1, lambda: Number.NaN })).toThrow(UsageError);
});
