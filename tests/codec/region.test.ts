import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Codec, openCodec } from '#src/codec/open.js';
import { readHeader } from '#src/container/read.js';
import type { Pixels } from '#src/image/pixels.js';
import type { Rect } from '#src/image/tiles.js';
import { Trace } from '#src/pipeline/trace.js';
import { picture } from '../pipeline/fixture.js';

const FIXTURE = join(import.meta.dirname, '../../models/fixture');
const WIDTH = 150;
const HEIGHT = 1700;

let codec: Codec;
let file: Uint8Array;
let whole: Pixels;
beforeAll(async () => {
  codec = await openCodec({ model: FIXTURE, threads: 2 });
  file = await codec.compress(picture(WIDTH, HEIGHT), { quality: 80 });
  whole = await codec.decompress(file);
});
afterAll(() => codec.close());

function crop({ data, widthPx, channels }: Pixels, { x, y, width, height }: Rect): Buffer {
  const rows = Array.from({ length: height }, (_, row) => {
    const start = ((y + row) * widthPx + x) * channels;
    return data.subarray(start, start + width * channels) as Uint8Array;
  });
  return Buffer.concat(rows);
}

/** A run from 0 up to `side`. */
const span = (side: number) =>
  fc
    .tuple(fc.nat(side - 1), fc.nat(side - 1))
    .map(([a, b]) => [Math.min(a, b), Math.abs(a - b) + 1]);

describe('a region', () => {
  it('is that part of the whole picture, to the last bit', async () => {
    await fc.assert(
      fc.asyncProperty(
        span(WIDTH),
        span(HEIGHT),
        async ([x = 0, width = 1], [y = 0, height = 1]) => {
          const region = { x, y, width, height };
          const got = await codec.decompress(file, { region });
          expect([got.widthPx, got.heightPx]).toEqual([width, height]);
          expect(crop(whole, region).equals(got.data as Uint8Array)).toBe(true);
        },
      ),
      {
        numRuns: 25,
        examples: [
          [
            [0, 1],
            [511, 2],
          ],
          [
            [149, 1],
            [1699, 1],
          ],
        ],
      },
    );
  });

  it('takes the tiles and slices that it needs, and no more', async () => {
    const work = async (region: Rect) => {
      const trace = new Trace();
      const seen: string[] = [];
      await codec.decompress(file, {
        region,
        trace,
        onProgress: (done, total) => seen.push(`${done}/${total}`),
      });
      const slices = trace.records.filter(({ stage }) => stage === 'entropyDecode').length;
      return { tiles: trace.detail('tiles'), slices, last: seen.at(-1) };
    };
    // Tiles of 64 px, slices of 512.
    expect(await work({ x: 70, y: 70, width: 20, height: 20 })).toEqual({
      tiles: 1,
      slices: 1,
      last: '1/1',
    });
    expect(await work({ x: 60, y: 70, width: 20, height: 20 })).toEqual({
      tiles: 2,
      slices: 1,
      last: '2/2',
    });
    // The tile's margin reaches into the next slice.
    expect(await work({ x: 0, y: 511, width: 1, height: 1 })).toEqual({
      tiles: 1,
      slices: 2,
      last: '1/1',
    });
    expect(await work({ x: 0, y: 0, width: 150, height: 1700 })).toEqual({
      tiles: 81,
      slices: 4,
      last: '81/81',
    });
  });

  it('reads no other bytes of a file than those of the header and its slices', async () => {
    const { directory, headerByteLength } = readHeader(file);
    const [latent] = directory;
    const read: [number, number][] = [];
    const access = {
      byteLength: file.length,
      read: (byteOffset: number, byteLength: number) => {
        read.push([byteOffset, byteLength]);
        return Promise.resolve(file.slice(byteOffset, byteOffset + byteLength));
      },
    };
    const region = { x: 3, y: 1200, width: 9, height: 9 };
    const { data } = await codec.decompress(access, { region });
    expect(crop(whole, region).equals(data as Uint8Array)).toBe(true);
    const { byteOffset, byteLength } = latent?.parts[2] ?? { byteOffset: 0, byteLength: 0 };
    expect(read.slice(1)).toEqual([[byteOffset, byteLength]]);
    expect(read[0]?.[0]).toBe(0);
    expect(headerByteLength).toBeLessThan(read[0]?.[1] ?? 0);
    // The whole picture is read whole.
    expect((await codec.decompress(access)).heightPx).toBe(HEIGHT);
  });

  it('is refused when a byte that it depends on is damaged, and does not ask after the others', async () => {
    const [latent] = readHeader(file).directory;
    const region = { x: 0, y: 600, width: 150, height: 300 };
    for (const [index, { byteOffset }] of (latent?.parts ?? []).entries()) {
      const damaged = file.slice();
      damaged[byteOffset + 5] = (damaged[byteOffset + 5] ?? 0) ^ 16;
      await expect(codec.decompress(damaged)).rejects.toMatchObject({ code: 'format' });
      const part = codec.decompress(damaged, { region });
      // Rows 576 to 960 and a margin: the second slice alone.
      if (index === 1) await expect(part).rejects.toMatchObject({ code: 'format' });
      else expect(crop(whole, region).equals((await part).data as Uint8Array)).toBe(true);
    }
    const damaged = file.slice();
    damaged[9] = (damaged[9] ?? 0) ^ 1;
    await expect(codec.decompress(damaged, { region })).rejects.toMatchObject({ code: 'format' });
  });

  it.each<[string, Rect]>([
    ['without pixels', { x: 0, y: 0, width: 0, height: 5 }],
    ['over the right edge', { x: 1, y: 0, width: 150, height: 5 }],
    ['over the lower edge', { x: 0, y: 1699, width: 1, height: 2 }],
    ['before the first column', { x: -1, y: 0, width: 5, height: 5 }],
    ['with a fraction of a pixel', { x: 0.5, y: 0, width: 5, height: 5 }],
  ])('%s is refused by the size of the picture', async (_, region) => {
    await expect(codec.decompress(file, { region })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('within 150x1700 px'),
    });
  });
});
