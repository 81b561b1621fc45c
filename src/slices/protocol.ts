/**
 * What goes between a codec and the threads that decode its slices.
 * @module
 */
import type { EntropyCoder } from '../container/layout.js';
import type { ErrorCode } from '../errors.js';
import { tensorByteLength } from '../wasm/arena.js';

/** Given to a thread when it starts. */
export interface SliceThreadSetup {
  readonly coreModule: WebAssembly.Module;
  readonly contextFile: Uint8Array | undefined;
}

/** A slice, and what it decodes to. */
export interface SliceJob {
  readonly bytes: Uint8Array;
  readonly coder: EntropyCoder;
  readonly rate: number;
  /** [channels, rows, width] of every grid, coarse to fine. */
  readonly shapes: readonly (readonly [number, number, number])[];
}

export type SliceReply =
  | { readonly kind: 'symbols'; readonly grids: readonly Int16Array<ArrayBuffer>[] }
  | { readonly kind: 'error'; readonly code: ErrorCode; readonly message: string };

/** Where the arena begins, and the context model as it is parsed. */
const SLACK_BYTES = 2 ** 20;

/** Bytes of the arena that a job needs. */
export function sliceArenaByteLength(bytes: number, shapes: SliceJob['shapes']): number {
  const symbols = shapes.reduce((sum, shape) => sum + tensorByteLength('i16', shape), 0);
  return symbols + tensorByteLength('u8', [bytes]) + SLACK_BYTES;
}
