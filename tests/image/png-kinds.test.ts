import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError, UsageError } from '#src/errors.js';
import type { ReadChoices } from '#src/image/read-choices.js';
import { allocatedBytes, MEBIBYTE } from './allocated.js';
import { words } from './icc-craft.js';
import { chunk, idat, ihdr, OPAQUE_KINDS, packScanlines, png, SCANLINES } from './png-craft.js';
import { read } from './reading.js';

const WIDTH = 5;
const HEIGHT = 3;

/** A picture of 5x3 from its samples. */
function file(colour: number, depth: number, samples: number[], ...chunks: Buffer[]): Buffer {
  const head = ihdr({ width: WIDTH, height: HEIGHT, depth, colour });
  return png(head, ...chunks, idat(packScanlines(samples, samples.length / HEIGHT, depth)));
}

function notesOf(bytes: Uint8Array): string[] {
  const notes: string[] = [];
  read(bytes, { background: [0, 0, 0], onNote: (note) => notes.push(note) });
  return notes;
}

function iccp(bytes: Buffer): Buffer {
  return chunk('iCCP', Buffer.concat([Buffer.from('any\0\0'), deflateSync(bytes)]));
}

/** Samples of a depth for `channels` channels. */
const samplesOf = (depth: number, channels: number) =>
  fc.array(fc.nat({ max: 2 ** depth - 1 }), {
    minLength: WIDTH * HEIGHT * channels,
    maxLength: WIDTH * HEIGHT * channels,
  });

const to8 = (sample: number, depth: number) => Math.round((sample * 255) / (2 ** depth - 1));

describe('grey and RGB of every depth', () => {
  test.each(OPAQUE_KINDS)(
    'colour type %i with %i bits is spread to 8, or kept at 16',
    (colour, depth) => {
      const channels = colour === 0 ? 1 : 3;
      fc.assert(
        fc.property(samplesOf(depth, channels), (samples) => {
          expect(read(file(colour, depth, samples))).toEqual({
            widthPx: WIDTH,
            heightPx: HEIGHT,
            channels,
            data:
              depth === 16
                ? Uint16Array.from(samples)
                : Uint8Array.from(samples, (sample) => to8(sample, depth)),
          });
        }),
        { numRuns: 30 },
      );
    },
  );
});

describe('palettes', () => {
  test.each([1, 2, 4, 8])('indices of %i bits are looked up', (depth) => {
    const colours = Uint8Array.from({ length: 3 * 2 ** depth }, (_, at) => (at * 37) & 255);
    fc.assert(
      fc.property(samplesOf(depth, 1), (samples) => {
        const { data, channels } = read(file(3, depth, samples, chunk('PLTE', colours)));
        expect(channels).toBe(3);
        expect([...data]).toEqual(
          samples.flatMap((index) => [...colours.subarray(3 * index, 3 * index + 3)]),
        );
      }),
      { numRuns: 30 },
    );
  });

  test('an index without an entry is refused, with and without alphas', () => {
    const samples = Array.from({ length: 15 }, (_, at) => (at === 7 ? 3 : 0));
    const three = chunk('PLTE', new Uint8Array(9));
    expect(() => read(file(3, 2, samples, three))).toThrow(FormatError);
    expect(() => read(file(3, 2, samples, three))).toThrow('samples that the palette has');
    const four = chunk('PLTE', new Uint8Array(12));
    expect(read(file(3, 2, samples, four)).data).toEqual(new Uint8Array(45));
  });
});

