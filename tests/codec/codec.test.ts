import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspect } from '#src/codec/inspect.js';
import { type Codec, openCodec } from '#src/codec/open.js';
import { psnr } from '#src/codec/quality.js';
import type { Pixels } from '#src/image/pixels.js';
import { Trace } from '#src/pipeline/trace.js';

let codec: Codec;
beforeAll(async () => {
  codec = await openCodec({ model: 'fixture', threads: 1 });
});
afterAll(() => codec.close());

/** A smooth picture with some texture. */
function picture(widthPx: number, heightPx: number, channels: 1 | 3 = 3, seed = 1): Pixels {
  const data = Uint8Array.from({ length: widthPx * heightPx * channels }, (_, i) => {
    const x = Math.floor(i / channels) % widthPx;
    const y = Math.floor(i / channels / widthPx);
    const wave = Math.sin(x / 9 + seed) * Math.cos(y / 11) * 80 + (((x >> 3) ^ (y >> 3)) & 1) * 20;
    return Math.round(110 + wave + (i % channels) * 12);
  });
  return { widthPx, heightPx, channels, data };
}

describe('a round trip', () => {
  it('keeps size and channels and comes close, for any size down to 1x1', async () => {
    const side = fc.oneof(
      fc.constantFrom(1, 2, 3, 4, 5, 31, 61, 63, 64, 65, 127, 128, 131),
      fc.integer({ min: 1, max: 140 }),
    );
    await fc.assert(
      fc.asyncProperty(side, side, fc.constantFrom(1, 3), async (w, h, channels) => {
        const pixels = picture(w, h, channels as 1 | 3);
        const bytes = await codec.compress(pixels, { quality: 100 });
        const back = await codec.decompress(bytes);
        expect([back.widthPx, back.heightPx, back.channels]).toEqual([w, h, channels]);
        expect(psnr(pixels, back)).toBeGreaterThan(20);
      }),
      { numRuns: 60 },
    );
  });

  it('of extremes ends well: black, white, checkerboard, noise', async () => {
    for (const fill of [
      () => 0,
      () => 255,
      (i: number) => ((i ^ (i >> 5)) & 1) * 255,
      (i: number) => (Math.imul(i + 1, 2654435761) >>> 24) & 255,
    ]) {
      const data = Uint8Array.from({ length: 70 * 90 * 3 }, (_, i) => fill(i));
      const pixels: Pixels = { widthPx: 70, heightPx: 90, channels: 3, data };
      for (const quality of [1, 100]) {
        const back = await codec.decompress(await codec.compress(pixels, { quality }));
        expect(back.data).toHaveLength(data.length);
      }
    }
  });

  it('gives the same bytes whatever the threads, the memory limit and the calls beside it', async () => {
    const pixels = picture(150, 201);
    const alone = await codec.compress(pixels);
    for (const options of [
      { threads: 2 },
      { threads: 8 },
      { limits: { maxMemoryBytes: 128 * 2 ** 20 } },
    ]) {
      await using other = await openCodec({ model: 'fixture', ...options });
      expect(await other.compress(pixels)).toEqual(alone);
    }
    const together = await Promise.all(
      Array.from({ length: 12 }, (_, i) => codec.compress(picture(150, 201, 3, i % 3))),
    );
    for (const [i, bytes] of together.entries()) expect(bytes).toEqual(together[i % 3]);
    expect(together[1]).toEqual(alone);
  });

  it('grows with quality', async () => {
    let last = 0;
    for (const quality of [1, 10.5, 30, 50, 70, 90, 100]) {
      const { length } = await codec.compress(picture(128, 96), { quality });
      expect(length).toBeGreaterThan(last);
      last = length;
    }
  });

  it('in slices decodes to what the single slice would', async () => {
    // 128 latent rows of 4 px: the picture needs three slices.
    const pixels = picture(24, 1100);
    const bytes = await codec.compress(pixels, { quality: 80 });
    expect(inspect(bytes).slices).toBe(3);
    expect(psnr(pixels, await codec.decompress(bytes))).toBeGreaterThan(30);
  });
});

