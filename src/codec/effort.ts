/**
 * What more effort does to a latent before it is coded.
 * @module
 */
import { checkInteger } from '../limits.js';
import type { Manifest } from '../models/schemas.js';
import { COMPRESS_DEFAULTS, type CompressOptions } from './options.js';

/** How `refine` and the quantiser behind it are set. */
export interface Refinement {
  /** Rounds of `refine`; none leave the latent alone. */
  readonly rounds: number;
  /** Of `refine`. */
  readonly strength: number;
  /** Squared steps that a bit is worth to the quantiser. */
  readonly lambda: number;
}

/** The latent as it comes. */
export const NO_REFINEMENT: Refinement = { rounds: 0, strength: 0, lambda: 0 };

/** For squared error: rounds of effort 1, 2, ... 9. Without rounds a lambda gains nothing. */
const ROUNDS = [0, 0, 0, 1, 1, 2, 2, 3, 4] as const;
const SQUARED_ERROR = { strength: 0.8, lambda: 0.05 };

/**
 * For what is seen: a lambda lowers SSIMULACRA2 and MS-SSIM at equal bytes, as it goes after squared error; a second round
 * costs more at low qualities than it gains at high ones; a greater strength gains SSIMULACRA2 and costs MS-SSIM. Compared
 * by benches/effort.mjs with other numbers here, on kodim05, 13 and 23 and on 16 held crops.
 */
const SEEN: Refinement = { rounds: 1, strength: 0.4, lambda: 0 };

/** @throws UsageError for an effort out of range */
export function refinementOf(
  { tune }: Manifest,
  { effort = COMPRESS_DEFAULTS.effort }: CompressOptions,
): Refinement {
  checkInteger('compress: effort', effort, 1, ROUNDS.length);
  const rounds = ROUNDS[effort - 1] ?? 0;
  if (rounds === 0) return NO_REFINEMENT;
  return tune === 'eye' ? SEEN : { ...SQUARED_ERROR, rounds };
}
