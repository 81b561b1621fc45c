/**
 * Integers to bytes and back, in independent bands of latent rows. Nothing here or below computes with floats.
 * @module
 */
import type { EntropyCoder } from '../container/layout.js';
import { checkRange } from '../limits.js';
import { defineStage, type Stage } from '../pipeline/stage.js';
import type { World } from '../pipeline/world.js';
import { bandCoder } from '../slices/band-coder.js';
import type { TensorRef } from '../wasm/arena.js';
import type { Band } from '../wasm/context.js';

export interface EntropyEncodeOptions {
  /** `context` where the model has a context model, else `static`, where left out. */
  readonly coder?: EntropyCoder;
  /** Latent rows of a slice, of the coarsest grid. */
  readonly sliceRows?: number;
}

/** 128 rows are a band of 1,024 px at stride 8: one slice for most pictures, several to decode side by side for large ones. */
export const ENTROPY_ENCODE_DEFAULTS = { sliceRows: 128 } as const satisfies EntropyEncodeOptions;

/** Makes the `Bitstream` of `Symbols`. */
export function entropyEncode(options: EntropyEncodeOptions = {}): Stage<'Symbols', 'Bitstream'> {
  const { sliceRows } = { ...ENTROPY_ENCODE_DEFAULTS, ...options };
  checkRange('entropyEncode: sliceRows', sliceRows, 1, 65_536);
  return defineStage({
    name: 'entropyEncode',
    requires: ['Symbols'],
    produces: ['Bitstream'],
    transform({ Symbols: { grids, quant, widthPx, heightPx } }, world) {
      const shapes = grids.map(
        ({ shape: [channels = 0, height = 0, width = 0] }) => [channels, height, width] as const,
      );
      const coder = options.coder ?? (world.context.tables.context ? 'context' : 'static');
      const { bound, encode } = bandCoder(
        world.core,
        coder,
        world.context.tables.context,
        shapes,
        quant.rate,
      );
      const slices = bandsOf(shapes[0]?.[1] ?? 0, sliceRows).map((band) =>
        exactly(bound(grids, band), (room) => encode(grids, band, room), world),
      );
      return { Bitstream: { slices, coder, sliceRows, shapes, quant, widthPx, heightPx } };
    },
  });
}

/** Makes the `Symbols` of a `Bitstream`. */
export function entropyDecode(): Stage<'Bitstream', 'Symbols'> {
  return defineStage({
    name: 'entropyDecode',
    requires: ['Bitstream'],
    produces: ['Symbols'],
    transform({ Bitstream }, world) {
      const { slices, coder, sliceRows, shapes, quant, widthPx, heightPx } = Bitstream;
      const grids = shapes.map((shape) => world.arena.allocate('i16', shape));
      const { decode } = bandCoder(
        world.core,
        coder,
        world.context.tables.context,
        shapes,
        quant.rate,
      );
      for (const [index, band] of bandsOf(shapes[0]?.[1] ?? 0, sliceRows).entries()) {
        const slice = slices[index];
        if (slice !== undefined) decode(slice, grids, band);
      }
      return { Symbols: { grids, quant, widthPx, heightPx } };
    },
  });
}

/** Cuts latent rows, of the coarsest grid, into bands. */
export function bandsOf(height: number, sliceRows: number): Band[] {
  return Array.from({ length: Math.ceil(height / sliceRows) }, (_, index) => ({
    firstRow: index * sliceRows,
    rows: Math.min(sliceRows, height - index * sliceRows),
  }));
}

/** Writes into a room of `bound` bytes, then takes the same memory again at the length that was written. */
function exactly(
  bound: number,
  write: (room: TensorRef<'u8'>) => number,
  { arena }: World,
): TensorRef<'u8'> {
  const byteLength = arena.scope(() => write(arena.allocate('u8', [bound])));
  return arena.allocate('u8', [byteLength]);
}
