import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openImage } from '#src/image/open.js';
import type { PixelFormat, PixelSource } from '#src/image/pixel-rows.js';
import { formatOf, sourceOf } from '#src/image/pixel-rows.js';
import type { ChannelCount, Pixels } from '#src/image/pixels.js';
import { readImageBytes } from '#src/image/read.js';
import { writeImageRows } from '#src/image/rows-write.js';
import { encodeImage } from '#src/image/write.js';
import { defaultLimits } from '#src/limits.js';

/** Pieces of `size` bytes. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}

function noise(widthPx: number, heightPx: number, channels: ChannelCount, bits: 8 | 16): Pixels {
  const length = widthPx * heightPx * channels;
  const sample = (_: unknown, at: number) => (Math.imul(at + 1, 2654435761) >>> 7) ^ (at * 3);
  const data =
    bits === 16 ? Uint16Array.from({ length }, sample) : Uint8Array.from({ length }, sample);
  return { widthPx, heightPx, channels, data };
}

async function write(pixels: Pixels, format: 'png' | 'ppm' | 'pam', rows: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const writer = await writeImageRows(format, (bytes) => {
    parts.push(bytes.slice());
  });
  const source = sourceOf(pixels);
  await writer.begin(formatOf(pixels));
  for (let row = 0; row < pixels.heightPx; row += rows) {
    await writer.writeRows(await source.readRows(Math.min(rows, pixels.heightPx - row)));
  }
  await writer.end();
  return Buffer.concat(parts);
}

const isSource = (picture: Pixels | PixelSource): picture is PixelSource => 'readRows' in picture;

describe('pictures that come in pieces', () => {
  it('of Netpbm are read by rows, however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 3),
        fc.constantFrom('ppm', 'pam'),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 50 }),
        async (channels, format, widthPx, heightPx, size, rows) => {
          const pixels = noise(widthPx, heightPx, channels as 1 | 3, 8);
          const file = encodeImage(pixels, format as 'ppm' | 'pam');
          const source = await openImage(pieces(file, size));
          if (!isSource(source)) throw new Error('expected rows');
          expect(source).toMatchObject({ widthPx, heightPx, channels, bitsPerSample: 8 });
          const parts: Uint8Array[] = [];
          for (let row = 0; row < heightPx; row += rows) {
            parts.push((await source.readRows(Math.min(rows, heightPx - row))) as Uint8Array);
          }
          expect(Buffer.concat(parts).equals(pixels.data as Uint8Array)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('of other kinds are read whole, as from one piece', async () => {
    const files = [
      encodeImage(noise(13, 9, 3, 8), 'png'),
      encodeImage(noise(13, 9, 3, 16), 'ppm'),
      encodeImage(noise(13, 9, 4, 8), 'pam'),
    ];
    for (const file of files) {
      const picture = await openImage(pieces(file, 17));
      expect(isSource(picture)).toBe(false);
      expect(picture).toMatchObject({ widthPx: 13, heightPx: 9 });
    }
  });

  it('that end early or go on are told with the last row, at the byte', async () => {
    const file = encodeImage(noise(10, 6, 3, 8), 'ppm');
    const readAll = async (bytes: Uint8Array) => {
      const source = await openImage(pieces(bytes, 50));
      if (!isSource(source)) throw new Error('expected rows');
      await source.readRows(4);
      await source.readRows(2);
    };
    await expect(readAll(file)).resolves.toBeUndefined();
    await expect(readAll(file.subarray(0, -1))).rejects.toMatchObject({
      code: 'format',
      byteOffset: file.length - 1,
      message: expect.stringContaining('truncated'),
    });
    await expect(readAll(Buffer.concat([file, Buffer.alloc(1)]))).rejects.toMatchObject({
      code: 'format',
      byteOffset: file.length,
      message: expect.stringContaining('trailing bytes'),
    });
  });

  it('that are too long to be held whole are refused by the flag', async () => {
    const file = encodeImage(noise(50, 50, 3, 8), 'png');
    const limits = { maxMemoryBytes: 1000 };
    await expect(openImage(pieces(file, 100), { limits })).rejects.toMatchObject({
      code: 'limit',
      message: expect.stringContaining('--max-memory'),
    });
    const small = { maxPixels: 100 };
    const ppm = encodeImage(noise(50, 50, 3, 8), 'ppm');
    await expect(openImage(pieces(ppm, 100), { limits: small })).rejects.toMatchObject({
      code: 'limit',
    });
  });

  it('that are refused are closed: no file stays open', async () => {
    let closed = 0;
    async function* held(file: Uint8Array) {
      try {
        yield* pieces(file, 100);
      } finally {
        closed++;
      }
    }
    const limits = { maxPixels: 100, maxMemoryBytes: 1000 };
    for (const format of ['ppm', 'png'] as const) {
      const file = Buffer.concat([encodeImage(noise(50, 50, 3, 8), format), Buffer.alloc(70_000)]);
      await expect(openImage(held(file), { limits })).rejects.toMatchObject({ code: 'limit' });
    }
    expect(closed).toBe(2);
  });
});

describe('pictures that are written by rows', () => {
  const SHAPES = ([1, 2, 3, 4] as const).flatMap((channels) =>
    ([8, 16] as const).map((bits) => ({ channels, bits })),
  );

  it.each(SHAPES)(
    'as PNG of $channels channels and $bits bits read back as they were',
    async ({ channels, bits }) => {
      for (const [widthPx, heightPx, rows] of [
        [1, 1, 1],
        [37, 23, 5],
        [700, 600, 333],
      ] as const) {
        const pixels = noise(widthPx, heightPx, channels, bits);
        const back = readImageBytes(await write(pixels, 'png', rows), defaultLimits());
        expect(back).toMatchObject({ widthPx, heightPx, channels });
        expect(Buffer.from(back.data.buffer).equals(Buffer.from(pixels.data.buffer))).toBe(true);
      }
    },
  );

  it('as PPM and PAM are byte for byte those that are written at once', async () => {
    for (const { channels, bits } of SHAPES) {
      const pixels = noise(31, 17, channels, bits);
      expect(await write(pixels, 'pam', 4)).toEqual(Buffer.from(encodeImage(pixels, 'pam')));
      if (channels === 2 || channels === 4) continue;
      expect(await write(pixels, 'ppm', 4)).toEqual(Buffer.from(encodeImage(pixels, 'ppm')));
    }
    await expect(write(noise(2, 2, 4, 8), 'ppm', 1)).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('as PNG carry colour and metadata', async () => {
    const exif = Uint8Array.from(Buffer.from('II*\0\x08\0\0\0\0\0\0\0\0\0', 'latin1'));
    const pixels: Pixels = { ...noise(9, 9, 3, 8), colour: 'display-p3', metadata: { exif } };
    const back = readImageBytes(await write(pixels, 'png', 9), defaultLimits());
    expect(back.colour).toBe('display-p3');
    expect(back.metadata?.exif).toEqual(exif);
  });

  it('pass on what their file does wrong', async () => {
    const pixels = noise(400, 900, 3, 8);
    let written = 0;
    const writer = await writeImageRows('png', (bytes) => {
      written += bytes.length;
      if (written > 100_000) throw new Error('the disk is full');
    });
    const all = async () => {
      await writer.begin(formatOf(pixels) satisfies PixelFormat);
      for (let row = 0; row < 900; row += 100) {
        await writer.writeRows(pixels.data.subarray(row * 1200, (row + 100) * 1200));
      }
      await writer.end();
    };
    await expect(all()).rejects.toThrow('the disk is full');
  });
});
