/**
 * What the pool and its workers say to each other. Pictures and latents are transferred, never copied; shared is the word that
 * ends a search.
 * @module
 */
import type { ErrorCode } from '../errors.js';
import type { Provider } from './providers.js';
import type { Search } from './search.js';

/** Given once, when a worker starts. */
export interface WorkerSetup {
  readonly coreModule: WebAssembly.Module;
  readonly ladder: readonly Provider[];
  readonly threads: number;
  /** The values that samples 0 and 255 become. */
  readonly inputRange: readonly [number, number];
  /** Latent grids, coarse to fine. */
  readonly grids: readonly { readonly channels: number; readonly stridePx: number }[];
}

export type NetworkKind = 'encoder' | 'decoder' | 'gradient';

export interface LoadRequest {
  readonly kind: 'load';
  readonly network: NetworkKind;
  readonly graph: Uint8Array;
  /** One for each tensor; the graph's own at that place where a name is left open. */
  readonly inputNames: readonly (string | undefined)[];
  readonly outputNames: readonly (string | undefined)[];
}

/** Equal tiles of pictures, to be encoded as one batch. */
export interface EncodeRequest {
  readonly kind: 'encode';
  /** The part of the picture under each tile: interleaved RGB [sourceHeightPx, sourceWidthPx, 3]. */
  readonly sources: readonly Uint8Array[];
  readonly sourceWidthPx: number;
  readonly sourceHeightPx: number;
  /** The tile with margin; it starts where the source starts, and beyond the source its edge is repeated. */
  readonly windowWidthPx: number;
  readonly windowHeightPx: number;
  /** Where better latents are to be searched for than the network's. */
  readonly search?: Search | undefined;
}

/** Equal tiles of latents, to be decoded as one batch. */
export interface DecodeRequest {
  readonly kind: 'decode';
  /** Planar latents of each tile, margin included: one grid [channels, height, width] after the other. */
  readonly latents: readonly Float32Array[];
  readonly windowWidthPx: number;
  readonly windowHeightPx: number;
  /** The part of the decoded tile that is wanted. */
  readonly cropX: number;
  readonly cropY: number;
  readonly cropWidthPx: number;
  readonly cropHeightPx: number;
}

/** A request for tiles, with a buffer for each tile's result. */
export type Job<Work extends EncodeRequest | DecodeRequest> = Work & {
  readonly outputs: readonly ArrayBuffer[];
  /** Of a search: shared, and not zero once nobody waits for it any longer. */
  readonly stop?: Int32Array | undefined;
};

/** The last request: sessions are released and the thread ends by itself. */
export interface CloseRequest {
  readonly kind: 'close';
}

export type Request = LoadRequest | CloseRequest | Job<EncodeRequest> | Job<DecodeRequest>;

export interface LoadReply {
  readonly kind: 'load';
  readonly provider: Provider;
  readonly failed: readonly { readonly provider: Provider; readonly reason: string }[];
}

/** Planar latents of each tile, margin included: one grid after the other. */
export interface EncodeReply {
  readonly kind: 'encode';
  readonly latents: readonly Float32Array[];
  /** The request's own buffers, to be used again. */
  readonly inputs: readonly ArrayBuffer[];
  readonly inferenceMs: number;
}

/** Interleaved RGB of each tile's crop. */
export interface DecodeReply {
  readonly kind: 'decode';
  readonly pictures: readonly Uint8Array[];
  /** The request's own buffers, to be used again. */
  readonly inputs: readonly ArrayBuffer[];
  readonly inferenceMs: number;
}

export interface ErrorReply {
  readonly kind: 'error';
  readonly code: ErrorCode;
  readonly message: string;
}

export type Reply = LoadReply | EncodeReply | DecodeReply | ErrorReply;
