/**
 * The public names of vaerans. Importing this file loads neither WASM, nor onnxruntime, nor a schema or picture
 * library: functions bring what they need with their first call.
 * @module
 */

import type { Baseline, GuardVerdict } from './bench/guard.js';
import type { BenchImage } from './bench/lane.js';
import type { Comparison } from './bench/metric-names.js';
import type { BenchOptions } from './bench/options.js';
import type { BenchPageOptions } from './bench/report/options.js';
import type { BenchReport } from './bench/rows.js';
import type { BenchResult } from './bench/run.js';
import type { Diagnosis } from './codec/doctor.js';
import type { Codec } from './codec/open.js';
import type { CodecOptions, CompressOptions, DecompressOptions } from './codec/options.js';
import type { ReadOptions } from './image/file.js';
import type { ImageFormat } from './image/formats.js';
import type { PixelSource } from './image/pixel-rows.js';
import type { Pixels } from './image/pixels.js';
import type { RowWriter, WriteBytes } from './image/rows-write.js';
import type { Limits } from './limits.js';
import type { CheckOptions, CheckReport } from './modelkit/check.js';
import type { ImportOptions, ImportReport } from './modelkit/import.js';
import type { ModelBenchOptions, ProfileOptions, ShrinkOptions } from './modelkit/options.js';
import type { ModelBenchRow, NetworkProfile } from './modelkit/profile.js';
import type { PullOptions, PullReport } from './modelkit/pull.js';
import type { ShrinkReport } from './modelkit/shrink.js';
import type { InstalledModel, ModelInfo } from './modelkit/store.js';
import type { TuneOptions } from './modelkit/tune/options.js';
import type { TuneReport } from './modelkit/tune/tune.js';
import type { ModelSearch } from './models/registry.js';
import type { Config } from './models/schemas.js';

