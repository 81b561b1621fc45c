/**
 * Coefficients to integers and back: a gain per channel as a function of the rate alone, so that one encode of the
 * network serves every rate.
 * @module
 */
import { checkInteger, checkRange } from '../limits.js';
import { rateOfQuality } from '../models/quality.js';
import { defineStage, type Stage } from '../pipeline/stage.js';
import type { World } from '../pipeline/world.js';
import type { TensorRef } from '../wasm/arena.js';
import { bandsOf, ENTROPY_ENCODE_DEFAULTS } from './entropy.js';
import { subbandsOf, WAVELET_DEFAULTS, type WaveletOptions } from './wavelet.js';

/** How fine: the model's own scale, or the one that the command line has. */
export type QuantiseOptions = RateOptions & {
  /**
   * Squared steps that a bit is worth, 0 (the nearest symbol) to 1; 0 where left out. Without a context model in the
   * model it makes no difference. With tune `psnr` 0.02 pays up to about quality 70, with `eye` it does not.
   */
  readonly lambda?: number;
  /** As `entropyEncode` will have it, so that the bits are those of its slices. */
  readonly sliceRows?: number;
};

type RateOptions =
  | {
      /** Integer, 0 (coarsest) to 4095 (finest). */
      readonly rate: number;
    }
  | {
      /** 1 to 100, fractions allowed; the model's manifest says which rate it is. */
      readonly quality: number;
    };

export const QUANTISE_DEFAULTS = { lambda: 0, ...ENTROPY_ENCODE_DEFAULTS } as const;

/**
 * Makes `Symbols`: `round(coefficient * gain)`, without a dead zone beyond what the model has learned; with a `lambda`
 * the one nearer to what the coder expects where that saves enough bits.
 * For the inverse see `dequantise`.
 * @throws UsageError when rate, quality or lambda is out of range
 */
export function quantise(options: QuantiseOptions): Stage<'WaveletPyramid', 'Symbols'> {
  if ('rate' in options) checkInteger('quantise: rate', options.rate, 0, 4095);
  else checkRange('quantise: quality', options.quality, 1, 100);
  const { lambda, sliceRows } = { ...QUANTISE_DEFAULTS, ...options };
  checkRange('quantise: lambda', lambda, 0, 1);
  return defineStage({
    name: 'quantise',
    requires: ['WaveletPyramid'],
    produces: ['Symbols'],
    transform({ WaveletPyramid: { grids, widthPx, heightPx } }, world) {
      const { manifest } = world.context.model;
      const rate = 'rate' in options ? options.rate : rateOfQuality(manifest, options.quality);
      const symbols = grids.map(({ shape }) => world.arena.allocate('i16', shape));
      const file = world.context.tables.context;
      withGains('logGain', rate, world, (gains, gainsOf) => {
        if (lambda === 0 || file === undefined) {
          for (const [grid, to] of symbols.entries()) {
            const values = grids[grid];
            if (values !== undefined) world.core.quantise(values, gainsOf(grid), to);
          }
          return;
        }
        const handle = world.core.context.model(
          file,
          grids.map(({ shape }) => shape[0] ?? 0),
        );
        for (const band of bandsOf(grids[0]?.shape[1] ?? 0, sliceRows)) {
          world.core.context.choose(handle, rate, lambda, grids, gains, band, symbols);
        }
      });
      return { Symbols: { grids: symbols, quant: { rate }, widthPx, heightPx } };
    },
  });
}

/** Makes the `WaveletPyramid` of `Symbols`, by the inverse gains, which need not be the gains' reciprocals. */
export function dequantise(options: WaveletOptions = {}): Stage<'Symbols', 'WaveletPyramid'> {
  return defineStage({
    name: 'dequantise',
    requires: ['Symbols'],
    produces: ['WaveletPyramid'],
    transform({ Symbols: { grids, quant, ...size } }, world) {
      const ofModel = world.context.model.manifest.transform?.wavelet;
      const { kind, levels } = { ...WAVELET_DEFAULTS, ...ofModel, ...options };
      const [, height = 0, width = 0] = grids[0]?.shape ?? [];
      const pyramids = grids.map(({ shape }) => world.arena.allocate('f32', shape));
      withGains('logInverseGain', quant.rate, world, (_gains, gainsOf) => {
        for (const [grid, to] of pyramids.entries()) {
          const symbols = grids[grid];
          if (symbols !== undefined) world.core.dequantise(symbols, gainsOf(grid), to);
        }
      });
      const subbands = subbandsOf(width, height, levels);
      return { WaveletPyramid: { grids: pyramids, ...size, quant, kind, levels, subbands } };
    },
  });
}

/** Lends the gains of a rate: f32 [channels of all grids], and those of one grid. */
export function withGains(
  table: 'logGain' | 'logInverseGain',
  rate: number,
  { arena, core, context }: World,
  use: (gains: TensorRef<'f32'>, gainsOf: (grid: number) => TensorRef<'f32'>) => void,
): void {
  const { grids } = context.model.manifest;
  const knots = context.model.manifest.rate[table];
  const channels = knots[0]?.length ?? 0;
  arena.scope(() => {
    const logKnots = arena.allocate('f32', [knots.length, channels]);
    arena.view(logKnots).set(knots.flat());
    const gains = arena.allocate('f32', [channels]);
    core.gainsAtRate(logKnots, rate, gains);
    use(gains, (grid) => {
      const first = grids.slice(0, grid).reduce((sum, { channels: count }) => sum + count, 0);
      return arena.part(gains, first, grids[grid]?.channels ?? 0);
    });
  });
}
