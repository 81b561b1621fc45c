/**
 * Pixels to the bytes of a `.vae` file.
 * @module
 */
import { UnsupportedError } from '../errors.js';
import { type PixelFormat, type PixelSource, sourceOf } from '../image/pixel-rows.js';
import { checkPlainPixels, type Pixels } from '../image/pixels.js';
import { checkDimensions } from '../limits.js';
import { rateOfQuality } from '../models/quality.js';
import { aimOf } from './aim.js';
import { codeAtRate, type ModelJob } from './latents.js';
import type { Codec } from './open.js';
import { type CompressOptions, checkCompressOptions } from './options.js';
import { planPicture } from './plan.js';
import { toFile } from './to-file.js';
import { codeToTarget } from './tries.js';

/** See `Codec.compress`. */
export async function compressPixels(
  codec: Codec,
  input: Pixels | PixelSource,
  options: CompressOptions,
): Promise<Uint8Array> {
  checkCompressOptions(options);
  const isWhole = 'data' in input;
  if (isWhole) checkPlainPixels('compress', input);
  const source = isWhole ? sourceOf(input) : input;
  checkPlainFormat(source);
  const { widthPx, heightPx } = source;
  checkDimensions('compress', widthPx, heightPx, codec.limits);
  const aim = aimOf(options, widthPx * heightPx);
  const opened = await codec.openModel();
  const { manifest } = opened.model;
  const picture = planPicture(manifest, widthPx, heightPx);
  const heldByteLength = isWhole ? input.data.byteLength : 0;
  const job: ModelJob = { codec, opened, picture, options, heldByteLength };
  if (aim.kind !== 'quality') return codeToTarget(job, input, source, aim);
  const rate = rateOfQuality(manifest, aim.quality);
  return toFile(source, await codeAtRate(job, source, rate), opened.model);
}

/** @throws UnsupportedError for what would be lost without a word */
function checkPlainFormat({
  channels,
  bitsPerSample,
  colour = 'srgb',
  metadata = {},
}: PixelFormat): void {
  if (channels === 2 || channels === 4 || bitsPerSample === 16) {
    throw new UnsupportedError(
      `compress: expected 1 or 3 channels of 8 bits, got ${channels} of ${bitsPerSample}`,
    );
  }
  if (colour !== 'srgb') {
    throw new UnsupportedError(`compress: expected colour srgb, got ${colour}; convert it first`);
  }
  const [carried] = Object.keys(metadata);
  if (carried !== undefined) {
    throw new UnsupportedError(`compress: expected no metadata, got ${carried}; strip it first`);
  }
}
