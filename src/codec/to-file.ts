/**
 * What was coded to the bytes of a file.
 * @module
 */
import { writeContainer } from '../container/write.js';
import type { PixelFormat } from '../image/pixel-rows.js';
import { DEFAULT_MODEL_NAME, type Model } from '../models/registry.js';
import type { CodedLatents } from './latents.js';

export function toFile(
  { widthPx, heightPx, channels }: PixelFormat,
  { rate, slices, sliceRows, coder }: CodedLatents,
  { modelId, manifest }: Model,
): Uint8Array {
  const isSingle = slices.length === 1;
  return writeContainer(
    {
      widthPx,
      heightPx,
      modelId,
      ...(manifest.name === DEFAULT_MODEL_NAME ? {} : { modelName: manifest.name }),
      rate,
      mode: 'model',
      colour: 'srgb',
      coder,
      grey: channels === 1,
      alpha: false,
      sixteenBit: false,
      sliceRows: isSingle ? 0 : sliceRows,
    },
    [
      {
        type: 'latent',
        bytes: Buffer.concat(slices),
        ...(isSingle ? {} : { sliceByteLengths: slices.map(({ length }) => length) }),
      },
    ],
  );
}
