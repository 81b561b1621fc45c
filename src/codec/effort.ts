/**
 * What more effort does to a latent before it is coded.
 * @module
 */
import { checkInteger } from '../limits.js';
import { rateOfQuality } from '../models/quality.js';
import type { Manifest } from '../models/schemas.js';
import { COMPRESS_DEFAULTS, type CompressOptions } from './options.js';

/** How the search in `vaeEncode`, `refine`, the quantiser behind it and the filter behind the decoder network are set. */
export interface Refinement {
  /** Rounds of the search for better latents; none leave the network's. */
  readonly searchRounds: number;
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
export const NO_REFINEMENT: Refinement = {
  searchRounds: 0,
  rounds: 0,
  strength: 0,
  lambda: 0,
  adjusts: false,
};

/**
 * What effort 4 does for squared error from quality `WHOLE_FROM` on; below it falls evenly to nothing at `NONE_UP_TO`, as
 * at low rates it costs more than it gains. On 14 held crops, beside choosing alone (a script that was not kept): strength 1
 * +1.8 % of the bytes at equal PSNR at quality 62, -1.7 at 78, -11.8 at 86; strength 0.5 -0.2, -1.9 and -6.9 %. A second round
 * costs at any.
 */
const SQUARED_ERROR = { rounds: 1, strength: 1, lambda: 0.05 } as const;

/**
 * For what is seen: a lambda lowers SSIMULACRA2 and MS-SSIM at equal bytes, as it goes after squared error; a second round
 * costs more at low qualities than it gains at high ones; a greater strength gains SSIMULACRA2 and costs MS-SSIM. Compared
 * by benches/effort.mjs with other numbers here, on kodim05, 13 and 23 and on 16 held crops.
 */
const SEEN: Refinement = { ...NO_REFINEMENT, rounds: 1, strength: 0.4 };

/** Qualities between which refining for squared error grows. */
const NONE_UP_TO = 50;
const WHOLE_FROM = 86;

/**
 * Efforts from which on the filter is adjusted and symbols are chosen by rate for squared error, the latent is refined, and
 * instead of that searched for where the model has a graph for it.
 */
const ADJUSTS_FROM = 3;
const REFINES_FROM = 4;
const SEARCHES_FROM = 5;
const EFFORT_MAX = 9;
/** Of the search at effort 5; each effort more has twice as many. */
const SEARCH_ROUNDS = 25;

/**
 * @param rate that the picture is coded at, or one near to it
 * @param most effort that the case has use for
 * @throws UsageError for an effort out of range
 */
export function refinementOf(
  manifest: Manifest,
  { effort: asked = COMPRESS_DEFAULTS.effort }: CompressOptions,
  rate: number,
  most: number = EFFORT_MAX,
): Refinement {
  const { tune, restoration, choosing, gradient } = manifest;
  checkInteger('compress: effort', asked, 1, EFFORT_MAX);
  const effort = Math.min(asked, most);
  const adjusts = restoration !== undefined && tune !== 'eye' && effort >= ADJUSTS_FROM;
  const isSearched = effort >= SEARCHES_FROM && gradient !== undefined;
  if (tune === 'eye' && !isSearched) return effort < REFINES_FROM ? NO_REFINEMENT : SEEN;
  if (effort < ADJUSTS_FROM) return NO_REFINEMENT;
  const chosen = choosing ? choosing.lambda * (1 - along(choosing.rates, rate)) : 0;
  if (isSearched) {
    const searchRounds = SEARCH_ROUNDS * 2 ** (effort - SEARCHES_FROM);
    return { ...NO_REFINEMENT, searchRounds, lambda: chosen, adjusts };
  }
  const qualities = [NONE_UP_TO, WHOLE_FROM].map((quality) => rateOfQuality(manifest, quality));
  const share = effort < REFINES_FROM ? 0 : along(qualities, rate);
  if (share === 0) return { ...NO_REFINEMENT, lambda: chosen, adjusts };
  const { rounds, strength, lambda } = SQUARED_ERROR;
  return {
    searchRounds: 0,
    rounds,
    strength: share * strength,
    lambda: Math.max(chosen, share * lambda),
    adjusts,
  };
}

/** What the effort asks for of a latent that is coded at more rates than one: a search would be for one of them alone. */
export function refinementOfKept(
  manifest: Manifest,
  options: CompressOptions,
  rate: number,
): Refinement {
  return refinementOf(manifest, options, rate, SEARCHES_FROM - 1);
}

/** What the effort asks for of a latent that is not to be refined. */
export function choosingOf(manifest: Manifest, options: CompressOptions, rate: number): Refinement {
  return refinementOf(manifest, options, rate, REFINES_FROM - 1);
}

/** Where a rate lies between two others, 0 to 1. */
function along([from = 0, to = 0]: readonly number[], rate: number): number {
  return Math.min(1, Math.max(0, (rate - from) / Math.max(1, to - from)));
}
