import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { colourOfProfile, NAMED_COLORANTS, profileOfName, srgbToLight } from '#src/image/colour.js';
import { colorantsOf, writeProfile } from '#src/image/icc-write.js';
import { readImageBytes } from '#src/image/read.js';
import { defaultLimits } from '#src/limits.js';
import { profile, words } from './icc-craft.js';
import { chunk, idat, ihdr, png, SCANLINES } from './png-craft.js';

const D65 = [0.3127, 0.329] as const;

function iccp(bytes: Uint8Array): Buffer {
  return chunk('iCCP', Buffer.concat([Buffer.from('any\0\0'), deflateSync(bytes)]));
}

/** A profile whose only tag has another name or kind. */
function withTag(name: string, kind: string): Buffer {
  const bytes = profile('sRGB', 2);
  bytes.write(name, 132, 'latin1');
  bytes.write(kind, 144, 'latin1');
  return bytes;
}

/** What a PNG of these chunks is told to mean. */
function read(...chunks: Buffer[]) {
  const notes: string[] = [];
  const file = png(ihdr(), ...chunks, idat(SCANLINES));
  const { colour, metadata, data } = readImageBytes(file, defaultLimits(), {
    onNote: (note) => notes.push(note),
  });
  return { colour, icc: metadata?.icc, data: [...data], notes };
}

const plain = read();

describe('colours of a PNG', () => {
  const SRGB = words(31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000);
  const P3 = words(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000);
  const ADOBE = words(31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000);
  const gama = (value: number) => chunk('gAMA', words(value));

  test.each<[string, Buffer[], string | undefined, string]>([
    ['nothing', [], undefined, ''],
    ['sRGB', [chunk('sRGB', Buffer.of(0))], 'srgb', ''],
    ['gamma of sRGB', [gama(45_455)], 'srgb', ''],
    ['gamma and primaries of sRGB', [gama(45_455), chunk('cHRM', SRGB)], 'srgb', ''],
    ['gamma and primaries of P3', [gama(45_455), chunk('cHRM', P3)], 'display-p3', ''],
    ['gamma and primaries of Adobe RGB', [gama(45_470), chunk('cHRM', ADOBE)], 'adobe-rgb', ''],
    ['primaries of P3 alone', [chunk('cHRM', P3)], 'display-p3', ''],
    ['primaries of Adobe RGB alone', [chunk('cHRM', ADOBE)], 'icc', ''],
    ['linear gamma', [gama(100_000)], 'icc', ''],
    ['linear gamma that sRGB silences', [chunk('sRGB', Buffer.of(0)), gama(1e5)], 'srgb', ''],
    ['no gamma', [gama(0)], undefined, 'gamma of 0 ignored'],
    ['primaries on a line', [chunk('cHRM', Buffer.alloc(32))], undefined, 'make no colours'],
    ['cICP of sRGB', [chunk('cICP', Buffer.of(1, 13, 0, 1))], 'srgb', ''],
    ['cICP of P3', [chunk('cICP', Buffer.of(12, 13, 0, 1))], 'display-p3', ''],
    [
      'cICP of PQ',
      [chunk('cICP', Buffer.of(9, 16, 0, 1))],
      undefined,
      '9/16/0/1 (cICP) ignored; read',
    ],
    [
      'cICP of PQ over a gamma',
      [chunk('cICP', Buffer.of(9, 16, 0, 1)), gama(45_455)],
      'srgb',
      'beside it',
    ],
    ['an empty cICP', [chunk('cICP')], undefined, 'colour space  (cICP)'],
    ['an empty gAMA', [chunk('gAMA')], undefined, ''],
    ['a profile of a name alone', [iccp(profile('Any RGB', 4))], 'icc', ''],
    ['a profile without a name', [iccp(withTag('cprt', 'desc'))], 'icc', ''],
    [
      'a profile that cannot be inflated',
      [chunk('iCCP', Buffer.from('x\0\0junk'))],
      undefined,
      'damaged',
    ],
    ['a profile of zeros', [iccp(Buffer.alloc(131))], undefined, 'damaged'],
    ['a profile that is cut off', [iccp(profile('sRGB', 4).subarray(0, -1))], undefined, 'damaged'],
    ['an empty iCCP', [chunk('iCCP')], undefined, 'damaged'],
    [
      'a profile of grey',
      [iccp(profileOfName('srgb', true))],
      undefined,
      "'sRGB' for GRAY ignored",
    ],
  ])('%s', (_, chunks, colour, note) => {
    const ours = read(...chunks);
    expect(ours.colour).toBe(colour);
    expect(ours.icc !== undefined).toBe(colour === 'icc');
    expect(ours.notes).toHaveLength(note === '' ? 0 : 1);
    expect(ours.notes[0] ?? '').toContain(note);
    expect(ours.data).toEqual(plain.data);
  });

  test('a profile is carried byte for byte', () => {
    const bytes = profile('Any RGB', 4);
    expect(read(iccp(bytes)).icc).toEqual(new Uint8Array(bytes));
  });

  test('control characters of a name do not reach a note', () => {
    const bytes = profile('\x1b[31mred', 2);
    bytes.write('CMYK', 16, 'latin1');
    expect(read(iccp(bytes)).notes[0]).toContain("'?[31mred' for CMYK ignored");
  });
});

describe('profiles', () => {
  test.each(['srgb', 'display-p3', 'adobe-rgb'] as const)(
    'that are written as %s are known',
    (name) => {
      for (const isGrey of [false, true]) {
        const reading = colourOfProfile('x', profileOfName(name, isGrey), isGrey);
        // Grey has no primaries, which are all that tells Display P3 from sRGB.
        expect(reading).toEqual({ colour: isGrey && name === 'display-p3' ? 'srgb' : name });
      }
    },
  );

  test('of primaries that are stated as chromaticities come out as their makers have them', () => {
    const p3 = colorantsOf(D65, [
      [0.68, 0.32],
      [0.265, 0.69],
      [0.15, 0.06],
    ]);
    for (const [index, xyz] of NAMED_COLORANTS['display-p3'].entries()) {
      for (const [axis, value] of xyz.entries()) {
        expect(p3?.[index]?.[axis]).toBeCloseTo(value, 3);
      }
    }
  });

  test('proportional to light have their samples brought to the curve of sRGB, once', () => {
    const linear = writeProfile('linear', { exponent: 1 }, NAMED_COLORANTS['display-p3']);
    const ours = read(iccp(linear));
    expect(ours.colour).toBe('display-p3');
    expect(ours.notes).toEqual(['png: samples proportional to light brought to the curve of sRGB']);
    for (const [at, sample] of ours.data.entries()) {
      expect(Math.abs(srgbToLight(sample / 255) * 255 - (plain.data[at] ?? 0))).toBeLessThan(0.8);
    }
  });

  test('proportional to light with primaries of no name keep those', () => {
    const primaries = [
      [0.7, 0.29],
      [0.17, 0.79],
      [0.13, 0.04],
    ] as const;
    const linear = writeProfile('wide', { exponent: 1 }, colorantsOf(D65, primaries));
    const { colour, icc } = read(iccp(linear));
    expect(colour).toBe('icc');
    const again = colourOfProfile('x', icc, false);
    expect(again).toEqual({ colour: 'icc', icc });
  });
});
