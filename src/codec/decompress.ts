/**
 * The bytes of a `.vae` file to pixels, as a schedule of stages over bands.
 * @module
 */
import type { ContainerStream } from '../container/layout.js';
import { type ParsedHeader, readContainer } from '../container/read.js';
import { UnsupportedError } from '../errors.js';
import { PixelCollector, type PixelSink } from '../image/pixel-rows.js';
import type { Pixels } from '../image/pixels.js';
import type { RgbData } from '../pipeline/components.js';
import type { World } from '../pipeline/world.js';
import { dequantise } from '../stages/quantise.js';
import { unrotate } from '../stages/rotate.js';
import { vaeDecode } from '../stages/vae-decode.js';
import { waveletInverse } from '../stages/wavelet.js';
import { inLanes, type PictureBand } from './bands.js';
import { codedLatent, LatentReader } from './latent-reader.js';
import type { Codec } from './open.js';
import type { DecompressOptions } from './options.js';
import { fitPlan, lanesFor, planDecompress, planPicture } from './plan.js';

/** See `Codec.decompress`. */
export async function decompressBytes(
  codec: Codec,
  bytes: Uint8Array,
  options: DecompressOptions,
): Promise<Pixels> {
  const collector = new PixelCollector();
  await decompressTo(codec, bytes, collector, options);
  return collector.pixels;
}

/** See `Codec.decompressTo`. */
export async function decompressTo(
  codec: Codec,
  bytes: Uint8Array,
  sink: PixelSink,
  options: DecompressOptions,
): Promise<void> {
  const { header, streams } = readContainer(bytes, codec.limits);
  const { widthPx, heightPx, grey } = header;
  const stream = latentStream(header, streams);
  const opened = await codec.openModelById(header.modelId, header.modelName);
  const { manifest } = opened.model;
  const latent = codedLatent(header, stream, manifest);
  const format = { widthPx, heightPx, channels: grey ? 1 : 3, bitsPerSample: 8 } as const;
  const collectedByteLength =
    sink instanceof PixelCollector ? widthPx * heightPx * format.channels : 0;
  const picture = planPicture(manifest, widthPx, heightPx);
  const { bands } = picture.bandPlan;
  const depth = codec.depthFor(opened, widthPx * heightPx);
  const plan = fitPlan(
    (lanes, tiles) => planDecompress(picture, lanes, tiles, latent, collectedByteLength),
    lanesFor(picture, depth),
    depth,
    codec.limits,
  );
  await sink.begin(format);
  await codec.withWorlds(opened, plan, picture, options, (worlds) => {
    const [lanes, sliceWorld] = bands.length > 1 ? [worlds.slice(1), worlds[0]] : [worlds];
    const reader = new LatentReader(latent, sliceWorld);
    let last: Promise<void> = Promise.resolve();
    return inLanes(lanes, bands, (world, band) => {
      const before = last;
      last = (async () => {
        const rgb = await decodeBand(band, reader, world);
        // Bands end in any order; their rows are given out in theirs.
        await before;
        await sink.writeRows(world.readPixels(rgb, grey).data);
        world.clear();
      })();
      return last;
    });
  });
}

async function decodeBand(band: PictureBand, reader: LatentReader, world: World): Promise<RgbData> {
  return world
    .pipe(await reader.spawn(band, world))
    .to(dequantise())
    .to(waveletInverse())
    .to(unrotate())
    .to(vaeDecode())
    .out('ReconRgb');
}

/** The one stream that this version decodes; what it cannot is refused by name. */
function latentStream(header: ParsedHeader, streams: readonly ContainerStream[]): ContainerStream {
  const latent = streams.find(({ type }) => type === 'latent');
  const isOther =
    header.mode !== 'model' || header.alpha || header.sixteenBit || header.colour !== 'srgb';
  if (latent === undefined || isOther) {
    const kind = [
      header.mode,
      header.colour,
      header.alpha && 'alpha',
      header.sixteenBit && '16-bit',
    ];
    throw new UnsupportedError(
      `decompress: expected a file of mode model in srgb, got one of ${kind.filter(Boolean).join(', ')}; a later version made it`,
    );
  }
  return latent;
}
