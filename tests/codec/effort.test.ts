import { openCodec, readImage } from 'vaerans';
import { afterAll, describe, expect, it } from 'vitest';
import { type Judge, measure } from '#src/codec/judge.js';
import type { PlainPixels } from '#src/image/pixels.js';

const photo = (await readImage('fixtures/photo.png')) as PlainPixels;

describe('effort', () => {
  const codec = openCodec({ threads: 1 });
  afterAll(async () => (await codec).close());

  it.each<['psnr' | 'eye', Judge, number]>([
    ['psnr', 'psnr', 78],
    ['eye', 'ssimulacra2', 60],
  ])('takes fewer bytes for what the tune %s is judged by', async (tune, judge, quality) => {
    const coded = async (asked: number, effort: number) => {
      const file = await (await codec).compress(photo, { quality: asked, effort, tune });
      const decoded = (await (await codec).decompress(file)) as PlainPixels;
      return { bytes: Math.log(file.length), value: await measure(judge, photo, decoded) };
    };
    const [below, above] = [await coded(quality - 5, 3), await coded(quality + 5, 3)];
    const bytesFor = (value: number) =>
      below.bytes +
      ((above.bytes - below.bytes) * (value - below.value)) / (above.value - below.value);
    const { bytes, value } = await coded(quality, 4);
    expect(bytes).toBeLessThan(bytesFor(value));
  });

  it('chooses symbols by rate from 3 on with the tune psnr, for fewer bytes but the filter’s', async () => {
    const [plain, chosen] = [
      await (await codec).compress(photo, { quality: 40, effort: 2, tune: 'psnr' }),
      await (await codec).compress(photo, { quality: 40, effort: 3, tune: 'psnr' }),
    ];
    expect(chosen.length).toBeLessThan(0.99 * plain.length);
  });
});