export { toCsv } from './bench/csv.js';
export type { Baseline, GoldenInput, GuardVerdict } from './bench/guard.js';
export type { BenchImage } from './bench/lane.js';
export {
  type Comparison,
  describeMetric,
  METRIC_NAMES,
  type MetricChoice,
  parseMetrics,
} from './bench/metric-names.js';
export {
  BENCH_DEFAULTS,
  type BenchOptions,
  CODEC_NAMES,
  isOurs,
  type Resources,
} from './bench/options.js';
export { readBenchRecord } from './bench/read-record.js';
export { BENCH_PAGE_DEFAULTS, type BenchPageOptions } from './bench/report/options.js';
export type * from './bench/rows.js';
export { BENCH_SCHEMA } from './bench/rows.js';
export type { BenchResult } from './bench/run.js';
export type { Diagnosis, ProviderHealth } from './codec/doctor.js';
export { type Inspection, inspect } from './codec/inspect.js';
export type { Codec, ProviderReport } from './codec/open.js';
export {
  type CallOptions,
  CODEC_DEFAULTS,
  COMPRESS_DEFAULTS,
  type CodecOptions,
  type CompressOptions,
  type DecompressOptions,
} from './codec/options.js';
export type { LostParts, RowRange } from './codec/partial.js';
export { psnr } from './codec/quality.js';
export { type Versions, versions } from './codec/versions.js';
export { type CodingMode, HEADER_MAX_BYTES } from './container/layout.js';
export * from './errors.js';
export {
  type FileContent,
  makeFolder,
  type RandomAccess,
  readBeginning,
  readBytes,
  readChunks,
  removeFile,
  withOpenFile,
  writeFileAtomic,
} from './files.js';
export type { ReadOptions } from './image/file.js';
export {
  IMAGE_FORMATS,
  IMAGE_SUFFIXES,
  type ImageFormat,
  imageFormatFromPath,
  isPicturePath,
} from './image/formats.js';
export type { PixelFormat, PixelRows, PixelSink, PixelSource } from './image/pixel-rows.js';
export type {
  BlockKind,
  ChannelCount,
  MetadataBlock,
  PixelColour,
  PixelMetadata,
  Pixels,
  PlainPixels,
} from './image/pixels.js';
export type { Rgb } from './image/read-choices.js';
export type { RowWriter, WriteBytes } from './image/rows-write.js';
export type { Rect as Region } from './image/tiles.js';
export {
  DEFAULT_MAX_PIXELS,
  DEFAULT_MAX_SIDE_PX,
  defaultLimits,
  defaultThreads,
  type Limits,
  parseByteCount,
} from './limits.js';
export type { Check, CheckOptions, CheckReport, ModelComparison } from './modelkit/check.js';
export type { ImportOptions, ImportReport } from './modelkit/import.js';
export {
  type InstallOptions,
  MODEL_BENCH_DEFAULTS,
  type ModelBenchOptions,
  PROFILE_DEFAULTS,
  type ProfileOptions,
  SHRINK_DEFAULTS,
  type ShrinkOptions,
  WEIGHT_FORMATS,
  type WeightFormat,
} from './modelkit/options.js';
export type { LayerProfile, ModelBenchRow, NetworkProfile } from './modelkit/profile.js';
export type { PullOptions, PullReport } from './modelkit/pull.js';
export type { ShrinkReport } from './modelkit/shrink.js';
export type { InstalledModel, ModelInfo } from './modelkit/store.js';
export { TUNE_DEFAULTS, type TuneOptions } from './modelkit/tune/options.js';
export type { TuneReport } from './modelkit/tune/tune.js';
export type { ModelSearch } from './models/registry.js';
export type { Config } from './models/schemas.js';
export { DEFAULT_TUNE, TUNES, type Tune } from './models/tunes.js';
export type * from './pipeline/components.js';
export type { Entity, Metadata } from './pipeline/entity.js';
export type { Output, Pipe } from './pipeline/pipe.js';
export {
  type ComponentsOf,
  defineStage,
  type EntityStage,
  type Stage,
  type StageDetails,
} from './pipeline/stage.js';
export {
  type ChromeTraceEvent,
  Trace,
  type TracedTensor,
  type TraceOptions,
  type TraceRecord,
} from './pipeline/trace.js';
export type { ExecutionContext, World } from './pipeline/world.js';
export { GAUSSIAN_BLUR_DEFAULTS, type GaussianBlurOptions, gaussianBlur } from './stages/blur.js';
export { ENTROPY_ENCODE_DEFAULTS, entropyDecode, entropyEncode } from './stages/entropy.js';
export {
  measureMse,
  measureMsSsim,
  measurePsnr,
  measurePsnrLuma,
  measureSsim,
  measureSsimulacra2,
} from './stages/metrics.js';
export { type PlanesEncodeOptions, planesDecode, planesEncode } from './stages/planes.js';
export { preview } from './stages/preview.js';
export {
  dequantise,
  QUANTISE_DEFAULTS,
  type QuantiseOptions,
  quantise,
} from './stages/quantise.js';
export { REFINE_DEFAULTS, type RefineOptions, refine } from './stages/refine.js';
export { addResidual, residual } from './stages/residual.js';
export { type ChannelTransform, type RotateOptions, rotate, unrotate } from './stages/rotate.js';
export { vaeDecode } from './stages/vae-decode.js';
export { type VaeEncodeOptions, vaeEncode } from './stages/vae-encode.js';
export {
  WAVELET_DEFAULTS,
  type WaveletOptions,
  waveletForward,
  waveletInverse,
} from './stages/wavelet.js';
export { PROVIDERS, type Provider, type ProviderChoice } from './vae/providers.js';
export type { Arena, Dtype, TensorRef } from './wasm/arena.js';
export type { Core, WaveletKind } from './wasm/core.js';

/**
 * Opens a codec: a model and the threads that run it, kept warm until `close()`. See `Codec`.
 * @throws ModelError when the model is not found or does not hold, UsageError for options out of range
 */
export async function openCodec(options: CodecOptions = {}): Promise<Codec> {
  const codec = await import('./codec/open.js');
  return codec.openCodec(options);
}

/**
 * Codes a picture with the default model on a codec that all callers share.
 * @returns the bytes of a `.vae` file
 */
export async function compress(pixels: Pixels, options: CompressOptions = {}): Promise<Uint8Array> {
  const shared = await import('./codec/shared.js');
  return shared.compress(pixels, options);
}

/** Decodes a `.vae` file on a codec that all callers share. */
export async function decompress(
  bytes: Uint8Array,
  options: DecompressOptions = {},
): Promise<Pixels> {
  const shared = await import('./codec/shared.js');
  return shared.decompress(bytes, options);
}

/**
 * Reads a picture from a path or from bytes; its kind is sniffed, never taken from the name. PNG, JPEG, PPM, PGM, PAM.
 * @throws IoError, FormatError for damaged bytes, UnsupportedError for a kind not handled yet, LimitError
 */
