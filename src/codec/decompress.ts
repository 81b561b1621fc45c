/**
 * The bytes of a `.vae` file to pixels, as a schedule of stages over bands.
 * @module
 */
import { VaeFile } from '../container/file.js';
import type { ParsedHeader } from '../container/read.js';
import type { DirectoryEntry, StreamPart } from '../container/read-directory.js';
import { FormatError, UnsupportedError, UsageError } from '../errors.js';
import type { RandomAccess } from '../files.js';
import { CropSink, PixelCollector, type PixelSink } from '../image/pixel-rows.js';
import type { Pixels } from '../image/pixels.js';
import type { Rect } from '../image/tiles.js';
import type { Manifest } from '../models/schemas.js';
import type { RgbData } from '../pipeline/components.js';
import type { Entity } from '../pipeline/entity.js';
import type { World } from '../pipeline/world.js';
import { preview } from '../stages/preview.js';
import { dequantise } from '../stages/quantise.js';
import { unrotate } from '../stages/rotate.js';
import { vaeDecode } from '../stages/vae-decode.js';
import { waveletInverse } from '../stages/wavelet.js';
import { areWhole, inLanes, type PictureBand } from './bands.js';
import { decodePlanesOf, type WriteRows, withComposer } from './compose.js';
import { formatOf } from './format.js';
import { type CodedLatent, LatentReader, readLatent } from './latent-reader.js';
import { readMetadata } from './metadata.js';
import type { Codec, OpenModel } from './open.js';
import { checkDecompressOptions, type DecompressOptions } from './options.js';
import { remainsOf } from './partial.js';
import { fitPlan, lanesFor, planDecompress, planPicture } from './plan.js';
import type { Job } from './planes.js';

/**
 * See `Codec.decompress`.
 * @param heldByteLength that the caller holds meanwhile
 */
export async function decompressBytes(
  codec: Codec,
  bytes: Uint8Array | RandomAccess,
  options: DecompressOptions,
  heldByteLength = 0,
): Promise<Pixels> {
  const collector = new PixelCollector();
  await decompressTo(codec, bytes, collector, options, heldByteLength);
  return collector.pixels;
}

/** See `Codec.decompressTo`. */
export async function decompressTo(
  codec: Codec,
  bytes: Uint8Array | RandomAccess,
  sink: PixelSink,
  options: DecompressOptions,
  heldByteLength = 0,
): Promise<void> {
  checkDecompressOptions(options);
  const { onLost } = options;
  const file = new VaeFile(bytes, { mayBeCut: onLost !== undefined });
  const written = await file.readHeader(codec.limits);
  const { widthPx, heightPx } = written;
  const whole = { x: 0, y: 0, width: widthPx, height: heightPx };
  const { region = whole, scale = 1 } = options;
  checkRegion(region, written);
  checkScale(options);
  const damage = onLost ? await file.findDamage(written) : NO_DAMAGE;
  // Of the whole picture every checksum is looked at before anything else is.
  if (onLost === undefined && options.region === undefined) await file.checkAll(written);
  checkDrift(codec, written, options);
  const job: Job = {
    codec,
    opened: await modelOf(codec, written),
    options,
    heldByteLength:
      heldByteLength + (sink instanceof PixelCollector ? collectedByteLength(written, region) : 0),
  };
  if (scale !== 1) return decodePreview(job, file, written, scale, sink);
  const remains = remainsOf(written, damage, region, job.opened.model.manifest);
  const { header, lost, marked } = remains ?? { header: written };
  if (lost) onLost?.(lost);
  const format = { ...formatOf(header), ...(await readMetadata(file, header)) };
  const firstRow = firstRowOf(job, header, region);
  const cropped = new CropSink(sink, region, firstRow);
  const rows = marked?.(cropped, firstRow) ?? cropped;
  await rows.begin(format);
  const damaged = new Set(damage.keys());
  await withComposer(job, file, header, firstRow, rows, (write) =>
    header.mode === 'planes'
      ? decodePlanesOf(job, file, header, region, write)
      : decodeModel(job, file, header, region, reconstruct(region), write, damaged),
  );
}

const NO_DAMAGE: ReadonlyMap<StreamPart, FormatError> = new Map();

/** The model's part of the picture, band by band from the top: rows of 8 bits, one or three channels. */
async function decodeModel(
  { codec, opened, options, heldByteLength }: Job,
  file: VaeFile,
  header: ParsedHeader,
  region: Rect,
  decodeBand: DecodeBand,
  write: WriteRows,
  damaged: ReadonlySet<StreamPart> = new Set(),
): Promise<void> {
  const { manifest } = opened.model;
  const { widthPx, heightPx, grey } = header;
  const picture = planPicture(manifest, widthPx, heightPx, region);
  const { bands } = picture.bandPlan;
  const latent = await readLatent(file, header, latentEntry(header), bands, manifest, damaged);
  const depth = codec.depthFor(opened, picture.pixels);
  const isOneBand = areWhole(bands, latent.gridRows);
  const lanes = lanesFor(picture, depth);
  const reckon = (sliceThreads: number) => (lanes: number, tiles: number) =>
    planDecompress(picture, lanes, tiles, latent, heldByteLength, sliceThreads);
  const wanted = isOneBand ? 0 : sliceThreadsFor(latent, opened.slices.threads);
  const isRoom = reckon(wanted)(lanes, depth).totalByteLength <= codec.limits.maxMemoryBytes;
  const sliceThreads = isRoom ? wanted : 0;
  const plan = fitPlan(reckon(sliceThreads), lanes, depth, codec.limits);
  // With no pixels to speak of, auto is the cpu: what a residual was taken from.
  const pixels = header.mode === 'model+residual' ? 0 : picture.pixels;
  await codec.withWorlds(opened, plan, { ...picture, pixels }, options, (worlds) => {
    const [lanes, decoder] =
      isOneBand || sliceThreads > 0
        ? [worlds, isOneBand ? undefined : opened.slices]
        : [worlds.slice(1), worlds[0]];
    const reader = new LatentReader(latent, decoder);
    let last: Promise<void> = Promise.resolve();
    return inLanes(lanes, bands, (world, band) => {
      const before = last;
      last = (async () => {
        const entity = await reader.spawn(band, world);
        const rgb = await decodeBand(entity, band, world);
        // Bands end in any order; their rows are given out in theirs.
        await before;
        await write(world.readPixels(rgb, grey).data);
        world.clear();
      })();
      return last;
    });
  });
}

