import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openCodec } from '#src/codec/open.js';
import { readImage } from '#src/image/file.js';
import type { Pixels } from '#src/image/pixels.js';
import { vaeEncode } from '#src/stages/vae-encode.js';

const KODAK = join(import.meta.dirname, '../../../shared/data/kodak/kodim05.png');
const hasKodak = existsSync(KODAK);
if (!hasKodak) console.log(`tiling: skipped, no picture at ${KODAK}`);

/** The default model with another tile size. */
async function withTile(tilePx: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vaerans-tile-'));
  await cp(join(import.meta.dirname, '../../models/default'), folder, { recursive: true });
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...manifest, tilePx }));
  return folder;
}

it.skipIf(!hasKodak)('tiles with their margin equal the whole picture', async () => {
  const pixels = await readImage(KODAK);
  const folders = await Promise.all([withTile(1024), withTile(256)]);
  const latents: Float32Array[] = [];
  const decoded: Pixels[] = [];
  for (const model of folders) {
    await using codec = await openCodec({ model, threads: 2 });
    const world = await codec.world();
    const { values } = await world.pipe(world.spawnImage(pixels)).to(vaeEncode()).out('Latent');
    latents.push(world.arena.view(values).slice());
    decoded.push(await codec.decompress(await codec.compress(pixels, { quality: 50 })));
  }
  const [whole, tiled] = latents;
  const worst = whole?.reduce(
    (max, value, i) => Math.max(max, Math.abs(value - (tiled?.[i] ?? 0))),
    0,
  );
  expect(worst).toBeLessThan(1e-4);
  // A latent at a rounding edge may fall to the other side; a seam would differ everywhere along it.
  const [a, b] = decoded.map(({ data }) => Uint8Array.from(data));
  const different = a?.reduce(
    (count, sample, i) => count + (Math.abs(sample - (b?.[i] ?? 0)) > 1 ? 1 : 0),
    0,
  );
  expect(different).toBeLessThan(0.001 * (a?.length ?? 0));
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});
