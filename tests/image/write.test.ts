import { describe, expect, test } from 'vitest';
import { UsageError } from '#src/errors.js';
import { imageFormatFromPath, isPicturePath, NATIVE_FORMATS } from '#src/image/formats.js';
import type { Pixels } from '#src/image/pixels.js';
import { readImageBytes } from '#src/image/read.js';
import { encodeImage } from '#src/image/write.js';
import { defaultLimits } from '#src/limits.js';
import { pixelsOf } from './png-craft.js';

describe('encodeImage', () => {
  test.each(['png', 'ppm', 'pam'] as const)('%s round trips RGB and grey', (format) => {
    for (const channels of [1, 3] as const) {
      const pixels = pixelsOf(13, 7, channels);
      expect(readImageBytes(encodeImage(pixels, format), defaultLimits())).toEqual(pixels);
    }
  });

  test.each(NATIVE_FORMATS)("%s never hands out the caller's own bytes", (format) => {
    const pixels = pixelsOf(3, 3, 3);
    expect(encodeImage(pixels, format).buffer).not.toBe(pixels.data.buffer);
  });

  test.each<[string, object]>([
    ['a length that does not fit its sides', { widthPx: 4 }],
    ['a side of 0', { widthPx: 0, data: new Uint8Array(0) }],
    ['half a pixel', { heightPx: 1.5 }],
    ['two channels of three', { channels: 2 }],
    ['data that is no bytes', { data: 'x' }],
  ])('refuses a record with %s', (_, change) => {
    const pixels = { ...pixelsOf(3, 3, 3), ...change } as Pixels;
    expect(() => encodeImage(pixels, 'png')).toThrow(UsageError);
  });
});

describe('imageFormatFromPath', () => {
  test.each([
    ['a.png', 'png'],
    ['A.PNG', 'png'],
    ['dir.vae/x.y.ppm', 'ppm'],
    ['x.pgm', 'ppm'],
    ['x.pnm', 'ppm'],
    ['x.pam', 'pam'],
    ['x.vae', undefined],
    ['x.jpg', 'jpg'],
    ['x.JPEG', 'jpg'],
    ['x.webp', 'webp'],
    ['x.tif', 'tiff'],
    ['x.heic', undefined],
    ['png', undefined],
    ['a.png/b', undefined],
    ['', undefined],
    ['-', undefined],
  ])('%j asks for %s', (path, format) => {
    expect(imageFormatFromPath(path)).toBe(format);
  });
});

describe('isPicturePath', () => {
  test.each(['a.png', 'A.PPM', 'a.jpg', 'a.JPEG', 'x/y.pam', 'a.HEIC', 'a.gif'])(
    'takes %s from a folder',
    (path) => {
      expect(isPicturePath(path)).toBe(true);
    },
  );
  test.each(['a.vae', 'a.bmp', 'jpg', 'a.jpg/b', 'a.jpg.txt'])('leaves %s there', (path) => {
    expect(isPicturePath(path)).toBe(false);
  });
});
