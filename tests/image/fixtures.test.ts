import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readImageBytes } from '#src/image/read.js';
import { defaultLimits } from '#src/limits.js';

const FOLDER = new URL('../../fixtures/', import.meta.url);
const NAMES = readdirSync(FOLDER).filter((name) => /\.(png|jpg)$/.test(name));
const README = readFileSync(new URL('README.md', FOLDER), 'utf8');

/** Whose pixels are not all opaque. */
const CLEAR: ReadonlySet<string> = new Set([
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
    expect(listed.toSorted()).toEqual(NAMES.toSorted());
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
});
