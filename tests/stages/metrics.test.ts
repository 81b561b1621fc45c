import {
  type Codec,
  compareImages,
  measureMse,
  measureMsSsim,
  measurePsnr,
  measurePsnrLuma,
  measureSsim,
  measureSsimulacra2,
  type Pixels,
  psnr,
  type World,
} from 'vaerans';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFixtureCodec, picture } from '../pipeline/fixture.js';

let codec: Codec;
let world: World;
beforeAll(async () => {
  codec = await openFixtureCodec();
  world = await codec.world({ arenaByteLength: 4 << 20 });
});
afterAll(() => codec.close());

async function measure(original: Pixels, reconstruction: Pixels) {
  const recon = world.spawnImage(reconstruction).get('Rgb');
  const entity = world.spawnImage(original).add('ReconRgb', recon);
  await world.pipe(entity).to(measureMse()).to(measurePsnr()).out('ReconRgb');
  return { names: entity.names, ...Object.fromEntries(entity.metadata) };
}

it('write what they found into the metadata, and make no component', async () => {
  const data = (values: number[]): Pixels => ({
    widthPx: 2,
    heightPx: 1,
    channels: 3,
    data: Uint8Array.from(values),
  });
  const found = await measure(data([0, 0, 0, 10, 10, 10]), data([3, 0, 0, 10, 13, 10]));
  // (9 + 9) / 6 = 3, and 10 log10(65025 / 3).
  expect(found).toEqual({ names: ['Rgb', 'ReconRgb'], mse: 3, psnrDb: 10 * Math.log10(21675) });
});

it('agree with the metric that the command line prints', async () => {
  const [a, b] = [picture(61, 47), picture(61, 47, 2)];
  const found = await measure(a, b);
  expect(found).toMatchObject({ psnrDb: expect.closeTo(psnr(a, b), 9) });
});

it('are at the ends of their scales for equal and for opposite pictures', async () => {
  const flat = (value: number): Pixels => ({
    ...picture(9, 5),
    data: new Uint8Array(135).fill(value),
  });
  expect(await measure(flat(77), flat(77))).toMatchObject({ mse: 0, psnrDb: Infinity });
  expect(await measure(flat(0), flat(255))).toMatchObject({ mse: 65025, psnrDb: 0 });
});

it('measure every entity of a pipe by itself', async () => {
  const images = [1, 2].map((seed) => {
    const image = world.spawnImage(picture(8, 8));
    return image.add('ReconRgb', world.spawnImage(picture(8, 8, seed)).get('Rgb'));
  });
  await world.pipe(images).to(measureMse()).out('Rgb');
  const [equal, different] = images.map(({ metadata }) => metadata.get('mse'));
  expect(equal).toBe(0);
  expect(different).toBeGreaterThan(0);
});

it('of the eye write what the comparison of pictures gives, and nothing where they are too small', async () => {
  const measureAll = async (a: Pixels, b: Pixels) => {
    const image = world.spawnImage(a).add('ReconRgb', world.spawnImage(b).get('Rgb'));
    await world
      .pipe(image)
      .to(measurePsnrLuma())
      .to(measureSsim())
      .to(measureMsSsim())
      .to(measureSsimulacra2())
      .out('Rgb');
    return Object.fromEntries(image.metadata);
  };
  const [a, b] = [picture(170, 165), picture(170, 165, 2)];
  const { psnrLuma, ssim, msssim, ssimulacra2 } = await compareImages(a, b);
  expect(await measureAll(a, b)).toEqual({ psnrLumaDb: psnrLuma, ssim, msssim, ssimulacra2 });
  const small = await measureAll(picture(20, 9), picture(20, 9, 2));
  expect(Object.keys(small)).toEqual(['psnrLumaDb', 'ssimulacra2']);
});
