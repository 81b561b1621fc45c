import { addResidual, type Codec, residual, vaeDecode, vaeEncode, type World } from 'vaerans';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFixtureCodec, picture } from '../pipeline/fixture.js';

let codec: Codec;
let world: World;
beforeAll(async () => {
  codec = await openFixtureCodec();
  world = await codec.world({ arenaByteLength: 4 << 20 });
});
afterAll(() => codec.close());

/** An entity with these samples as original and as reconstruction. */
function compared(original: number[], reconstruction: number[]) {
  const size = { widthPx: original.length / 3, heightPx: 1, channels: 3 } as const;
  const rgb = world.spawnImage({ ...size, data: Uint8Array.from(original) });
  const recon = world.spawnImage({ ...size, data: Uint8Array.from(reconstruction) });
  return rgb.add('ReconRgb', recon.get('Rgb'));
}

it('is the original minus the reconstruction, over the whole range of both', async () => {
  const entity = compared([0, 255, 7, 100, 5, 0], [255, 0, 7, 99, 6, 0]);
  const { values } = await world.pipe(entity).to(residual()).out('Residual');
  expect([...world.arena.view(values)]).toEqual([-255, 255, 0, 1, -1, 0]);
  expect(values).toMatchObject({ dtype: 'i16', shape: [1, 2, 3] });
});

it('gives the original back, exactly, whatever the reconstruction', async () => {
  const original = picture(37, 23, 3);
  const image = world.spawnImage(original);
  const residue = await world
    .pipe(image)
    .to(vaeEncode())
    .to(vaeDecode())
    .to(residual())
    .out('Residual');
  const decoded = world.newEntity().add('Residual', residue);
  if (!image.has('ReconRgb')) throw new Error('the pipe made it');
  const back = await world
    .pipe(decoded.add('ReconRgb', image.get('ReconRgb')))
    .to(addResidual())
    .out('Rgb');
  expect(world.readPixels(image.get('ReconRgb'))).not.toEqual(original);
  expect(world.readPixels(back)).toEqual(original);
});

it('that was coarsened is cut off at 0 and 255, not wrapped', async () => {
  const entity = compared([10, 250, 128], [10, 250, 128]);
  const values = world.arena.allocate('i16', [1, 1, 3]);
  world.arena.view(values).set([-20, 20, 1000]);
  const back = await world.pipe(entity.add('Residual', { values })).to(addResidual()).out('Rgb');
  expect([...world.readPixels(back).data]).toEqual([0, 255, 255]);
});
