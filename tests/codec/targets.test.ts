import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareImages } from '#src/bench/metrics.js';
import { inspect } from '#src/codec/inspect.js';
import { type Codec, openCodec } from '#src/codec/open.js';
import type { CompressOptions } from '#src/codec/options.js';
import { psnr } from '#src/codec/quality.js';
import { METRIC_SCALES, METRIC_TRIES, searchMetric, searchSize } from '#src/codec/targets.js';
import type { Pixels } from '#src/image/pixels.js';
import { Trace } from '#src/pipeline/trace.js';

const RATES = { coarsest: 0, finest: 4095 };

let codec: Codec;
beforeAll(async () => {
  codec = await openCodec({ model: 'fixture', threads: 1 });
});
afterAll(() => codec.close());

/** Waves, a checkerboard and hashed grain: something to spend bits on at every rate. */
function picture(widthPx: number, heightPx: number, channels: 1 | 3 = 3): Pixels {
  const data = Uint8Array.from({ length: widthPx * heightPx * channels }, (_, i) => {
    const x = Math.floor(i / channels) % widthPx;
    const y = Math.floor(i / channels / widthPx);
    const grain = (Math.imul(i + 1, 2654435761) >>> 27) - 16;
    return 110 + 70 * Math.sin(x / 9) * Math.cos(y / 11) + (((x >> 3) ^ (y >> 3)) & 1) * 20 + grain;
  });
  return { widthPx, heightPx, channels, data };
}

/** Boxes of a few colours. */
function drawing(widthPx: number, heightPx: number): Pixels {
  const data = Uint8Array.from({ length: widthPx * heightPx * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % widthPx, Math.floor(i / 3 / widthPx)];
    return ((x >> 4) * 7 + (y >> 3) * 5 + (i % 3)) % 4 === 0 ? 30 : 220;
  });
  return { widthPx, heightPx, channels: 3, data };
}

