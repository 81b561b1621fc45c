/**
 * Pixels to the bytes of a `.vae` file, as a schedule of stages over bands.
 * @module
 */
import type { EntropyCoder } from '../container/layout.js';
import { writeContainer } from '../container/write.js';
import { UnsupportedError } from '../errors.js';
import { type PixelFormat, type PixelSource, sourceOf } from '../image/pixel-rows.js';
import { checkPlainPixels, type Pixels } from '../image/pixels.js';
import { roundUp } from '../image/tiles.js';
import { checkDimensions, checkRange } from '../limits.js';
import { rateOfQuality } from '../models/quality.js';
import { DEFAULT_MODEL_NAME } from '../models/registry.js';
import type { World } from '../pipeline/world.js';
import { entropyEncode } from '../stages/entropy.js';
import { quantise } from '../stages/quantise.js';
import { rotate } from '../stages/rotate.js';
import { vaeEncode } from '../stages/vae-encode.js';
import { waveletForward } from '../stages/wavelet.js';
import { type BandPixels, BandReader } from './band-reader.js';
import { inLanes } from './bands.js';
import type { Codec } from './open.js';
import { COMPRESS_DEFAULTS, type CompressOptions } from './options.js';
import { fitPlan, lanesFor, planCompress, planPicture } from './plan.js';

/** See `Codec.compress`. */
export async function compressPixels(
  codec: Codec,
  input: Pixels | PixelSource,
  options: CompressOptions,
): Promise<Uint8Array> {
  const { quality } = { ...COMPRESS_DEFAULTS, ...options };
  checkRange('compress: quality', quality, 1, 100);
  const isWhole = 'data' in input;
  if (isWhole) checkPlainPixels('compress', input);
  const source = isWhole ? sourceOf(input) : input;
  checkPlainFormat(source);
  const { widthPx, heightPx } = source;
  checkDimensions('compress', widthPx, heightPx, codec.limits);
  const opened = await codec.openModel();
  const { manifest, modelId } = opened.model;
  const rate = rateOfQuality(manifest, quality);
  const picture = planPicture(manifest, widthPx, heightPx);
  const { bands, sliceRows } = picture.bandPlan;
  const depth = codec.depthFor(opened, widthPx * heightPx);
  const plan = fitPlan(
    (lanes, tiles) => planCompress(picture, lanes, tiles, isWhole ? input.data.byteLength : 0),
    lanesFor(picture, depth),
    depth,
    codec.limits,
  );
  const reader = new BandReader(source, roundUp(manifest.encoder.marginPx, manifest.padToPx));
  const coded: CodedBand[] = [];
  await codec.withWorlds(opened, plan, picture, options, (worlds) =>
    inLanes(worlds, bands, async (world, band) => {
      const pixels = await reader.read(band);
      coded[band.index] = await encodeBand(pixels, rate, sliceRows, world);
      world.clear();
    }),
  );
  const [first] = coded;
  const slices = coded.flatMap((band) => band.slices);
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
      coder: first?.coder ?? 'static',
      grey: source.channels === 1,
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

interface CodedBand {
  /** Bytes of their own, out of the arena. */
  readonly slices: readonly Uint8Array[];
  readonly coder: EntropyCoder;
}

async function encodeBand(
  { pixels, margin }: BandPixels,
  rate: number,
  sliceRows: number,
  world: World,
): Promise<CodedBand> {
  const { slices, coder } = await world
    .pipe(world.spawnImage(pixels, margin))
    .to(vaeEncode())
    .to(rotate())
    .to(waveletForward())
    .to(quantise({ rate }))
    .to(entropyEncode({ sliceRows }))
    .out('Bitstream');
  return { slices: slices.map((slice) => world.arena.view(slice).slice()), coder };
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
