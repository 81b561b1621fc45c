/**
 * Where a reconstruction falls short, and how much of that is fine detail: a fork blurs the original beside the trunk
 * that codes it.
 *
 *   node examples/residual-map.mjs [picture] [model]
 *
 * Prints, with the fixture model, the mean error of blocks of 16x16 px, from ' ' for none to '@' for 27 levels or more:
 *
 *    .--++=+*+
 *    -==+-=++=
 *   .-=++=+=+*
 *   .-+=:*+**+
 *   ..-::-*++-
 *   ......-*==
 *   :-::=-.-=-
 *   mean square of fine detail 397.6, of what the networks lose 319.8
 * @module
 */
import { fileURLToPath } from 'node:url';
import { gaussianBlur, openCodec, readImage, residual, vaeDecode, vaeEncode } from 'vaerans';

const SHADES = ' .:-=+*#%@';
const BLOCK_PX = 16;
const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const [picture = here('pictures/scene-left.png'), model = here('../models/fixture')] =
  process.argv.slice(2);

/**
 * Mean absolute value of blocks, as a line of characters for every row of blocks.
 * @param {ArrayLike<number>} samples interleaved, three a pixel
 * @param {number} widthPx
 * @param {number} heightPx
 */
function* map(samples, widthPx, heightPx) {
  for (let top = 0; top < heightPx; top += BLOCK_PX) {
    let line = '';
    for (let left = 0; left < widthPx; left += BLOCK_PX) {
      let sum = 0;
      let count = 0;
      for (let y = top; y < Math.min(top + BLOCK_PX, heightPx); y++) {
        for (let x = 3 * left; x < 3 * Math.min(left + BLOCK_PX, widthPx); x++) {
          sum += Math.abs(samples[3 * y * widthPx + x] ?? 0);
          count++;
        }
      }
      line += SHADES[Math.min(Math.floor(sum / count / 3), SHADES.length - 1)];
    }
    yield line.trimEnd();
  }
}

const meanSquare = (/** @type {ArrayLike<number>} */ values) =>
  Array.from(values).reduce((sum, value) => sum + value * value, 0) / values.length;

const codec = await openCodec({ model });
try {
  const world = await codec.world();
  const pixels = await readImage(picture);
  const image = world.spawnImage(pixels);
  const { values } = await world
    .pipe(image)
    .fork((branch) => branch.to(gaussianBlur({ sigmaPx: 1.5 })))
    .to(vaeEncode())
    .to(vaeDecode())
    .to(residual())
    .out('Residual');
  if (!image.has('BlurRgb')) throw new Error('the fork made a BlurRgb');

  const missing = world.arena.view(values);
  for (const line of map(missing, pixels.widthPx, pixels.heightPx)) console.log(line);
  const [original, blurred] = [image.get('Rgb'), image.get('BlurRgb')].map(({ pixels: rgb }) =>
    world.arena.view(rgb),
  );
  const detail = Int16Array.from(original ?? [], (value, at) => value - (blurred?.[at] ?? 0));
  console.log(
    `mean square of fine detail ${meanSquare(detail).toFixed(1)}, of what the networks lose ${meanSquare(missing).toFixed(1)}`,
  );
} finally {
  await codec.close();
}
