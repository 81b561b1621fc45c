import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openCodec } from '#src/codec/open.js';
import { psnr } from '#src/codec/quality.js';
import { readImage } from '#src/image/file.js';

const SHARED = join(import.meta.dirname, '../../../shared');
const CURVE = join(SHARED, 'models/starter/eval_refit.json');
const hasShared = existsSync(CURVE) && existsSync(join(SHARED, 'data/kodak'));
const { version } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../models/default/manifest.json'), 'utf8'),
);
const isStarter = version === '0-starter';
if (!hasShared) console.log(`kodak: skipped, no ${CURVE} or no pictures beside it`);
if (!isStarter) console.log('kodak: skipped, the default model is not the starter any more');

/** What the starter's own evaluation, in Python and float, found for each picture at each point of its rate. */
interface Evaluation {
  readonly q: readonly number[];
  readonly cols: readonly string[];
  readonly per_image: Readonly<Record<string, readonly (readonly number[])[]>>;
}

it.skipIf(!hasShared || !isStarter)(
  'on Kodak the starter gives the PSNR of its own evaluation, and files as long as its estimate of the bits',
  async () => {
    const evaluation: Evaluation = JSON.parse(readFileSync(CURVE, 'utf8'));
    const column = (name: string) => evaluation.cols.indexOf(name);
    await using codec = await openCodec({ model: 'default', provider: 'cpu' });
    const points = [1, 3, 5];
    const sums = points.map(() => ({ bitsPerPixel: 0, estimate: 0 }));
    for (const [file, rows] of Object.entries(evaluation.per_image)) {
      const pixels = await readImage(join(SHARED, 'data/kodak', `kodim${file}`));
      let lastByteLength = 0;
      for (const [at, point] of points.entries()) {
        // The manifest spreads qualities 1 to 100 evenly over the starter's q from 0 to 1.
        const quality = 1 + 99 * (evaluation.q[point] ?? 0);
        const bytes = await codec.compress(pixels, { quality });
        const row = rows[point] ?? [];
        expect(bytes.length).toBeGreaterThan(lastByteLength);
        lastByteLength = bytes.length;
        const decoded = await codec.decompress(bytes);
        expect(Math.abs(psnr(pixels, decoded) - (row[column('psnr')] ?? 0))).toBeLessThan(0.05);
        const sum = sums[at];
        if (sum === undefined) continue;
        sum.bitsPerPixel += (8 * bytes.length) / (pixels.widthPx * pixels.heightPx);
        sum.estimate += row[column('ctx_adapt')] ?? 0;
      }
    }
    for (const { bitsPerPixel, estimate } of sums) {
      expect(bitsPerPixel / estimate).toBeLessThan(1.02);
      expect(bitsPerPixel / estimate).toBeGreaterThan(0.9);
    }
  },
  300_000,
);
