/**
 * What a benchmark leaves behind: one JSON object, which the report, the comparison with a baseline and the table of
 * the README all read. Numbers are finite everywhere; null stands where JSON has no number for it.
 * @module
 */
import type { Versions } from '../codec/versions.js';

export const BENCH_SCHEMA = 'vaerans.bench/2';

/** The whole of a run. */
export interface BenchReport {
  readonly schema: typeof BENCH_SCHEMA;
  /** ISO 8601, when the run ended. */
  readonly date: string;
  /** As it was typed. */
  readonly command: string;
  readonly machine: BenchMachine;
  readonly versions: Versions;
  /** The model of the first codec of ours; null where none was measured. `codecs` has the others'. */
  readonly model: { readonly name: string; readonly version: string; readonly id: string } | null;
  /** Cores given to each job of `ours`; every program runs on one. */
  readonly threads: number;
  /** Pictures in flight at once; times of several are not those of one alone. */
  readonly jobs: number;
  readonly codecs: readonly BenchCodec[];
  readonly metrics: readonly BenchMetric[];
  readonly images: readonly BenchPicture[];
  /** Picture by picture, codec by codec, settings in the order asked for. */
  readonly rows: readonly BenchRow[];
  readonly failures: readonly BenchFailure[];
  readonly summary: BenchSummary;
}

export interface BenchMachine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly os: string;
  readonly node: string;
}

/** A codec that was asked for. */
export interface BenchCodec {
  /** One of `CODEC_NAMES`. */
  readonly name: string;
  /** For people: `JPEG (cjpeg)`. */
  readonly label: string;
  /** What encoder and decoder say of themselves; null where the codec is missing. */
  readonly version: string | null;
  /** The exact calls, with IN, CODED, OUT and SETTING in the place of what varies; null where missing. */
  readonly encodeCommand: string | null;
  readonly decodeCommand: string | null;
  /** Why it is missing, and where it was looked for; null where it was measured. */
  readonly missing: string | null;
}

/** A metric that the rows hold. */
export interface BenchMetric {
  /** Key in `metrics` of rows and means. */
  readonly name: string;
  /** For people, with the unit: `PSNR RGB, dB`. */
  readonly label: string;
  readonly better: 'higher' | 'lower';
  /** `-10 log10(1 - x)` is what is plotted and integrated for `log`: SSIM and MS-SSIM. */
  readonly scale: 'linear' | 'log';
}

export interface BenchPicture {
  /** How the rows call it. */
  readonly name: string;
  /** As it was found, from the folder where the command ran. */
  readonly path: string;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** One picture through one codec at one setting. */
export interface BenchRow {
  readonly image: string;
  readonly codec: string;
  /** The codec's own dial (`SETTING` of its command), or the target that was asked for: `0.5 bpp`. */
  readonly setting: string;
  /** The dial's position; for targets, where the search ended. */
  readonly dial: number;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Of the file on disk. */
  readonly byteLength: number;
  readonly bitsPerPixel: number;
  /**
   * By name. Null: PSNR of equal pictures (their `mse` is 0), SSIM below 11 px a side, MS-SSIM of less than 161 px,
   * SSIMULACRA2 of less than 8 px.
   */
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly encode: BenchCost;
  readonly decode: BenchCost;
  /** Present with `--keep FOLDER`: the coded file and the picture that it decodes to (PNG), inside that folder. */
  readonly codedPath?: string;
  readonly decodedPath?: string;
}

/** What one direction took. */
export interface BenchCost {
  /** Programs: from their start to their end, reading and writing files included. Ours: pixels to bytes and back. */
  readonly wallMs: number;
  /** User and system time of all threads; null where it could not be told apart from other work. */
  readonly cpuMs: number | null;
  /** Most memory that the program held; for ours, that the process held so far. Null where the system does not say. */
  readonly peakMemoryBytes: number | null;
  /** Ours: milliseconds inside onnxruntime, summed over threads, so that they can exceed the wall. */
  readonly inferenceMs?: number;
}

/** What could not be measured; its picture is left out of every codec's means. */
export interface BenchFailure {
  readonly image: string;
  /** Null where the picture itself could not be read. */
  readonly codec: string | null;
  readonly setting: string | null;
  readonly code: string;
  readonly message: string;
}

export interface BenchSummary {
  /** Pictures that are in the means: those at which nothing failed. */
  readonly images: readonly string[];
  readonly leftOut: readonly string[];
  readonly means: readonly BenchMean[];
  readonly times: readonly BenchTimes[];
  /** The codec that BD-rates compare with; null where only one codec has rows. */
  readonly anchor: string | null;
  /** Bits per pixel between which the curves were compared; all that they share where left out. */
  readonly bdSpan?: readonly [least: number, most: number];
  /** Of every other codec and every metric that has a direction. */
  readonly bdRates: readonly BenchBdRate[];
  /** Ours: time outside onnxruntime over the whole, 0 to 1; meaningful on fewer than eight threads. Null without ours. */
  readonly overheadShare: {
    readonly both: number;
    readonly encode: number;
    readonly decode: number;
  } | null;
}

/** Over the pictures, of one codec at one setting. */
export interface BenchMean {
  readonly codec: string;
  readonly setting: string;
  readonly images: number;
  readonly byteLength: number;
  readonly bitsPerPixel: number;
  /** Mean of the pictures that have a value; null where none has. */
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly encodeWallMs: number;
  readonly encodeCpuMs: number | null;
  readonly decodeWallMs: number;
  readonly decodeCpuMs: number | null;
}

/** Over all rows of a codec. */
export interface BenchTimes {
  readonly codec: string;
  readonly encodeWallMs: BenchSpread;
  readonly decodeWallMs: BenchSpread;
  readonly encodeCpuMs: BenchSpread | null;
  readonly decodeCpuMs: BenchSpread | null;
  /** Largest of all rows; null where no row says. */
  readonly encodePeakMemoryBytes: number | null;
  readonly decodePeakMemoryBytes: number | null;
}

export interface BenchSpread {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Bits at equal quality against the anchor, in percent; negative is fewer. */
export interface BenchBdRate {
  readonly codec: string;
  readonly metric: string;
  /** Of the means' curves: PCHIP of the log rate over the quality; null where the curves do not overlap. */
  readonly averaged: { readonly percent: number; readonly overlap: BenchOverlap } | null;
  /** Mean of the pictures' own BD-rates; null where no picture has one. */
  readonly perImage: {
    readonly percent: number;
    readonly standardDeviation: number;
    readonly images: number;
  } | null;
}

/** Qualities that both curves reach, on the metric's scale: dB for `log` metrics. */
export interface BenchOverlap {
  readonly from: number;
  readonly to: number;
}
