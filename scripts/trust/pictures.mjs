/**
 * Small pictures and files to try things on, equal in every run.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCodec, readImage } from 'vaerans';
import { ROOT } from '../setup/shell.mjs';
import { randomOf } from './trial.mjs';

const STREAMS = join(ROOT, 'fixtures', 'streams', 'v1');

/**
 * Waves, an edge and some grain.
 * @param {number} widthPx
 * @param {number} heightPx
 * @param {1 | 3} [channels]
 * @returns {import('vaerans').Pixels}
 */
export function drawn(widthPx, heightPx, channels = 3) {
  const random = randomOf(widthPx * 4096 + heightPx);
  const data = Uint8Array.from({ length: widthPx * heightPx * channels }, (_, at) => {
    const pixel = Math.floor(at / channels);
    const x = pixel % widthPx;
    const y = Math.floor(pixel / widthPx);
    const waves = 70 * Math.sin(x / 7) * Math.cos(y / 11);
    return 120 + waves + (x > y ? 30 : 0) + 14 * (at % channels) + random(9);
  });
  return { widthPx, heightPx, channels, data };
}

/**
 * Twenty sound `.vae` files, none over 3 kB: the golden ones and, of the default model, pictures of the project.
 * @returns {Promise<{ name: string, bytes: Uint8Array }[]>}
 */
export async function soundFiles() {
  const golden = readdirSync(STREAMS)
    .filter((name) => name.endsWith('.vae'))
    .map((name) => ({ name, bytes: /** @type {Uint8Array} */ (readFileSync(join(STREAMS, name))) }))
    .filter(({ bytes }) => bytes.length < 3000)
    .slice(0, 15);
  const codec = await openCodec({ provider: 'cpu', threads: 1 });
  try {
    for (const [index, quality] of [5, 20, 35, 50, 65, 80, 95, 10, 60, 40, 75].entries()) {
      if (golden.length === 20) break;
      const picture =
        index % 3 === 0
          ? await readImage(join(ROOT, 'fixtures', 'odd-grey-61x43.png'))
          : drawn(40 + 13 * index, 90 - 7 * index, index % 3 === 1 ? 3 : 1);
      const bytes = await codec.compress(picture, { quality });
      golden.push({ name: `default-model-quality-${quality}`, bytes });
    }
  } finally {
    await codec.close();
  }
  return golden;
}
