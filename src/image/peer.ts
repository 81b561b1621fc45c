/**
 * `sharp`, an optional package: what is beyond the readers and writers of this room, where a user has installed it. It is
 * loaded when a picture asks for it and not before.
 * @module
 */
import { UnsupportedError } from '../errors.js';

export type SharpModule = typeof import('sharp')['default'];
export type Sharp = ReturnType<SharpModule>;

/** What libvips calls the kinds of file that are left to it. */
export type PeerKind = 'avif' | 'gif' | 'heif' | 'jp2' | 'jpeg' | 'jxl' | 'tiff' | 'webp';

/** A sound picture that only sharp can read. `what` is it with its article, such as `a WebP`. */
export class PeerNeededError extends UnsupportedError {
  readonly kind: PeerKind;
  readonly what: string;

  constructor(stage: string, wanted: string, kind: PeerKind, what: string) {
    super(
      `${stage}: expected ${wanted}, got ${what}; install the optional package 'sharp' to read it, or convert it to PNG first`,
    );
    this.name = UnsupportedError.name;
    this.kind = kind;
    this.what = what;
  }
}

let loaded: Promise<SharpModule> | undefined;

/** @throws UnsupportedError `needed` where the package is absent, with the reason where it does not load */
export async function loadSharp(needed: UnsupportedError): Promise<SharpModule> {
  try {
    loaded ??= import('sharp').then((module) => module.default);
    return await loaded;
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND') throw needed;
    const [reason] = String(cause).split('\n');
    throw new UnsupportedError(
      `${needed.message} ('sharp' is there but does not load: ${reason})`,
      {
        cause,
      },
    );
  }
}
