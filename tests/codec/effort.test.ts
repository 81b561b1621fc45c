import { openCodec, readImage } from 'vaerans';
import { afterAll, describe, expect, it } from 'vitest';
import { type Judge, measure } from '#src/codec/judge.js';
import { psnr } from '#src/codec/quality.js';
import type { PlainPixels } from '#src/image/pixels.js';

const photo = (await readImage('fixtures/photo.png')) as PlainPixels;

/** The photograph beside and below itself, or a part of it. */
function tiled(widthPx: number, heightPx: number): PlainPixels {
  const data = new Uint8Array(3 * widthPx * heightPx);
  for (let at = 0; at < data.length; at++) {
    const [x, y] = [Math.floor(at / 3) % widthPx, Math.floor(at / 3 / widthPx)];
    const from = 3 * ((y % photo.heightPx) * photo.widthPx + (x % photo.widthPx)) + (at % 3);
    data[at] = photo.data[from] ?? 0;
  }
  return { widthPx, heightPx, channels: 3, data };
}

/** A search takes seconds for the whole of it. */
const part = tiled(320, 256);

describe('effort', () => {
  const codec = openCodec({ threads: 1 });
  afterAll(async () => (await codec).close());

  it.each<['psnr' | 'eye', Judge, number, number, number]>([
    ['psnr', 'psnr', 78, 4, 1],
    ['psnr', 'psnr', 20, 5, 0.995],
    ['psnr', 'psnr', 60, 5, 0.99],
    ['eye', 'ssimulacra2', 60, 4, 1],
    ['eye', 'ssimulacra2', 20, 5, 0.99],
    ['eye', 'ssimulacra2', 60, 5, 0.96],
  ])(
    'takes fewer bytes for what the tune %s is judged by, %s, at quality %i and effort %i',
    async (tune, judge, quality, effort, share) => {
      const picture = effort > 4 ? part : photo;
      const coded = async (asked: number, effort: number) => {
        const file = await (await codec).compress(picture, { quality: asked, effort, tune });
        const decoded = (await (await codec).decompress(file)) as PlainPixels;
        return { bytes: Math.log(file.length), value: await measure(judge, picture, decoded) };
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
    const one = await (await codec).compress(part, options);
    const two = await openCodec({ threads: 2 });
    try {
      expect(await two.compress(part, options)).toEqual(one);
    } finally {
      await two.close();
    }
  });

  it('of 5 and more is that of 4 for a picture that is too small to be searched', async () => {
    const [widthPx, heightPx] = [96, 12];
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

  // Tiles that are searched, and those that are decoded for the filter.
  it.each([
    [700, 600, 4, 1],
    [230, 1130, 2, 2],
  ])(
    'of 5 and more cuts %i x %i px into tiles, and tells of each',
    async (widthPx, heightPx, searched, decoded) => {
      const large = tiled(widthPx, heightPx);
      const seen: [number, number][] = [];
      const onProgress = (...at: [number, number]) => void seen.push(at);
      const coded = async (effort: number) => {
        const options = { quality: 50, effort, tune: 'psnr', onProgress } as const;
        const file = await (await codec).compress(large, options);
        const decodedPixels = (await (await codec).decompress(file)) as PlainPixels;
        return { byteLength: file.length, psnrDb: await measure('psnr', large, decodedPixels) };
      };
      const plain = await coded(3);
      seen.length = 0;
      const found = await coded(5);
      const all = searched + decoded;
      expect(seen).toEqual(Array.from({ length: all }, (_, done) => [done + 1, all]));
      // So many bytes more are worth 0.1 dB.
      expect(found.byteLength).toBeLessThan(1.03 * plain.byteLength);
      expect(found.psnrDb).toBeGreaterThan(plain.psnrDb + 0.2);
    },
    120_000,
  );

  it.each([1, 2, 4] as const)(
    'of 5 and more holds for %i channels and odd sides',
    async (channels) => {
      const { data: rgb, widthPx, heightPx } = tiled(53, 71);
      const data = new Uint8Array(channels * widthPx * heightPx);
      for (let pixel = 0; pixel < widthPx * heightPx; pixel++) {
        for (let channel = 0; channel < channels; channel++) {
          data[channels * pixel + channel] =
            channel === channels - 1 && channels !== 1
              ? pixel & 255
              : (rgb[3 * pixel + channel] ?? 0);
        }
      }
      const pixels = { widthPx, heightPx, channels, data };
      const file = await (await codec).compress(pixels, { quality: 60, effort: 5 });
      const decoded = await (await codec).decompress(file);
      expect(decoded).toMatchObject({ widthPx, heightPx, channels });
      expect(psnr(pixels, decoded)).toBeGreaterThan(20);
    },
  );

  it('ends a search that nobody waits for any longer, and so does closing', async () => {
    const own = await openCodec({ threads: 1 });
    const abort = new AbortController();
    const options = { quality: 50, effort: 9, tune: 'psnr' } as const;
    const aborted = own.compress(photo, { ...options, signal: abort.signal });
    setTimeout(() => abort.abort(), 300);
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    // The one thread has four hundred rounds to do unless it was told: more than a test's time.
    expect((await own.compress(photo, { effort: 2 })).length).toBeGreaterThan(0);
    const closed = own.compress(photo, options).catch((error: Error) => error);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await own.close();
    expect(await closed).toMatchObject({ message: expect.stringContaining('got a closed one') });
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
