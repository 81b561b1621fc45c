import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPng, writePng } from '#src/image/png.js';
import { defaultLimits } from '#src/limits.js';
import { chunk, decodePng, encodePng, idat, ihdr, pixelsOf, png, SCANLINES } from './png-craft.js';

const LIMITS = defaultLimits();

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
          expect(readPng(file, LIMITS, {})).toEqual({ widthPx, heightPx, channels, data });
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
        fc.constantFrom(1 as const, 3 as const),
        fc.uint8Array({ minLength: 4200, maxLength: 4200 }),
        (widthPx, heightPx, channels, noise) => {
          const data = noise.subarray(0, widthPx * heightPx * channels);
          const pixels = { widthPx, heightPx, channels, data };
          const file = Buffer.from(writePng(pixels));
          expect(readPng(file, LIMITS, {})).toEqual(pixels);
          expect(decodePng(file)).toEqual(pixels);
        },
      ),
      { numRuns: 60 },
    );
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
