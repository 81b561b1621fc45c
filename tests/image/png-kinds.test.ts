import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError, UnsupportedError, UsageError } from '#src/errors.js';
import { readImageBytes } from '#src/image/read.js';
import type { ReadChoices } from '#src/image/read-choices.js';
import { defaultLimits } from '#src/limits.js';
import { allocatedBytes, MEBIBYTE } from './allocated.js';
import { profile, words } from './icc-craft.js';
import { chunk, idat, ihdr, packScanlines, png, SCANLINES } from './png-craft.js';

const LIMITS = defaultLimits();
const WIDTH = 5;
const HEIGHT = 3;

/** A picture of 5x3 from its samples. */
function file(colour: number, depth: number, samples: number[], ...chunks: Buffer[]): Buffer {
  const head = ihdr({ width: WIDTH, height: HEIGHT, depth, colour });
  return png(head, ...chunks, idat(packScanlines(samples, samples.length / HEIGHT, depth)));
}

function read(bytes: Uint8Array, choices: ReadChoices = {}) {
  return readImageBytes(bytes, LIMITS, choices);
}

function notesOf(bytes: Uint8Array): string[] {
  const notes: string[] = [];
  read(bytes, { background: [0, 0, 0], onNote: (note) => notes.push(note) });
  return notes;
}

function iccp(bytes: Buffer): Buffer {
  return chunk('iCCP', Buffer.concat([Buffer.from('any\0\0'), deflateSync(bytes)]));
}

/** A profile whose only tag has another name or kind. */
function withTag(name: string, kind: string): Buffer {
  const bytes = profile('sRGB', 2);
  bytes.write(name, 132, 'latin1');
  bytes.write(kind, 144, 'latin1');
  return bytes;
}

/** Samples of a depth for `channels` channels. */
const samplesOf = (depth: number, channels: number) =>
  fc.array(fc.nat({ max: 2 ** depth - 1 }), {
    minLength: WIDTH * HEIGHT * channels,
    maxLength: WIDTH * HEIGHT * channels,
  });

const to8 = (sample: number, depth: number) => Math.round((sample * 255) / (2 ** depth - 1));

describe('grey and RGB of every depth', () => {
  test.each([
    [0, 1],
    [0, 2],
    [0, 4],
    [0, 8],
    [0, 16],
    [2, 8],
    [2, 16],
  ])('colour type %i with %i bits is spread or rounded to 8', (colour, depth) => {
    const channels = colour === 0 ? 1 : 3;
    fc.assert(
      fc.property(samplesOf(depth, channels), (samples) => {
        expect(read(file(colour, depth, samples))).toEqual({
          widthPx: WIDTH,
          heightPx: HEIGHT,
          channels,
          data: Uint8Array.from(samples, (sample) => to8(sample, depth)),
        });
      }),
      { numRuns: 30 },
    );
  });
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

  test.each([254, 1, 0])('one pixel of alpha %i is refused, naming the flag', (alpha) => {
    const samples = [...opaque];
    samples[4 * 14 + 3] = alpha;
    expect(() => read(file(6, 8, samples))).toThrow(UnsupportedError);
    expect(() => read(file(6, 8, samples))).toThrow(/got some that are not; .* --background$/);
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
      expect(() => read(bytes)).toThrow(UnsupportedError);
      const { data, channels } = read(bytes, { background: [200, 200, 200] });
      const at = 4 * channels;
      expect([...data.subarray(at, at + channels)]).toEqual(new Array(channels).fill(200));
      expect(data[0]).toBe(to8(other[0] ?? 0, depth));
      const absent = chunk(
        'tRNS',
        Uint8Array.from(key, () => 255),
      );
      if (depth >= 8) expect(read(file(colour, depth, samples, absent)).widthPx).toBe(WIDTH);
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

  test('16 bits are told to be reduced', () => {
    expect(notesOf(file(0, 16, new Array(15).fill(1)))).toEqual([
      'png: 16-bit samples reduced to 8 bits',
    ]);
  });

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

  const SRGB = words(31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000);
  const P3 = words(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000);
  test.each<[string, Buffer[], string | undefined]>([
    ['gamma of sRGB', [chunk('gAMA', words(45_455))], undefined],
    ['linear gamma', [chunk('gAMA', words(100_000))], 'gamma of 1 ignored'],
    ['primaries of sRGB', [chunk('cHRM', SRGB)], undefined],
    ['primaries of P3', [chunk('cHRM', P3)], 'primaries other than those of sRGB'],
    [
      'linear gamma that sRGB silences',
      [chunk('sRGB', Buffer.of(0)), chunk('gAMA', words(1e5))],
      undefined,
    ],
    ['cICP of sRGB', [chunk('cICP', Buffer.of(1, 13, 0, 1))], undefined],
    ['cICP of PQ', [chunk('cICP', Buffer.of(9, 16, 0, 1))], 'colour space 9/16/0/1 (cICP)'],
    ['a profile named sRGB', [iccp(profile('sRGB IEC61966-2.1', 2))], undefined],
    ['a profile of version 4 named sRGB', [iccp(profile('sRGB built-in', 4))], undefined],
    ['a profile of another name', [iccp(profile('Display P3', 4))], "colour profile 'Display P3'"],
    ['a profile with control characters', [iccp(profile('\x1b[31mred', 2))], "'?[31mred'"],
    ['a profile of no name', [iccp(Buffer.alloc(131))], 'damaged colour profile'],
    ['a profile whose table runs out', [iccp(Buffer.alloc(140, 1))], 'damaged colour profile'],
    ['a profile that cannot be inflated', [chunk('iCCP', Buffer.from('x\0\0junk'))], 'damaged'],
    ['a profile with a table and no name in it', [iccp(withTag('cprt', 'desc'))], 'damaged'],
    ['a profile whose name is of no kind', [iccp(withTag('desc', 'text'))], 'damaged'],
    ['a profile whose name lies outside', [iccp(profile('sRGB', 4).subarray(0, 160))], 'damaged'],
    ['a profile whose text is cut off', [iccp(profile('sRGB', 4).subarray(0, -1))], 'damaged'],
    ['an empty iCCP', [chunk('iCCP')], 'damaged colour profile'],
    ['an empty gAMA', [chunk('gAMA')], undefined],
    ['an empty cICP', [chunk('cICP')], 'colour space 0/0/0/0'],
  ])('%s is noted as it ought to be', (_, chunks, wanted) => {
    const notes = notesOf(plain(...chunks));
    expect(notes).toHaveLength(wanted === undefined ? 0 : 1);
    expect(notes[0] ?? '').toContain(wanted ?? '');
    expect(read(plain(...chunks))).toEqual(read(plain()));
  });

  test('a profile that inflates without end is cut off', () => {
    const bytes = plain(iccp(Buffer.alloc(64 * 2 ** 20)));
    const allocated = allocatedBytes(() =>
      expect(notesOf(bytes)[0]).toContain('damaged colour profile'),
    );
    expect(allocated).toBeLessThan(16 * MEBIBYTE);
  });
});
