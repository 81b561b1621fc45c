// Writes fixtures/streams/v1: files of the frozen fixture model that every later version must decode to the same
// pixels. Files that exist are never changed; new ones are added.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCodec } from 'vaerans';

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
await codec.close();
writeFileSync(INDEX, `${JSON.stringify(index, null, 2)}\n`);
