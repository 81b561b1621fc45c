import { type Codec, gaussianBlur, type Pixels, UsageError, type World } from 'vaerans';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFixtureCodec, picture } from '../pipeline/fixture.js';

let codec: Codec;
let world: World;
beforeAll(async () => {
  codec = await openFixtureCodec();
  world = await codec.world({ arenaByteLength: 4 << 20 });
});
afterAll(() => codec.close());

async function blurred(pixels: Pixels, sigmaPx: number): Promise<Pixels> {
  const image = world.spawnImage(pixels);
  return world.readPixels(await world.pipe(image).to(gaussianBlur({ sigmaPx })).out('BlurRgb'));
}

/** The same by the formula, in two dimensions at once. */
function byFormula({ widthPx, heightPx, data }: Pixels, sigmaPx: number): number[] {
  const radius = Math.ceil(4 * sigmaPx);
  const taps = Array.from({ length: 2 * radius + 1 }, (_, at) =>
    Math.exp(-((at - radius) ** 2) / (2 * sigmaPx ** 2)),
  );
  const sum = taps.reduce((a, b) => a + b, 0);
  const clamp = (at: number, size: number) => Math.min(Math.max(at, 0), size - 1);
  return Array.from(data, (_, at) => {
    const [c, x, y] = [at % 3, Math.floor(at / 3) % widthPx, Math.floor(at / 3 / widthPx)];
    let value = 0;
    for (const [i, row] of taps.entries()) {
      for (const [j, column] of taps.entries()) {
        const sample = clamp(y + i - radius, heightPx) * widthPx + clamp(x + j - radius, widthPx);
        value += (row * column * (data[sample * 3 + c] ?? 0)) / sum ** 2;
      }
    }
    return value;
  });
}

it.each([
  [1, 1, 1.5],
  [1, 9, 0.5],
  [23, 1, 2],
  [17, 13, 0.8],
  [17, 13, 3],
])(
  'is the Gaussian of the picture with its edge repeated, %ix%i at sigma %f',
  async (w, h, sigmaPx) => {
    const pixels = picture(w, h, 5);
    const { data } = await blurred(pixels, sigmaPx);
    for (const [at, expected] of byFormula(pixels, sigmaPx).entries()) {
      expect(Math.abs((data[at] ?? NaN) - expected), `sample ${at}`).toBeLessThan(1);
    }
  },
);

it('leaves a flat picture alone, however wide', async () => {
  const flat = { ...picture(9, 7), data: new Uint8Array(9 * 7 * 3).fill(201) };
  for (const sigmaPx of [0.1, 1.5, 64]) expect(await blurred(flat, sigmaPx)).toEqual(flat);
});

it('blurs the reconstruction where it is asked to, and keeps no scratch', async () => {
  const recon = world.spawnImage(picture(16, 16, 2)).get('Rgb');
  const image = world.spawnImage(picture(16, 16)).add('ReconRgb', recon);
  const before = world.arena.usedByteLength;
  const { pixels } = await world
    .pipe(image)
    .to(gaussianBlur({ of: 'ReconRgb', sigmaPx: 2 }))
    .out('BlurRgb');
  expect(world.arena.usedByteLength - before).toBe(16 * 16 * 3);
  expect(world.readPixels({ pixels })).toEqual(await blurred(picture(16, 16, 2), 2));
});

it('refuses widths that it does not have', () => {
  for (const sigmaPx of [0, -1, 65, Number.NaN]) {
    expect(() => gaussianBlur({ sigmaPx })).toThrow(UsageError);
  }
});
