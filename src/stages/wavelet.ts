/**
 * Wavelet pyramid of every latent plane, and back. With no levels, as most models ask, the tensor is passed on.
 * @module
 */
import { checkRange } from '../limits.js';
import type { Subband } from '../pipeline/components.js';
import { defineStage, type Stage } from '../pipeline/stage.js';
import type { WaveletKind } from '../wasm/core.js';

export interface WaveletOptions {
  /** What the model's manifest asks for where left out. */
  readonly kind?: WaveletKind;
  /** 0 to 10; what the model's manifest asks for where left out. */
  readonly levels?: number;
}

/** CDF 5/3 (Le Gall and Tabatabai 1988) unless model or caller say Haar; no levels unless they say so. */
export const WAVELET_DEFAULTS = { kind: 'cdf53', levels: 0 } as const satisfies WaveletOptions;

/** Makes the `WaveletPyramid` of `Rotated`. For the inverse see `waveletInverse`. */
export function waveletForward(options: WaveletOptions = {}): Stage<'Rotated', 'WaveletPyramid'> {
  if (options.levels !== undefined) checkRange('wavelet: levels', options.levels, 0, 10);
  return defineStage({
    name: 'waveletForward',
    requires: ['Rotated'],
    produces: ['WaveletPyramid'],
    transform({ Rotated: { grids, widthPx, heightPx } }, { arena, core, context }) {
      const ofModel = context.model.manifest.transform?.wavelet;
      const { kind, levels } = { ...WAVELET_DEFAULTS, ...ofModel, ...options };
      const [, height = 0, width = 0] = grids[0]?.shape ?? [];
      const index = { kind, levels, subbands: subbandsOf(width, height, levels) };
      if (levels === 0) return { WaveletPyramid: { grids, widthPx, heightPx, ...index } };
      const pyramids = grids.map((values) => {
        const pyramid = arena.copy(values);
        core.wavelet('forward', kind, levels, pyramid);
        return pyramid;
      });
      return { WaveletPyramid: { grids: pyramids, widthPx, heightPx, ...index } };
    },
  });
}

/** Makes `Rotated` of a `WaveletPyramid`; exact up to float rounding. */
export function waveletInverse(): Stage<'WaveletPyramid', 'Rotated'> {
  return defineStage({
    name: 'waveletInverse',
    requires: ['WaveletPyramid'],
    produces: ['Rotated'],
    transform({ WaveletPyramid }, { arena, core }) {
      const { grids, kind, levels, widthPx, heightPx, margin, quant } = WaveletPyramid;
      if (levels === 0) return { Rotated: { grids, widthPx, heightPx, margin, quant } };
      const planes = grids.map((values) => {
        const plane = arena.copy(values);
        core.wavelet('inverse', kind, levels, plane);
        return plane;
      });
      return { Rotated: { grids: planes, widthPx, heightPx, quant } };
    },
  });
}

/** The index of a packed pyramid: the approximation first, then details from coarse to fine. */
export function subbandsOf(width: number, height: number, levels: number): readonly Subband[] {
  const details: Subband[][] = [];
  let w = width;
  let h = height;
  for (let level = 1; level <= levels; level++) {
    const lowWidth = Math.ceil(w / 2);
    const lowHeight = Math.ceil(h / 2);
    const high = { width: w - lowWidth, height: h - lowHeight };
    const bands: Subband[] = [
      { level, orientation: 'HL', x: lowWidth, y: 0, width: high.width, height: lowHeight },
      { level, orientation: 'LH', x: 0, y: lowHeight, width: lowWidth, height: high.height },
      { level, orientation: 'HH', x: lowWidth, y: lowHeight, ...high },
    ];
    details.unshift(bands.filter((band) => band.width > 0 && band.height > 0));
    w = lowWidth;
    h = lowHeight;
  }
  const approximation: Subband = {
    level: levels,
    orientation: 'LL',
    x: 0,
    y: 0,
    width: w,
    height: h,
  };
  return [approximation, ...details.flat()];
}
