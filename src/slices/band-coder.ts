/**
 * The two coders of latents, with everything settled but the band.
 * @module
 */
import type { EntropyCoder } from '../container/layout.js';
import { ModelError } from '../errors.js';
import type { TensorRef } from '../wasm/arena.js';
import type { Band } from '../wasm/context.js';
import type { Core } from '../wasm/core.js';

export interface BandCoder {
  /** Most bytes that a band can take. */
  bound(grids: Grids, band: Band): number;
  /** @returns bytes written */
  encode(grids: Grids, band: Band, room: TensorRef<'u8'>): number;
  /** @throws FormatError when the bytes cannot be such a band */
  decode(slice: TensorRef<'u8'>, grids: Grids, band: Band): void;
}

/** Symbols, coarse to fine. */
type Grids = readonly TensorRef<'i16'>[];

/**
 * @param contextFile of the model, which the context coder needs
 * @param shapes [channels, height, width] of every grid, coarse to fine
 * @throws ModelError when the model has no such file, or one for other grids
 */
export function bandCoder(
  core: Core,
  coder: EntropyCoder,
  contextFile: Uint8Array | undefined,
  shapes: readonly (readonly [number, number, number])[],
  rate: number,
): BandCoder {
  if (coder === 'static') {
    const [[channels, , width] = [0, 0, 0]] = shapes;
    return {
      bound: (_grids, { rows }) => core.static.encodeBound(channels, rows, width),
      encode: (grids, band, room) => core.static.encode(only(grids), band, room),
      decode: (slice, grids, band) => core.static.decode(slice, only(grids), band),
    };
  }
  if (contextFile === undefined) {
    throw new ModelError('entropy: expected a model with context tables, got one without');
  }
  const handle = core.context.model(
    contextFile,
    shapes.map(([channels]) => channels),
  );
  return {
    bound: (grids, band) => core.context.encodeBound(handle, grids, band),
    encode: (grids, band, room) => core.context.encode(handle, rate, grids, band, room),
    decode: (slice, grids, band) => core.context.decode(handle, rate, slice, grids, band),
  };
}

/** @throws ModelError where there are several: the static coder knows of one grid */
function only([grid, ...finer]: Grids): TensorRef<'i16'> {
  if (grid !== undefined && finer.length === 0) return grid;
  throw new ModelError(
    `entropy: expected one latent grid for the static coder, got ${finer.length + 1}`,
  );
}