describe('alpha', () => {
  const opaque = Array.from({ length: 15 }, (_, at) => [at, 2 * at, 3 * at, 255]).flat();

  test('is dropped without a word where every pixel is opaque', () => {
    const rgb = opaque.filter((_, at) => at % 4 !== 3);
    expect([...read(file(6, 8, opaque)).data]).toEqual(rgb);
    expect(notesOf(file(6, 8, opaque))).toEqual([]);
    const grey = Array.from({ length: 15 }, (_, at) => [at, 255]).flat();
    expect(read(file(4, 8, grey))).toMatchObject({ channels: 1 });
    expect([...read(file(4, 8, grey)).data]).toEqual(Array.from({ length: 15 }, (_, at) => at));
  });

  test.each([254, 1, 0])('one pixel of alpha %i keeps the alpha of all', (alpha) => {
    const samples = [...opaque];
    samples[4 * 14 + 3] = alpha;
    expect(read(file(6, 8, samples))).toMatchObject({
      channels: 4,
      data: Uint8Array.from(samples),
    });
  });

  test.each([
    [4, 8, 2],
    [4, 16, 2],
    [6, 8, 4],
    [6, 16, 4],
  ])(
    'colour type %i with %i bits is read as it is, colour under clear pixels too',
    (colour, depth, channels) => {
      fc.assert(
        fc.property(samplesOf(depth, channels), (samples) => {
          samples[channels - 1] = 0;
          expect([...read(file(colour, depth, samples)).data]).toEqual(samples);
        }),
        { numRuns: 20 },
      );
    },
  );

  test('16 bits are put over a background in 16 bits', () => {
    const samples = Array.from({ length: 15 }, () => [1000, 2000, 3000, 32_768]).flat();
    const { data, channels } = read(file(6, 16, samples), { background: [0, 128, 255] });
    expect(channels).toBe(3);
    const half = 32_768 / 65_535;
    const wanted = [
      1000 * half,
      2000 * half + 128 * 257 * (1 - half),
      3000 * half + 65_535 * (1 - half),
    ];
    expect([...data.subarray(0, 3)]).toEqual(wanted.map(Math.round));
  });

  test('any alpha is put over the background, rounded', () => {
    const colour = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255));
    fc.assert(
      fc.property(samplesOf(8, 4), colour, (samples, background) => {
        const wanted = Array.from({ length: 45 }, (_, at) => {
          const from = 4 * Math.floor(at / 3);
          const alpha = (samples[from + 3] ?? 0) / 255;
          const above = samples[from + (at % 3)] ?? 0;
          return above * alpha + (background[at % 3] ?? 0) * (1 - alpha);
        });
        const { data } = read(file(6, 8, samples), { background });
        for (const [at, value] of wanted.entries()) {
          expect(Math.abs((data[at] ?? 0) - value)).toBeLessThanOrEqual(0.5 + 1e-9);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('grey with alpha stays grey over grey, and becomes RGB over a colour', () => {
    const samples = Array.from({ length: 15 }, () => [100, 0]).flat();
    const over = (background: readonly [number, number, number]) =>
      read(file(4, 8, samples), { background });
    expect(over([9, 9, 9])).toMatchObject({ channels: 1, data: new Uint8Array(15).fill(9) });
    for (const colour of [
      [1, 2, 3],
      [9, 9, 1],
      [1, 9, 9],
    ] as const) {
      expect([...over(colour).data.subarray(0, 3)]).toEqual([...colour]);
    }
  });

  test.each([
    ['grey, 1 bit', 0, 1, [0, 1]],
    ['grey, 4 bits', 0, 4, [0, 11]],
    ['grey, 8 bits', 0, 8, [0, 77]],
    ['grey, 16 bits', 0, 16, [0x12, 0x34]],
    ['RGB, 8 bits', 2, 8, [0, 1, 0, 2, 0, 3]],
    ['RGB, 16 bits', 2, 16, [1, 2, 3, 4, 5, 6]],
  ])(
    'a transparent colour is transparent in all its bits and nowhere else: %s',
    (_, colour, depth, key) => {
      const wide = Array.from(
        { length: key.length / 2 },
        (_unused, at) => (key[2 * at] ?? 0) * 256 + (key[2 * at + 1] ?? 0),
      );
      const other = wide.map((value) => value ^ 1);
      const samples = Array.from({ length: 15 }, (_unused, at) => (at === 4 ? wide : other)).flat();
      const bytes = file(colour, depth, samples, chunk('tRNS', Uint8Array.from(key)));
      const { data, channels } = read(bytes);
      expect(channels).toBe(wide.length + 1);
      const spread = (values: number[]) =>
        depth === 16 ? values : values.map((value) => to8(value, depth));
      expect([...data.subarray(4 * channels, 5 * channels)]).toEqual([...spread(wide), 0]);
      const opaque = depth === 16 ? 65_535 : 255;
      expect([...data.subarray(0, channels)]).toEqual([...spread(other), opaque]);
      const absent = chunk(
        'tRNS',
        Uint8Array.from(key, () => 255),
      );
      if (depth >= 8) expect(read(file(colour, depth, samples, absent)).channels).toBe(wide.length);
    },
  );

  test('alphas of a palette belong to its first entries', () => {
    const palette = chunk('PLTE', Uint8Array.of(10, 10, 10, 20, 20, 20, 30, 30, 30));
    const alphas = chunk('tRNS', Uint8Array.of(255, 0));
    const samples = Array.from({ length: 15 }, (_, at) => at % 3);
    const { data } = read(file(3, 2, samples, palette, alphas), { background: [5, 6, 7] });
    expect([...data.subarray(0, 9)]).toEqual([10, 10, 10, 5, 6, 7, 30, 30, 30]);
    const unused = samples.map((index) => (index === 1 ? 0 : index));
    expect(read(file(3, 2, unused, palette, alphas)).channels).toBe(3);
  });

  test.each([[[0, 0]], [[0, 0, 256]], [[-1, 0, 0]], [[0.5, 0, 0]], [[0, 0, 0, 0]]])(
    'a background of %j is refused',
    (background) => {
      const choices = { background } as unknown as ReadChoices;
      const clear = new Array(60).fill(0);
      expect(() => read(file(6, 8, clear), choices)).toThrow(UsageError);
    },
  );
});

describe('notes', () => {
  const plain = (...chunks: Buffer[]) => png(ihdr(), ...chunks, idat(SCANLINES));

  test('an animation is told to be read as its first picture', () => {
    const frames = chunk('fdAT', Buffer.alloc(20));
    const bytes = png(ihdr(), chunk('acTL', words(2, 0)), idat(SCANLINES), frames);
    expect(notesOf(bytes)).toEqual(['png: animation read as its first picture']);
    expect(read(bytes)).toEqual(read(plain()));
  });

  test('bytes after the end are told and change nothing', () => {
    const bytes = Buffer.concat([plain(), Buffer.alloc(7, 1)]);
    expect(notesOf(bytes)).toEqual(["png: 7 bytes after the picture's end ignored"]);
    expect(read(bytes)).toEqual(read(plain()));
  });

  test('a profile that inflates without end is cut off', () => {
    const bytes = plain(iccp(Buffer.alloc(64 * 2 ** 20)));
    const allocated = allocatedBytes(() =>
      expect(notesOf(bytes)[0]).toContain('damaged colour profile'),
    );
    expect(allocated).toBeLessThan(16 * MEBIBYTE);
  });
});
