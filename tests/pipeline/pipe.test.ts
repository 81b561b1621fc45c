import {
  type BitstreamData,
  type Codec,
  defineStage,
  entropyDecode,
  entropyEncode,
  measureMse,
  quantise,
  residual,
  rotate,
  type Stage,
  Trace,
  UsageError,
  unrotate,
  vaeDecode,
  vaeEncode,
  type World,
  waveletForward,
} from 'vaerans';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { only, openFixtureCodec, picture } from './fixture.js';

let codec: Codec;
let world: World;

beforeAll(async () => {
  codec = await openFixtureCodec();
  world = await codec.world({ arenaByteLength: 32 << 20 });
});
beforeEach(() => world.clear());
afterAll(() => codec.close());

/** What plain JavaScript may do: the same pipe, with nothing known to the compiler. */
interface LoosePipe {
  to(stage: unknown): LoosePipe;
  select(name: string): LoosePipe;
  use(name: string): LoosePipe;
  fork(branch: (pipe: LoosePipe) => unknown): LoosePipe;
  out(name: string): Promise<unknown>;
}
const loose = (start: unknown): LoosePipe => world.pipe(start as never) as unknown as LoosePipe;

/** Writes down that it was run, and on how many. */
function note(log: string[], name: string): Stage<'Rgb', never> {
  return {
    name,
    requires: ['Rgb'],
    produces: [],
    canRun: (entity) => entity.has('Rgb'),
    run(entities) {
      log.push(`${name} on ${entities.length}`);
      return undefined;
    },
  };
}

describe('a pipe', () => {
  it('is a description until its output is awaited, and runs in order, forks where they stand', async () => {
    const log: string[] = [];
    const images = world.spawnBatch([picture(8, 8), picture(8, 8)]);
    const pipe = world
      .pipe(images)
      .to(note(log, 'a'))
      .fork((p) => p.to(note(log, 'b')).fork((q) => q.to(note(log, 'c'))))
      .to(note(log, 'd'));
    expect(log).toEqual([]);
    await pipe.out('Rgb');
    expect(log).toEqual(['a on 2', 'b on 2', 'c on 2', 'd on 2']);
  });

  it('is not changed by what is built on it', async () => {
    const log: string[] = [];
    const trunk = world.pipe(world.spawnImage(picture(8, 8))).to(note(log, 'trunk'));
    trunk.to(note(log, 'one'));
    await trunk.to(note(log, 'two')).out('Rgb');
    expect(log).toEqual(['trunk on 1', 'two on 1']);
  });

  it('gives one record for one entity and a list, in their order, for many', async () => {
    const images = world.spawnBatch([1, 2, 3].map((seed) => picture(12, 8, seed)));
    const latents = await world.pipe(images).to(vaeEncode()).out('Latent');
    expect(latents).toEqual(images.map((image) => image.has('Latent') && image.get('Latent')));
    const [first] = images;
    if (first === undefined) throw new Error('three were spawned');
    expect(await world.pipe([first]).out('Rgb')).toEqual([first.get('Rgb')]);
    expect(await world.pipe(first).out('Rgb')).toEqual(first.get('Rgb'));
  });

  it('lets a fork see what was made before it, and the trunk what the fork has made', async () => {
    const image = world.spawnImage(picture(16, 16));
    const values = await world
      .pipe(image)
      .to(vaeEncode())
      .fork((branch) => branch.to(vaeDecode()).to(residual()))
      .to(rotate())
      .use('Residual')
      .out('Residual');
    expect(values.values.shape).toEqual([16, 16, 3]);
    expect(image.names).toEqual(['Rgb', 'Latent', 'ReconRgb', 'Residual', 'Rotated']);
  });

  it('keeps to itself what a fork selects', async () => {
    const image = world.spawnImage(picture(16, 16));
    await world
      .pipe(image)
      .to(vaeEncode())
      .fork((branch) => branch.select('Latent').to(vaeDecode()))
      .to(measureMse())
      .out('Rgb');
    expect(image.metadata.get('mse')).toBeTypeOf('number');
  });

  it('takes pictures of different sizes through together', async () => {
    const images = [world.spawnImage(picture(200, 70)), world.spawnImage(picture(9, 33, 2))];
    const recons = await world.pipe(images).to(vaeEncode()).to(vaeDecode()).out('ReconRgb');
    expect(recons.map(({ pixels }) => pixels.shape)).toEqual([
      [70, 200, 3],
      [33, 9, 3],
    ]);
  });
});

