/**
 * Whether a picture looks drawn rather than photographed: screens, text, flat art. It only decides what is worth a try.
 * @module
 */
import type { PlainPixels } from '../image/pixels.js';

/** Share of pixels equal to the one before: 0.02 to 0.2 in photographs, 0.6 and more where surfaces are flat. */
const DRAWN_SHARE = 0.5;

export function isDrawn({ widthPx, heightPx, channels, data }: PlainPixels): boolean {
  let equal = 0;
  for (let i = channels; i < data.length; i += channels) {
    let same = data[i] === data[i - channels];
    for (let c = 1; c < channels && same; c++) same = data[i + c] === data[i + c - channels];
    if (same) equal++;
  }
  return equal >= DRAWN_SHARE * widthPx * heightPx;
}
