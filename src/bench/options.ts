/**
 * What a benchmark may be asked for, with the defaults that the command line shows too.
 * @module
 */
import type { CodecOptions } from '../codec/options.js';

export interface BenchOptions extends CodecOptions {
  /** Each 1 to 100. */
  readonly qualities?: readonly number[];
  /** Cancels within one tile. */
  readonly signal?: AbortSignal;
  /** Called as rows are done, those of pictures that failed included. */
  readonly onProgress?: (rowsDone: number, rowsTotal: number) => void;
}

export const BENCH_DEFAULTS = { qualities: [10, 30, 50, 70, 90] } as const satisfies BenchOptions;
