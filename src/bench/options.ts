/**
 * What a benchmark may be asked for, with the defaults that the command line shows too.
 * @module
 */
import type { CodecOptions } from '../codec/options.js';
import { TUNES, type Tune } from '../models/tunes.js';

/** What a process has taken so far. */
export interface Resources {
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
}

export interface BenchOptions extends CodecOptions {
  /** `ours`, the embedded models as `ours-psnr` and `ours-eye`, and others of `CODEC_NAMES`. */
  readonly codecs?: readonly string[];
  /** Positions of each codec's own dial; a codec that is not in it is measured at its defaults. */
  readonly settings?: Readonly<Record<string, readonly number[]>>;
  /** Bits per pixel: of every codec the largest file that is not above each. In the place of settings. */
  readonly targets?: readonly number[];
  /** As `parseMetrics` takes them; all of ours where left out. */
  readonly metrics?: readonly string[];
  /** Codec that BD-rates compare with; the first other than ours that has rows where left out. */
  readonly anchor?: string;
  /** Bits per pixel, least and most, between which the anchor's curve counts in BD-rates; all of it where left out. */
  readonly bdSpan?: readonly [least: number, most: number];
  /** Of our codecs, 1 to 9, as `compress` has it. */
  readonly effort?: number;
  /** Pictures in flight at once. */
  readonly jobs?: number;
  /** Rows are added to this file as they are done. */
  readonly rowsPath?: string;
  /** Takes the rows that the file has already. */
  readonly resume?: boolean;
  /** Coded files and decoded pictures stay in this folder. */
  readonly keepFolder?: string;
  /** Folders where programs are looked for, as in the variable PATH. */
  readonly programPath?: string;
  /** What this process has taken so far; processor time and memory of ours are unknown without it. */
  readonly resources?: () => Resources;
  /** Cancels within one tile, and ends the program that runs. */
  readonly signal?: AbortSignal;
  /** Called as rows are done, those that failed included. */
  readonly onProgress?: (rowsDone: number, rowsTotal: number) => void;
}

export const BENCH_DEFAULTS = { codecs: ['ours'], jobs: 1 } as const satisfies BenchOptions;

/** Everything that can be named, in the order of tables. */
export const CODEC_NAMES: readonly string[] = [
  'ours',
  ...TUNES.map((tune) => `ours-${tune}`),
  'jpeg',
  'mozjpeg',
  'webp',
  'avif',
  'avif420',
  'avif-iq',
  'jxl',
  'jp2',
];

/** Whether a codec is ours, at whichever tune. */
export function isOurs(codec: string): boolean {
  return codec === 'ours' || tuneOfCodec(codec) !== undefined;
}

/** The tune that a codec of ours is asked for with; none for `ours`, which is what the options say. */
export function tuneOfCodec(codec: string): Tune | undefined {
  return TUNES.find((tune) => codec === `ours-${tune}`);
}
