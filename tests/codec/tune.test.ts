import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspect } from '#src/codec/inspect.js';
import { judgeOf, measure } from '#src/codec/judge.js';
import { mapLatent } from '#src/codec/latent-map.js';
import { type Codec, openCodec } from '#src/codec/open.js';
import type { CompressOptions } from '#src/codec/options.js';
import { psnr } from '#src/codec/quality.js';
import { readImage } from '#src/image/file.js';
import type { Pixels } from '#src/image/pixels.js';
import { findModel } from '#src/models/registry.js';
import { DEFAULT_TUNE, EMBEDDED_IDS, TUNES } from '#src/models/tunes.js';

const FIXTURES = join(import.meta.dirname, '../../fixtures');

let codec: Codec;
let photo: Pixels;
beforeAll(async () => {
  codec = await openCodec({ provider: 'cpu', threads: 1 });
  photo = await readImage(join(FIXTURES, 'photo.png'));
});
afterAll(() => codec.close());

const bytesOf = ({ buffer }: Int16Array = new Int16Array()) => Buffer.from(buffer);

describe('the embedded models', () => {
  it.each(TUNES)('%s says its tune, and is the one that files of it name', async (tune) => {
    const { manifest, modelId } = await findModel(tune, {});
    expect([manifest.name, manifest.tune, modelId]).toEqual([tune, tune, EMBEDDED_IDS[tune]]);
  });

  it('have latents of one shape, and are small enough to ship: encoders 20 MB, decoders 8 MB together', async () => {
    const models = await Promise.all(TUNES.map((tune) => findModel(tune, {})));
    const shapes = models.map(({ manifest: { grids, tilePx } }) => JSON.stringify([grids, tilePx]));
    expect(new Set(shapes).size).toBe(1);
    const sum = async (network: 'encoder' | 'decoder') => {
      const sizes = await Promise.all(
        models.map(({ manifest, folder }) => stat(join(folder, manifest[network].file))),
      );
      return sizes.reduce((total, { size }) => total + size, 0);
    };
    expect(await sum('encoder')).toBeLessThan(20e6);
    expect(await sum('decoder')).toBeLessThan(8e6);
  });
});

describe('a tune', () => {
  it.each(TUNES)('%s makes files that any codec decodes, and that carry no name', async (tune) => {
    const bytes = await codec.compress(photo, { tune, quality: 30 });
    expect(inspect(bytes)).toMatchObject({ tune, modelName: undefined, mode: 'model' });
    const decoded = await codec.decompress(bytes);
    for (const model of TUNES) {
      await using other = await openCodec({ model, provider: 'cpu', threads: 1 });
      const asked = await other.compress(photo, { quality: 30 });
      expect(inspect(asked).tune).toBe(model);
      expect(Buffer.compare(asked, bytes) === 0).toBe(model === tune);
      const back = await other.decompress(bytes);
      expect(Buffer.compare(Buffer.from(back.data), Buffer.from(decoded.data))).toBe(0);
    }
  });

  it.each(TUNES)('%s makes latents that every codec reads alike, bit for bit', async (tune) => {
    const bytes = await codec.compress(photo, { tune, quality: 45 });
    const [first, ...others] = await Promise.all(
      [...TUNES, 'fixture'].map((model) => mapLatent(bytes, { model, provider: 'cpu' })),
    );
    expect(first?.symbols.some((symbol) => symbol !== 0)).toBe(true);
    for (const other of others) {
      expect(Buffer.compare(bytesOf(other?.symbols), bytesOf(first?.symbols))).toBe(0);
    }
  });

  it.each(TUNES)(
    '%s spends more bytes on a higher quality, and what it is for grows',
    async (tune) => {
      const judge = judgeOf((await findModel(tune, {})).manifest, photo);
      let last = { length: 0, value: Number.NEGATIVE_INFINITY };
      for (const quality of [1, 20, 45, 70, 85]) {
        const bytes = await codec.compress(photo, { tune, quality });
        const value = await measure(judge, photo, await codec.decompress(bytes));
        expect([quality, bytes.length]).toEqual([quality, Math.max(bytes.length, last.length + 1)]);
        expect([quality, value]).toEqual([quality, Math.max(value, last.value)]);
        last = { length: bytes.length, value };
      }
    },
    120_000,
  );

  it('is the default where none is asked for', async () => {
    expect(inspect(await codec.compress(photo, { quality: 10 })).tune).toBe(DEFAULT_TUNE);
  });

  it('leads to more of what it is for at the same bytes', async () => {
    const [byPsnr, byEye] = await Promise.all(
      TUNES.map(async (tune) =>
        codec.decompress(await codec.compress(photo, { tune, targetBpp: 0.3 })),
      ),
    );
    if (byPsnr === undefined || byEye === undefined) throw new Error('no picture');
    expect(psnr(photo, byPsnr)).toBeGreaterThan(psnr(photo, byEye));
    expect(await measure('ssimulacra2', photo, byEye)).toBeGreaterThan(
      await measure('ssimulacra2', photo, byPsnr),
    );
  });

  it('that there is not is refused by name', async () => {
    const options = { tune: 'ear' } as unknown as CompressOptions;
    await expect(codec.compress(photo, options)).rejects.toMatchObject({
      code: 'usage',
      message: "compress: expected a tune of psnr, eye, got 'ear'",
    });
  });

  it('beside a model is taken where it is that model’s, and refused where it is not', async () => {
    await using eye = await openCodec({ model: 'eye', provider: 'cpu', threads: 1 });
    expect(inspect(await eye.compress(photo, { tune: 'eye', quality: 5 })).tune).toBe('eye');
    await expect(eye.compress(photo, { tune: 'psnr' })).rejects.toThrow(
      /expected a model of tune psnr, got 'eye' of tune eye; leave out the model or the tune/,
    );
    await using fixture = await openCodec({ model: 'fixture', threads: 1 });
    await expect(fixture.compress(photo, { tune: 'eye' })).rejects.toThrow(/'fixture' of none/);
  });

  it('means nothing without a model: a lossless file is the same', async () => {
    const small = { ...photo, heightPx: 16, data: photo.data.slice(0, 16 * 3 * photo.widthPx) };
    const [a, b] = await Promise.all(
      TUNES.map((tune) => codec.compress(small, { tune, lossless: true })),
    );
    expect(Buffer.compare(a ?? Buffer.of(0), b ?? Buffer.of(1))).toBe(0);
    expect(inspect(a ?? new Uint8Array())).toMatchObject({ mode: 'planes', tune: undefined });
  });
});

it('codings are judged by what the model was trained for, at every size', async () => {
  const { manifest } = await findModel('eye', {});
  const judges = [
    [768, 512],
    [7, 900],
    [8, 8],
    [8192, 4096],
  ].map(([widthPx = 0, heightPx = 0]) => judgeOf(manifest, { widthPx, heightPx }));
  expect(judges).toEqual(['ssimulacra2', 'psnr', 'ssimulacra2', 'ssim']);
  expect(judgeOf((await findModel('psnr', {})).manifest, photo)).toBe('psnr');
  expect(judgeOf((await findModel('fixture', {})).manifest, photo)).toBe('psnr');
});
