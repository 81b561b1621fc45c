import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchOptions, type BenchRow, bench, readImage } from 'vaerans';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeImage } from '#src/image/write.js';

const FIXTURE = fileURLToPath(new URL('../../models/fixture', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vaerans-lane-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A picture known by its width. */
function write(name: string, widthPx: number): string {
  const pixels = { widthPx, heightPx: 8, channels: 1, data: new Uint8Array(widthPx * 8) } as const;
  const path = join(folder, name);
  writeFileSync(path, encodeImage(pixels, 'png'));
  return path;
}

async function measure(
  images: readonly { readonly path: string; readonly name: string }[],
  options: BenchOptions,
): Promise<readonly BenchRow[]> {
  const { rows, failures } = await bench(images, {
    model: FIXTURE,
    threads: 1,
    settings: { ours: [40] },
    metrics: ['mse'],
    ...options,
  });
  expect(failures).toEqual([]);
  return rows;
}

it('keeps the files of each picture apart, whose names differ in a folder alone, inside the folder', async () => {
  const names = ['a/b.png', 'a-b.png', 'a_b.png', '../up.png'];
  const images = names.map((name, at) => ({ name, path: write(`${at}.png`, 8 * (at + 1)) }));
  const keepFolder = join(folder, 'kept');
  const rows = await measure(images, { keepFolder, jobs: 2 });
  for (const [at, { codedPath = '', decodedPath = '' }] of rows.entries()) {
    expect(codedPath.startsWith(keepFolder)).toBe(true);
    expect((await readImage(decodedPath)).widthPx).toBe(8 * (at + 1));
  }
  expect(new Set(rows.map(({ codedPath }) => codedPath)).size).toBe(names.length);
  expect(rows[0]?.decodedPath).toBe(join(keepFolder, 'ours', '40', 'a', 'b.png.decoded.png'));
});

describe('a run that goes on', () => {
  it('takes the row of the same picture, and measures another of that name anew', async () => {
    const image = { name: 'a.png', path: write('a.png', 16) };
    const options = { rowsPath: join(folder, 'rows'), resume: true };
    const first = await measure([image], options);
    expect(await measure([image], options)).toEqual(first);
    write('a.png', 24);
    expect(await measure([image], options)).toMatchObject([{ widthPx: 24 }]);
  });

  it('measures anew where the files that are to be kept have gone', async () => {
    const image = { name: 'a.png', path: write('a.png', 16) };
    const keepFolder = join(folder, 'kept');
    const options = { rowsPath: join(folder, 'rows'), resume: true };
    const first = await measure([image], { ...options, keepFolder });
    expect(await measure([image], { ...options, keepFolder })).toEqual(first);
    rmSync(keepFolder, { recursive: true });
    const [bare] = await measure([image], options);
    expect(bare).not.toHaveProperty('decodedPath');
    const [row] = await measure([image], { ...options, keepFolder });
    expect((await readImage(row?.decodedPath ?? '')).widthPx).toBe(16);
  });
});
