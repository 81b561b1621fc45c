import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readOrientation } from '#src/image/exif.js';
import { readAnyImage } from '#src/image/file.js';
import { readImageBytes } from '#src/image/read.js';
import { defaultLimits } from '#src/limits.js';
import { HAS_SECOND_DECODER } from './second-decoder.js';

const FOLDER = new URL('../../fixtures/', import.meta.url);
const FILES = readdirSync(FOLDER).filter((name) => /\.(png|jpg)$/.test(name));
/** Without the one that only the optional package sharp reads. */
const NAMES = FILES.filter((name) => name !== 'cmyk.jpg');
const README = readFileSync(new URL('README.md', FOLDER), 'utf8');

/** Whose pixels are not all opaque. */
const CLEAR: ReadonlySet<string> = new Set([
  'alpha-16-bit.png',
  'alpha-soft.png',
  'grey-alpha.png',
  'palette-transparent.png',
]);

describe('fixtures', () => {
  test.each(NAMES)('%s is listed, small, and reads as its line says', (name) => {
    const file = readFileSync(new URL(name, FOLDER));
    const line = README.split('\n').find((row) => row.startsWith(`| \`${name}\` |`)) ?? '';
    const notes: string[] = [];
    const pixels = readImageBytes(file, defaultLimits(), { onNote: (note) => notes.push(note) });
    const { widthPx, heightPx, channels, data } = pixels;
    if (name !== 'text-light-on-dark.png') expect(line).toContain(`${widthPx}x${heightPx}`);
    expect(channels).toBe((/grey/.test(name) ? 1 : 3) + (CLEAR.has(name) ? 1 : 0));
    expect(data.BYTES_PER_ELEMENT).toBe(/16-bit/.test(name) ? 2 : 1);
    expect(notes).toEqual([]);
    expect(file.length).toBeLessThan(1e6);
  });

  test('every line of the list has its file', () => {
    const listed = [...README.matchAll(/^\| `([^`/]+)` \|/gm)].map(([, name]) => name);
    expect(listed.toSorted()).toEqual(FILES.toSorted());
  });

  test('the turned picture is upright: its first row is the grey ramp and the hues, its last one is dark', () => {
    const file = readFileSync(new URL('turned-6.jpg', FOLDER));
    const { widthPx, heightPx, data } = readImageBytes(file, defaultLimits());
    const at = (x: number, y: number) => [
      ...data.subarray(3 * (y * widthPx + x), 3 * (y * widthPx + x) + 3),
    ];
    expect(Math.max(...at(2, 2))).toBeLessThan(30);
    expect(Math.min(...at(124, 2))).toBeGreaterThan(220);
    expect(Math.max(...at(widthPx - 3, heightPx - 3))).toBeLessThan(60);
  });

  test('the turned pictures are one, once upright', () => {
    const upright = [1, 2, 3, 4, 5, 7, 8].map((value) =>
      readImageBytes(readFileSync(new URL(`turned-${value}.jpg`, FOLDER)), defaultLimits()),
    );
    const [first] = upright;
    for (const { widthPx, heightPx, data, metadata } of upright) {
      expect([widthPx, heightPx]).toEqual([80, 50]);
      // Eight lines to the left of a block's edge are coded otherwise than eight to its right.
      const apart = Array.from(data, (value, at) => Math.abs(value - (first?.data[at] ?? 0)));
      expect(apart.reduce((sum, value) => sum + value, 0) / apart.length).toBeLessThan(4);
      expect(readOrientation(metadata?.exif)).toBe(1);
    }
  });

  test('Display P3 with Exif and XMP is told and carried', () => {
    const file = readFileSync(new URL('display-p3-exif-xmp.png', FOLDER));
    const { colour, metadata } = readImageBytes(file, defaultLimits());
    expect(colour).toBe('display-p3');
    expect(Object.keys(metadata ?? {})).toEqual(['exif', 'xmp']);
  });

  test.skipIf(!HAS_SECOND_DECODER)(
    'CMYK is read by sharp, as the picture and not its negative',
    async () => {
      const file = readFileSync(new URL('cmyk.jpg', FOLDER));
      const { widthPx, heightPx, colour, data } = await readAnyImage(file, defaultLimits());
      expect([widthPx, heightPx, colour]).toEqual([64, 48, 'srgb']);
      const at = (x: number, y: number) => data[3 * (y * widthPx + x)] ?? 0;
      expect(at(1, 1)).toBeLessThan(80);
      expect(at(30, 1)).toBeGreaterThan(200);
    },
  );
});
