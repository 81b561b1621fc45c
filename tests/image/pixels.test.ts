import { describe, expect, test } from 'vitest';
import { UnsupportedError, UsageError } from '#src/errors.js';
import { checkPixels, checkPlainPixels, type Pixels } from '#src/image/pixels.js';

const ICC = Uint8Array.of(1);

const of = (change: object): Pixels =>
  ({ widthPx: 3, heightPx: 2, channels: 3, data: new Uint8Array(18), ...change }) as Pixels;

describe('checkPixels', () => {
  test.each<[string, object]>([
    ['grey', { channels: 1, data: new Uint8Array(6) }],
    ['grey and alpha', { channels: 2, data: new Uint8Array(12) }],
    ['RGB', {}],
    ['RGB and alpha', { channels: 4, data: new Uint8Array(24) }],
    ['16 bits', { data: new Uint16Array(18) }],
    ['Display P3', { colour: 'display-p3' }],
    ['a profile', { colour: 'icc', metadata: { icc: ICC } }],
    ['EXIF and XMP', { metadata: { exif: ICC, xmp: ICC } }],
  ])('takes %s', (_, change) => {
    expect(() => checkPixels('x', of(change))).not.toThrow();
  });

  test.each<[string, object, string]>([
    ['words too few', { data: new Uint16Array(17) }, 'expected 18 words for 3x2x3, got 17'],
    ['floats', { data: new Float32Array(18) }, 'expected 18 bytes for 3x2x3, got object'],
    ['five channels', { channels: 5 }, 'expected 1 to 4 channels, got 5'],
    ['an unknown colour', { colour: 'lab' }, 'expected colour srgb, display-p3, adobe-rgb, icc'],
    ['a missing profile', { colour: 'icc' }, 'got colour icc without a profile'],
    ['a profile too many', { metadata: { icc: ICC } }, 'got colour srgb and a profile'],
    ['text as XMP', { metadata: { xmp: 'x' } }, 'expected bytes as xmp, got x'],
    ['no EXIF', { metadata: { exif: new Uint8Array(0) } }, 'expected bytes as exif, got none'],
  ])('refuses %s', (_, change, message) => {
    expect(() => checkPixels('x', of(change))).toThrow(UsageError);
    expect(() => checkPixels('x', of(change))).toThrow(message);
  });
});

test.each<[string, object, string]>([
  ['alpha', { channels: 4, data: new Uint8Array(24) }, 'expected 1 or 3 channels, got 4'],
  ['16 bits', { data: new Uint16Array(18) }, 'expected samples of 8 bits, got 16'],
])('what works on plain samples refuses %s by name', (_, change, message) => {
  expect(() => checkPlainPixels('x', of(change))).toThrow(UnsupportedError);
  expect(() => checkPlainPixels('x', of(change))).toThrow(message);
});
