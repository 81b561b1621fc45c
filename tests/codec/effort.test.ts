import { openCodec, readImage } from 'vaerans';
import { afterAll, describe, expect, it } from 'vitest';
import { type Judge, measure } from '#src/codec/judge.js';
import type { PlainPixels } from '#src/image/pixels.js';

const photo = (await readImage('fixtures/photo.png')) as PlainPixels;

describe('effort', () => {
  const codec = openCodec({ threads: 1 });
  afterAll(async () => (await codec).close());

  it.each<['psnr' | 'eye', Judge, number, number, number]>([
    ['psnr', 'psnr', 78, 4, 1],
    ['psnr', 'psnr', 20, 5, 0.99],
    ['psnr', 'psnr', 60, 5, 0.99],
    ['eye', 'ssimulacra2', 60, 4, 1],
    ['eye', 'ssimulacra2', 20, 5, 0.99],
    ['eye', 'ssimulacra2', 60, 5, 0.95],
  ])(
    'takes fewer bytes for what the tune %s is judged by, %s, at quality %i and effort %i',
    async (tune, judge, quality, effort, share) => {
      const coded = async (asked: number, effort: number) => {
        const file = await (await codec).compress(photo, { quality: asked, effort, tune });
        const decoded = (await (await codec).decompress(file)) as PlainPixels;
        return { bytes: Math.log(file.length), value: await measure(judge, photo, decoded) };
      };
      const [below, above] = [await coded(quality - 5, 3), await coded(quality + 5, 3)];
      const bytesFor = (value: number) =>
        below.bytes +
        ((above.bytes - below.bytes) * (value - below.value)) / (above.value - below.value);
      const { bytes, value } = await coded(quality, effort);
      expect(bytes).toBeLessThan(bytesFor(value) + Math.log(share));
    },
  );

  it('of 5 and more makes the same file with any number of threads', async () => {
    const options = { quality: 50, effort: 5, tune: 'psnr' } as const;
    const one = await (await codec).compress(photo, options);
    const two = await openCodec({ threads: 2 });
    try {
      expect(await two.compress(photo, options)).toEqual(one);
    } finally {
      await two.close();
    }
  });

  it('of 5 and more is that of 4 for a picture that is too small to be searched', async () => {
    const [widthPx, heightPx] = [96, 80];
    const data = new Uint8Array(3 * widthPx * heightPx);
    for (let y = 0; y < heightPx; y++) {
      const from = 3 * (60 + y) * photo.widthPx;
      data.set(photo.data.subarray(from, from + 3 * widthPx), 3 * y * widthPx);
    }
    const small = { widthPx, heightPx, channels: 3, data } as const;
    const [refined, searched] = [4, 7].map(async (effort) =>
      (await codec).compress(small, { quality: 70, effort, tune: 'eye' }),
    );
    expect(await searched).toEqual(await refined);
  });

  it('of 5 and more cuts a large picture into tiles, and tells of each', async () => {
    const [widthPx, heightPx] = [700, 600];
    const data = new Uint8Array(3 * widthPx * heightPx);
    for (let at = 0; at < data.length; at++) {
      const [x, y] = [Math.floor(at / 3) % widthPx, Math.floor(at / 3 / widthPx)];
      const from = 3 * ((y % photo.heightPx) * photo.widthPx + (x % photo.widthPx)) + (at % 3);
      data[at] = photo.data[from] ?? 0;
    }
    const large: PlainPixels = { widthPx, heightPx, channels: 3, data };
    const seen: [number, number][] = [];
    const onProgress = (...at: [number, number]) => void seen.push(at);
    const coded = async (effort: number) => {
      const file = await (await codec).compress(large, {
        quality: 50,
        effort,
        tune: 'psnr',
        onProgress,
      });
      const decoded = (await (await codec).decompress(file)) as PlainPixels;
      return { byteLength: file.length, psnrDb: await measure('psnr', large, decoded) };
    };
    const plain = await coded(3);
    seen.length = 0;
    const searched = await coded(5);
    // Four tiles are searched, and one is decoded for the filter.
    expect(seen).toEqual([1, 2, 3, 4, 5].map((done) => [done, 5]));
    expect(searched.byteLength).toBeLessThan(1.06 * plain.byteLength);
    expect(searched.psnrDb).toBeGreaterThan(plain.psnrDb + 0.1);
  });

  it('ends a search that nobody waits for any longer, and so does closing', async () => {
    const own = await openCodec({ threads: 1 });
    const abort = new AbortController();
    const options = { quality: 50, effort: 9, tune: 'psnr' } as const;
    const aborted = own.compress(photo, { ...options, signal: abort.signal });
    setTimeout(() => abort.abort(), 300);
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    const closed = own.compress(photo, options).catch((error: Error) => error);
    setTimeout(() => void own.close(), 300);
    expect(await closed).toBeInstanceOf(Error);
  });

  it('is refused beforehand where the memory of a search is not to be had', async () => {
    const narrow = await openCodec({ threads: 1, limits: { maxMemoryBytes: 250 * 2 ** 20 } });
    try {
      expect((await narrow.compress(photo, { effort: 3, tune: 'psnr' })).length).toBeGreaterThan(0);
      await expect(narrow.compress(photo, { effort: 5, tune: 'psnr' })).rejects.toMatchObject({
        code: 'limit',
      });
    } finally {
      await narrow.close();
    }
  });

  it('chooses symbols by rate from 3 on with the tune psnr, for fewer bytes but the filter’s', async () => {
    const [plain, chosen] = [
      await (await codec).compress(photo, { quality: 40, effort: 2, tune: 'psnr' }),
      await (await codec).compress(photo, { quality: 40, effort: 3, tune: 'psnr' }),
    ];
    expect(chosen.length).toBeLessThan(0.99 * plain.length);
  });
});