export async function readImage(
  source: string | Uint8Array,
  options: ReadOptions = {},
): Promise<Pixels> {
  const file = await import('./image/file.js');
  return file.readImage(source, options);
}

/**
 * As `readImage`, from bytes that come in pieces. PPM, PGM and PAM of 8 bits without alpha are read row by row, as
 * `Codec.compress` takes them, and never held whole.
 */
export async function openImage(
  chunks: AsyncIterable<Uint8Array>,
  options: ReadOptions = {},
): Promise<Pixels | PixelSource> {
  const image = await import('./image/open.js');
  return image.openImage(chunks, options);
}

/**
 * An image file that is written row by row: a sink for `Codec.decompressTo`. Call `end` after the last row.
 * @param write takes the file's bytes in order
 */
export async function writeImageRows(
  format: ImageFormat,
  write: WriteBytes,
  onNote?: (note: string) => void,
): Promise<RowWriter> {
  const image = await import('./image/rows-write.js');
  return image.writeImageRows(format, write, onNote);
}

/**
 * Writes a picture, whole or not at all; the suffix names the format where `format` does not.
 * @throws UsageError when neither says which format, IoError when the file cannot be written
 */
export async function writeImage(
  path: string,
  pixels: Pixels,
  format?: ImageFormat,
): Promise<void> {
  const file = await import('./image/file.js');
  return file.writeImage(path, pixels, format);
}

/** A picture as the bytes of an image file. */
export async function encodeImage(
  pixels: Pixels,
  format: ImageFormat,
  limits?: Limits,
): Promise<Uint8Array> {
  const write = await import('./image/write.js');
  return write.encodeAnyImage(pixels, format, limits);
}

/** What really loads on this machine; tries every execution provider on a tiny model. */
export async function doctor(
  search: ModelSearch & { readonly model?: string } = {},
): Promise<Diagnosis> {
  const { doctor: examine } = await import('./codec/doctor.js');
  return examine(search);
}

/**
 * Measures codecs on pictures: ours at the qualities 10 to 90 where nothing else is asked for.
 * @throws UsageError for no pictures, an unknown codec or settings out of range, ModelError, ProviderError, IoError;
 *   AbortedError
 */
export async function bench(
  images: readonly BenchImage[],
  options: BenchOptions = {},
): Promise<BenchResult> {
  const { bench: run } = await import('./bench/run.js');
  return run(images, options);
}

/**
 * Makes a model folder of foreign weights: one or two safetensors files, or a folder as diffusers writes it.
 * @throws UnsupportedError for pickles and unknown networks, FormatError for damaged files, ModelError when layers do
 * not fit, UsageError when the name is taken
 */
export async function importModel(
  paths: readonly string[],
  options: ImportOptions,
): Promise<ImportReport> {
  const kit = await import('./modelkit/import.js');
  return kit.importModel(paths, options);
}

/** The models that can be found by name: embedded and installed ones, and kept versions of the latter. */
export async function listModels(search: ModelSearch = {}): Promise<InstalledModel[]> {
  const store = await import('./modelkit/store.js');
  return store.listModels(search);
}

/** What a model says of itself, and whether its files are the ones that its manifest names. */
export async function describeModel(model: string, search: ModelSearch = {}): Promise<ModelInfo> {
  const store = await import('./modelkit/store.js');
  return store.describeModel(model, search);
}

/**
 * Removes an installed model with its kept versions, or one of those.
 * @returns the folders that are gone
 */
export async function removeModel(
  name: string,
  version: string | undefined,
  search: ModelSearch,
): Promise<readonly string[]> {
  const store = await import('./modelkit/store.js');
  return store.removeModel(name, version, search);
}

/**
 * Measures how far one picture is from another.
 * @param metrics such as `ssim` or `lpips=path.onnx`; where there are none, `METRIC_NAMES`
 * @throws UsageError for pictures of different sizes or a metric that is not known, UnsupportedError for alpha and 16
 *   bits, LimitError, BackendError for a graph that does not run
 */
export async function compareImages(
  original: Pixels,
  other: Pixels,
  metrics: readonly string[] = [],
): Promise<Comparison> {
  const { compareImages: compare } = await import('./bench/metrics.js');
  return compare(original, other, metrics);
}

