/**
 * What tuning may be asked for, with the defaults that the command line shows too.
 * @module
 */
import type { InstallOptions } from '../options.js';

export interface TuneOptions extends InstallOptions {
  /** Paths of pictures like those that will be coded. */
  readonly images: readonly string[];
  /** Installs the result under this name; under the model's own where left out, the old one kept as a version. */
  readonly as?: string;
  /** Side of the crops, in pixels. */
  readonly cropPx?: number;
  /** Gradient steps in each of the fitter's three passes. */
  readonly steps?: number;
  /** Keeps transform, steps and quality scale: for a model that was trained with them. */
  readonly tablesOnly?: boolean;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  /** Told what is being done. */
  readonly onProgress?: (what: string) => void;
}

export const TUNE_DEFAULTS = { cropPx: 384, steps: 1000 } as const satisfies Partial<TuneOptions>;
