/**
 * One picture to the bytes of a `.vae` file and back.
 *
 *   node examples/one-image.mjs [picture] [model]
 *
 * The model here is the fixture, a toy that never changes; try models/psnr. Prints:
 *
 *   160x112 px: 53760 bytes of samples, 3336 bytes of file
 *   160x112 px back again, PSNR 22.97 dB
 * @module
 */
import { fileURLToPath } from 'node:url';
import { openCodec, psnr, readImage } from 'vaerans';

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const [picture = here('pictures/scene-left.png'), model = here('../models/fixture')] =
  process.argv.slice(2);

const pixels = await readImage(picture);
const codec = await openCodec({ model });
try {
  const bytes = await codec.compress(pixels, { quality: 60 });
  const back = await codec.decompress(bytes);
  console.log(
    `${pixels.widthPx}x${pixels.heightPx} px: ${pixels.data.length} bytes of samples, ${bytes.length} bytes of file`,
  );
  console.log(
    `${back.widthPx}x${back.heightPx} px back again, PSNR ${psnr(pixels, back).toFixed(2)} dB`,
  );
} finally {
  await codec.close();
}
