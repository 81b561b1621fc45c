/**
 * Turns a picture upright.
 * @module
 */
import type { Orientation } from './exif.js';
import { newSamples, type Pixels } from './pixels.js';

/**
 * @param pixels as stored
 * @returns the picture as it is to be seen; `pixels` itself for orientation 1
 */
export function turnUpright(pixels: Pixels, orientation: Orientation): Pixels {
  if (orientation === 1) return pixels;
  const { widthPx: width, heightPx: height, channels, data } = pixels;
  const isTransposed = orientation >= 5;
  const isMirrored =
    orientation === 2 || orientation === 3 || orientation === 7 || orientation === 8;
  const isUpsideDown =
    orientation === 3 || orientation === 4 || orientation === 6 || orientation === 7;
  const widthPx = isTransposed ? height : width;
  const heightPx = isTransposed ? width : height;
  const stepColumn = channels * (isMirrored ? -1 : 1);
  const stepRow = channels * width * (isUpsideDown ? -1 : 1);
  const across = isTransposed ? stepRow : stepColumn;
  const down = isTransposed ? stepColumn : stepRow;
  const first =
    channels * ((isMirrored ? width - 1 : 0) + (isUpsideDown ? (height - 1) * width : 0));
  const upright = newSamples(pixels, data.length);
  let to = 0;
  for (let y = 0; y < heightPx; y++) {
    let from = first + y * down;
    for (let x = 0; x < widthPx; x++, from += across) {
      for (let channel = 0; channel < channels; channel++) {
        upright[to++] = data[from + channel] ?? 0;
      }
    }
  }
  return { ...pixels, widthPx, heightPx, data: upright };
}
