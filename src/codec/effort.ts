/**
 * What more effort does to a latent before it is coded.
 * @module
 */
import { checkInteger } from '../limits.js';
import type { Manifest } from '../models/schemas.js';
import { COMPRESS_DEFAULTS, type CompressOptions } from './options.js';

/** How `refine`, the quantiser behind it and the filter behind the decoder network are set. */
export interface Refinement {
  /** Rounds of `refine`; none leave the latent alone. */
  readonly rounds: number;
  /** Of `refine`. */
  readonly strength: number;
  /** Squared steps that a bit is worth to the quantiser. */
  readonly lambda: number;
  /** Whether the model's restoration filter is adjusted to the picture, by squared error. */
  readonly adjusts: boolean;
}

/** The latent as it comes. */
export const NO_REFINEMENT: Refinement = { rounds: 0, strength: 0, lambda: 0, adjusts: false };

/** What efforts 4 to 9 do for squared error; compared as below. Another round costs more than it gains. */
const SQUARED_ERROR: Refinement = { rounds: 1, strength: 0.8, lambda: 0.05, adjusts: true };

/**
 * For what is seen: a lambda lowers SSIMULACRA2 and MS-SSIM at equal bytes, as it goes after squared error; a second round
 * costs more at low qualities than it gains at high ones; a greater strength gains SSIMULACRA2 and costs MS-SSIM. Compared
 * by benches/effort.mjs with other numbers here, on kodim05, 13 and 23 and on 16 held crops.
 */
const SEEN: Refinement = { rounds: 1, strength: 0.4, lambda: 0, adjusts: false };

/** Efforts from which on the filter is adjusted for squared error, and the latent is refined. */
const ADJUSTS_FROM = 3;
const REFINES_FROM = 4;
const EFFORT_MAX = 9;

/** @throws UsageError for an effort out of range */
export function refinementOf(
  { tune, restoration }: Manifest,
  { effort = COMPRESS_DEFAULTS.effort }: CompressOptions,
): Refinement {
  checkInteger('compress: effort', effort, 1, EFFORT_MAX);
  if (tune === 'eye') return effort < REFINES_FROM ? NO_REFINEMENT : SEEN;
  const adjusts = restoration !== undefined && effort >= ADJUSTS_FROM;
  return { ...(effort < REFINES_FROM ? NO_REFINEMENT : SQUARED_ERROR), adjusts };
}
