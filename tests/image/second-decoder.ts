/** libvips by way of sharp: a decoder that shares nothing with ours. */
import { type ChannelCount, hasAlpha, type Pixels } from '#src/image/pixels.js';

const sharp = await import('sharp').then(
  (module) => module.default,
  (error: unknown) => {
    console.log(`skipped: pixels are not compared with sharp, which does not load: ${error}`);
    return undefined;
  },
);

export const HAS_SECOND_DECODER = sharp !== undefined;

/**
 * Upright, with as many channels and bits as asked for: over white where that leaves no alpha. Profiles are ignored, and
 * so is gamma.
 */
export async function decodeBySharp(
  file: Uint8Array,
  channels: ChannelCount,
  bits: 8 | 16 = 8,
): Promise<Pixels> {
  if (sharp === undefined) throw new Error('sharp does not load');
  const upright = sharp(file, { limitInputPixels: false }).rotate();
  const withAlpha = hasAlpha({ channels })
    ? upright.ensureAlpha()
    : upright.flatten({ background: '#ffffff' });
  // Its 8-bit grey has no alpha.
  const isGrey = channels === 1 || (channels === 2 && bits === 16);
  const space = isGrey ? ['b-w', 'grey16'] : ['srgb', 'rgb16'];
  const { data, info } = await withAlpha
    .keepIccProfile()
    .toColourspace(space[bits === 8 ? 0 : 1] ?? '')
    .raw({ depth: bits === 8 ? 'uchar' : 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const all =
    bits === 8 ? data : new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  const samples =
    channels < info.channels ? all.filter((_, at) => at % 4 === 0 || at % 4 === 3) : all;
  return { widthPx: info.width, heightPx: info.height, channels, data: samples };
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