/** Below this much, in bytes of slices, they are decoded before other threads have begun. */
const THREADED_BYTES_MIN = 512 * 2 ** 10;

/** Threads to decode the slices on, or none where this one is soon done. */
function sliceThreadsFor({ slices }: CodedLatent, threads: number): number {
  const needed = slices.filter(({ length }) => length > 0);
  const byteLength = needed.reduce((sum, { length }) => sum + length, 0);
  const sideBySide = Math.min(threads, needed.length);
  return sideBySide < 2 || byteLength < THREADED_BYTES_MIN ? 0 : sideBySide;
}

type DecodeBand = (entity: Entity<'Symbols'>, band: PictureBand, world: World) => Promise<RgbData>;

/** The decoder network's picture of a band. */
function reconstruct(region: Rect): DecodeBand {
  return (entity, band, world) =>
    world
      .pipe(entity)
      .to(dequantise())
      .to(waveletInverse())
      .to(unrotate())
      .to(vaeDecode({ region: { ...region, y: region.y - band.firstRowPx } }))
      .out('ReconRgb');
}

const previewBand: DecodeBand = (entity, _band, world) =>
  world
    .pipe(entity)
    .to(dequantise())
    .to(waveletInverse())
    .to(unrotate())
    .to(preview())
    .out('PreviewRgb');

/** A pixel for each latent sample: what the latent shows of the picture, without residual and alpha, in 8 bits. */
async function decodePreview(
  job: Job,
  file: VaeFile,
  header: ParsedHeader,
  scale: number,
  sink: PixelSink,
): Promise<void> {
  const { widthPx, heightPx, mode, grey } = header;
  if (mode === 'planes') {
    throw new UnsupportedError('decompress: expected scale 1, as the file has no latent to show');
  }
  const stridePx = previewStride(job.opened.model.manifest, scale);
  await sink.begin({
    ...formatOf(header),
    ...(await readMetadata(file, header)),
    widthPx: Math.ceil(widthPx / stridePx),
    heightPx: Math.ceil(heightPx / stridePx),
    channels: grey ? 1 : 3,
    bitsPerSample: 8,
  });
  const whole = { x: 0, y: 0, width: widthPx, height: heightPx };
  await decodeModel(job, file, header, whole, previewBand, async (rows) => sink.writeRows(rows));
}

/**
 * @returns pixels that one of the preview stands for along each side
 * @throws UsageError for a scale that is not that of the latent, UnsupportedError when the model has no preview
 */
function previewStride({ previewHead, grids, name }: Manifest, scale: number): number {
  const stridePx = grids[0]?.stridePx ?? 1;
  if (previewHead === undefined) {
    throw new UnsupportedError(`decompress: expected scale 1, as model '${name}' has no preview`);
  }
  if (Math.abs(scale * stridePx - 1) > 1e-6) {
    throw new UsageError(`decompress: expected scale 1 or 1/${stridePx}, got ${scale}`);
  }
  return stridePx;
}

/** @throws UsageError for a scale along with what it does not go with */
function checkScale({ scale = 1, region, onLost }: DecompressOptions): void {
  if (scale === 1) return;
  if (region) throw new UsageError('decompress: expected a region or a scale, got both');
  if (onLost)
    throw new UsageError('decompress: expected scale 1 for a damaged file, got a preview');
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

/** @throws FormatError never, as the directory was checked: a file of the model has a latent stream */
function latentEntry({ directory }: ParsedHeader): DirectoryEntry {
  const latent = directory.find(({ type }) => type === 'latent');
  if (latent === undefined) throw new FormatError('decompress: expected a latent stream', 0);
  return latent;
}

/** A file of planes alone needs none; ours then lends its worlds. */
function modelOf(codec: Codec, { mode, modelId, modelName }: ParsedHeader): Promise<OpenModel> {
  return mode === 'planes' ? codec.openModel() : codec.openModelById(modelId, modelName);
}

/** @throws UnsupportedError where a provider that was asked for by name would blur what the residual was taken from */
function checkDrift(codec: Codec, { mode }: ParsedHeader, { allowDrift }: DecompressOptions): void {
  if (mode !== 'model+residual' || allowDrift || codec.isExactFor(0)) return;
  throw new UnsupportedError(
    'decompress: expected the fp32 network on the cpu for a file with a residual, got another provider; use --provider cpu, or --allow-drift to be a little off',
  );
}

/** The first row that the bands of a region begin with. */
function firstRowOf({ opened }: Job, header: ParsedHeader, region: Rect): number {
  if (header.mode === 'planes') return region.y;
  const { manifest } = opened.model;
  const picture = planPicture(manifest, header.widthPx, header.heightPx, region);
  return picture.bandPlan.bands[0]?.firstRowPx ?? 0;
}

function collectedByteLength(header: ParsedHeader, { width, height }: Rect): number {
  const { channels, bitsPerSample } = formatOf(header);
  return (width * height * channels * bitsPerSample) / 8;
}
