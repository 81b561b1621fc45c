/**
 * Pixels to the bytes of a `.vae` file, as a schedule of stages.
 * @module
 */
import { writeContainer } from '../container/write.js';
import { UnsupportedError } from '../errors.js';
import { checkPlainPixels, type Pixels } from '../image/pixels.js';
import { checkDimensions, checkRange } from '../limits.js';
import { rateOfQuality } from '../models/quality.js';
import { DEFAULT_MODEL_NAME } from '../models/registry.js';
import type { BitstreamData } from '../pipeline/components.js';
import type { World } from '../pipeline/world.js';
import { ENTROPY_ENCODE_DEFAULTS, entropyEncode } from '../stages/entropy.js';
import { quantise } from '../stages/quantise.js';
import { rotate } from '../stages/rotate.js';
import { latentShape, vaeEncode } from '../stages/vae-encode.js';
import { waveletForward } from '../stages/wavelet.js';
import type { Codec } from './open.js';
import { COMPRESS_DEFAULTS, type CompressOptions } from './options.js';
import { planMemory } from './plan.js';

/** See `Codec.compress`. */
export async function compressPixels(
  codec: Codec,
  pixels: Pixels,
  options: CompressOptions,
): Promise<Uint8Array> {
  const { quality } = { ...COMPRESS_DEFAULTS, ...options };
  checkRange('compress: quality', quality, 1, 100);
  checkPlainPixels('compress', pixels);
  checkPlainColour(pixels);
  checkDimensions('compress', pixels.widthPx, pixels.heightPx, codec.limits);
  const opened = await codec.openModel();
  const { manifest } = opened.model;
  const rate = rateOfQuality(manifest, quality);
  const plan = (tilesInFlight: number) =>
    planMemory(
      manifest,
      pixels.widthPx,
      pixels.heightPx,
      tilesInFlight,
      payloadBound(latentShape(manifest, pixels.widthPx, pixels.heightPx)),
    );
  return codec.withWorld(opened, plan, options, async (world) => {
    const bitstream = await world
      .pipe(world.spawnImage(pixels))
      .to(vaeEncode())
      .to(rotate())
      .to(waveletForward())
      .to(quantise({ rate }))
      .to(entropyEncode())
      .out('Bitstream');
    return toFile(bitstream, pixels.channels === 1, world);
  });
}

/** @throws UnsupportedError for what would be lost without a word */
function checkPlainColour({ colour = 'srgb', metadata = {} }: Pixels): void {
  if (colour !== 'srgb') {
    throw new UnsupportedError(`compress: expected colour srgb, got ${colour}; convert it first`);
  }
  const [carried] = Object.keys(metadata);
  if (carried !== undefined) {
    throw new UnsupportedError(`compress: expected no metadata, got ${carried}; strip it first`);
  }
}

/** Room for what the coder may write while it works on its longest slice, and for what lies there already. */
function payloadBound([channels, height, width]: readonly [number, number, number]): number {
  const rows = Math.min(height, ENTROPY_ENCODE_DEFAULTS.sliceRows);
  const codedByteLength = channels * height * width;
  return 2 * codedByteLength + 8 * channels * rows * width;
}

function toFile(bitstream: BitstreamData, grey: boolean, { arena, context }: World): Uint8Array {
  const { slices, sliceRows, shape, quant, widthPx, heightPx, coder } = bitstream;
  const parts = slices.map((slice) => arena.view(slice));
  const { manifest, modelId } = context.model;
  const single = shape[1] <= sliceRows;
  return writeContainer(
    {
      widthPx,
      heightPx,
      modelId,
      ...(manifest.name === DEFAULT_MODEL_NAME ? {} : { modelName: manifest.name }),
      rate: quant.rate,
      mode: 'model',
      colour: 'srgb',
      coder,
      grey,
      alpha: false,
      sixteenBit: false,
      sliceRows: single ? 0 : sliceRows,
    },
    [
      {
        type: 'latent',
        bytes: Buffer.concat(parts),
        ...(single ? {} : { sliceByteLengths: parts.map(({ length }) => length) }),
      },
    ],
  );
}
