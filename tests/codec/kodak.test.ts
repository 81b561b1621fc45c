import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compareImages } from '#src/bench/metrics.js';
import { openCodec } from '#src/codec/open.js';
import { psnr } from '#src/codec/quality.js';
import { readImage } from '#src/image/file.js';

const KODAK = join(import.meta.dirname, '../../../shared/data/kodak');
const hasKodak = existsSync(KODAK);
if (!hasKodak) console.log(`kodak: skipped, there is no ${KODAK}`);

/** Every third picture: smooth and busy ones, upright and lying. */
const PICTURES = ['01', '04', '07', '10', '13', '16', '19', '22'];

it.skipIf(!hasKodak)(
  'on Kodak, bytes and PSNR grow with quality for every picture, and 70 looks like 70 on average',
  async () => {
    await using codec = await openCodec({ model: 'default', provider: 'cpu' });
    let score = 0;
    for (const name of PICTURES) {
      const pixels = await readImage(join(KODAK, `kodim${name}.png`));
      let last = { byteLength: 0, psnrDb: 0 };
      for (const quality of [1, 20, 45, 70, 80]) {
        const bytes = await codec.compress(pixels, { quality });
        const decoded = await codec.decompress(bytes);
        const psnrDb = psnr(pixels, decoded);
        expect(bytes.length, `kodim${name} at ${quality}`).toBeGreaterThan(last.byteLength);
        expect(psnrDb, `kodim${name} at ${quality}`).toBeGreaterThan(last.psnrDb);
        last = { byteLength: bytes.length, psnrDb };
        if (quality === 70) {
          score += (await compareImages(pixels, decoded, ['ssimulacra2'])).ssimulacra2 ?? 0;
        }
      }
    }
    // The scale was fitted on other pictures (scripts/quality-scale.mjs).
    expect(Math.abs(score / PICTURES.length - 70)).toBeLessThan(4);
  },
  300_000,
);
