/**
 * What decoding slices side by side gains: all slices of a picture of 4000x3000 by one thread, and by several. Wall time,
 * medians of rounds in turn. `node benches/slices.mjs PICTURE`: the picture is repeated until it is that large.
 * @module
 */
import { openCodec, readImage } from 'vaerans';
import { readLatent } from '#src/codec/latent-reader.js';
import { planPicture } from '#src/codec/plan.js';
import { VaeFile } from '#src/container/file.js';
import { SlicePool } from '#src/slices/pool.js';
import { mosaicOf } from './mosaic.mjs';

const ROUNDS = 9;
const THREADS = [1, 2, 3];

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('slices: expected a picture, got none; name one');
const photograph = mosaicOf(await readImage(path));

const codec = await openCodec({ provider: 'cpu' });
const { model, tables } = await codec.openModel();
const pools = THREADS.map((threads) => new SlicePool(tables.context, threads));
for (const quality of [30, 60, 80, 95]) {
  const bytes = await codec.compress(photograph, { quality });
  const file = new VaeFile(bytes);
  const header = await file.readHeader(codec.limits);
  const entry = header.directory.find(({ type }) => type === 'latent');
  if (entry === undefined) throw new Error('slices: expected a latent stream, got none');
  const { bands } = planPicture(model.manifest, photograph.widthPx, photograph.heightPx).bandPlan;
  const latent = await readLatent(file, header, entry, bands, model.manifest);
  const { slices, sliceRows, gridRows, coder, quant } = latent;
  const jobs = slices.map((slice, index) => {
    const rows = Math.min(sliceRows, gridRows - index * sliceRows);
    const shapes = latent.shapes.map(
      ([channels, height, width]) =>
        /** @type {const} */ ([channels, (rows * height) / gridRows, width]),
    );
    return { bytes: slice, coder, rate: quant.rate, shapes };
  });
  /** @type {number[][]} */
  const times = pools.map(() => []);
  for (let round = -1; round < ROUNDS; round++) {
    for (const [index, pool] of pools.entries()) {
      const startMs = performance.now();
      await Promise.all(jobs.map((job) => pool.decode(job)));
      if (round >= 0) times[index]?.push(performance.now() - startMs);
    }
  }
  const [alone = Number.NaN, ...others] = times.map(
    (values) => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN,
  );
  const ratios = others.map((ms, index) => `${THREADS[index + 1]} ${(ms / alone).toFixed(2)}`);
  console.log(
    `quality ${quality}: ${jobs.length} slices, ${bytes.length} bytes; one thread ${alone.toFixed(0)} ms, of that with ${ratios.join(', ')}`,
  );
}
await Promise.all([codec, ...pools].map((opened) => opened.close()));
