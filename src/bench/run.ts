/**
 * The judge: compresses and decompresses pictures at given qualities and keeps what it measured. Bytes are those of a
 * real file, the picture compared is the one that decoding those bytes gave.
 * @module
 */
import { openCodec } from '../codec/open.js';
import { psnr } from '../codec/quality.js';
import { UsageError, VaeransError } from '../errors.js';
import { readImage } from '../image/file.js';
import type { Pixels } from '../image/pixels.js';
import { checkRange } from '../limits.js';
import { Trace } from '../pipeline/trace.js';
import { BENCH_DEFAULTS, type BenchOptions } from './options.js';

/** A picture to measure on. */
export interface BenchImage {
  readonly path: string;
  /** How the rows call it. */
  readonly name: string;
}

/** One picture at one quality. */
export interface BenchRow {
  readonly image: string;
  readonly quality: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly byteLength: number;
  readonly bitsPerPixel: number;
  /** Over all samples, in dB; null where the pictures are equal, as JSON has no infinity. */
  readonly psnrDb: number | null;
  /** Wall milliseconds from pixels to the bytes of a file, without reading the picture. */
  readonly encodeMs: number;
  readonly decodeMs: number;
  /** Of these, how many were spent inside onnxruntime; summed over threads, so that it can exceed the wall. */
  readonly encodeInferenceMs: number;
  readonly decodeInferenceMs: number;
}

/** A picture that could not be measured; it is left out of every mean. */
export interface BenchFailure {
  readonly image: string;
  readonly code: string;
  readonly message: string;
}

export interface BenchResult {
  /** Picture by picture, qualities in the order asked for. */
  readonly rows: readonly BenchRow[];
  readonly failures: readonly BenchFailure[];
  readonly model: { readonly name: string; readonly version: string; readonly id: string };
  readonly threads: number;
}

/**
 * Measures every picture at every quality, after one run that is thrown away: it loads what later runs find loaded.
 * @throws UsageError for no pictures or a quality out of range, ModelError, ProviderError; AbortedError
 */
export async function bench(
  images: readonly BenchImage[],
  options: BenchOptions = {},
): Promise<BenchResult> {
  const qualities: readonly number[] = options.qualities ?? BENCH_DEFAULTS.qualities;
  for (const quality of qualities) checkRange('bench: quality', quality, 1, 100);
  if (images.length === 0) throw new UsageError('bench: expected at least one picture, got none');
  await using codec = await openCodec(options);
  const { model } = await codec.openModel();
  const measure = async (image: string, pixels: Pixels, quality: number): Promise<BenchRow> => {
    const { signal } = options;
    const encodeTrace = new Trace();
    const encodeStartMs = performance.now();
    const bytes = await codec.compress(pixels, {
      quality,
      trace: encodeTrace,
      ...(signal && { signal }),
    });
    const encodeMs = performance.now() - encodeStartMs;
    const decodeTrace = new Trace();
    const decodeStartMs = performance.now();
    const decoded = await codec.decompress(bytes, {
      trace: decodeTrace,
      ...(signal && { signal }),
    });
    const decodeMs = performance.now() - decodeStartMs;
    const psnrDb = psnr(pixels, decoded);
    return {
      image,
      quality,
      widthPx: pixels.widthPx,
      heightPx: pixels.heightPx,
      byteLength: bytes.length,
      bitsPerPixel: (8 * bytes.length) / (pixels.widthPx * pixels.heightPx),
      psnrDb: Number.isFinite(psnrDb) ? psnrDb : null,
      encodeMs,
      decodeMs,
      encodeInferenceMs: encodeTrace.detail('inferenceMs'),
      decodeInferenceMs: decodeTrace.detail('inferenceMs'),
    };
  };

  const rows: BenchRow[] = [];
  const failures: BenchFailure[] = [];
  let isWarm = false;
  for (const [index, { path, name }] of images.entries()) {
    const rowsOfImage: BenchRow[] = [];
    try {
      const pixels = await readImage(path, options.limits && { limits: options.limits });
      if (!isWarm) await measure(name, pixels, qualities[0] ?? 1);
      isWarm = true;
      for (const quality of qualities) {
        rowsOfImage.push(await measure(name, pixels, quality));
        options.onProgress?.(
          index * qualities.length + rowsOfImage.length,
          images.length * qualities.length,
        );
      }
      rows.push(...rowsOfImage);
    } catch (error) {
      if (!(error instanceof VaeransError) || !BELONGS_TO_IMAGE.has(error.code)) throw error;
      failures.push({ image: name, code: error.code, message: error.message });
      options.onProgress?.((index + 1) * qualities.length, images.length * qualities.length);
    }
  }
  const { name, version } = model.manifest;
  return { rows, failures, model: { name, version, id: model.modelId }, threads: codec.threads };
}

/** What one picture may do wrong without the others being worse for it. */
const BELONGS_TO_IMAGE: ReadonlySet<string> = new Set(['format', 'unsupported', 'limit', 'io']);
