/**
 * A codec on the fixture model, and small pictures to put through it.
 * @module
 */
import { fileURLToPath } from 'node:url';
import { type Codec, openCodec, type Pixels } from 'vaerans';

/** The model that never changes; in src's own terms: 8 channels, stride 4, tiles of 64 px. */
export function openFixtureCodec(): Promise<Codec> {
  return openCodec({
    model: fileURLToPath(new URL('../../models/fixture', import.meta.url)),
    threads: 1,
    deterministic: true,
  });
}

/** Waves of colour that differ from seed to seed. */
export function picture(widthPx: number, heightPx: number, seed = 1): Pixels {
  const data = Uint8Array.from({ length: widthPx * heightPx * 3 }, (_, at) => {
    const pixel = Math.floor(at / 3);
    const [x, y] = [pixel % widthPx, Math.floor(pixel / widthPx)];
    return 128 + 90 * Math.sin((x * seed) / 9 + (at % 3)) * Math.cos((y + seed) / 7);
  });
  return { widthPx, heightPx, channels: 3, data };
}

/** The same with a little grain, or it would be coded as the drawing that it is, without the model. */
export function grainyPicture(widthPx: number, heightPx: number, seed = 1): Pixels {
  const drawn = picture(widthPx, heightPx, seed);
  const data = Uint8Array.from(drawn.data, (value, i) => value + (Math.imul(i, 2654435761) >>> 30));
  return { ...drawn, data };
}

/** The one grid of a model that has one. */
export function only<T>([grid, ...finer]: readonly T[]): T {
  if (grid === undefined || finer.length > 0) throw new Error('expected one latent grid');
  return grid;
}