describe('refusals', () => {
  it.each([0, 101, Number.NaN, -1])('of quality %s name the range', async (quality) => {
    await expect(codec.compress(picture(8, 8), { quality })).rejects.toThrow(
      /quality: expected a number from 1 to 100/,
    );
  });

  it('of pixels that do not hold together come before any work', async () => {
    const bad = { widthPx: 4, heightPx: 4, channels: 3, data: new Uint8Array(47) } as const;
    await expect(codec.compress(bad)).rejects.toMatchObject({ code: 'usage' });
  });

  it('of a picture over the limits name the flag', async () => {
    await using small = await openCodec({ model: 'fixture', limits: { maxPixels: 100 } });
    await expect(small.compress(picture(11, 10))).rejects.toMatchObject({
      code: 'limit',
      message: expect.stringContaining('--max-pixels'),
    });
    await using tight = await openCodec({ model: 'fixture', limits: { maxMemoryBytes: 2 ** 20 } });
    await expect(tight.compress(picture(64, 64))).rejects.toMatchObject({
      code: 'limit',
      message: expect.stringContaining('--max-memory'),
    });
  });

  it('of what is no picture and no file name what came', async () => {
    for (const wrong of [null, 'a', undefined]) {
      await expect(codec.compress(wrong as never)).rejects.toMatchObject({ code: 'usage' });
      await expect(codec.decompress(wrong as never)).rejects.toMatchObject({ code: 'usage' });
    }
  });

  it('of a file whose model is not installed name its id', async () => {
    const bytes = await codec.compress(picture(8, 8));
    await using other = await openCodec({ threads: 1 });
    expect((await other.decompress(bytes)).widthPx).toBe(8);
    const { modelId } = inspect(bytes);
    const { crc32 } = await import('node:zlib');
    const forged = Buffer.from(bytes);
    const at = forged.indexOf(Buffer.from(modelId, 'hex'));
    forged[at] = (forged[at] ?? 0) ^ 255;
    const { headerByteLength } = inspect(bytes);
    forged.writeUInt32LE(crc32(forged.subarray(0, headerByteLength - 4)), headerByteLength - 4);
    await expect(other.decompress(forged)).rejects.toMatchObject({
      code: 'model',
      message: expect.stringContaining("'fixture' with id"),
    });
  });
});

describe('damage', () => {
  it('by any truncation or any single flipped bit is told before a model is looked at', async () => {
    // The codec of these calls has no threads: had a model been run, it would have to be opened first.
    for (const pixels of [picture(1, 1), picture(33, 20), picture(40, 16, 1)]) {
      const bytes = await codec.compress(pixels, { quality: 20 });
      await using fresh = await openCodec({ model: 'fixture', threads: 1 });
      for (let length = 0; length < bytes.length; length++) {
        await expect(fresh.decompress(bytes.subarray(0, length))).rejects.toMatchObject({
          code: 'format',
        });
      }
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const damaged = bytes.slice();
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        await expect(fresh.decompress(damaged)).rejects.toMatchObject({ code: 'format' });
      }
      await expect(fresh.decompress(Buffer.concat([bytes, Buffer.alloc(1)]))).rejects.toMatchObject(
        { code: 'format' },
      );
      expect(await fresh.providerReport).toBeUndefined();
    }
  });

  it('that a forged checksum hides ends in an error or a picture of the right size, never worse', async () => {
    const { crc32 } = await import('node:zlib');
    const bytes = Buffer.from(await codec.compress(picture(64, 48), { quality: 60 }));
    const { headerByteLength } = inspect(bytes);
    const body = bytes.subarray(headerByteLength);
    const crcAt = bytes.indexOf(crcBytes(crc32(body)));
    expect(crcAt).toBeGreaterThan(0);
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const forged = Buffer.from(bytes);
      const at = headerByteLength + ((Math.imul(i, 2654435761) >>> 0) % body.length);
      forged[at] = (forged[at] ?? 0) ^ (1 + (i % 255));
      forged.set(crcBytes(crc32(forged.subarray(headerByteLength))), crcAt);
      forged.writeUInt32LE(crc32(forged.subarray(0, headerByteLength - 4)), headerByteLength - 4);
      const result = await codec.decompress(forged).catch((error: { code?: string }) => error.code);
      if (typeof result === 'object') expect(result.data).toHaveLength(64 * 48 * 3);
      else {
        expect(result).toBe('format');
        refused++;
      }
    }
    // The coder's final states alone catch most of it.
    expect(refused).toBeGreaterThan(200);
  });
});

describe('a call', () => {
  it('that is cancelled ends at once and leaves a codec that works', async () => {
    const controller = new AbortController();
    const calls = Array.from({ length: 4 }, () =>
      codec.compress(picture(600, 600), { signal: controller.signal }),
    );
    controller.abort();
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'aborted' });
    expect((await codec.compress(picture(64, 64))).length).toBeGreaterThan(40);
    await expect(
      codec.compress(picture(8, 8), { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'aborted' });
  });

  it('reports its stages in order, its tiles as they are done, and its inference time', async () => {
    const trace = new Trace({ entropy: true });
    const seen: string[] = [];
    const pixels = picture(130, 70);
    await codec.compress(pixels, {
      trace,
      onProgress: (done, total) => seen.push(`${done}/${total}`),
    });
    expect(trace.records.map(({ stage }) => stage)).toEqual([
      'vaeEncode',
      'rotate',
      'waveletForward',
      'quantise',
      'entropyEncode',
    ]);
    expect(seen).toEqual(['1/6', '2/6', '3/6', '4/6', '5/6', '6/6']);
    expect(trace.detail('inferenceMs')).toBeGreaterThan(0);
    expect(trace.detail('order0EntropyBytes')).toBeGreaterThan(0);
  });

  it('on a closed codec is refused', async () => {
    const closed = await openCodec({ model: 'fixture' });
    await closed.close();
    await expect(closed.compress(picture(8, 8))).rejects.toThrow(/closed/);
  });
});

function crcBytes(crc: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(crc);
  return bytes;
}
