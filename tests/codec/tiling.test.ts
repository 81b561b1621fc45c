import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openCodec } from '#src/codec/open.js';
import { readImage } from '#src/image/file.js';
import type { Pixels } from '#src/image/pixels.js';
import { quantise } from '#src/stages/quantise.js';
import { rotate } from '#src/stages/rotate.js';
import { vaeEncode } from '#src/stages/vae-encode.js';
import { waveletForward } from '#src/stages/wavelet.js';
import { only } from '../pipeline/fixture.js';

const KODAK = join(import.meta.dirname, '../../../shared/data/kodak/kodim05.png');
const hasKodak = existsSync(KODAK);
if (!hasKodak) console.log(`tiling: skipped, no picture at ${KODAK}`);

/** The default model with another tile size, and perhaps a margin that is not its own. */
async function withTile(tilePx: number, marginPx?: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vaerans-tile-'));
  await cp(join(import.meta.dirname, '../../models/psnr'), folder, { recursive: true });
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  if (marginPx !== undefined) manifest.encoder.marginPx = marginPx;
  await writeFile(path, JSON.stringify({ ...manifest, tilePx }));
  return folder;
}

const TILE_PX = 256;
/** Near the model's end, and before planes take over: those know no tiles. */
const QUALITY = 70;

/** Sum of squared errors in the strips of 8 px to either side of tile borders, and everywhere else. */
function errorsOf(original: Pixels, decoded: Pixels): { borders: number; elsewhere: number } {
  const { widthPx, channels } = original;
  const isNear = (at: number) => at > 8 && (at + 8) % TILE_PX < 16;
  const sums = { borders: 0, elsewhere: 0 };
  for (let at = 0; at < original.data.length; at++) {
    const pixel = Math.floor(at / channels);
    const isBorder = isNear(pixel % widthPx) || isNear(Math.floor(pixel / widthPx));
    const error = (original.data[at] ?? 0) - (decoded.data[at] ?? 0);
    sums[isBorder ? 'borders' : 'elsewhere'] += error * error;
  }
  return sums;
}

it.skipIf(!hasKodak)(
  'tiles with their margin equal the whole picture: latents, symbols, and the error at their borders',
  async () => {
    const pixels = await readImage(KODAK);
    const folders = await Promise.all([withTile(1024), withTile(TILE_PX), withTile(TILE_PX, 8)]);
    const latents: Float32Array[] = [];
    const symbols: Int16Array[] = [];
    const decoded: Pixels[] = [];
    for (const model of folders) {
      await using codec = await openCodec({ model, threads: 2, provider: 'cpu' });
      const world = await codec.world();
      const entity = world.spawnImage(pixels);
      const coded = await world
        .pipe(entity)
        .to(vaeEncode())
        .to(rotate())
        .to(waveletForward())
        .to(quantise({ quality: QUALITY }))
        .out('Symbols');
      if (!entity.has('Latent')) throw new Error('the pipe made a latent');
      const { grids } = entity.get('Latent');
      latents.push(world.arena.view(only(grids)).slice());
      symbols.push(world.arena.view(only(coded.grids)).slice());
      // Without an adjustment, which may differ in a number where a pixel does.
      decoded.push(
        await codec.decompress(await codec.compress(pixels, { quality: QUALITY, effort: 2 })),
      );
    }
    const [whole = new Float32Array(0), ...tiled] = latents;
    const [worst = 0, tooNarrow = 0] = tiled.map((values) =>
      whole.reduce((max, v, i) => Math.max(max, Math.abs(v - (values[i] ?? 0))), 0),
    );
    expect(worst).toBeLessThan(1e-4);
    // The same tiles with less of a margin than the manifest states: this is what would be seen.
    expect(tooNarrow).toBeGreaterThan(1e-2);
    // A coefficient at a rounding edge may fall to the other side; a seam would differ everywhere along it.
    const [a = new Int16Array(0), b = new Int16Array(0)] = symbols;
    const different = a.reduce((count, symbol, i) => count + (symbol === b[i] ? 0 : 1), 0);
    expect(different).toBeLessThan(1e-5 * a.length);
    // Pictures are not equally hard everywhere, so the whole run says what the error is at these places.
    const [before, after] = decoded.map((picture) => errorsOf(pixels, picture));
    const ratio = {
      borders: (after?.borders ?? 0) / (before?.borders ?? 1),
      elsewhere: (after?.elsewhere ?? 0) / (before?.elsewhere ?? 1),
    };
    expect(ratio.borders).toBeCloseTo(1, 3);
    expect(ratio.elsewhere).toBeCloseTo(1, 3);
    console.log(
      `tiling: latents within ${worst.toExponential(1)}, ${different} of ${a.length} symbols differ, squared error at borders ${ratio.borders.toFixed(6)} and elsewhere ${ratio.elsewhere.toFixed(6)} of the whole run`,
    );
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
  },
  120_000,
);
