import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError, LimitError } from '#src/errors.js';
import { NAMED_COLORANTS } from '#src/image/colour.js';
import { writeProfile } from '#src/image/icc-write.js';
import type { PixelRows } from '#src/image/pixel-rows.js';
import type { Pixels } from '#src/image/pixels.js';
import { readPng } from '#src/image/png.js';
import { pngSource } from '#src/image/rows-png-read.js';
import { defaultLimits } from '#src/limits.js';
import { exif } from './jpeg-craft.js';
import { chunk, idat, ihdr, OPAQUE_KINDS, png, SCANLINES } from './png-craft.js';

const LIMITS = defaultLimits();
const LINEAR = writeProfile('linear', { exponent: 1 }, NAMED_COLORANTS.srgb);

/** The picture as its rows give it, `rows` at a time. */
async function collected(file: Uint8Array, rows: number): Promise<Pixels | undefined> {
  const source = pngSource(file, LIMITS, {});
  if (source === undefined) return undefined;
  const { readRows, bitsPerSample, heldByteLength: _, ...format } = source;
  const parts: PixelRows[] = [];
  for (let row = 0; row < format.heightPx; row += rows) {
    parts.push(await readRows(Math.min(rows, format.heightPx - row)));
  }
  const samples = parts.flatMap((part) => [...part]);
  return {
    ...format,
    data: bitsPerSample === 16 ? Uint16Array.from(samples) : Uint8Array.from(samples),
  };
}

const KINDS = [...OPAQUE_KINDS, [3, 1], [3, 2], [3, 4], [3, 8]] as const;

describe('a PNG by rows', () => {
  test('is what it is whole, in every kind, with every filter, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...KINDS),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 400 }),
        fc.uint8Array({ minLength: 8000, maxLength: 8000 }),
        async ([colour, depth], width, height, rows, cut, noise) => {
          const lineBytes = Math.ceil((width * (colour === 2 ? 3 : 1) * depth) / 8);
          const lines = Uint8Array.from({ length: height * (1 + lineBytes) }, (_, at) => {
            const value = noise[at % noise.length] ?? 0;
            return at % (1 + lineBytes) === 0 ? value % 5 : value;
          });
          const compressed = deflateSync(lines);
          const parts = [];
          for (let at = 0; at < compressed.length; at += cut) {
            parts.push(chunk('IDAT', compressed.subarray(at, at + cut)));
          }
          const palette = chunk('PLTE', noise.subarray(0, 3 * 2 ** depth));
          const file = png(
            ihdr({ width, height, depth, colour }),
            chunk('tEXt', Buffer.from('Comment\0here')),
            ...(colour === 3 ? [palette] : []),
            ...parts,
            chunk('tEXt', Buffer.from('Comment\0and there')),
          );
          expect(await collected(file, rows)).toEqual(readPng(file, LIMITS, {}));
        },
      ),
      { numRuns: 150 },
    );
  });

  test('is left to the reader of whole ones where all of it has to be looked at', () => {
    const linear = chunk('iCCP', Buffer.concat([Buffer.from('x\0\0'), deflateSync(LINEAR)]));
    const turned = chunk('eXIf', exif(false, [[0x0112, 3, 1, 6]]));
    const grey = chunk('tRNS', Uint8Array.of(0, 0, 0, 0, 0, 0));
    const wide = chunk('IDAT', deflateSync(new Uint8Array(18)));
    for (const file of [
      png(ihdr(), turned, idat(SCANLINES)),
      png(ihdr(), linear, idat(SCANLINES)),
      png(ihdr(), grey, idat(SCANLINES)),
      png(ihdr({ colour: 6 }), wide),
      png(ihdr({ interlace: 1 }), idat(SCANLINES)),
    ]) {
      expect(pngSource(file, LIMITS, {})).toBeUndefined();
    }
    expect(pngSource(png(ihdr(), idat(SCANLINES)), LIMITS, {}, 4)).toBeUndefined();
    expect(pngSource(png(ihdr(), idat(SCANLINES)), LIMITS, {}, 3)).toBeDefined();
  });

  test('ignores what lies behind the zlib stream, as when it is read whole', async () => {
    const padded = Buffer.concat([deflateSync(SCANLINES), Buffer.alloc(300, 0xab)]);
    const file = png(ihdr(), chunk('IDAT', padded), chunk('IDAT', Uint8Array.of(1)));
    expect(await collected(file, 1)).toEqual(readPng(file, LIMITS, {}));
  });

  test.each([
    ['fewer bytes than its scanlines', idat(SCANLINES.subarray(0, -1))],
    ['more', idat(Uint8Array.from([...SCANLINES, 0]))],
    ['a stream that is cut off', chunk('IDAT', deflateSync(SCANLINES).subarray(0, -6))],
    ['a stream without its checksum', chunk('IDAT', deflateSync(SCANLINES).subarray(0, -1))],
    ['a wrong checksum of the stream', chunk('IDAT', spoilt(deflateSync(SCANLINES), -1))],
    ['no stream at all', chunk('IDAT', Buffer.alloc(40, 7))],
    ['a filter that is none', idat(Uint8Array.from(SCANLINES, (v, at) => (at === 7 ? 5 : v)))],
  ])('with %s is refused before its last row, as when it is read whole', async (_, data) => {
    const file = png(ihdr(), data);
    expect(() => readPng(file, LIMITS, {})).toThrow(FormatError);
    await expect(collected(file, 1)).rejects.toThrow(FormatError);
    await expect(collected(file, 2)).rejects.toThrow(FormatError);
  });

  test('with an index that the palette lacks is refused', async () => {
    const lines = Uint8Array.of(0, 0, 1, 0, 1, 2);
    const file = png(ihdr({ colour: 3 }), chunk('PLTE', new Uint8Array(6)), idat(lines));
    await expect(collected(file, 1)).rejects.toThrow(/palette/);
  });

  test('that cannot hold its pixels, is damaged, or is over the limits is refused before its first row', () => {
    const bomb = png(ihdr({ width: 16_000, height: 16_000 }), idat(SCANLINES));
    expect(() => pngSource(bomb, LIMITS, {})).toThrow(/cannot hold/);
    const sound = png(ihdr(), idat(SCANLINES));
    expect(() => pngSource(spoilt(sound, 45), LIMITS, {})).toThrow(FormatError);
    expect(() => pngSource(sound.subarray(0, -1), LIMITS, {})).toThrow(FormatError);
    expect(() => pngSource(sound, { ...LIMITS, maxPixels: 3 }, {})).toThrow(LimitError);
    expect(() => pngSource(sound, { ...LIMITS, maxMemoryBytes: 50 }, {})).toThrow(LimitError);
  });
});

function spoilt(bytes: Uint8Array, index: number): Buffer {
  const copy = Buffer.from(bytes);
  const at = index < 0 ? copy.length + index : index;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
