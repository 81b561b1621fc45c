import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCodec, psnr, readImage } from 'vaerans';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listModels } from '#src/modelkit/store.js';
import { karhunenLoeve, measureChannels } from '#src/modelkit/tune/statistics.js';
import { relativeRate } from '#src/modelkit/tune/trial.js';
import { tuneModel } from '#src/modelkit/tune/tune.js';
import { findModel } from '#src/models/registry.js';
import { noise } from './craft.js';

const PICTURES = ['scene-left', 'scene-right', 'scene-tall'].map((name) =>
  join(import.meta.dirname, `../../examples/pictures/${name}.png`),
);

let modelsFolder: string;
beforeAll(async () => {
  modelsFolder = await mkdtemp(join(tmpdir(), 'vaerans-tune-'));
});
afterAll(() => rm(modelsFolder, { recursive: true }));

describe('tuning', () => {
  it('makes a model of smaller files for the same pictures, and keeps what it replaced', async () => {
    const options = { modelsFolder, images: PICTURES, cropPx: 128, steps: 20, threads: 1 };
    const first = await tuneModel('fixture', { ...options, as: 'mine' });
    expect(first.rates).toHaveLength(9);
    for (const { savedShare } of first.rates) expect(savedShare).toBeGreaterThan(0);
    const plain = await openCodec({ model: 'fixture', threads: 1 });
    const tuned = await openCodec({ model: 'mine', modelsFolder, threads: 1 });
    const picture = await readImage(PICTURES[0] ?? '');
    const sizes: number[] = [];
    let old: Uint8Array = new Uint8Array();
    for (const codec of [plain, tuned]) {
      // The rate at which each comes to about the same fidelity.
      for (let quality = 1; quality <= 100; quality++) {
        const bytes = await codec.compress(picture, { quality });
        if (psnr(picture, await codec.decompress(bytes)) < 21) continue;
        sizes.push(bytes.length);
        old = bytes;
        break;
      }
      await codec.close();
    }
    expect(sizes[1]).toBeLessThan(0.9 * (sizes[0] ?? 0));
    const again = await tuneModel('mine', { ...options, cropPx: 96, steps: 0 });
    expect(again.modelId).not.toBe(first.modelId);
    const kinds = (await listModels({ modelsFolder })).filter(({ name }) => name === 'mine');
    expect(kinds.map(({ kind, modelId }) => [kind, modelId])).toEqual([
      ['installed', again.modelId],
      ['version', first.modelId],
    ]);
    await using codec = await openCodec({ modelsFolder, threads: 1 });
    expect((await codec.decompress(old)).widthPx).toBe(picture.widthPx);
  }, 120_000);

  it('of tables alone leaves transform, steps and scale as they are', async () => {
    const options = { modelsFolder, images: PICTURES, cropPx: 96, steps: 0, threads: 1 };
    await tuneModel('fixture', { ...options, tablesOnly: true, as: 'tables' });
    const before = (await findModel('fixture', {})).manifest;
    const after = (await findModel('tables', { modelsFolder })).manifest;
    expect(after).toMatchObject({ rate: before.rate, quality: before.quality });
    expect(after.transform).toEqual(before.transform);
    expect(after.context).toBeDefined();
  });

  it('asks for a name where the model ships with the program', async () => {
    const options = { modelsFolder, images: PICTURES };
    await expect(tuneModel('fixture', options)).rejects.toThrow(/--as gives another/);
  });

  it('without pictures says so', async () => {
    await expect(tuneModel('fixture', { modelsFolder, images: [], as: 'x' })).rejects.toThrow(
      /opaque 8-bit pictures/,
    );
  });
});

describe('the Karhunen-Loève transform', () => {
  it('is orthonormal and leaves channels without correlation, most variance first', () => {
    const channels = 6;
    const next = noise(4);
    const area = 400;
    const mix = Array.from({ length: channels * channels }, next);
    const values = new Float32Array(channels * area);
    for (let i = 0; i < area; i++) {
      const own = Array.from({ length: channels }, next);
      for (let c = 0; c < channels; c++) {
        values[c * area + i] =
          2 + own.reduce((sum, v, k) => sum + v * (mix[c * channels + k] ?? 0), 0);
      }
    }
    const klt = karhunenLoeve(measureChannels([{ width: 20, height: 20, values }], channels));
    const mean = klt.subarray(0, channels);
    const rows = Array.from({ length: channels }, (_, r) =>
      klt.subarray(channels + r * channels, channels + (r + 1) * channels),
    );
    for (const [a, row] of rows.entries()) {
      for (const [b, other] of rows.entries()) {
        const dot = row.reduce((sum, v, k) => sum + v * (other[k] ?? 0), 0);
        expect(dot).toBeCloseTo(a === b ? 1 : 0, 5);
      }
    }
    const turned = new Float32Array(values.length);
    for (const [r, row] of rows.entries()) {
      for (let i = 0; i < area; i++) {
        turned[r * area + i] = row.reduce(
          (sum, v, c) => sum + v * ((values[c * area + i] ?? 0) - (mean[c] ?? 0)),
          0,
        );
      }
    }
    const after = measureChannels([{ width: 20, height: 20, values: turned }], channels);
    for (let a = 0; a < channels; a++) {
      for (let b = 0; b < a; b++) expect(after.covariance[a * channels + b]).toBeCloseTo(0, 4);
      const [before = 0, here = 0] = [a - 1, a].map((i) => after.covariance[i * channels + i]);
      if (a > 0) expect(here).toBeLessThanOrEqual(before);
    }
  });
});

it('bits for the same PSNR are compared along both curves', () => {
  const curve = (factor: number) =>
    [0.1, 0.4, 1.6].map((bits, i) => ({
      rate: i,
      bitsPerPixel: factor * bits,
      psnrDb: 20 + 4 * i,
    }));
  expect(relativeRate(curve(1), curve(0.5))).toBeCloseTo(0.5, 6);
  const shifted = curve(1).map((point) => ({ ...point, psnrDb: point.psnrDb + 2 }));
  expect(relativeRate(curve(1), shifted)).toBeCloseTo(0.5, 6);
  const elsewhere = curve(1).map((point) => ({ ...point, psnrDb: point.psnrDb + 50 }));
  expect(relativeRate(curve(1), elsewhere)).toBe(1);
});
