/**
 * What callers may ask of the codec, with the defaults that the command line shows too.
 * @module
 */
import type { Limits } from '../limits.js';
import type { ModelSearch } from '../models/registry.js';
import type { Trace } from '../pipeline/trace.js';
import type { ProviderChoice } from '../vae/providers.js';

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

export interface CompressOptions extends CallOptions {
  /** 1 to 100, fractions allowed. */
  readonly quality?: number;
}

export type DecompressOptions = CallOptions;

export const COMPRESS_DEFAULTS = { quality: 60 } as const satisfies CompressOptions;
export const CODEC_DEFAULTS = {
  provider: 'auto',
  deterministic: false,
} as const satisfies CodecOptions;
