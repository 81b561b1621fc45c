/**
 * Latent to a small picture, one pixel for each latent sample, by the model's linear map: no network runs. It shows what
 * a file holds; it is not the decoded picture made smaller.
 * @module
 */
import { UnsupportedError } from '../errors.js';
import { defineStage, type Stage } from '../pipeline/stage.js';

/** Where all the time goes: a function of its own, small enough that engines compile it well. */
function addWeighted(
  sum: Float64Array,
  padded: Float32Array,
  left: number,
  middle: number,
  right: number,
): void {
  let [before, here] = [padded[0] ?? 0, padded[1] ?? 0];
  for (let x = 0; x < sum.length; x++) {
    const after = padded[x + 2] ?? 0;
    sum[x] = (sum[x] ?? 0) + left * before + middle * here + right * after;
    before = here;
    here = after;
  }
}

/**
 * Makes the `PreviewRgb` of a latent's coarsest grid: `sample = bias + sum of weight * latent` over the channels, or over those of
 * 3 by 3 places (the nearest ones beyond the edge), for each colour, in an order that is always the same.
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
      const [channels = 0, gridHeight = 0, gridWidth = 0] = values.shape;
      const shape = [Math.ceil(heightPx / stridePx), Math.ceil(widthPx / stridePx), 3] as const;
      const pixels = arena.allocate('u8', shape);
      const rgb = arena.view(pixels);
      const latent = arena.view(values);
      const plane = gridHeight * gridWidth;
      const { weights, bias } = previewHead;
      const [height, width] = shape;
      const isSingle = weights[0]?.length === channels;
      // Three in a row each, also where there is one: rows of a sample's neighbourhood are what is added below.
      const taps = isSingle
        ? weights.map((row) => row.flatMap((weight) => [0, weight, 0]))
        : weights;
      const rows = isSingle ? [0] : [-1, 0, 1];
      const padded = new Float32Array(gridWidth + 2);
      const sums = weights.map(() => new Float64Array(width));
      for (let y = 0; y < height; y++) {
        for (const [colour, sum] of sums.entries()) sum.fill(bias[colour] ?? 0);
        for (let channel = 0; channel < channels; channel++) {
          for (const [index, down] of rows.entries()) {
            const row = Math.max(0, Math.min(gridHeight - 1, skipped + y + down));
            const start = channel * plane + row * gridWidth;
            padded.set(latent.subarray(start, start + gridWidth), 1);
            padded[0] = latent[start] ?? 0;
            padded[gridWidth + 1] = latent[start + gridWidth - 1] ?? 0;
            const first = (channel * rows.length + index) * 3;
            for (const [colour, sum] of sums.entries()) {
              const [left = 0, middle = 0, right = 0] = taps[colour]?.slice(first, first + 3) ?? [];
              addWeighted(sum, padded, left, middle, right);
            }
          }
        }
        for (const [colour, sum] of sums.entries()) {
          for (let x = 0, to = y * width * 3 + colour; x < width; x++, to += 3) {
            rgb[to] = Math.max(0, Math.min(255, Math.round(sum[x] ?? 0)));
          }
        }
      }
      return { PreviewRgb: { pixels, widthPx, heightPx } };
    },
  });
}