const bytesOf = (bitstreams: readonly BitstreamData[]) =>
  bitstreams.map(({ slices }) => slices.map((slice) => world.arena.view(slice).slice()));

it('32 images in one pipe give the bits and bytes of 32 pipes, tiled or not', async () => {
  for (const [width, height] of [
    [48, 40],
    [150, 90],
  ] as const) {
    world.clear();
    const pictures = Array.from({ length: 32 }, (_, i) => picture(width, height, i + 1));
    const code = (images: ReturnType<World['spawnBatch']>) =>
      world
        .pipe(images)
        .to(vaeEncode())
        .to(rotate())
        .to(waveletForward())
        .to(quantise({ quality: 80 }))
        .to(entropyEncode())
        .out('Bitstream');
    const latentsOf = (images: ReturnType<World['spawnBatch']>) =>
      images.map((image) =>
        image.has('Latent') ? world.arena.view(only(image.get('Latent').grids)).slice() : undefined,
      );
    const batch = world.spawnBatch(pictures);
    const together = bytesOf(await code(batch));
    const latents = latentsOf(batch);
    const singles = pictures.map((pixels) => world.spawnImage(pixels));
    const singly = [];
    for (const single of singles) singly.push(...bytesOf(await code([single])));
    expect(together).toEqual(singly);
    expect(latentsOf(singles)).toEqual(latents);
    expect(new Set(together.map(([slice]) => Buffer.from(slice ?? []).toString('hex'))).size).toBe(
      32,
    );
  }
});

describe('from plain JavaScript, a pipe', () => {
  const image = () => world.spawnImage(picture(8, 8));

  it('names what is missing and which stage makes it, before anything runs', () => {
    expect(() => loose(image()).to(rotate())).toThrow(
      'pipe: expected Latent before stage rotate, got Rgb; Latent comes from vaeEncode or unrotate',
    );
    expect(() =>
      loose(image())
        .to(vaeEncode())
        .to(quantise({ rate: 0 })),
    ).toThrow(
      'pipe: expected WaveletPyramid before stage quantise, got Rgb, Latent; WaveletPyramid comes from waveletForward or dequantise',
    );
    expect(() => loose(image()).to(residual())).toThrow(/ReconRgb comes from vaeDecode/);
    expect(() => loose(world.newEntity()).to(entropyDecode())).toThrow(
      'pipe: expected Bitstream before stage entropyDecode, got nothing; Bitstream comes from entropyEncode',
    );
    expect(() => loose(image()).to(vaeEncode()).to(unrotate())).toThrow(UsageError);
    expect(() => loose(image()).fork((p) => p.to(rotate()))).toThrow(/Latent comes from vaeEncode/);
  });

  it('counts only what all of many entities have', () => {
    const images = world.spawnBatch([picture(8, 8), picture(8, 8)]);
    images[1]?.remove('Rgb');
    expect(() => loose(images).to(vaeEncode())).toThrow(/expected Rgb before stage vaeEncode/);
  });

  it('tells what was hidden from what is not there', () => {
    const pipe = loose(image()).to(vaeEncode()).select('Latent');
    expect(() => pipe.to(vaeEncode())).toThrow(
      "pipe: expected Rgb before stage vaeEncode, got it hidden by a select; bring it back with use('Rgb')",
    );
    pipe.use('Rgb').to(vaeEncode());
    expect(() => pipe.use('Symbols')).toThrow(/Symbols comes from quantise or entropyDecode/);
    expect(() => pipe.select('Rgb')).toThrow(/hidden by a select/);
    expect(() => pipe.select('Symbols')).toThrow(/expected Symbols to select/);
    expect(() => pipe.use('Colour')).toThrow(
      "pipe: expected a component of Rgb, ReconRgb, BlurRgb, PreviewRgb, Latent, Rotated, WaveletPyramid, Symbols, Bitstream, Residual, Samples, PlaneStream, got 'Colour'",
    );
  });

  it('refuses an output that nothing makes', async () => {
    await expect(loose(image()).to(vaeEncode()).out('Bitstream')).rejects.toThrow(
      'pipe: expected Bitstream at the end, got Rgb, Latent; Bitstream comes from entropyEncode',
    );
  });

  it('refuses what is no stage, no branch, no entity', () => {
    expect(() => loose(image()).to(vaeEncode)).toThrow(
      /as vaeEncode\(\) returns it, got a function/,
    );
    expect(() => loose(image()).to(undefined)).toThrow(/got a undefined/);
    expect(() => loose(image()).fork(() => undefined)).toThrow(/a fork to return its pipe/);
    expect(() => loose([])).toThrow('pipe: expected at least one entity, got none');
    expect(() => loose(undefined)).toThrow(UsageError);
    expect(() => loose([image(), picture(8, 8)])).toThrow(UsageError);
  });

  it('refuses to run a stage on an entity that has lost its input since', async () => {
    const entity = image();
    const pipe = world.pipe(entity).to(vaeEncode());
    entity.remove('Rgb');
    await expect(pipe.out('Latent')).rejects.toThrow(
      /^vaeEncode: expected Rgb, got entity \d+ with nothing$/,
    );
  });
});

