import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RowFile } from '#src/bench/row-file.js';
import type { BenchRow } from '#src/bench/rows.js';

const COST = { wallMs: 1, cpuMs: null, peakMemoryBytes: null };
const ROW: BenchRow = {
  image: 'a.png',
  codec: 'ours',
  setting: '50',
  dial: 50,
  widthPx: 1,
  heightPx: 1,
  byteLength: 100,
  bitsPerPixel: 800,
  metrics: {},
  encode: COST,
  decode: COST,
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vaerans-rows-'));
  path = join(folder, 'out.json.rows');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('gives back the row of a picture, and none of another that had its name', async () => {
  const file = await RowFile.open(path, {}, false);
  await file.add(ROW, 'first');
  const again = await RowFile.open(path, {}, true);
  expect(again.find(ROW, 'first')).toEqual(ROW);
  expect(again.find(ROW, 'second')).toBeUndefined();
  expect(again.find({ ...ROW, setting: '60' }, 'first')).toBeUndefined();
  await again.add({ ...ROW, byteLength: 200 }, 'second');
  const last = await RowFile.open(path, {}, true);
  expect(last.find(ROW, 'second')?.byteLength).toBe(200);
  expect(last.find(ROW, 'first')).toBeUndefined();
  expect((await RowFile.open(path, {}, false)).find(ROW, 'second')).toBeUndefined();
});

it('leaves what is there untouched until its successor, without the line that was cut, is whole', async () => {
  const file = await RowFile.open(path, {}, false);
  await file.add(ROW, 'first');
  const whole = readFileSync(path, 'utf8');
  writeFileSync(path, `${whole}{"row`);
  // A second name of the same file: shows whether it was written over in its place.
  const before = join(folder, 'before');
  linkSync(path, before);
  await RowFile.open(path, {}, true);
  expect(readFileSync(before, 'utf8')).toBe(`${whole}{"row`);
  expect(readFileSync(path, 'utf8')).toBe(whole);
  expect(readdirSync(folder)).toEqual(['before', 'out.json.rows']);
});

it('refuses rows of another run, and leaves them', async () => {
  await (await RowFile.open(path, { model: 'one' }, false)).add(ROW, 'first');
  const kept = readFileSync(path, 'utf8');
  await expect(RowFile.open(path, { model: 'two' }, true)).rejects.toMatchObject({ code: 'usage' });
  expect(readFileSync(path, 'utf8')).toBe(kept);
});