describe('the search for a size', () => {
  it('never ends above it, whatever the sizes do, and asks at most 26 times', async () => {
    const bumps = fc.array(fc.integer({ min: -400, max: 400 }), { minLength: 64, maxLength: 64 });
    await fc.assert(
      fc.asyncProperty(bumps, fc.integer({ min: 900, max: 400_000 }), async (noise, most) => {
        const asked: number[] = [];
        const sizeOf = (rate: number) =>
          Math.round(1500 * Math.exp(rate / 800) + (noise[rate % 64] ?? 0));
        const search = searchSize(most, RATES, (rate) => {
          asked.push(rate);
          return Promise.resolve(sizeOf(rate));
        });
        const rate = await search;
        if (sizeOf(0) > most) expect(rate).toBeUndefined();
        else expect(sizeOf(rate ?? Number.NaN)).toBeLessThanOrEqual(most);
        expect(asked.length).toBeLessThanOrEqual(26);
      }),
      { numRuns: 300 },
    );
  });

  it('comes within 2 % where sizes are smooth', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2_000, max: 200_000 }),
        fc.integer({ min: 300, max: 2000 }),
        async (most, pace) => {
          const sizeOf = (rate: number) => Math.round(1500 * Math.exp(rate / pace));
          fc.pre(sizeOf(4095) > most);
          const rate = await searchSize(most, RATES, (rate) => Promise.resolve(sizeOf(rate)));
          expect(sizeOf(rate ?? Number.NaN) / most).toBeGreaterThan(0.98);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the search for a metric', () => {
  it('ends at a rate that was seen to be good enough, or tells the best; 7 tries at most', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 10, max: 45 }),
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom(0.5, 0.7, 1, 1.5, 2),
        fc.integer({ min: 20, max: 60 }),
        async (start, growth, bend, least) => {
          const metricOf = (rate: number) => start + growth * (rate / 4095) ** bend;
          let tries = 0;
          const search = searchMetric(least, METRIC_SCALES.psnr, RATES, (rate) => {
            tries++;
            return Promise.resolve(metricOf(rate));
          });
          const best = metricOf(4095);
          if (best < least) await expect(search).rejects.toThrow(/PSNR of at most/);
          else {
            const rate = await search;
            expect(metricOf(rate)).toBeGreaterThanOrEqual(least);
            // The worst of these curves; on pictures it is 0.03 dB nearly always.
            if (rate > 0) expect(metricOf(rate) - least).toBeLessThan(growth / 10);
          }
          expect(tries).toBeLessThanOrEqual(METRIC_TRIES);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('compress to a target', () => {
  it.each([
    [3, 2000],
    [3, 2600],
    [3, 3600],
    [1, 1200],
    [1, 2200],
  ] as const)('size keeps it to 2 %%, %s channels in %s bytes', async (channels, targetSize) => {
    const bytes = await codec.compress(picture(160, 120, channels), { targetSize });
    expect(bytes.length).toBeLessThanOrEqual(targetSize);
    expect(bytes.length).toBeGreaterThan(0.98 * targetSize);
    expect((await codec.decompress(bytes)).channels).toBe(channels);
  });

  it('in bits per pixel counts the whole file', async () => {
    const bytes = await codec.compress(picture(160, 120), { targetBpp: 1.5 });
    expect(inspect(bytes).bitsPerPixel).toBeLessThanOrEqual(1.5);
    expect(inspect(bytes).bitsPerPixel).toBeGreaterThan(1.47);
  });

  it.each([26, 27, 28])(
    'PSNR of %s dB is at least that, as decoded, and little more',
    async (db) => {
      const pixels = picture(160, 120);
      const back = await codec.decompress(await codec.compress(pixels, { targetPsnr: db }));
      expect(psnr(pixels, back)).toBeGreaterThanOrEqual(db);
      expect(psnr(pixels, back)).toBeLessThan(db + 0.2);
    },
  );

  it.each([0.7, 0.85])(
    'SSIM of %s is at least that, as decoded, and little more',
    async (least) => {
      const pixels = picture(160, 120);
      const back = await codec.decompress(await codec.compress(pixels, { targetSsim: least }));
      const { ssim } = (await compareImages(pixels, back, ['ssim'])) as { ssim: number };
      expect(ssim).toBeGreaterThanOrEqual(least);
      expect(ssim).toBeLessThan(least + 0.02);
    },
  );

  it('SSIM of a picture smaller than its window is refused, with what to aim at', async () => {
    await expect(codec.compress(picture(10, 120), { targetSsim: 0.9 })).rejects.toThrow(
      'ssim: expected a picture of at least 11 px a side, got 10x120; aim at a PSNR',
    );
  });

  it('runs the encoder once and the decoder at most 7 times', async () => {
    for (const [target, decodes] of [
      [{ targetSize: 3000 }, 0],
      [{ targetPsnr: 27.5 }, METRIC_TRIES],
      [{ targetPsnr: 50 }, METRIC_TRIES],
    ] as const) {
      const trace = new Trace();
      await codec.compress(picture(160, 120), { ...target, trace });
      const runs = (name: string) => trace.records.filter(({ stage }) => stage === name).length;
      expect(runs('vaeEncode')).toBe(1);
      expect(runs('vaeDecode')).toBeLessThanOrEqual(decodes);
      expect(runs('entropyEncode')).toBeLessThanOrEqual(26);
    }
  });

  it('takes the effort that is asked for, and is never worse for it', async () => {
    for (const seed of [160, 200]) {
      const pixels = picture(seed, 120);
      const bySize = async (effort: number) => {
        const file = await codec.compress(pixels, { targetSize: 2600, effort });
        expect(file.length).toBeLessThanOrEqual(2600);
        return psnr(pixels, await codec.decompress(file));
      };
      expect(await bySize(6)).toBeGreaterThanOrEqual(await bySize(3));
      const byPsnr = async (effort: number) => {
        const trace = new Trace();
        const file = await codec.compress(pixels, { targetPsnr: 30, effort, trace });
        expect(psnr(pixels, await codec.decompress(file))).toBeGreaterThanOrEqual(30);
        return { file, refined: trace.records.some(({ stage }) => stage === 'refine') };
      };
      const [plain, refined] = [await byPsnr(3), await byPsnr(6)];
      expect([plain.refined, refined.refined]).toEqual([false, true]);
      expect(refined.file.length).toBeLessThanOrEqual(plain.file.length);
    }
  });

  it('that cannot be is refused with the nearest that can', async () => {
    const pixels = picture(160, 120);
    const error = await codec.compress(pixels, { targetSize: 60 }).catch((e: Error) => e);
    const least = Number(/at least (\d+) bytes/.exec(String(error))?.[1]);
    expect(await codec.compress(pixels, { targetSize: least })).toHaveLength(least);
  });

  it('of a drawn picture are met without the model where that is better or smaller', async () => {
    const pixels = drawing(160, 120);
    const exact = await codec.compress(pixels, { lossless: true });
    for (const target of [
      { targetSize: 20_000 },
      { targetSize: exact.length },
      { targetPsnr: 30 },
    ]) {
      const file = await codec.compress(pixels, target);
      expect(file.length).toBeLessThanOrEqual(exact.length);
      expect(inspect(file).mode).toBe('planes');
      expect(await codec.decompress(file)).toEqual(pixels);
    }
    // Smaller than the picture itself, and than what the model needs at least.
    const error = await codec.compress(pixels, { targetSize: 20 }).catch((e: Error) => e);
    const least = Number(/at least (\d+) bytes/.exec(String(error))?.[1]);
    expect(least).toBeLessThanOrEqual(exact.length);
    expect(await codec.compress(pixels, { targetSize: least })).toHaveLength(least);
    await expect(codec.compress(pixels, { targetSize: least - 1 })).rejects.toThrow(
      `at least ${least} bytes`,
    );
  });
});

describe('options', () => {
  it.each([
    [{ targetSize: 100, quality: 50 }, /at most one of .* got quality and targetSize/],
    [{ targetPsnr: 30, targetSsim: 0.9 }, /got targetPsnr and targetSsim/],
    [{ targetSize: 0 }, /target size in bytes: expected a number from 1/],
    [{ targetBpp: Number.NaN }, /bits per pixel/],
    [{ targetSsim: 1.5 }, /SSIM: expected a number from 0 to 1/],
    [{ qualty: 50 }, /expected options of .* got 'qualty'/],
  ] as const)('%o are refused', async (options, message) => {
    await expect(codec.compress(picture(8, 8), options as CompressOptions)).rejects.toThrow(
      message,
    );
  });

  it('that decompress does not know are refused', async () => {
    const bytes = await codec.compress(picture(8, 8));
    const odd = { quality: 3 } as object;
    await expect(codec.decompress(bytes, odd)).rejects.toThrow(/got 'quality'/);
  });
});
