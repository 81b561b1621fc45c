/**
 * How long a JPEG of 12 megapixels takes to read: by this package's guard and jpeg-js, and by sharp. Interleaved, medians;
 * the ratio is what a busy machine disturbs least.
 * @module
 */
import { cpus } from 'node:os';
import sharp from 'sharp';
import { readImage } from '../dist/index.js';

const [widthPx, heightPx] = [4000, 3000];
const ROUNDS = 5;

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

// Waves with some noise, so that there is something to decode in every block.
let state = 1;
const data = Uint8Array.from({ length: widthPx * heightPx * 3 }, (_, at) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  const [x, y] = [Math.floor(at / 3) % widthPx, Math.floor(at / 3 / widthPx)];
  return 128 + 80 * Math.sin(x / 37 + (at % 3)) * Math.cos(y / 53) + (state >>> 28);
});

for (const chromaSubsampling of ['4:2:0', '4:4:4']) {
  const raw = { width: widthPx, height: heightPx, channels: /** @type {const} */ (3) };
  const file = await sharp(data, { raw }).jpeg({ quality: 90, chromaSubsampling }).toBuffer();
  const contenders = {
    ours: () => readImage(file),
    sharp: () => sharp(file).raw().toBuffer(),
  };
  /** @type {Record<string, number[]>} */
  const times = { ours: [], sharp: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, work] of Object.entries(contenders)) {
      const startMs = performance.now();
      await work();
      if (round > 0) times[name]?.push(performance.now() - startMs);
    }
  }
  const [ours, theirs] = [median(times.ours ?? []), median(times.sharp ?? [])];
  console.log(
    `${widthPx}x${heightPx} ${chromaSubsampling}, ${file.length} bytes: jpeg-js ${Math.round(ours)} ms, sharp ${Math.round(theirs)} ms, ratio ${(ours / theirs).toFixed(1)}`,
  );
}
console.log(`${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}`);
