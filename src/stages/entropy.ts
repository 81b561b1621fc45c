/**
 * Integers to bytes and back, in independent bands of latent rows. Nothing here or below is a float.
 * @module
 */
import type { EntropyCoder } from '../container/layout.js';
import type { BitstreamData, SymbolsData } from '../pipeline/components.js';
import { defineStage, type Stage } from '../pipeline/stage.js';
import type { World } from '../pipeline/world.js';
import type { TensorRef } from '../wasm/arena.js';
import type { Band } from '../wasm/core.js';

export interface EntropyEncodeOptions {
  readonly coder?: EntropyCoder;
  /** Latent rows of a slice. */
  readonly sliceRows?: number;
}

/** 128 rows are a band of 1,024 px at stride 8: one slice for most pictures, several to decode side by side for large ones. */
export const ENTROPY_ENCODE_DEFAULTS = {
  coder: 'static',
  sliceRows: 128,
} as const satisfies EntropyEncodeOptions;

/** Makes the `Bitstream` of `Symbols`. */
export function entropyEncode(options: EntropyEncodeOptions = {}): Stage<'Symbols', 'Bitstream'> {
  const { coder, sliceRows } = { ...ENTROPY_ENCODE_DEFAULTS, ...options };
  return defineStage({
    name: 'entropyEncode',
    requires: 'Symbols',
    produces: 'Bitstream',
    transform(symbols: SymbolsData, world): BitstreamData {
      const { values, quant, widthPx, heightPx } = symbols;
      const [channels = 0, height = 0, width = 0] = values.shape;
      const slices = bandsOf(height, sliceRows).map((band) => encodeBand(values, band, world));
      return {
        slices,
        coder,
        sliceRows,
        shape: [channels, height, width],
        quant,
        widthPx,
        heightPx,
      };
    },
  });
}

/** Makes the `Symbols` of a `Bitstream`. */
export function entropyDecode(): Stage<'Bitstream', 'Symbols'> {
  return defineStage({
    name: 'entropyDecode',
    requires: 'Bitstream',
    produces: 'Symbols',
    transform({ slices, sliceRows, shape, quant, widthPx, heightPx }, world) {
      const values = world.arena.allocate('i16', shape);
      for (const [index, band] of bandsOf(shape[1], sliceRows).entries()) {
        const slice = slices[index];
        if (slice !== undefined) world.core.staticDecode(slice, values, band);
      }
      return { values, quant, widthPx, heightPx };
    },
  });
}

/** Cuts latent rows into bands. */
export function bandsOf(height: number, sliceRows: number): Band[] {
  return Array.from({ length: Math.ceil(height / sliceRows) }, (_, index) => ({
    firstRow: index * sliceRows,
    rows: Math.min(sliceRows, height - index * sliceRows),
  }));
}

/** Encodes into the bound, then takes the same memory again at the length that was written. */
function encodeBand(
  symbols: TensorRef<'i16'>,
  band: Band,
  { arena, core }: World,
): TensorRef<'u8'> {
  const [channels = 0, , width = 0] = symbols.shape;
  const mark = arena.mark();
  const room = arena.allocate('u8', [core.staticEncodeBound(channels, band.rows, width)]);
  const byteLength = core.staticEncode(symbols, band, room);
  arena.rewind(mark);
  return arena.allocate('u8', [byteLength]);
}
