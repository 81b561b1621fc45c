/**
 * How long a JPEG of 12 megapixels takes to read: by this package's guard and jpeg-js, and by sharp. Interleaved, medians;
 * the ratio is what a busy machine disturbs least. Then one such file to .vae and back to JPEG and PNG, split by stage:
 * milliseconds of the processor, all threads, one stage at a time.
 * @module
 */
import { cpus } from 'node:os';
import sharp from 'sharp';
import { encodeImage, openCodec, readImage, Trace } from '../dist/index.js';

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
const raw = { width: widthPx, height: heightPx, channels: /** @type {const} */ (3) };
const file = await sharp(data, { raw }).jpeg({ quality: 90 }).toBuffer();
const codec = await openCodec({ threads: 1, provider: 'cpu' });
await codec.compress({ widthPx: 64, heightPx: 64, channels: 3, data: data.slice(0, 64 * 64 * 3) });

/**
 * @template T
 * @param {string} name
 * @param {(trace: Trace) => Promise<T>} work
 */
async function split(name, work) {
  const trace = new Trace();
  const before = process.cpuUsage();
  const result = await work(trace);
  const { user, system } = process.cpuUsage(before);
  /** @type {Map<string, number>} */
  const stages = new Map();
  for (const { stage, wallMs } of trace.records) {
    stages.set(stage, (stages.get(stage) ?? 0) + wallMs);
  }
  const told = [...stages].map(([stage, ms]) => `${stage} ${Math.round(ms)}`).join(', ');
  console.log(
    `${name}: ${Math.round((user + system) / 1000)} ms of processor${told && `; wall by stage: ${told}`}`,
  );
  return result;
}

const pixels = await split('JPEG to pixels', () => readImage(file));
const vae = await split('pixels to .vae, quality 60', (trace) =>
  codec.compress(pixels, { quality: 60, trace }),
);
const back = await split('.vae to pixels', (trace) => codec.decompress(vae, { trace }));
await split('pixels to JPEG', () => encodeImage(back, 'jpg'));
await split('pixels to PNG', () => encodeImage(back, 'png'));
await codec.close();
console.log(`${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}`);
