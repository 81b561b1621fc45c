/**
 * How much memory a call will hold at once, reckoned before any of it is taken (DESIGN section 7).
 * @module
 */
import { roundUp } from '../image/tiles.js';
import type { Manifest } from '../models/schemas.js';
import { latentShape } from '../stages/vae-encode.js';
import { tensorByteLength } from '../wasm/arena.js';

/** Bytes of a call: what lies in the caller's arena, and that plus what the inference threads take. */
export interface MemoryPlan {
  readonly arenaByteLength: number;
  readonly totalByteLength: number;
}

/** Beside what is counted by name: alignment, gain tables, the coder's rows. */
const SLACK_BYTES = 1 << 20;

/** onnxruntime and its thread with the default model loaded, measured as resident memory over a bare Node and rounded up. */
const RUNTIME_BYTES = 64 * 2 ** 20;

/** f32 planes of the picture that a network's widest activations come to, measured on the default model and doubled. */
const ACTIVATION_PLANES = 8;

/**
 * @param tilesInFlight tiles that inference works on or waits for
 * @param payloadByteLength bytes of the coded slices, or a bound of them
 */
export function planMemory(
  manifest: Manifest,
  widthPx: number,
  heightPx: number,
  tilesInFlight: number,
  payloadByteLength: number,
): MemoryPlan {
  const shape = latentShape(manifest, widthPx, heightPx);
  const { padToPx, tilePx, encoder, decoder, transform } = manifest;
  const marginPx = roundUp(Math.max(encoder.marginPx, decoder.marginPx), padToPx);
  const windowWidthPx = Math.min(roundUp(widthPx, padToPx), tilePx + 2 * marginPx);
  const windowHeightPx = Math.min(roundUp(heightPx, padToPx), tilePx + 2 * marginPx);
  const picture = tensorByteLength('u8', [heightPx, widthPx, 3]);
  const latent = tensorByteLength('f32', shape);
  // Each transform that is not the identity makes a tensor of its own.
  const transforms =
    (transform?.channel && transform.channel !== 'none' ? 1 : 0) + (transform?.wavelet ? 1 : 0);
  const symbols = tensorByteLength('i16', shape);
  const tileLatent = tensorByteLength('f32', latentShape(manifest, windowWidthPx, windowHeightPx));
  const arenaByteLength =
    picture + latent * (1 + transforms) + symbols + payloadByteLength + tileLatent + SLACK_BYTES;
  const windowPlane = 4 * windowWidthPx * windowHeightPx;
  const perTile = tileLatent + windowPlane * (1 + 3 + ACTIVATION_PLANES);
  // The caller holds the picture too: as what it gave, or as what it gets.
  const totalByteLength = arenaByteLength + picture + tilesInFlight * perTile + RUNTIME_BYTES;
  return { arenaByteLength, totalByteLength };
}
