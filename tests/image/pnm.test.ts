import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError, LimitError, UnsupportedError } from '#src/errors.js';
import { readImageBytes } from '#src/image/read.js';
import { encodeImage } from '#src/image/write.js';
import { defaultLimits } from '#src/limits.js';
import { pixelsOf } from './png-craft.js';

const LIMITS = defaultLimits();

function read(header: string, ...samples: number[]) {
  return readImageBytes(
    Buffer.concat([Buffer.from(header, 'latin1'), Buffer.from(samples)]),
    LIMITS,
  );
}

describe('PPM, PGM and PAM', () => {
  test('what is written reads back the same, and grey stays grey', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const),
        fc.boolean(),
        fc.uint8Array({ minLength: 7200, maxLength: 7200 }),
        (widthPx, heightPx, channels, isWide, noise) => {
          const samples = isWide ? new Uint16Array(noise.buffer) : noise;
          const data = samples.slice(0, widthPx * heightPx * channels);
          // Alpha that is opaque throughout would be dropped.
          if (channels % 2 === 0) data[channels - 1] = 0;
          const pixels = { widthPx, heightPx, channels, data };
          for (const format of ['ppm', 'pam'] as const) {
            if (format === 'ppm' && channels % 2 === 0) {
              expect(() => encodeImage(pixels, format)).toThrow('write it as PNG or PAM');
            } else {
              expect(readImageBytes(encodeImage(pixels, format), LIMITS)).toEqual(pixels);
            }
          }
        },
      ),
    );
  });

  test('the bytes are those of Netpbm', () => {
    const grey = pixelsOf(2, 1, 1);
    const rgb = pixelsOf(1, 1, 3);
    const text = (bytes: Uint8Array, from: number) =>
      Buffer.from(bytes.subarray(0, bytes.length - from)).toString('latin1');
    expect(text(encodeImage(grey, 'ppm'), 2)).toBe('P5\n2 1\n255\n');
    expect(text(encodeImage(rgb, 'ppm'), 3)).toBe('P6\n1 1\n255\n');
    expect(text(encodeImage(rgb, 'pam'), 3)).toBe(
      'P7\nWIDTH 1\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n',
    );
  });

  test.each([
    'P5 2 1 255 ',
    'P5\t2\r\n1\f255\v',
    'P5\n# a comment\n2 # 7 7\n1\n#\n255\n',
    'P5#at once\n2 1 255\n',
    'P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\n',
    'P7\n# any order\nMAXVAL 255\n\nDEPTH  1\nTUPLTYPE GRAYSCALE\n WIDTH\t2 \nHEIGHT 1\nENDHDR\n',
  ])('reads the header %j', (header) => {
    expect(read(header, 10, 13)).toEqual({
      widthPx: 2,
      heightPx: 1,
      channels: 1,
      data: Uint8Array.of(10, 13),
    });
  });

  test('samples that look like header text are samples', () => {
    expect(read('P5 3 1 255\n', 0x0a, 0x23, 0x20).data).toEqual(Uint8Array.of(0x0a, 0x23, 0x20));
  });

  test('every truncation and a trailing byte are refused', () => {
    for (const format of ['ppm', 'pam'] as const) {
      const file = encodeImage(pixelsOf(3, 2, 3), format);
      for (let byteLength = 0; byteLength < file.length; byteLength++) {
        const cut = file.subarray(0, byteLength);
        expect(() => readImageBytes(cut, LIMITS), `${byteLength}`).toThrow(FormatError);
      }
      const longer = Uint8Array.from([...file, 0]);
      expect(() => readImageBytes(longer, LIMITS)).toThrow(/trailing bytes/);
    }
  });

  test.each([
    ['a bitmap', 'P4 1 1\n'],
    ['text samples', 'P3 1 1 255\n1 2 3\n'],
    ['a text bitmap', 'P1 1 1\n0\n'],
    ['10 bits', 'P6 1 1 1023\n'],
    ['maximum 254', 'P5 1 1 254\n'],
    ['five channels', 'P7\nWIDTH 1\nHEIGHT 1\nDEPTH 5\nMAXVAL 255\nENDHDR\n'],
    ['a PAM bitmap', 'P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 1\nTUPLTYPE BLACKANDWHITE\nENDHDR\n'],
  ])('refuses %s by name', (_, header) => {
    expect(() => read(header, 1, 2, 3, 4)).toThrow(UnsupportedError);
  });

  test.each([
    ['no numbers', 'P6\n'],
    ['a width that is no number', 'P6 x 1 255\n'],
    ['a negative width', 'P6 -1 1 255\n'],
    ['width 0', 'P6 0 1 255\n'],
    ['maximum 0', 'P6 1 1 0\n'],
    ['maximum 65536', 'P6 1 1 65536\n'],
    ['a comment without end', 'P6 #'],
    ['a PAM without ENDHDR', 'P7\nWIDTH 1\n'],
    ['a PAM without height', 'P7\nWIDTH 1\nDEPTH 1\nMAXVAL 255\nENDHDR\n'],
    ['a PAM with two widths', 'P7\nWIDTH 1\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\n'],
    ['a PAM with a bare word', 'P7\nWIDTH\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\n'],
    [
      'a PAM of one-channel RGB',
      'P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n',
    ],
  ])('refuses %s as damaged', (_, header) => {
    expect(() => read(header, 1)).toThrow(FormatError);
  });

  test.each(['P6 40000 1 255\n', 'P5 20000 20000 255\n', `P6 ${'9'.repeat(400)} 1 255\n`])(
    'refuses %j by the limits, before any sample is asked for',
    (header) => {
      expect(() => read(header)).toThrow(LimitError);
    },
  );

  test('the end of the header is sought in the first 65,536 bytes only', () => {
    // "P6 ", comments, and eight bytes up to the samples.
    const withComments = (count: number) =>
      Buffer.from(`P6 ${'#\n'.repeat(count)}\n1 1 255\n123`, 'latin1');
    const longest = (65_536 - 3 - 9) / 2;
    expect(readImageBytes(withComments(longest), LIMITS).data).toEqual(Uint8Array.of(49, 50, 51));
    for (const count of [longest + 1, 500_000]) {
      expect(() => readImageBytes(withComments(count), LIMITS)).toThrow(FormatError);
    }
  });
});
