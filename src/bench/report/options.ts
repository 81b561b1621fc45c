/**
 * What the page of a benchmark may be asked for, with the defaults that the command line shows too.
 * @module
 */

import type { CodecOptions } from '../../codec/options.js';
import type { BenchRow } from '../rows.js';

export interface BenchPageOptions {
  /** Pictures in the viewer, worst first; 0 to 100. */
  readonly pictures?: number;
  /** Most bytes of all pictures together, as PNG; pictures that would exceed it are left out. */
  readonly maxPictureBytes?: number;
  /** What the record's paths are relative to; the working folder where left out. */
  readonly folder?: string;
  /** How our codec was opened, to tell where the bits of its files went. */
  readonly codec?: CodecOptions;
  /**
   * Codes a picture of the viewer once more, by other codecs turned to so many bits per pixel; their rows have decoded
   * pictures. Without it the viewer takes the measured rows that come nearest.
   */
  readonly atRate?: (image: string, bitsPerPixel: number) => Promise<readonly BenchRow[]>;
}

export const BENCH_PAGE_DEFAULTS = {
  pictures: 3,
  maxPictureBytes: 24e6,
} as const satisfies BenchPageOptions;
