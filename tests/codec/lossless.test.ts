import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coarserAlpha, fillUnseen, splitAlpha } from '#src/codec/alpha.js';
import { inspect } from '#src/codec/inspect.js';
import { type Codec, openCodec } from '#src/codec/open.js';
import { psnr } from '#src/codec/quality.js';
import type { ChannelCount, Pixels } from '#src/image/pixels.js';

let codec: Codec;
beforeAll(async () => {
  codec = await openCodec({ model: 'fixture', threads: 1 });
});
afterAll(() => codec.close());

/** Waves with hashed grain; alpha, where there is one, is a disc with a soft edge. */
function picture(
  widthPx: number,
  heightPx: number,
  channels: ChannelCount,
  bits: 8 | 16 = 8,
  seed = 1,
): Pixels {
  const most = bits === 16 ? 65_535 : 255;
  const length = widthPx * heightPx * channels;
  const data = bits === 16 ? new Uint16Array(length) : new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const at = Math.floor(i / channels);
    const [x, y, c] = [at % widthPx, Math.floor(at / widthPx), i % channels];
    const isAlpha = channels % 2 === 0 && c === channels - 1;
    const far = Math.hypot(x - widthPx / 2, y - heightPx / 2) / Math.min(widthPx, heightPx);
    const wave = 0.45 + 0.3 * Math.sin(x / 9 + seed) * Math.cos(y / 7) + 0.04 * c;
    const grain = (Math.imul(i + seed, 2654435761) >>> 28) / 255;
    const value = isAlpha ? 4 - 10 * far : wave + grain;
    data[i] = Math.round(Math.min(1, Math.max(0, value)) * most);
  }
  return { widthPx, heightPx, channels, data };
}

const kinds = ([1, 2, 3, 4] as const).flatMap((channels) =>
  ([8, 16] as const).map((bits) => [channels, bits] as const),
);

