/**
 * The bytes of a `.vae` file to pixels, as a schedule of stages over bands.
 * @module
 */
import { VaeFile } from '../container/file.js';
import type { ParsedHeader } from '../container/read.js';
import type { DirectoryEntry } from '../container/read-directory.js';
import { UnsupportedError, UsageError } from '../errors.js';
import type { RandomAccess } from '../files.js';
import { CropSink, PixelCollector, type PixelSink } from '../image/pixel-rows.js';
import type { Pixels } from '../image/pixels.js';
import type { Rect } from '../image/tiles.js';
import type { RgbData } from '../pipeline/components.js';
import type { World } from '../pipeline/world.js';
import { dequantise } from '../stages/quantise.js';
import { unrotate } from '../stages/rotate.js';
import { vaeDecode } from '../stages/vae-decode.js';
import { waveletInverse } from '../stages/wavelet.js';
import { areWhole, inLanes, type PictureBand } from './bands.js';
import { LatentReader, readLatent } from './latent-reader.js';
import type { Codec } from './open.js';
import { checkDecompressOptions, type DecompressOptions } from './options.js';
import { fitPlan, lanesFor, planDecompress, planPicture } from './plan.js';

/** See `Codec.decompress`. */
export async function decompressBytes(
  codec: Codec,
  bytes: Uint8Array | RandomAccess,
  options: DecompressOptions,
): Promise<Pixels> {
  const collector = new PixelCollector();
  await decompressTo(codec, bytes, collector, options);
  return collector.pixels;
}

/** See `Codec.decompressTo`. */
export async function decompressTo(
  codec: Codec,
  bytes: Uint8Array | RandomAccess,
  sink: PixelSink,
  options: DecompressOptions,
): Promise<void> {
  checkDecompressOptions(options);
  const file = new VaeFile(bytes);
  const header = await file.readHeader(codec.limits);
  const { widthPx, heightPx, grey } = header;
  const whole = { x: 0, y: 0, width: widthPx, height: heightPx };
  const { region = whole } = options;
  checkRegion(region, header);
  // Of the whole picture every checksum is looked at before anything else is.
  if (options.region === undefined) await file.checkAll(header);
  const entry = latentEntry(header);
  const opened = await codec.openModelById(header.modelId, header.modelName);
  const { manifest } = opened.model;
  const picture = planPicture(manifest, widthPx, heightPx, region);
  const { bands } = picture.bandPlan;
  const latent = await readLatent(file, header, entry, bands, manifest);
  const channels = grey ? 1 : 3;
  const collectedByteLength =
    sink instanceof PixelCollector ? region.width * region.height * channels : 0;
  const depth = codec.depthFor(opened, picture.pixels);
  const plan = fitPlan(
    (lanes, tiles) => planDecompress(picture, lanes, tiles, latent, collectedByteLength),
    lanesFor(picture, depth),
    depth,
    codec.limits,
  );
  const cropped = new CropSink(sink, region, bands[0]?.firstRowPx ?? 0);
  await cropped.begin({ widthPx, heightPx, channels, bitsPerSample: 8 });
  await codec.withWorlds(opened, plan, picture, options, (worlds) => {
    const isWhole = areWhole(bands, latent.shape[1]);
    const [lanes, sliceWorld] = isWhole ? [worlds] : [worlds.slice(1), worlds[0]];
    const reader = new LatentReader(latent, sliceWorld);
    let last: Promise<void> = Promise.resolve();
    return inLanes(lanes, bands, (world, band) => {
      const before = last;
      last = (async () => {
        const rgb = await decodeBand(band, region, reader, world);
        // Bands end in any order; their rows are given out in theirs.
        await before;
        await cropped.writeRows(world.readPixels(rgb, grey).data);
        world.clear();
      })();
      return last;
    });
  });
}

async function decodeBand(
  band: PictureBand,
  region: Rect,
  reader: LatentReader,
  world: World,
): Promise<RgbData> {
  return world
    .pipe(await reader.spawn(band, world))
    .to(dequantise())
    .to(waveletInverse())
    .to(unrotate())
    .to(vaeDecode({ region: { ...region, y: region.y - band.firstRowPx } }))
    .out('ReconRgb');
}

/** @throws UsageError unless the region has pixels and lies within the picture */
function checkRegion({ x, y, width, height }: Rect, { widthPx, heightPx }: ParsedHeader): void {
  const areIntegers = [x, y, width, height].every(Number.isInteger);
  const isWithin =
    x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= widthPx && y + height <= heightPx;
  if (!areIntegers || !isWithin) {
    throw new UsageError(
      `decompress: expected a region within ${widthPx}x${heightPx} px, got ${width}x${height} at ${x},${y}`,
    );
  }
}

/** The one stream that this version decodes; what it cannot is refused by name. */
function latentEntry(header: ParsedHeader): DirectoryEntry {
  const latent = header.directory.find(({ type }) => type === 'latent');
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
