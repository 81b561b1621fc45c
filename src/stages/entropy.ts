/**
 * Integers to bytes and back, in independent bands of latent rows. Nothing here or below is a float.
 * @module
 */
import type { EntropyCoder } from '../container/layout.js';
import { ModelError } from '../errors.js';
import { checkRange } from '../limits.js';
import { defineStage, type Stage } from '../pipeline/stage.js';
import type { World } from '../pipeline/world.js';
import type { TensorRef } from '../wasm/arena.js';
import type { Band } from '../wasm/core.js';

export interface EntropyEncodeOptions {
  /** `context` where the model has a context model, else `static`, where left out. */
  readonly coder?: EntropyCoder;
  /** Latent rows of a slice. */
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
    transform({ Symbols: { values, quant, widthPx, heightPx } }, world) {
      const [channels = 0, height = 0, width = 0] = values.shape;
      const shape = [channels, height, width] as const;
      const coder = options.coder ?? (world.context.tables.context ? 'context' : 'static');
      const { bound, encode } = bandCoder(coder, channels, quant.rate, world);
      const slices = bandsOf(height, sliceRows).map((band) =>
        exactly(bound(values, band), (room) => encode(values, band, room), world),
      );
      return { Bitstream: { slices, coder, sliceRows, shape, quant, widthPx, heightPx } };
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
      const { slices, coder, sliceRows, shape, quant, widthPx, heightPx } = Bitstream;
      const values = world.arena.allocate('i16', shape);
      const { decode } = bandCoder(coder, shape[0], quant.rate, world);
      for (const [index, band] of bandsOf(shape[1], sliceRows).entries()) {
        const slice = slices[index];
        if (slice !== undefined) decode(slice, values, band);
      }
      return { Symbols: { values, quant, widthPx, heightPx } };
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

/** One coder with everything settled but the band. */
interface BandCoder {
  /** Most bytes that a band can take. */
  bound(symbols: TensorRef<'i16'>, band: Band): number;
  /** @returns bytes written */
  encode(symbols: TensorRef<'i16'>, band: Band, room: TensorRef<'u8'>): number;
  decode(slice: TensorRef<'u8'>, symbols: TensorRef<'i16'>, band: Band): void;
}

function bandCoder(
  coder: EntropyCoder,
  channels: number,
  rate: number,
  { core, context }: World,
): BandCoder {
  if (coder === 'static') {
    return {
      bound: ({ shape }, { rows }) => core.staticEncodeBound(channels, rows, shape[2] ?? 0),
      encode: (symbols, band, room) => core.staticEncode(symbols, band, room),
      decode: (slice, symbols, band) => core.staticDecode(slice, symbols, band),
    };
  }
  const file = context.tables.context;
  if (file === undefined) {
    throw new ModelError(
      `entropy: expected a model with context tables, got '${context.model.manifest.name}' without`,
    );
  }
  const handle = core.contextModel(file, [channels]);
  return {
    bound: (symbols, band) => core.contextEncodeBound(handle, [symbols], band),
    encode: (symbols, band, room) => core.contextEncode(handle, rate, [symbols], band, room),
    decode: (slice, symbols, band) => core.contextDecode(handle, rate, slice, [symbols], band),
  };
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
