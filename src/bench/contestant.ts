/**
 * What the bench asks of a codec, ours and others.
 * @module
 */
import type { Pixels } from '../image/pixels.js';
import type { BenchCodec, BenchCost } from './rows.js';

/** A picture as codecs get it: in memory, and as files without any metadata. */
export interface BenchInput {
  readonly pixels: Pixels;
  readonly ppmPath: string;
  readonly pngPath: string;
  /** Of the bytes of the picture's own file: tells it from another of the same name. */
  readonly contentHash: string;
}

export interface Encoded {
  readonly cost: BenchCost;
  readonly byteLength: number;
}

export interface Decoded {
  readonly cost: BenchCost;
  readonly pixels: Pixels;
}

/** A codec that is there. */
export interface Contestant {
  readonly codec: BenchCodec;
  /** Of coded files, with its dot. */
  readonly suffix: string;
  /** Where nothing is asked for. */
  readonly defaultDials: readonly number[];
  /** Ends of the dial, worst quality first, and its finest step; targets are searched for between them. */
  readonly dialRange: readonly [worst: number, best: number];
  readonly dialStep: number;
  /** Writes the coded file. */
  encode(input: BenchInput, dial: number, codedPath: string): Promise<Encoded>;
  /** Reads it back by the codec's own decoder. */
  decode(codedPath: string): Promise<Decoded>;
}

/** A codec that was asked for: to be measured, or `missing`. */
export type Entry = Contestant | { readonly codec: BenchCodec & { readonly missing: string } };
