import { BackendError, type Codec, type Components, UsageError, type World } from 'vaerans';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tensorsOf } from '#src/pipeline/components.js';
import { subbandsOf } from '#src/stages/wavelet.js';
import { openFixtureCodec, picture } from './fixture.js';

let codec: Codec;
let world: World;

beforeAll(async () => {
  codec = await openFixtureCodec();
  world = await codec.world({ arenaByteLength: 1 << 20 });
});
afterAll(() => codec.close());

const SIZE = { widthPx: 16, heightPx: 8 };

/** One sound example of each component, of a picture of 16x8. */
function samples(): { [Name in keyof Components]: Components[Name] } {
  const { arena } = world;
  const rgb = { pixels: arena.allocate('u8', [8, 16, 3]) };
  const latent = { grids: [arena.allocate('f32', [8, 2, 4])], ...SIZE };
  const quant = { rate: 2000 };
  return {
    Rgb: rgb,
    ReconRgb: rgb,
    BlurRgb: rgb,
    PreviewRgb: { pixels: arena.allocate('u8', [2, 4, 3]), ...SIZE },
    Latent: latent,
    Rotated: latent,
    WaveletPyramid: { ...latent, kind: 'cdf53', levels: 1, subbands: subbandsOf(4, 2, 1) },
    Symbols: { grids: [arena.allocate('i16', [8, 2, 4])], quant, ...SIZE },
    Bitstream: {
      slices: [arena.allocate('u8', [10])],
      coder: 'static',
      sliceRows: 128,
      shapes: [[8, 2, 4]],
      quant,
      ...SIZE,
    },
    Residual: { values: arena.allocate('i16', [8, 16, 3]) },
    Samples: { values: arena.allocate('u16', [8, 16, 4]) },
    PlaneStream: {
      bands: [arena.allocate('u8', [10])],
      bandRows: 8,
      components: 3,
      dtype: 'u8',
      ...SIZE,
    },
  };
}

describe('components', () => {
  it('that are sound are taken, all of them on one entity', () => {
    const entity = world.newEntity();
    for (const [name, data] of Object.entries(samples())) {
      entity.add(name as keyof Components, data);
    }
    expect(entity.names).toEqual(Object.keys(samples()));
  });

  it.each([
    ['Rgb', { pixels: 'f32' }],
    ['ReconRgb', { pixels: 'i16' }],
    ['BlurRgb', { pixels: 'f32' }],
    ['PreviewRgb', { pixels: 'f32' }],
    ['Latent', { grids: 'u8' }],
    ['Rotated', { grids: 'i16' }],
    ['WaveletPyramid', { grids: 'u8' }],
    ['Symbols', { grids: 'f32' }],
    ['Residual', { values: 'u8' }],
  ] as const)('%s of another type of number is refused', (name, change) => {
    const [[field, dtype]] = Object.entries(change) as [[string, 'u8' | 'i16' | 'f32']];
    const good = samples()[name];
    const [tensor] = tensorsOf(good);
    const other = world.arena.allocate(dtype, tensor?.shape ?? []);
    const bad = { ...good, [field]: field === 'grids' ? [other] : other };
    expect(() => world.newEntity().add(name, bad as Components[typeof name])).toThrow(
      new RegExp(`^${name}: expected (u8|i16|f32) \\[.*\\], got ${dtype} \\[`),
    );
  });

  it('of a wrong shape are refused', () => {
    const { arena } = world;
    const entity = world.newEntity();
    for (const shape of [
      [8, 16],
      [8, 16, 1],
      [8, 16, 4],
      [0, 16, 3],
      [1, 8, 16, 3],
    ]) {
      const pixels = arena.allocate('u8', shape);
      expect(() => entity.add('Rgb', { pixels }), `${shape}`).toThrow(BackendError);
    }
    const values = arena.allocate('f32', [8, 8]);
    expect(() => entity.add('Latent', { grids: [values], ...SIZE })).toThrow(
      /\[channels, height, width\]/,
    );
    for (const shapes of [
      [],
      [
        [2, 2, 4],
        [3, 3, 6],
      ],
      [
        [2, 2, 4],
        [3, 4, 4],
      ],
    ]) {
      const grids = shapes.map((shape) => arena.allocate('f32', shape));
      expect(() => entity.add('Latent', { grids, ...SIZE })).toThrow(/latent grids from coarse/);
    }
    expect(entity.names).toEqual([]);
  });

  it('with parameters out of range are refused', () => {
    const { Latent, WaveletPyramid, Symbols, Bitstream } = samples();
    const entity = world.newEntity();
    for (const rate of [-1, 4096, 0.5, Number.NaN]) {
      expect(() => entity.add('Symbols', { ...Symbols, quant: { rate } })).toThrow(UsageError);
      expect(() => entity.add('Bitstream', { ...Bitstream, quant: { rate } })).toThrow(UsageError);
    }
    for (const levels of [-1, 11, 1.5]) {
      expect(() => entity.add('WaveletPyramid', { ...WaveletPyramid, levels })).toThrow(UsageError);
    }
    expect(() => entity.add('Latent', { ...Latent, widthPx: 0 })).toThrow(/at least 1x1 px/);
    expect(() => entity.add('Latent', { ...Latent, heightPx: 1.5 })).toThrow(/at least 1x1 px/);
  });

  it('refuse an index that does not cover the pyramid', () => {
    const { WaveletPyramid } = samples();
    const subbands = WaveletPyramid.subbands.slice(1);
    expect(() => world.newEntity().add('WaveletPyramid', { ...WaveletPyramid, subbands })).toThrow(
      'WaveletPyramid: expected subbands of 4x2 = 8 samples together, got 6',
    );
  });

  it('refuse a bitstream whose slices do not fit its rows', () => {
    const { Bitstream } = samples();
    const entity = world.newEntity();
    expect(() => entity.add('Bitstream', { ...Bitstream, sliceRows: 1 })).toThrow(
      'Bitstream: expected 2 slices of 1 rows for 2 rows, got 1',
    );
    expect(() => entity.add('Bitstream', { ...Bitstream, sliceRows: 0 })).toThrow(BackendError);
    const slices = [world.arena.allocate('f32', [10])];
    expect(() => entity.add('Bitstream', { ...Bitstream, slices: slices as never })).toThrow(
      /slices of u8/,
    );
  });

  it('of one entity are of one picture', () => {
    const entity = world.spawnImage(picture(16, 8));
    const pixels = world.arena.allocate('u8', [16, 8, 3]);
    expect(() => entity.add('ReconRgb', { pixels })).toThrow(
      'ReconRgb: expected a picture of 16x8 px as the Rgb of the same entity, got 8x16 px',
    );
    const { Latent } = samples();
    expect(() => entity.add('Latent', { ...Latent, widthPx: 17 })).toThrow(/16x8 px as the Rgb/);
    entity.add('Latent', Latent);
    expect(() => entity.add('Rgb', { pixels })).toThrow(/as the Latent/);
  });
});
