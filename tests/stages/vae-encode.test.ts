import { type Codec, vaeEncode, type World } from 'vaerans';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { latentShapes } from '#src/stages/vae-encode.js';
import { only, openFixtureCodec, picture } from '../pipeline/fixture.js';

let codec: Codec;
let world: World;
beforeAll(async () => {
  codec = await openFixtureCodec();
  world = await codec.world({ arenaByteLength: 8 << 20 });
});
beforeEach(() => world.clear());
afterAll(() => codec.close());

/** The latent of a part of a picture, by itself. */
async function latentOf(widthPx: number, heightPx: number) {
  const image = world.spawnImage(picture(widthPx, heightPx));
  return await world.pipe(image).to(vaeEncode()).out('Latent');
}

it('covers the padded picture, and says how large the picture was', async () => {
  const { manifest } = world.context.model;
  for (const [widthPx, heightPx, width, height] of [
    [1, 1, 1, 1],
    [4, 5, 1, 2],
    [131, 64, 33, 16],
  ] as const) {
    const latent = await latentOf(widthPx, heightPx);
    expect(latent).toMatchObject({ widthPx, heightPx });
    expect(only(latent.grids)).toMatchObject({ dtype: 'f32', shape: [8, height, width] });
    expect(latentShapes(manifest, widthPx, heightPx)).toEqual([[8, height, width]]);
  }
});

it('of a tile does not depend on the tiles around it', async () => {
  // The fixture encoder needs no margin: a tile of 64 px is what it would be alone.
  const whole = await latentOf(160, 64);
  const cut = picture(160, 64);
  const data = cut.data.filter((_, at) => (at / 3) % 160 < 64);
  const alone = world.spawnImage({ ...cut, widthPx: 64, data });
  const tile = await world.pipe(alone).to(vaeEncode()).out('Latent');
  const [wide, narrow] = [world.arena.view(only(whole.grids)), world.arena.view(only(tile.grids))];
  for (let at = 0; at < narrow.length; at++) {
    expect(narrow[at]).toBe(wide[Math.floor(at / 16) * 40 + (at % 16)]);
  }
});

it('counts its tiles and tells of each as it is done', async () => {
  const progress: string[] = [];
  const told = await codec.world({
    arenaByteLength: 8 << 20,
    onProgress: (done, total) => progress.push(`${done}/${total}`),
  });
  const images = [told.spawnImage(picture(130, 64)), told.spawnImage(picture(10, 10))];
  await told.pipe(images).to(vaeEncode()).out('Latent');
  expect(progress).toEqual(['1/4', '2/4', '3/4', '4/4']);
});
