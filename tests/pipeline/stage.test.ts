import { type Codec, defineStage, type Stage, UsageError, vaeEncode, type World } from 'vaerans';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { only, openFixtureCodec, picture } from './fixture.js';

let codec: Codec;
let world: World;
beforeAll(async () => {
  codec = await openFixtureCodec();
  world = await codec.world({ arenaByteLength: 1 << 20 });
});
afterAll(() => codec.close());

/** What plain JavaScript may define. */
const loose = defineStage as unknown as (definition: object) => Stage<'Latent', 'Latent'>;

describe('a stage', () => {
  it('may replace what it was given', async () => {
    const doubled = defineStage({
      name: 'doubled',
      requires: ['Latent'],
      produces: ['Latent'],
      transform({ Latent: { grids, ...size } }, { arena }) {
        const doubles = grids.map((grid) => {
          const twice = arena.allocate('f32', grid.shape);
          arena.view(twice).set(arena.view(grid).map((value) => 2 * value));
          return twice;
        });
        return { Latent: { grids: doubles, ...size } };
      },
    });
    const once = world.pipe(world.spawnImage(picture(8, 8))).to(vaeEncode());
    const single = world.arena.view(only((await once.out('Latent')).grids)).slice();
    const twice = world.arena.view(only((await once.to(doubled).out('Latent')).grids));
    expect([...twice]).toEqual([...single].map((value) => 2 * value));
  });

  it('is handed the world and the entity beside its inputs, once for every entity', async () => {
    const seen: unknown[] = [];
    const images = world.spawnBatch([picture(8, 8), picture(8, 8)]);
    const look = defineStage({
      name: 'look',
      requires: ['Rgb'],
      produces: [],
      transform(inputs, itsWorld, entity) {
        seen.push([inputs, itsWorld === world, entity]);
        return {};
      },
    });
    await world.pipe(images).to(look).out('Rgb');
    expect(seen).toEqual(images.map((image) => [{ Rgb: image.get('Rgb') }, true, image]));
  });
});

describe('from plain JavaScript, a stage', () => {
  const transform = () => ({});

  it('that names no component of ours is refused when it is made', () => {
    expect(() => loose({ name: 'typo', requires: ['Latnet'], produces: [], transform })).toThrow(
      /^typo: expected a component of Rgb, .*, got 'Latnet'$/,
    );
    expect(() => loose({ name: 'typo', requires: [], produces: ['toString'], transform })).toThrow(
      UsageError,
    );
    expect(() => loose({ name: 'bare', requires: 'Rgb', produces: [], transform })).toThrow(
      'bare: expected requires and produces to be lists of components',
    );
  });

  it('that does not return what it promised says so', async () => {
    for (const nothing of [transform, () => undefined]) {
      const stage = loose({
        name: 'lazy',
        requires: ['Latent'],
        produces: ['Latent'],
        transform: nothing,
      });
      const pipe = world
        .pipe(world.spawnImage(picture(8, 8)))
        .to(vaeEncode())
        .to(stage);
      await expect(pipe.out('Latent')).rejects.toThrow(
        'lazy: expected transform to return Latent, got none',
      );
    }
  });
});
