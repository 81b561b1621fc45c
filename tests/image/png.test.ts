import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LimitError } from '#src/errors.js';
import type { Pixels } from '#src/image/pixels.js';
import { readPng, writePng as write } from '#src/image/png.js';
import { defaultLimits } from '#src/limits.js';
import { profile } from './icc-craft.js';
import { exif } from './jpeg-craft.js';
import { chunk, decodePng, encodePng, idat, ihdr, pixelsOf, png, SCANLINES } from './png-craft.js';
import { decodeBySharp, difference, HAS_SECOND_DECODER } from './second-decoder.js';

const LIMITS = defaultLimits();
const writePng = (pixels: Pixels) => write(pixels, LIMITS);

describe('readPng', () => {
  test.each([1, 3] as const)(
    'is exact for %i channels at every size up to 9x9, interlaced too',
    (channels) => {
      for (let width = 1; width <= 9; width++) {
        for (let height = 1; height <= 9; height++) {
          const pixels = pixelsOf(width, height, channels);
          expect(readPng(encodePng(pixels, false), LIMITS, {}), `${width}x${height}`).toEqual(
            pixels,
          );
          expect(readPng(encodePng(pixels, true), LIMITS, {}), `${width}x${height} i`).toEqual(
            pixels,
          );
        }
      }
    },
  );

  test('is exact for any pixels, however IDAT is cut and whatever else the file holds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(1 as const, 3 as const),
        fc.infiniteStream(fc.nat({ max: 30 })),
        fc.integer({ min: 0, max: 9 }),
        fc.uint8Array({ minLength: 5000, maxLength: 5000 }),
        (widthPx, heightPx, channels, cuts, level, noise) => {
          const data = noise.slice(0, widthPx * heightPx * channels);
          const row = widthPx * channels;
          const lines = Uint8Array.from({ length: heightPx * (row + 1) }, (_, at) =>
            at % (row + 1) === 0 ? 0 : (data[at - 1 - Math.floor(at / (row + 1))] ?? 0),
          );
          const whole = idat(lines, level);
          const parts: Buffer[] = [];
          for (let at = 8; at < whole.length - 4; ) {
            const end = Math.min(at + (cuts.next().value ?? 1), whole.length - 4);
            parts.push(chunk('IDAT', whole.subarray(at, end)));
            at = end;
          }
          const colour = channels === 1 ? 0 : 2;
          const file = png(
            ihdr({ width: widthPx, height: heightPx, colour }),
            chunk('gAMA', Uint8Array.of(0, 1, 0x86, 0xa0)),
            chunk('teXt', noise.subarray(0, 50)),
            ...parts,
            chunk('prVt'),
          );
          expect(readPng(file, LIMITS, {})).toMatchObject({ widthPx, heightPx, channels, data });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('ignores what lies behind the zlib stream in IDAT', () => {
    const whole = idat(SCANLINES);
    const padded = chunk('IDAT', Buffer.concat([whole.subarray(8, -4), Buffer.alloc(300, 0xab)]));
    const expected = decodePng(png(ihdr(), whole));
    expect(readPng(png(ihdr(), padded), LIMITS, {})).toEqual(expected);
    expect(readPng(png(ihdr(), whole, chunk('IDAT', Uint8Array.of(1, 2, 3))), LIMITS, {})).toEqual(
      expected,
    );
  });

  test('a suggested palette in an RGB picture changes nothing', () => {
    const file = png(ihdr(), chunk('PLTE', Uint8Array.of(1, 2, 3)), idat(SCANLINES));
    expect(readPng(file, LIMITS, {})).toEqual(decodePng(file));
  });

  test('reads a file that lies somewhere within a larger buffer', () => {
    const file = encodePng(pixelsOf(5, 4, 3), false);
    const larger = new Uint8Array(file.length + 9);
    larger.set(file, 3);
    expect(readPng(larger.subarray(3, 3 + file.length), LIMITS, {})).toEqual(pixelsOf(5, 4, 3));
  });
});

describe('writePng', () => {
  test('what it writes reads back the same, here and by a second decoder', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const),
        fc.boolean(),
        fc.uint8Array({ minLength: 11_200, maxLength: 11_200 }),
        (widthPx, heightPx, channels, isWide, noise) => {
          const samples = isWide ? new Uint16Array(noise.buffer) : noise;
          const data = samples.slice(0, widthPx * heightPx * channels);
          // Alpha that is opaque throughout would be dropped.
          if (channels % 2 === 0) data[channels - 1] = 0;
          const pixels = { widthPx, heightPx, channels, data };
          const file = Buffer.from(writePng(pixels));
          expect(readPng(file, LIMITS, {})).toEqual(pixels);
          if (!isWide && channels % 2 === 1) expect(decodePng(file)).toEqual(pixels);
        },
      ),
      { numRuns: 60 },
    );
  });

  test.skipIf(!HAS_SECOND_DECODER).each([1, 2, 3, 4] as const)(
    'a second decoder reads 8 and 16 bits of %i channels the same',
    async (channels) => {
      const noise = new Uint16Array(13 * 7 * channels).map((_, at) => (at * 40_503) & 0xffff);
      for (const data of [noise, Uint8Array.from(noise)]) {
        data[channels - 1] = 1;
        const pixels = { widthPx: 13, heightPx: 7, channels, data };
        const bits = data instanceof Uint16Array ? 16 : 8;
        const theirs = await decodeBySharp(writePng(pixels), channels, bits);
        expect(difference(theirs, pixels).max).toBe(0);
      }
    },
  );

  const carried = {
    exif: new Uint8Array(exif(false, [[0x0100, 3, 1, 6]])),
    xmp: new Uint8Array(Buffer.from('<x:xmpmeta>\u00e9</x:xmpmeta>')),
  };

  test.each(['srgb', 'display-p3', 'adobe-rgb'] as const)(
    'states %s so that it is read back, with Exif and XMP byte for byte',
    (colour) => {
      for (const pixels of [pixelsOf(3, 2, 3), pixelsOf(3, 2, 1)]) {
        const whole: Pixels = { ...pixels, colour, metadata: carried };
        const { colour: back, ...rest } = readPng(writePng(whole), LIMITS, {});
        expect(rest).toEqual({ ...pixels, metadata: carried });
        // Grey has no primaries, which are all that tells the two apart.
        expect(back).toBe(pixels.channels === 1 && colour === 'display-p3' ? 'srgb' : colour);
      }
    },
  );

  test('carries a profile byte for byte, and turns nothing that is upright', () => {
    const icc = new Uint8Array(profile('Any RGB', 2));
    const whole: Pixels = { ...pixelsOf(3, 2, 3), colour: 'icc', metadata: { icc, ...carried } };
    expect(readPng(writePng(whole), LIMITS, {})).toEqual(whole);
  });

  test('its memory is planned', () => {
    const pixels = pixelsOf(10, 10, 3);
    expect(() => write(pixels, { ...LIMITS, maxMemoryBytes: 5 * 310 - 1 })).toThrow(LimitError);
    expect(write(pixels, { ...LIMITS, maxMemoryBytes: 5 * 310 })).toEqual(writePng(pixels));
  });

  test('grey stays one channel in the file', () => {
    const file = writePng(pixelsOf(6, 5, 1));
    expect(file[25]).toBe(0);
    expect(inflateSync(file.subarray(41, -16))).toHaveLength(5 * (6 + 1));
  });

  test('the file has memory of its own, so that it may be handed to another thread', () => {
    const file = writePng(pixelsOf(2, 2, 1));
    expect(file.constructor).toBe(Uint8Array);
    expect(file.buffer.byteLength).toBe(file.length);
  });

  test('writes a view of a larger buffer as what the view shows', () => {
    const { data, ...rest } = pixelsOf(4, 4, 3);
    const larger = new Uint8Array(data.length + 10).fill(99);
    larger.set(data, 5);
    const view = { ...rest, data: larger.subarray(5, 5 + data.length) };
    expect(decodePng(Buffer.from(writePng(view))).data).toEqual(data);
  });
});
