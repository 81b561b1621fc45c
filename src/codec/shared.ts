/**
 * The codec behind the top-level functions: opened at first use; its idle threads do not keep the process alive.
 * @module
 */
import type { Pixels } from '../image/pixels.js';
import { type Codec, once, openCodec } from './open.js';
import type { CompressOptions, DecompressOptions } from './options.js';

const shared = new Map<string, Promise<Codec>>();

function sharedCodec(): Promise<Codec> {
  return once(shared, 'default', openCodec);
}

/** `Codec.compress` with the default model on a codec that all callers share. */
export async function compress(pixels: Pixels, options: CompressOptions = {}): Promise<Uint8Array> {
  return (await sharedCodec()).compress(pixels, options);
}

/** `Codec.decompress` on a codec that all callers share. */
export async function decompress(
  bytes: Uint8Array,
  options: DecompressOptions = {},
): Promise<Pixels> {
  return (await sharedCodec()).decompress(bytes, options);
}
