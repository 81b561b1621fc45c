/** libvips by way of sharp: a decoder that shares nothing with ours. */
import type { ChannelCount, Pixels } from '#src/image/pixels.js';

const sharp = await import('sharp').then(
  (module) => module.default,
  (error: unknown) => {
    console.log(`skipped: pixels are not compared with sharp, which does not load: ${error}`);
    return undefined;
  },
);

export const HAS_SECOND_DECODER = sharp !== undefined;

/** Upright, over white, with as many channels as asked for; colour profiles ignored. */
export async function decodeBySharp(file: Uint8Array, channels: ChannelCount): Promise<Pixels> {
  if (sharp === undefined) throw new Error('sharp does not load');
  const { data, info } = await sharp(file, { limitInputPixels: false })
    .rotate()
    .flatten({ background: '#ffffff' })
    .keepIccProfile()
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { widthPx: info.width, heightPx: info.height, channels, data };
}

/** @param kind `jpeg` options as sharp has them */
export async function encodeBySharp(
  { widthPx, heightPx, channels, data }: Pixels,
  options: { readonly progressive?: boolean; readonly chromaSubsampling?: string },
): Promise<Buffer> {
  if (sharp === undefined) throw new Error('sharp does not load');
  const raw = { width: widthPx, height: heightPx, channels };
  return await sharp(data, { raw })
    .jpeg({ quality: 90, ...options })
    .toBuffer();
}

/** Largest and mean absolute difference of samples, in levels. */
export function difference(a: Pixels, b: Pixels): { readonly max: number; readonly mean: number } {
  if (a.widthPx !== b.widthPx || a.heightPx !== b.heightPx || a.data.length !== b.data.length) {
    return { max: Number.POSITIVE_INFINITY, mean: Number.POSITIVE_INFINITY };
  }
  let max = 0;
  let sum = 0;
  for (const [at, value] of a.data.entries()) {
    const apart = Math.abs(value - (b.data[at] ?? 0));
    max = Math.max(max, apart);
    sum += apart;
  }
  return { max, mean: sum / a.data.length };
}
