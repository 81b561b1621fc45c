import {
  type Codec,
  LimitError,
  quantise,
  rotate,
  UsageError,
  vaeDecode,
  vaeEncode,
  waveletForward,
} from 'vaerans';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { only, openFixtureCodec, picture } from './fixture.js';

let codec: Codec;
beforeAll(async () => {
  codec = await openFixtureCodec();
});
afterAll(() => codec.close());

const makeWorld = () => codec.world({ arenaByteLength: 4 << 20 });

describe('spawning', () => {
  it('copies a picture in, and out again as it was', async () => {
    const world = await makeWorld();
    const pixels = picture(13, 7);
    const image = world.spawnImage(pixels);
    expect(world.readPixels(image.get('Rgb'))).toEqual(pixels);
    pixels.data.fill(0);
    expect(world.readPixels(image.get('Rgb')).data).toEqual(picture(13, 7).data);
  });

  it('makes three equal samples of a grey one, and one of them again', async () => {
    const world = await makeWorld();
    const grey = {
      widthPx: 2,
      heightPx: 2,
      channels: 1,
      data: Uint8Array.of(0, 9, 99, 255),
    } as const;
    const rgb = world.spawnImage(grey).get('Rgb');
    expect([...world.readPixels(rgb).data]).toEqual([0, 0, 0, 9, 9, 9, 99, 99, 99, 255, 255, 255]);
    expect(world.readPixels(rgb, true)).toEqual(grey);
  });

  it('lays a batch of equal pictures out without a gap', async () => {
    const world = await makeWorld();
    // 5x3x3 = 45 bytes: a tensor of its own would be padded to 64.
    const batch = [1, 2, 3].map((seed) => picture(5, 3, seed));
    const entities = world.spawnBatch(batch);
    const offsets = entities.map((entity) => entity.get('Rgb').pixels.byteOffset);
    expect(offsets.map((offset) => offset - (offsets[0] ?? 0))).toEqual([0, 45, 90]);
    expect(entities.map((entity) => world.readPixels(entity.get('Rgb')))).toEqual(batch);
    expect(entities.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it('refuses a batch of different sizes, of none, and pictures that do not hold', async () => {
    const world = await makeWorld();
    expect(() => world.spawnBatch([picture(4, 4), picture(4, 5)])).toThrow(
      'world: expected pictures of 4x4, got one of 4x5',
    );
    expect(() => world.spawnBatch([])).toThrow(UsageError);
    expect(() => world.spawnImage({ ...picture(4, 4), widthPx: 5 })).toThrow(UsageError);
    expect(world.query()).toEqual([]);
    expect(world.arena.usedByteLength).toBe(0);
  });

  it('beyond the arena is refused with both figures', async () => {
    const world = await codec.world({ arenaByteLength: 4096 });
    expect(() => world.spawnImage(picture(64, 64))).toThrow(LimitError);
    expect(() => world.spawnImage(picture(64, 64))).toThrow(/12288 bytes, got 4096 bytes free/);
  });
});

describe('query', () => {
  it('finds entities by any combination of components, in the order they were made', async () => {
    const world = await makeWorld();
    const [a, b, c] = world.spawnBatch([picture(8, 8), picture(8, 8), picture(8, 8)]);
    const empty = world.newEntity();
    if (!a || !b || !c) throw new Error('three were spawned');
    await world.pipe([b, c]).to(vaeEncode()).out('Latent');
    await world.pipe(world.query('Latent').slice(1)).to(vaeDecode()).out('ReconRgb');
    expect(world.query()).toEqual([a, b, c, empty]);
    expect(world.query('Rgb')).toEqual([a, b, c]);
    expect(world.query('Latent')).toEqual([b, c]);
    expect(world.query('Rgb', 'Latent')).toEqual([b, c]);
    expect(world.query('Latent', 'ReconRgb', 'Rgb')).toEqual([c]);
    expect(world.query('Bitstream')).toEqual([]);
    b.remove('Latent');
    expect(world.query('Latent')).toEqual([c]);
  });

  it('feeds a pipe', async () => {
    const world = await makeWorld();
    world.spawnBatch([picture(8, 8), picture(8, 8, 2)]);
    await world.pipe(world.query('Rgb')).to(vaeEncode()).out('Latent');
    const symbols = await world
      .pipe(world.query('Latent'))
      .to(rotate())
      .to(waveletForward())
      .to(quantise({ quality: 50 }))
      .out('Symbols');
    expect(symbols).toHaveLength(2);
  });
});

describe('clear', () => {
  it('drops entities and makes every reference stale, those of a batch too', async () => {
    const world = await makeWorld();
    const image = world.spawnImage(picture(8, 8));
    const [batched] = world.spawnBatch([picture(8, 8), picture(8, 8)]);
    const latent = await world.pipe(image).to(vaeEncode()).out('Latent');
    world.clear();
    expect(world.query()).toEqual([]);
    expect(world.arena.usedByteLength).toBe(0);
    expect(() => world.arena.view(only(latent.grids))).toThrow(/freed by a rewind/);
    expect(() => world.readPixels(image.get('Rgb'))).toThrow(/expected a live tensor/);
    expect(() => batched && world.readPixels(batched.get('Rgb'))).toThrow(/expected a live tensor/);
    await expect(world.pipe(image).to(vaeEncode()).out('Latent')).rejects.toThrow(/live tensor/);
    // The memory is another's now; the old reference still is not honoured.
    world.spawnImage(picture(8, 8, 3));
    expect(() => world.readPixels(image.get('Rgb'))).toThrow(/expected a live tensor/);
  });

  it('keeps the arena where it was over a thousand images', async () => {
    const world = await makeWorld();
    const image = picture(16, 16);
    let first = 0;
    for (let i = 0; i < 1000; i++) {
      world.clear();
      await world
        .pipe(world.spawnImage(image))
        .to(vaeEncode())
        .to(rotate())
        .to(waveletForward())
        .to(quantise({ quality: 50 }))
        .out('Symbols');
      first ||= world.arena.peakByteLength;
    }
    expect(world.arena.peakByteLength).toBe(first);
    expect(world.core.memoryByteLength).toBeLessThan(8 << 20);
  }, 60_000);
});

describe('several worlds', () => {
  it('work side by side, and refuse tensors of each other', async () => {
    const [one, two] = await Promise.all([makeWorld(), makeWorld()]);
    const images = [one.spawnImage(picture(40, 24)), two.spawnImage(picture(40, 24, 2))] as const;
    const encode = () =>
      Promise.all([
        one.pipe(images[0]).to(vaeEncode()).to(vaeDecode()).out('ReconRgb'),
        two.pipe(images[1]).to(vaeEncode()).to(vaeDecode()).out('ReconRgb'),
      ]);
    const [a, b] = await encode();
    const alone = await codec.world();
    const expected = [];
    for (const seed of [1, 2]) {
      const image = alone.spawnImage(picture(40, 24, seed));
      const recon = await alone.pipe(image).to(vaeEncode()).to(vaeDecode()).out('ReconRgb');
      expected.push(alone.readPixels(recon));
    }
    expect([one.readPixels(a), two.readPixels(b)]).toEqual(expected);
    expect(() => two.readPixels(a)).toThrow(/expected a live tensor, got one of another arena/);
    one.clear();
    expect(two.readPixels(b)).toEqual(expected[1]);
    await expect(two.pipe(images[0]).to(vaeEncode()).out('Latent')).rejects.toThrow(/live tensor/);
  });

  it('are not needed for several pipes at once', async () => {
    const world = await makeWorld();
    const images = [1, 2, 3, 4].map((seed) => world.spawnImage(picture(24, 40, seed)));
    const pipe = (image: (typeof images)[number]) =>
      world
        .pipe(image)
        .to(vaeEncode())
        .to(rotate({ transform: 'hadamard4' }))
        .to(waveletForward({ levels: 2 }))
        .to(quantise({ quality: 90 }))
        .out('Symbols');
    const together = await Promise.all(images.map(pipe));
    const read = (symbols: Awaited<ReturnType<typeof pipe>>[]) =>
      symbols.map(({ grids }) => world.arena.view(only(grids)).slice());
    const first = read(together);
    const singly = [];
    for (const image of images) singly.push(await pipe(image));
    expect(read(singly)).toEqual(first);
  });
});