/**
 * Makes one HTML file of a benchmark's record: plots, tables, and a viewer with the pictures that the run kept. It
 * needs no network and can be read without its script.
 * @throws IoError, FormatError when a picture that the record names is not there or damaged
 */
export async function renderBenchPage(
  report: BenchReport,
  options: BenchPageOptions = {},
): Promise<string> {
  const page = await import('./bench/report/page.js');
  return page.renderBenchPage(report, options);
}

/**
 * Fits what the codec needs to a model: channel transform, wavelet, steps, tables, quality scale. Takes minutes.
 * @throws UsageError without pictures or a name for the result, ModelError when the model is not found, AbortedError
 */
export async function tuneModel(model: string, options: TuneOptions): Promise<TuneReport> {
  const tune = await import('./modelkit/tune/tune.js');
  return tune.tuneModel(model, options);
}

/**
 * Finds out whether a model does what its manifest says, and how near another one comes to it.
 * @throws ModelError when a model is not found; everything else is a check that does not hold
 */
export async function checkModel(model: string, options: CheckOptions = {}): Promise<CheckReport> {
  const check = await import('./modelkit/check.js');
  return check.checkModel(model, options);
}

/** A model as one file, to be passed on, and the hash to give along with it. */
export async function exportModel(
  model: string,
  search: ModelSearch = {},
): Promise<{ readonly bytes: Uint8Array; readonly sha256: string }> {
  const kit = await import('./modelkit/package.js');
  return kit.exportModel(model, search);
}

/**
 * Fetches an exported model and installs it; a broken connection is gone on with by the next call.
 * @throws UsageError, IoError, ModelError when what came is not what was asked for, LimitError, AbortedError
 */
export async function pullModel(url: string, options: PullOptions): Promise<PullReport> {
  const pull = await import('./modelkit/pull.js');
  return pull.pullModel(url, options);
}

/**
 * Keeps of a benchmark what later ones are compared with, and codes every picture once more for its golden bytes: with
 * a model that gives the same floats on every machine, as `fixture` does.
 * @param goldenQuality 1 to 100
 */
export async function makeBaseline(
  report: BenchReport,
  goldenQuality: number,
  options: CodecOptions = {},
): Promise<Baseline> {
  const guard = await import('./bench/guard.js');
  return guard.makeBaseline(report, goldenQuality, options);
}

/**
 * Compares a benchmark with a baseline: BD-rate of our codec, and the bytes of golden inputs where the model is the
 * same.
 * @throws UsageError when the two have nothing to compare
 */
export async function compareWithBaseline(
  report: BenchReport,
  baseline: Baseline,
  options: CodecOptions = {},
): Promise<GuardVerdict> {
  const guard = await import('./bench/guard.js');
  return guard.compareWithBaseline(report, baseline, options);
}

/**
 * Reads what `makeBaseline` made, from the bytes of a JSON file.
 * @throws FormatError when it is no baseline
 */
export async function readBaseline(bytes: Uint8Array): Promise<Baseline> {
  const guard = await import('./bench/guard.js');
  return guard.readBaseline(bytes);
}

/**
 * Installs a copy of a model with weights in fewer bits, unless that costs too much.
 * @throws ModelError when the loss is over `maxLossDb`, UsageError for a name that is taken, UnsupportedError
 */
export async function shrinkModel(model: string, options: ShrinkOptions): Promise<ShrinkReport> {
  const shrink = await import('./modelkit/shrink.js');
  return shrink.shrinkModel(model, options);
}

/** Parameters, multiply-adds, bytes, memory and time by layer of both networks of a model. */
export async function profileModel(
  model: string,
  options: ProfileOptions = {},
): Promise<NetworkProfile[]> {
  const profile = await import('./modelkit/profile.js');
  return profile.profileModel(model, options);
}

/** How the time of both networks spreads, by size, threads and batch. */
export async function benchModel(
  model: string,
  options: ModelBenchOptions = {},
): Promise<ModelBenchRow[]> {
  const profile = await import('./modelkit/profile.js');
  return profile.benchModel(model, options);
}

/**
 * What `vaerans.toml` says. `openCodec` reads it too: model, provider, threads and memory need not be handed on.
 * @throws UsageError naming the file, the line and the field that is wrong, LimitError for one of over 1 MiB
 */
export async function readConfig(search: ModelSearch): Promise<Config> {
  const config = await import('./models/config.js');
  return config.readConfig(search);
}
