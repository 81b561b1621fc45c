import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { judgeOf, measure } from '#src/codec/judge.js';
import { openCodec } from '#src/codec/open.js';
import { readImage } from '#src/image/file.js';
import { TUNES } from '#src/models/tunes.js';

const KODAK = join(import.meta.dirname, '../../../shared/data/kodak');
const hasKodak = existsSync(KODAK);
if (!hasKodak) console.log(`kodak: skipped, there is no ${KODAK}`);

/** Every third picture: smooth and busy ones, upright and lying. */
const PICTURES = ['01', '04', '07', '10', '13', '16', '19', '22'];

it.skipIf(!hasKodak).each(TUNES)(
  'on Kodak, bytes and what %s is judged by grow with quality for every picture, and 40 and 70 look like 50 and 70 on average',
  async (tune) => {
    await using codec = await openCodec({ model: tune, provider: 'cpu' });
    const { manifest } = (await codec.openModel()).model;
    const scores = new Map<number, number>();
    for (const name of PICTURES) {
      const pixels = await readImage(join(KODAK, `kodim${name}.png`));
      const judge = judgeOf(manifest, pixels);
      let last = { byteLength: 0, value: Number.NEGATIVE_INFINITY };
      for (const quality of [1, 20, 40, 70, 80]) {
        const bytes = await codec.compress(pixels, { quality });
        const decoded = await codec.decompress(bytes);
        const value = await measure(judge, pixels, decoded);
        expect(bytes.length, `kodim${name} at ${quality}`).toBeGreaterThan(last.byteLength);
        expect(value, `kodim${name} at ${quality}`).toBeGreaterThan(last.value);
        last = { byteLength: bytes.length, value };
        const score = await measure('ssimulacra2', pixels, decoded);
        scores.set(quality, (scores.get(quality) ?? 0) + score / PICTURES.length);
      }
    }
    // The scales were fitted on other pictures (scripts/quality-scale.mjs).
    expect(Math.abs((scores.get(40) ?? 0) - 50)).toBeLessThan(7);
    expect(Math.abs((scores.get(70) ?? 0) - 70)).toBeLessThan(4);
  },
  300_000,
);
