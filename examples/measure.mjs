/**
 * Rate against distortion, and where the time goes: the networks encode once, every quality is measured from there.
 *
 *   node examples/measure.mjs [picture] [model]
 *
 * Prints, with the fixture model (times are left out unless `--times` is given):
 *
 *   quality  bytes  order-0 bytes    bpp  psnr dB     mse
 *        10   1075           1035  0.480    21.18  496.06
 *        30   1841           1773  0.822    22.38  376.21
 *        50   2799           2709  1.250    22.86  336.93
 *        70   3799           3683  1.696    23.02  324.17
 *        90   4905           4749  2.190    23.07  321.01
 * @module
 */
import { fileURLToPath } from 'node:url';
import {
  dequantise,
  entropyEncode,
  measureMse,
  measurePsnr,
  openCodec,
  quantise,
  readImage,
  rotate,
  Trace,
  unrotate,
  vaeDecode,
  vaeEncode,
  waveletForward,
  waveletInverse,
} from 'vaerans';

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const args = process.argv.slice(2).filter((arg) => arg !== '--times');
const [picture = here('pictures/scene-left.png'), model = here('../models/fixture')] = args;

const codec = await openCodec({ model });
try {
  const trace = new Trace({ entropy: true });
  const world = await codec.world({ trace });
  const { widthPx, heightPx, ...samples } = await readImage(picture);
  const image = world.spawnImage({ widthPx, heightPx, ...samples });
  const pyramid = await world
    .pipe(image)
    .to(vaeEncode())
    .to(rotate())
    .to(waveletForward())
    .out('WaveletPyramid');

  console.log('quality  bytes  order-0 bytes    bpp  psnr dB     mse');
  for (const quality of [10, 30, 50, 70, 90]) {
    const order0Before = trace.detail('order0EntropyBytes');
    const entity = world.newEntity().add('WaveletPyramid', pyramid).add('Rgb', image.get('Rgb'));
    const bitstream = await world
      .pipe(entity)
      .to(quantise({ quality }))
      .fork((decoder) =>
        decoder.to(dequantise()).to(waveletInverse()).to(unrotate()).to(vaeDecode()),
      )
      .to(measureMse())
      .to(measurePsnr())
      .to(entropyEncode())
      .out('Bitstream');
    const byteLength = bitstream.slices.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    const { mse, psnrDb } = Object.fromEntries(entity.metadata);
    console.log(
      [
        String(quality).padStart(7),
        String(byteLength).padStart(5),
        (trace.detail('order0EntropyBytes') - order0Before).toFixed(0).padStart(13),
        ((8 * byteLength) / (widthPx * heightPx)).toFixed(3).padStart(5),
        Number(psnrDb).toFixed(2).padStart(7),
        Number(mse).toFixed(2).padStart(6),
      ].join('  '),
    );
  }
  if (process.argv.includes('--times')) console.log(`\n${trace.toTable()}`);
} finally {
  await codec.close();
}