describe('a stage of one’s own', () => {
  const swap = defineStage({
    name: 'swap',
    requires: ['Rgb', 'ReconRgb'],
    produces: ['ReconRgb', 'BlurRgb'],
    transform: ({ Rgb, ReconRgb }) => ({ ReconRgb: Rgb, BlurRgb: ReconRgb }),
  });

  it('may take several components and make several', async () => {
    const entity = world.spawnImage(picture(8, 8));
    const recon = await world.pipe(entity).to(vaeEncode()).to(vaeDecode()).out('ReconRgb');
    const blur = await world.pipe(entity.add('ReconRgb', recon)).to(swap).out('BlurRgb');
    expect(blur).toBe(recon);
    expect(entity.has('ReconRgb') && entity.get('ReconRgb')).toEqual(entity.get('Rgb'));
    expect(swap.canRun(entity)).toBe(true);
    expect(swap.canRun(entity.remove('Rgb'))).toBe(false);
  });

  it('that fails fails the pipe, and leaves no trace record', async () => {
    const trace = new Trace();
    const traced = await codec.world({ arenaByteLength: 1 << 20, trace });
    const broken = defineStage({
      name: 'broken',
      requires: ['Latent'],
      produces: ['Rotated'],
      transform: () => Promise.reject(new Error('inside')),
    });
    const pipe = traced
      .pipe(traced.spawnImage(picture(8, 8)))
      .to(vaeEncode())
      .to(broken);
    await expect(pipe.out('Rotated')).rejects.toThrow('inside');
    expect(trace.records.map(({ stage }) => stage)).toEqual(['vaeEncode']);
  });
});

it('a signal ends a pipe within one tile', async () => {
  const controller = new AbortController();
  let done = 0;
  const tiled = await codec.world({
    arenaByteLength: 32 << 20,
    signal: controller.signal,
    onProgress: (tilesDone) => {
      done = tilesDone;
      if (tilesDone === 3) controller.abort();
    },
  });
  // 10 x 8 tiles of 64 px.
  const image = tiled.spawnImage(picture(640, 512));
  await expect(tiled.pipe(image).to(vaeEncode()).out('Latent')).rejects.toMatchObject({
    code: 'aborted',
  });
  expect(done).toBeLessThanOrEqual(4);
  await expect(tiled.pipe(image).out('Rgb')).resolves.toBeDefined();
  await expect(tiled.pipe(image).to(vaeEncode()).out('Latent')).rejects.toThrow(/cancelled/);
  // The codec goes on with other work at once.
  const other = world.spawnImage(picture(8, 8));
  await expect(world.pipe(other).to(vaeEncode()).out('Latent')).resolves.toBeDefined();
});