describe('lossless', () => {
  it.each(kinds)('%s channels of %s bits come back sample by sample', async (channels, bits) => {
    for (const [widthPx, heightPx] of [
      [1, 1],
      [61, 43],
      [130, 7],
    ] as const) {
      const pixels = picture(widthPx, heightPx, channels, bits);
      const bytes = await codec.compress(pixels, { lossless: true });
      expect(await codec.decompress(bytes)).toEqual(pixels);
      expect(inspect(bytes)).toMatchObject({ mode: 'planes', channels, bitsPerSample: bits });
    }
  });

  it('holds for any samples, those under no alpha too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(1, 2, 3, 4),
        fc.boolean(),
        fc.infiniteStream(fc.integer({ min: 0, max: 65_535 })),
        async (widthPx, heightPx, channels, isWide, values) => {
          const length = widthPx * heightPx * channels;
          const samples = [...values.take(length)];
          const data = isWide ? Uint16Array.from(samples) : Uint8Array.from(samples);
          const pixels = { widthPx, heightPx, channels: channels as ChannelCount, data };
          const bytes = await codec.compress(pixels, { lossless: true });
          expect(await codec.decompress(bytes)).toEqual(pixels);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('cuts out a region of what it would give whole', async () => {
    const pixels = picture(50, 40, 4);
    const bytes = await codec.compress(pixels, { lossless: true });
    const region = { x: 7, y: 21, width: 12, height: 9 };
    const part = await codec.decompress(bytes, { region });
    const expected = Array.from({ length: 9 }, (_, row) => {
      const start = ((21 + row) * 50 + 7) * 4;
      return [...pixels.data.subarray(start, start + 48)];
    }).flat();
    expect([...part.data]).toEqual(expected);
  });
});

describe('alpha', () => {
  it.each(kinds.filter(([channels]) => channels % 2 === 0))(
    'beside %s channels of %s bits is exact, and the colour is the model’s',
    async (channels, bits) => {
      const pixels = picture(90, 70, channels, bits);
      const notes: string[] = [];
      const bytes = await codec.compress(pixels, { onNote: (note) => notes.push(note) });
      const back = await codec.decompress(bytes);
      expect(inspect(bytes)).toMatchObject({ mode: 'model', channels, bitsPerSample: bits });
      expect(splitAlpha(back).alpha).toEqual(splitAlpha(pixels).alpha);
      expect(back.data.constructor).toBe(pixels.data.constructor);
      expect(psnr(splitAlpha(seen(pixels)).colour, splitAlpha(seen(back)).colour)).toBeGreaterThan(
        20,
      );
      expect(notes).toEqual(
        bits === 16 ? ['compress: 16-bit samples are reduced to 8 bits by this mode'] : [],
      );
    },
  );

  it('lets nobody pay for what it hides: other colour under none of it gives the same bytes', async () => {
    for (const channels of [2, 4] as const) {
      const pixels = picture(90, 70, channels);
      const scrambled = pixels.data.slice();
      for (let i = channels - 1; i < scrambled.length; i += channels) {
        if (scrambled[i] !== 0) continue;
        for (let c = 1; c < channels; c++) scrambled[i - c] = Math.imul(i + c, 40503) >>> 5;
      }
      expect(scrambled).not.toEqual(pixels.data);
      for (const options of [{ quality: 40 }, { targetPsnr: 26 }, { targetSize: 3000 }]) {
        const bytes = await codec.compress(pixels, options);
        expect(await codec.compress({ ...pixels, data: scrambled }, options)).toEqual(bytes);
      }
    }
  });

  it('costs less with fewer levels, none and all of which stay', async () => {
    const pixels = picture(120, 100, 4);
    // Hashed alpha: a smooth one is cheap with all its levels.
    for (let i = 3; i < pixels.data.length; i += 4)
      pixels.data[i] = Math.imul(i, 2654435761) >>> 24;
    const alpha = (p: Pixels) => splitAlpha(p).alpha ?? new Uint8Array();
    let [first, last] = [0, 0];
    for (const alphaQuality of [1, 5, 100]) {
      const bytes = await codec.compress(pixels, { alphaQuality });
      expect(bytes.length).toBeGreaterThanOrEqual(last);
      if (alphaQuality === 100) expect(bytes.length).toBeGreaterThan(1.2 * first);
      first ||= bytes.length;
      last = bytes.length;
      const back = alpha(await codec.decompress(bytes));
      for (const [i, value] of alpha(pixels).entries()) {
        if (value === 0 || value === 255) expect(back[i]).toBe(value);
      }
    }
    expect(
      new Set(
        coarserAlpha(
          Uint8Array.from({ length: 256 }, (_, i) => i),
          1,
        ),
      ).size,
    ).toBe(2);
    await expect(codec.compress(pixels, { alphaQuality: 0 })).rejects.toThrow(/alphaQuality/);
  });

  it('that hides everything, or nothing, comes back', async () => {
    for (const level of [0, 255]) {
      const pixels = picture(20, 20, 4);
      for (let i = 3; i < pixels.data.length; i += 4) pixels.data[i] = level;
      const back = await codec.decompress(await codec.compress(pixels));
      expect(new Set(splitAlpha(back).alpha)).toEqual(new Set([level]));
    }
  });
});

describe('the fill under no alpha', () => {
  it('keeps what is seen, and stays between its extremes elsewhere', () => {
    const { colour, alpha = new Uint8Array() } = splitAlpha(picture(37, 29, 2));
    const filled = fillUnseen(colour, alpha).data;
    const shown = [...colour.data].filter((_, i) => alpha[i] !== 0);
    for (const [i, value] of filled.entries()) {
      if (alpha[i] !== 0) expect(value).toBe(colour.data[i]);
      expect(value).toBeGreaterThanOrEqual(Math.min(...shown));
      expect(value).toBeLessThanOrEqual(Math.max(...shown));
    }
  });
});

describe('what travels with a picture', () => {
  const metadata = {
    icc: Uint8Array.from({ length: 3144 }, (_, i) => (i * i) >> 3),
    exif: Buffer.from('II*\0\x08\0\0\0\0\0\0\0\0\0'),
    xmp: Buffer.from('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'),
  };

  it.each([{ lossless: true }, { quality: 50 }])(
    'is there byte for byte after %o',
    async (options) => {
      const pixels: Pixels = { ...picture(20, 20, 3), colour: 'icc', metadata };
      const bytes = await codec.compress(pixels, options);
      const back = await codec.decompress(bytes);
      expect(back.colour).toBe('icc');
      for (const name of ['icc', 'exif', 'xmp'] as const) {
        expect(Buffer.from(back.metadata?.[name] ?? []).equals(Buffer.from(metadata[name]))).toBe(
          true,
        );
      }
      expect(
        inspect(bytes)
          .streams.map(({ type }) => type)
          .slice(-3),
      ).toEqual(['icc', 'exif', 'xmp']);
    },
  );

  it('is left out by strip, with a note where that changes colours', async () => {
    const notes: string[] = [];
    const pixels: Pixels = { ...picture(20, 20, 3), colour: 'icc', metadata };
    const options = { strip: true, onNote: (note: string) => notes.push(note) };
    const back = await codec.decompress(await codec.compress(pixels, options));
    expect([back.colour, back.metadata]).toEqual([undefined, undefined]);
    expect(notes).toEqual([
      'compress: the colour profile is left out; samples will be read as sRGB',
    ]);
  });

  it('keeps named colours without a profile', async () => {
    for (const colour of ['display-p3', 'adobe-rgb'] as const) {
      const bytes = await codec.compress({ ...picture(9, 9, 3), colour });
      expect((await codec.decompress(bytes)).colour).toBe(colour);
      expect(inspect(bytes).colour).toBe(colour);
    }
  });
});

/** A picture whose unseen colour is black, so that only what is seen is compared. */
function seen(pixels: Pixels): Pixels {
  const { channels } = pixels;
  const data = pixels.data.slice();
  for (let i = channels - 1; i < data.length; i += channels) {
    if (data[i] === 0) data.fill(0, i - channels + 1, i);
  }
  return { ...pixels, data };
}
