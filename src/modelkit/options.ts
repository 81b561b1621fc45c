/**
 * What installing, shrinking, profiling and timing may be asked for, with the defaults that the command line shows too.
 * @module
 */
import type { ModelSearch } from '../models/registry.js';

/** Where a model is installed, and how. */
export interface InstallOptions extends ModelSearch {
  /**
   * Runs the writing of the model's folder, for a program that holds off what would end it in the middle of that. The
   * signal that it gives ends the writing early, with nothing changed.
   */
  readonly uninterrupted?: (install: (signal?: AbortSignal) => Promise<void>) => Promise<void>;
}

/** How weights are stored; computed is in f32 in any case. */
export const WEIGHT_FORMATS = ['fp16', 'int8', 'int4'] as const;
export type WeightFormat = (typeof WEIGHT_FORMATS)[number];

export interface ShrinkOptions extends InstallOptions {
  readonly format: WeightFormat;
  /** Name of the smaller copy. */
  readonly as: string;
  /** Paths of pictures to measure on; a drawn one where left out. */
  readonly images?: readonly string[];
  /** Most that PSNR there and back may fall, in dB. */
  readonly maxLossDb?: number;
  readonly threads?: number;
  readonly force?: boolean;
}

export const SHRINK_DEFAULTS = { maxLossDb: 0.5 } as const satisfies Partial<ShrinkOptions>;

export interface ProfileOptions extends ModelSearch {
  /** Side of the square that is run, in pixels. */
  readonly sidePx?: number;
  readonly threads?: number;
}

export const PROFILE_DEFAULTS = { sidePx: 512 } as const satisfies Partial<ProfileOptions>;

export interface ModelBenchOptions extends ModelSearch {
  readonly sidesPx?: readonly number[];
  readonly threads?: readonly number[];
  readonly batches?: readonly number[];
  /** Timed runs of each, after one that warms up. */
  readonly runs?: number;
}

export const MODEL_BENCH_DEFAULTS = {
  sidesPx: [256, 512],
  batches: [1],
  runs: 10,
} as const satisfies ModelBenchOptions;
