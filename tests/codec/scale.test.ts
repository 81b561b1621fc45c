import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Codec, openCodec } from '#src/codec/open.js';
import type { Pixels } from '#src/image/pixels.js';
import { encodeImage } from '#src/image/write.js';
import { Trace } from '#src/pipeline/trace.js';
import { decodedLatent } from '../../scripts/decoded-latent.mjs';
import { picture } from '../pipeline/fixture.js';

const ROOT = join(import.meta.dirname, '../..');

let folder: string;
let plain: Codec;
let codec: Codec;
let printed: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vaerans-preview-'));
  const model = join(folder, 'model');
  await cp(join(ROOT, 'models/fixture'), model, { recursive: true });
  const pictures: string[] = [];
  for (let seed = 1; seed <= 8; seed++) {
    pictures.push(join(folder, `${seed}.ppm`));
    await writeFile(join(folder, `${seed}.ppm`), encodeImage(picture(80, 60, seed), 'ppm'));
  }
  // The very program that fits a model's head.
  const args = [join(ROOT, 'scripts/fit-preview.mjs'), model, ...pictures];
  printed = execFileSync(process.execPath, args, { encoding: 'utf8' });
  codec = await openCodec({ model, threads: 1 });
  plain = await openCodec({ model: join(ROOT, 'models/fixture'), threads: 1 });
}, 120_000);
afterAll(async () => {
  await Promise.all([codec.close(), plain.close()]);
  await rm(folder, { recursive: true });
});

/** Means of squares of `side` pixels. */
function shrink({ widthPx, heightPx, channels, data }: Pixels, side: number): number[] {
  const means: number[] = [];
  for (let y = 0; y + side <= heightPx; y += side) {
    for (let x = 0; x + side <= widthPx; x += side) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let at = 0; at < side * side; at++) {
          const row = y + Math.floor(at / side);
          sum += data[(row * widthPx + x + (at % side)) * channels + channel] ?? 0;
        }
        means.push(sum / side ** 2);
      }
    }
  }
  return means;
}

describe('a preview', () => {
  it('is the picture at a quarter, as the stride is 4, without a network', async () => {
    expect(printed).toMatch(/^8 pictures, \d+ samples; on those kept back, .* dB/);
    const pixels = picture(120, 1100);
    const file = await codec.compress(pixels, { quality: 90 });
    const trace = new Trace();
    const small = await codec.decompress(file, { scale: 1 / 4, trace });
    expect(small).toMatchObject({ widthPx: 30, heightPx: 275, channels: 3 });
    const wanted = shrink(pixels, 4);
    const error = wanted.reduce((sum, mean, at) => sum + (mean - (small.data[at] ?? 0)) ** 2, 0);
    // The fixture's latent is linear: only quantising keeps its preview from the means.
    expect(Math.sqrt(error / wanted.length)).toBeLessThan(3);
    expect(trace.records.some(({ stage }) => stage === 'vaeDecode')).toBe(false);
    expect(trace.records.filter(({ stage }) => stage === 'preview')).toHaveLength(3);
  });

  it.each([1, 3])(
    'sums %i by %i samples of the whole latent, however it was cut into bands',
    async (side) => {
      const model = join(folder, `side-${side}`);
      await cp(join(folder, 'model'), model, { recursive: true });
      const path = join(model, 'manifest.json');
      const manifest = JSON.parse(await readFile(path, 'utf8'));
      // Of the fitted head the middle alone is a head of one sample.
      const { weights, bias } = manifest.previewHead as { weights: number[][]; bias: number[] };
      const kept = weights.map((colour) => colour.filter((_, at) => side === 3 || at % 9 === 4));
      manifest.previewHead.weights = kept;
      await writeFile(path, JSON.stringify(manifest));
      await using own = await openCodec({ model, threads: 1 });
      const pixels = picture(61, 1100);
      const file = await own.compress(pixels, { quality: 70 });
      const small = await own.decompress(file, { scale: 1 / 4 });

      const world = await own.world();
      const { grids } = await decodedLatent(world, pixels, { quality: 70 });
      const [latent] = grids;
      if (latent === undefined) throw new Error('expected a latent');
      const [channels = 0, height = 0, width = 0] = latent.shape;
      const values = world.arena.view(latent);
      const reach = (side - 1) / 2;
      const clamp = (at: number, length: number) => Math.max(0, Math.min(length - 1, at));
      for (let at = 0; at < small.data.length; at++) {
        const [x, y] = [Math.floor(at / 3) % small.widthPx, Math.floor(at / 3 / small.widthPx)];
        let sum = bias[at % 3] ?? Number.NaN;
        for (let tap = 0; tap < side * side * channels; tap++) {
          const [channel, place] = [Math.floor(tap / side ** 2), tap % side ** 2];
          const row = clamp(y + Math.floor(place / side) - reach, height);
          const column = clamp(x + (place % side) - reach, width);
          const sample = values[(channel * height + row) * width + column] ?? 0;
          sum += (kept[at % 3]?.[tap] ?? 0) * sample;
        }
        expect(small.data[at]).toBe(clamp(Math.round(sum), 256));
      }
    },
  );

  it('of any size is rounded up', async () => {
    for (const [width, height] of [
      [1, 1],
      [5, 3],
      [70, 515],
    ] as const) {
      const small = await codec.decompress(await codec.compress(picture(width, height)), {
        scale: 0.25,
      });
      expect([small.widthPx, small.heightPx]).toEqual([
        Math.ceil(width / 4),
        Math.ceil(height / 4),
      ]);
    }
  });

  it('is another way to show the same file: the model keeps its identity', async () => {
    const [a, b] = await Promise.all([codec.openModel(), plain.openModel()]);
    expect(a.model.manifest.previewHead).toBeDefined();
    expect(a.model.modelId).toBe(b.model.modelId);
  });

  it('at other scales, with a region, or of a model without one is refused by name', async () => {
    const file = await codec.compress(picture(40, 40));
    await expect(codec.decompress(file, { scale: 1 / 8 })).rejects.toMatchObject({
      code: 'usage',
      message: 'decompress: expected scale 1 or 1/4, got 0.125',
    });
    const region = { x: 0, y: 0, width: 4, height: 4 };
    await expect(codec.decompress(file, { scale: 0.25, region })).rejects.toMatchObject({
      code: 'usage',
    });
    await expect(plain.decompress(file, { scale: 0.25 })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining("model 'fixture' has no preview"),
    });
    expect((await plain.decompress(file, { scale: 1 })).widthPx).toBe(40);
  });

  it('whose head does not fit the channels is no model', async () => {
    const model = join(folder, 'broken');
    await cp(join(folder, 'model'), model, { recursive: true });
    const path = join(model, 'manifest.json');
    const manifest = JSON.parse(await readFile(path, 'utf8'));
    const { weights } = manifest.previewHead;
    for (const broken of [
      [weights[0], weights[1].slice(1), weights[2]],
      weights.map((colour: number[]) => colour.slice(0, 16)),
    ]) {
      manifest.previewHead.weights = broken;
      await writeFile(path, JSON.stringify(manifest));
      await expect(openCodec({ model })).rejects.toThrow(
        /previewHead.weights: expected 8 values for every colour, or 72/,
      );
    }
  });
});
