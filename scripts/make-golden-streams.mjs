// Writes fixtures/streams/v1: files of the frozen fixture model that every later version must decode to the same
// pixels. Files that exist are never changed; new ones are added.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCodec } from 'vaerans';
import { residualOf } from '../dist/codec/fine.js';
import { codeAtRate } from '../dist/codec/latents.js';
import { planPicture } from '../dist/codec/plan.js';
import { bareFrame, toFile } from '../dist/codec/to-file.js';
import { sourceOf } from '../dist/image/pixel-rows.js';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../fixtures/streams/v1');
const INDEX = join(FOLDER, 'index.json');

/** Sine waves, a diagonal edge and a little hashed grain: reproducible from this line alone. */
function picture(widthPx, heightPx, channels) {
  const data = Uint8Array.from({ length: widthPx * heightPx * channels }, (_, i) => {
    const x = Math.floor(i / channels) % widthPx;
    const y = Math.floor(i / channels / widthPx);
    const grain = (Math.imul(i + 1, 2654435761) >>> 28) - 8;
    return (
      120 + 70 * Math.sin(x / 9) * Math.cos(y / 13) + (x > y ? 30 : 0) + 14 * (i % channels) + grain
    );
  });
  return { widthPx, heightPx, channels, data };
}

const CASES = [
  ['one_pixel', 1, 1, 3, 50],
  ['one_row', 37, 1, 3, 50],
  ['odd_rgb_quality_1', 61, 43, 3, 1],
  ['odd_rgb_quality_60', 61, 43, 3, 60],
  ['odd_rgb_quality_100', 61, 43, 3, 100],
  ['grey', 40, 56, 1, 75],
  ['several_tiles', 150, 131, 3, 40],
  ['three_slices', 20, 1040, 3, 30],
  ['fraction_of_a_quality', 32, 32, 3, 33.25],
];

mkdirSync(FOLDER, { recursive: true });
const index = existsSync(INDEX) ? JSON.parse(readFileSync(INDEX, 'utf8')) : {};
const codec = await openCodec({ model: 'fixture', provider: 'cpu' });
for (const [name, widthPx, heightPx, channels, quality] of CASES) {
  const path = join(FOLDER, `${name}.vae`);
  if (existsSync(path)) continue;
  const bytes = await codec.compress(picture(widthPx, heightPx, channels), { quality });
  const { data } = await codec.decompress(bytes);
  writeFileSync(path, bytes);
  const pixelsSha256 = createHash('sha256').update(data).digest('hex');
  index[name] = { widthPx, heightPx, channels, quality, byteLength: bytes.length, pixelsSha256 };
}

/** Modes, depths and alpha: what `picture` is made into, and how it is coded. */
const sixteenBit = (pixels) => ({
  ...pixels,
  data: Uint16Array.from(pixels.data, (value, i) => value * 257 + (i % 97)),
});
const metadata = { icc: Uint8Array.from({ length: 300 }, (_, i) => i), xmp: Buffer.from('<xmp/>') };
const MORE = [
  ['lossless_rgb', picture(61, 43, 3), { lossless: true }],
  ['lossless_rgba_16', sixteenBit(picture(33, 21, 4)), { lossless: true }],
  ['lossless_grey_16', sixteenBit(picture(33, 21, 1)), { lossless: true }],
  ['largest_error_2', picture(61, 43, 3), { quality: 100 }],
  ['planes_psnr_40', picture(61, 43, 3), { targetPsnr: 40 }],
  ['alpha', picture(61, 43, 4), { quality: 50 }],
  ['grey_alpha_16', sixteenBit(picture(61, 43, 2)), { quality: 50 }],
  ['profile_and_xmp', { ...picture(20, 20, 3), colour: 'icc', metadata }, { quality: 50 }],
];
const add = async (name, make) => {
  const path = join(FOLDER, `${name}.vae`);
  if (existsSync(path)) return;
  const bytes = await make();
  const { widthPx, heightPx, channels, data } = await codec.decompress(bytes);
  writeFileSync(path, bytes);
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const pixelsSha256 = createHash('sha256').update(view).digest('hex');
  index[name] = { widthPx, heightPx, channels, byteLength: bytes.length, pixelsSha256 };
};
for (const [name, pixels, options] of MORE) {
  await add(name, () => codec.compress(pixels, options));
}
// The encoder takes a residual only where that is smallest, which on so small a picture it never is: put together by hand.
await add('residual', async () => {
  const pixels = picture(61, 43, 3);
  const opened = await codec.openModel();
  const { model } = opened;
  const job = {
    codec,
    opened,
    options: {},
    heldByteLength: 0,
    picture: planPicture(model.manifest, pixels.widthPx, pixels.heightPx),
  };
  const latents = await codeAtRate(job, sourceOf(pixels), 2000);
  const coded = { mode: 'model', latents, model };
  const decoded = await codec.decompress(toFile(bareFrame(pixels), coded));
  const left = await residualOf(job, pixels, { coded, decoded }).code({ stepSize: 6 });
  return toFile(bareFrame(pixels), left);
});
await codec.close();
writeFileSync(INDEX, `${JSON.stringify(index, null, 2)}\n`);
