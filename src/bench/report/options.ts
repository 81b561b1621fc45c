/**
 * What the page of a benchmark may be asked for, with the defaults that the command line shows too.
 * @module
 */

export interface BenchPageOptions {
  /** Pictures in the viewer, worst first; 0 to 100. */
  readonly pictures?: number;
  /** Most bytes of all pictures together, as PNG; pictures that would exceed it are left out. */
  readonly maxPictureBytes?: number;
  /** What the record's paths are relative to; the working folder where left out. */
  readonly folder?: string;
}

export const BENCH_PAGE_DEFAULTS = {
  pictures: 3,
  maxPictureBytes: 24e6,
  folder: '.',
} as const satisfies BenchPageOptions;
