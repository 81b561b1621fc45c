/**
 * Gaussian blur of a picture: what is left when detail is taken away, for residual maps and as a first guess of what
 * a coder may spend less on. It has no inverse.
 * @module
 */
import { checkRange } from '../limits.js';
import { defineStage, type Stage } from '../pipeline/stage.js';

export interface GaussianBlurOptions<Source extends 'Rgb' | 'ReconRgb' = 'Rgb' | 'ReconRgb'> {
  /** Standard deviation in pixels, 0.1 to 64. */
  readonly sigmaPx?: number;
  /** Which picture to blur. */
  readonly of?: Source;
}

/** 1.5 px is the window of SSIM, the customary idea of local detail. */
export const GAUSSIAN_BLUR_DEFAULTS = {
  sigmaPx: 1.5,
  of: 'Rgb',
} as const satisfies GaussianBlurOptions;

/**
 * Makes the `BlurRgb` of `Rgb`, or of `ReconRgb` with `of: 'ReconRgb'`: rows, then columns, edges repeated.
 * @throws UsageError when sigma is out of range
 */
export function gaussianBlur<Source extends 'Rgb' | 'ReconRgb' = 'Rgb'>(
  options: GaussianBlurOptions<Source> = {},
): Stage<Source, 'BlurRgb'> {
  const { sigmaPx, of } = { ...GAUSSIAN_BLUR_DEFAULTS, ...options };
  checkRange('gaussianBlur: sigma in px', sigmaPx, 0.1, 64);
  const source = of as Source;
  return defineStage({
    name: 'gaussianBlur',
    requires: [source],
    produces: ['BlurRgb'],
    transform(inputs, { arena, core }) {
      const { pixels } = inputs[source];
      const blurred = arena.allocate('u8', pixels.shape);
      core.blurGaussian(pixels, blurred, sigmaPx);
      return { BlurRgb: { pixels: blurred } };
    },
  });
}
