/**
 * Crops of the pictures that a model is tuned to, and what the encoder makes of them.
 * @module
 */
import { UnsupportedError, UsageError } from '../../errors.js';
import { readImage } from '../../image/file.js';
import type { PlainPixels } from '../../image/pixels.js';
import { hasAlpha } from '../../image/pixels.js';
import type { World } from '../../pipeline/world.js';
import { vaeEncode } from '../../stages/vae-encode.js';
import type { FitLatent } from '../../wasm/fit.js';

/** One crop and its latent. */
export interface Sample {
  readonly pixels: PlainPixels;
  readonly latent: FitLatent;
}

/**
 * Encodes the middle of every picture.
 * @param cropPx side of the crops; smaller pictures are taken whole
 * @throws UsageError when there are none, and as `readImage`
 */
export async function encodeSamples(
  paths: readonly string[],
  cropPx: number,
  world: World,
  onDone: (done: number) => void,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const path of paths) {
    const picture = await readImage(path);
    const { channels, data } = picture;
    // Transparent pictures and deep ones are other streams' business.
    if (hasAlpha(picture) || data instanceof Uint16Array || channels === 2 || channels === 4)
      continue;
    const pixels = cropMiddle({ ...picture, channels, data }, cropPx);
    const { grids } = await world.pipe(world.spawnImage(pixels)).to(vaeEncode()).out('Latent');
    const [values, ...finer] = grids;
    if (values === undefined || finer.length > 0) {
      throw new UnsupportedError(
        `tune: expected a model of one latent grid, got one of ${grids.length}; training fits its tables`,
      );
    }
    const [, height = 0, width = 0] = values.shape;
    samples.push({ pixels, latent: { width, height, values: world.arena.view(values).slice() } });
    world.clear();
    onDone(samples.length);
  }
  if (samples.length === 0) {
    throw new UsageError('tune: expected opaque 8-bit pictures to tune to, got none');
  }
  return samples;
}

/** The part of the picture around its centre. */
export function cropMiddle(pixels: PlainPixels, sidePx: number): PlainPixels {
  const { widthPx, heightPx, channels, data } = pixels;
  const width = Math.min(sidePx, widthPx);
  const height = Math.min(sidePx, heightPx);
  const left = (widthPx - width) >> 1;
  const top = (heightPx - height) >> 1;
  const out = new Uint8Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * widthPx + left) * channels;
    out.set(data.subarray(start, start + width * channels), row * width * channels);
  }
  return { widthPx: width, heightPx: height, channels, data: out };
}
