/**
 * What a reconstruction lacks: the original minus it, sample by sample, and back. Exact in both directions.
 * @module
 */
import { defineStage, type Stage } from '../pipeline/stage.js';

/** Makes the `Residual` of `Rgb` and `ReconRgb`. For the inverse see `addResidual`. */
export function residual(): Stage<'Rgb' | 'ReconRgb', 'Residual'> {
  return defineStage({
    name: 'residual',
    requires: ['Rgb', 'ReconRgb'],
    produces: ['Residual'],
    transform({ Rgb, ReconRgb }, { arena }) {
      const values = arena.allocate('i16', Rgb.pixels.shape);
      const [original, reconstruction] = [arena.view(Rgb.pixels), arena.view(ReconRgb.pixels)];
      const difference = arena.view(values);
      for (let i = 0; i < difference.length; i++) {
        difference[i] = (original[i] ?? 0) - (reconstruction[i] ?? 0);
      }
      return { Residual: { values } };
    },
  });
}

/**
 * Makes `Rgb` of `ReconRgb` and `Residual`: the original where the residual is whole, cut off at 0 and 255 where it
 * was coarsened. For the inverse see `residual`.
 */
export function addResidual(): Stage<'ReconRgb' | 'Residual', 'Rgb'> {
  return defineStage({
    name: 'addResidual',
    requires: ['ReconRgb', 'Residual'],
    produces: ['Rgb'],
    transform({ ReconRgb, Residual }, { arena }) {
      const pixels = arena.allocate('u8', ReconRgb.pixels.shape);
      const [reconstruction, difference] = [
        arena.view(ReconRgb.pixels),
        arena.view(Residual.values),
      ];
      // A clamped view of the same bytes: out-of-range sums saturate as they are stored.
      const { buffer, byteOffset, length } = arena.view(pixels);
      const sum = new Uint8ClampedArray(buffer, byteOffset, length);
      for (let i = 0; i < length; i++) sum[i] = (reconstruction[i] ?? 0) + (difference[i] ?? 0);
      return { Rgb: { pixels } };
    },
  });
}
