/**
 * What callers may ask of the codec, with the defaults that the command line shows too.
 * @module
 */
import { UsageError } from '../errors.js';
import type { Rect } from '../image/tiles.js';
import type { Limits } from '../limits.js';
import type { ModelSearch } from '../models/registry.js';
import { TUNES, type Tune } from '../models/tunes.js';
import type { Trace } from '../pipeline/trace.js';
import type { ProviderChoice } from '../vae/providers.js';
import type { LostParts } from './partial.js';

/** How a codec is opened; what it owns lives until `close()`. */
export interface CodecOptions extends ModelSearch {
  /** Folder or name of the model to compress with; the configured or embedded default where left out. */
  readonly model?: string;
  /** `auto` is the CPU for work under 8 megapixels and a GPU, if one loads, above. */
  readonly provider?: ProviderChoice;
  /** Keeps `auto` on the CPU. */
  readonly deterministic?: boolean;
  /** Cores that inference may keep busy; all of them where left out. */
  readonly threads?: number;
  readonly limits?: Partial<Limits>;
}

/** What one call may be given besides its input. */
export interface CallOptions {
  /** Cancels within one tile. */
  readonly signal?: AbortSignal;
  /** Collects what every stage took and made. */
  readonly trace?: Trace;
  /** Called as tiles are done by the networks. */
  readonly onProgress?: (tilesDone: number, tilesTotal: number) => void;
}

/** At most one of `quality`, `lossless` and the targets; quality 60 where none is given. */
export interface CompressOptions extends CallOptions {
  /** 1 to 100, fractions allowed. */
  readonly quality?: number;
  /**
   * Which of the embedded models, and by what the size of other codings is judged: `psnr` for least squared error, `eye`
   * for what is seen. With a codec that was opened with a model it can only be that model's own.
   */
  readonly tune?: Tune;
  /** Most bytes of the whole file; met within 2 % where the model's range allows. */
  readonly targetSize?: number;
  /** The same in bits of the whole file per pixel. */
  readonly targetBpp?: number;
  /** Least peak signal-to-noise ratio over all samples, in dB, as decoded here. */
  readonly targetPsnr?: number;
  /** Least structural similarity, 0 to 1, as decoded here: mean of the channels, of pictures from 11 px a side. */
  readonly targetSsim?: number;
  /** Every sample comes back as it is, alpha and what lies under it included. */
  readonly lossless?: boolean;
  /** Levels of alpha, 1 to 100: 100, where left out, keeps every one. None and all of it always stay. */
  readonly alphaQuality?: number;
  /**
   * 1 to 9: encode time for bytes at a quality; decoding is the same. 3 where left out. From 3 on tune `psnr` chooses
   * symbols by rate and, but for a target, adjusts the filter behind the decoder network to the picture, which runs that
   * network. At 4 what the networks lose between them is added before it is quantised, which runs both; a target is then
   * searched for twice, before and after. From 5 on, but for a target, symbols are searched for in 25 rounds of a gradient, twice
   * as many with each effort more: seconds to minutes a megapixel.
   */
  readonly effort?: number;
  /** Leaves out profile, EXIF, XMP and texts; samples of a profile that is left out are read as sRGB. */
  readonly strip?: boolean;
  /** Decodes what was made and compares it with the picture; a file that breaks its promise is an error. */
  readonly verify?: boolean;
  /** Told what the file does not keep: one line each, for a person. */
  readonly onNote?: (note: string) => void;
}

export interface DecompressOptions extends CallOptions {
  /**
   * The part of the picture that is wanted, in its pixels: the same as that part of the whole, for the work of the tiles
   * that have anything of it. Checksums of slices that are not needed for it are not looked at.
   */
  readonly region?: Rect;
  /**
   * 1, or one pixel for each latent sample (1/8 with the default model), which no network is run for and which is not the
   * picture made smaller but a preview of it. No other scale is cheaper than the whole picture.
   */
  readonly scale?: number;
  /**
   * Decodes what is whole of a damaged file, and is told what is not before any row is given out; not called where
   * nothing is lost of what is wanted. Rows that are lost come hatched in grey. Without it a damaged file is refused.
   */
  readonly onLost?: (lost: LostParts) => void;
  /** Decodes what is bound to the exact network on another one too, a little off. */
  readonly allowDrift?: boolean;
}

export const COMPRESS_DEFAULTS = { quality: 60, effort: 3 } as const satisfies CompressOptions;
export const CODEC_DEFAULTS = {
  provider: 'auto',
  deterministic: false,
} as const satisfies CodecOptions;

/** Listed by a record, so that the compiler tells when one is missing. */
const CALL_KEYS: Readonly<Record<keyof CallOptions, true>> = {
  signal: true,
  trace: true,
  onProgress: true,
};
const COMPRESS_KEYS: Readonly<Record<keyof CompressOptions, true>> = {
  ...CALL_KEYS,
  quality: true,
  tune: true,
  targetSize: true,
  targetBpp: true,
  targetPsnr: true,
  targetSsim: true,
  lossless: true,
  alphaQuality: true,
  effort: true,
  strip: true,
  verify: true,
  onNote: true,
};

const DECOMPRESS_KEYS: Readonly<Record<keyof DecompressOptions, true>> = {
  ...CALL_KEYS,
  region: true,
  scale: true,
  onLost: true,
  allowDrift: true,
};

/** @throws UsageError naming an option that there is not (one that is misspelt would else be left aside), or its value */
export function checkCompressOptions(options: CompressOptions): void {
  checkKeys('compress', options, COMPRESS_KEYS);
  const { tune } = options;
  if (tune !== undefined && !TUNES.includes(tune)) {
    throw new UsageError(`compress: expected a tune of ${TUNES.join(', ')}, got '${tune}'`);
  }
}

/** @throws UsageError naming an option that there is not */
export function checkDecompressOptions(options: DecompressOptions): void {
  checkKeys('decompress', options, DECOMPRESS_KEYS);
}

function checkKeys(stage: string, options: object, known: Readonly<Record<string, true>>): void {
  const unknown = Object.keys(options).find((key) => !Object.hasOwn(known, key));
  if (unknown !== undefined) {
    throw new UsageError(
      `${stage}: expected options of ${Object.keys(known).join(', ')}, got '${unknown}'`,
    );
  }
}
