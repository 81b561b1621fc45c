/**
 * Latent to a small picture, one pixel for each latent sample, by the model's linear map: no network runs. It shows what
 * a file holds; it is not the decoded picture made smaller.
 * @module
 */
import { UnsupportedError } from '../errors.js';
import { defineStage, type Stage } from '../pipeline/stage.js';

/**
 * Makes the `PreviewRgb` of a latent's coarsest grid: `sample = bias + sum of weight * latent` over the channels, for each colour, in an
 * order that is always the same.
 * @throws UnsupportedError when the model has no previewHead
 */
export function preview(): Stage<'Latent', 'PreviewRgb'> {
  return defineStage({
    name: 'preview',
    requires: ['Latent'],
    produces: ['PreviewRgb'],
    transform({ Latent: { grids: latents, widthPx, heightPx, margin } }, { arena, context }) {
      const { previewHead, grids, name } = context.model.manifest;
      const skipped = margin?.above ?? 0;
      const [values] = latents;
      if (previewHead === undefined || values === undefined) {
        throw new UnsupportedError(`preview: expected a model with a previewHead, got '${name}'`);
      }
      const stridePx = grids[0]?.stridePx ?? 1;
      const [, gridHeight = 0, gridWidth = 0] = values.shape;
      const shape = [Math.ceil(heightPx / stridePx), Math.ceil(widthPx / stridePx), 3] as const;
      const pixels = arena.allocate('u8', shape);
      const rgb = arena.view(pixels);
      const latent = arena.view(values);
      const plane = gridHeight * gridWidth;
      const sums = new Float64Array(plane);
      for (const [colour, weights] of previewHead.weights.entries()) {
        sums.fill(previewHead.bias[colour] ?? 0);
        for (const [channel, weight] of weights.entries()) {
          const start = channel * plane;
          for (let at = 0; at < plane; at++) {
            sums[at] = (sums[at] ?? 0) + weight * (latent[start + at] ?? 0);
          }
        }
        const [height, width] = shape;
        for (let y = 0, to = colour; y < height; y++) {
          for (let x = 0; x < width; x++, to += 3) {
            rgb[to] = Math.max(
              0,
              Math.min(255, Math.round(sums[(skipped + y) * gridWidth + x] ?? 0)),
            );
          }
        }
      }
      return { PreviewRgb: { pixels, widthPx, heightPx } };
    },
  });
}
