import { type Codec, measurePsnr, type Pixels, vaeDecode, vaeEncode, type World } from 'vaerans';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openFixtureCodec, picture } from '../pipeline/fixture.js';

let codec: Codec;
let world: World;
beforeAll(async () => {
  codec = await openFixtureCodec();
  world = await codec.world({ arenaByteLength: 16 << 20 });
});
beforeEach(() => world.clear());
afterAll(() => codec.close());

it.each([
  [1, 1],
  [5, 3],
  [65, 130],
  [200, 64],
])('gives a picture of the size that was encoded, %ix%i, and close to it', async (w, h) => {
  const image = world.spawnImage(picture(w, h));
  const pipe = world.pipe(image).to(vaeEncode()).to(vaeDecode()).to(measurePsnr());
  const { pixels } = await pipe.out('ReconRgb');
  expect(pixels.shape).toEqual([h, w, 3]);
  expect(image.metadata.get('psnrDb')).toBeGreaterThan(20);
});

it('shows no seam where tiles meet', async () => {
  // 3 x 2 tiles of 64 px with a margin of 4: rows on either side of a seam err as others do.
  const original = picture(192, 128);
  const image = world.spawnImage(original);
  const recon = world.readPixels(
    await world.pipe(image).to(vaeEncode()).to(vaeDecode()).out('ReconRgb'),
  );
  const errorOfColumn = (x: number) => columnError(original, recon, x);
  const seams = [63, 64, 127, 128].map(errorOfColumn);
  const elsewhere = [27, 28, 91, 92, 155, 156].map(errorOfColumn);
  expect(Math.max(...seams)).toBeLessThan(1.5 * Math.max(...elsewhere));
});

function columnError(a: Pixels, b: Pixels, x: number): number {
  let sum = 0;
  for (let y = 0; y < a.heightPx; y++) {
    for (let c = 0; c < 3; c++) {
      const at = (y * a.widthPx + x) * 3 + c;
      sum += ((a.data[at] ?? 0) - (b.data[at] ?? 0)) ** 2;
    }
  }
  return sum;
}
