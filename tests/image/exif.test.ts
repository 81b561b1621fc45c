import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readOrientation, uprightExif } from '#src/image/exif.js';
import { exif } from './jpeg-craft.js';

/** Orientation 6 and a pointer to Exif data in front, a directory of a thumbnail behind them, and the thumbnail. */
function withThumbnail(isLittle: boolean, tail = Buffer.alloc(0)) {
  const main = exif(isLittle, [
    [0x0112, 3, 1, 6],
    [0x8769, 4, 1, 0],
  ]);
  const below = exif(isLittle, [[0x9000, 7, 4, 0x3230]]).subarray(8);
  const second = exif(isLittle, [
    [0x0103, 3, 1, 6],
    [0x0201, 4, 1, 0],
    [0x0202, 4, 1, 0],
  ]).subarray(8);
  const thumbnail = Buffer.alloc(500, 0x77);
  const whole = Buffer.concat([main, below, second, thumbnail, tail]);
  const put32 = (value: number, at: number) =>
    isLittle ? whole.writeUInt32LE(value, at) : whole.writeUInt32BE(value, at);
  const secondAt = main.length + below.length;
  put32(main.length, 10 + 12 + 8);
  put32(secondAt, main.length - 4);
  put32(secondAt + second.length, secondAt + 2 + 12 + 8);
  put32(thumbnail.length, secondAt + 2 + 24 + 8);
  return { whole, kept: secondAt };
}

describe('what is carried of Exif', () => {
  test.each([true, false])(
    'is upright and has no thumbnail, all else byte for byte',
    (isLittle) => {
      const { whole, kept } = withThumbnail(isLittle);
      expect(readOrientation(whole)).toBe(6);
      const carried = uprightExif(whole) ?? new Uint8Array(0);
      expect(readOrientation(carried)).toBe(1);
      const wanted = Buffer.from(whole.subarray(0, kept));
      wanted.fill(0, kept - 18 - 4, kept - 18);
      if (isLittle) wanted.writeUInt16LE(1, 18);
      else wanted.writeUInt16BE(1, 18);
      expect(carried).toEqual(new Uint8Array(wanted));
    },
  );

  test('keeps what lies behind a thumbnail at its offset, and clears the thumbnail', () => {
    const tail = Buffer.alloc(30, 0x55);
    const { whole } = withThumbnail(true, tail);
    const carried = uprightExif(whole) ?? new Uint8Array(0);
    expect(carried).toHaveLength(whole.length);
    expect([...carried.subarray(-30)]).toEqual([...tail]);
    expect(carried.includes(0x77)).toBe(false);
  });

  test('leaves the bytes that it was given alone', () => {
    const { whole } = withThumbnail(false);
    const before = Buffer.from(whole);
    uprightExif(whole);
    expect(whole.equals(before)).toBe(true);
  });

  test.each([
    ['nothing', undefined],
    ['no TIFF', Buffer.alloc(40)],
    ['a TIFF without a directory', Buffer.from('II*\0\x00\x01\0\0')],
  ])('is nothing of %s', (_, bytes) => {
    expect(uprightExif(bytes)).toBeUndefined();
  });

  test('of any bytes is no longer, upright, and the same when done again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, isLittle) => {
        const bytes = Buffer.concat([exif(isLittle, [[0x0112, 3, 1, 6]]), noise]);
        // Some directory behind the first, and wherever the noise says, values.
        bytes.writeUInt8(bytes.length > 60 ? 40 : 0, isLittle ? 22 : 25);
        const carried = uprightExif(bytes) ?? new Uint8Array(0);
        expect(carried.length).toBeLessThanOrEqual(bytes.length);
        expect(readOrientation(carried)).toBe(1);
        expect(uprightExif(carried)).toEqual(carried);
      }),
    );
  });

  test('follows directories that point at themselves and at one another once', () => {
    // As many entries as fit an APP1: followed again and again they were half a thousand million.
    const count = 5459;
    const bytes = Buffer.alloc(8 + 2 + 12 * count + 4);
    bytes.write('II*\0\x08\0\0\0', 'latin1');
    bytes.writeUInt16LE(count, 8);
    for (let at = 10; at < bytes.length - 4; at += 12) {
      bytes.writeUInt16LE(0x8769, at);
      bytes.writeUInt16LE(4, at + 2);
      bytes.writeUInt32LE(1, at + 4);
      bytes.writeUInt32LE(at % 24 === 10 ? 8 : at, at + 8);
    }
    bytes.writeUInt32LE(8, bytes.length - 4);
    const carried = uprightExif(bytes) ?? new Uint8Array(0);
    // The second directory is the first, so that all but the pointer to it stays.
    expect(Buffer.from(carried)).toEqual(Buffer.concat([bytes.subarray(0, -4), Buffer.alloc(4)]));
  });

  test('clears what a thumbnail alone holds, of however many values in any order', () => {
    const value = fc.tuple(fc.nat(900), fc.nat(60));
    const values = fc.array(value, { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(values, values, (first, second) => {
        const ascii = ([from, count]: readonly [number, number]) =>
          [0xc000, 2, 5 + count, 700 + from] as const;
        const main = exif(true, first.map(ascii));
        const next = exif(true, second.map(ascii)).subarray(8);
        main.writeUInt32LE(main.length, main.length - 4);
        const whole = Buffer.concat([main, next, Buffer.alloc(2500, 0x77)]);
        const carried = uprightExif(whole) ?? new Uint8Array(0);
        const holds = (list: typeof first, at: number) =>
          list.some(([from, count]) => at >= 700 + from && at < 705 + from + count);
        for (let at = 0; at < whole.length; at++) {
          if (at >= main.length - 4 && at < main.length) continue;
          const isMain = at < main.length || holds(first, at);
          const isNext = (at >= main.length && at < main.length + next.length) || holds(second, at);
          const wanted = isNext && !isMain ? 0 : whole[at];
          if (at < carried.length || isMain) expect([at, carried[at]]).toEqual([at, wanted]);
          else expect(isNext).toBe(true);
        }
      }),
    );
  });

  const EDGE = new URL('../../../shared/data/edge/', import.meta.url);
  test.skipIf(!existsSync(EDGE))('of a camera loses its thumbnail and nothing before it', () => {
    const file = readFileSync(new URL('pillow_exif-72dpi-int.jpg', EDGE));
    const from = file.indexOf('Exif\0\0') + 6;
    const tiff = file.subarray(from, from - 8 + file.readUInt16BE(from - 8));
    const carried = uprightExif(tiff) ?? new Uint8Array(0);
    expect(tiff.includes(Buffer.of(0xff, 0xd8, 0xff))).toBe(true);
    expect(Buffer.from(carried).includes(Buffer.of(0xff, 0xd8, 0xff))).toBe(false);
    expect(carried.length).toBeLessThan(tiff.length);
  });
});
