/**
 * Whether a picture may be better off without the model at any quality: screens, text, flat art, strips. It only decides
 * what is worth a try.
 * @module
 */
import type { PlainPixels } from '../image/pixels.js';

/** Share of pixels equal to the one before: 0.02 to 0.2 in photographs, 0.6 and more where surfaces are flat. */
const DRAWN_SHARE = 0.5;

/** Below two cells of the model a strip has more beside it than in it. */
const STRIP_PX = 16;

export function suitsPlanes(plain: PlainPixels): boolean {
  return Math.min(plain.widthPx, plain.heightPx) < STRIP_PX || isDrawn(plain);
}

function isDrawn({ widthPx, heightPx, channels, data }: PlainPixels): boolean {
  let equal = 0;
  for (let i = channels; i < data.length; i += channels) {
    let same = data[i] === data[i - channels];
    for (let c = 1; c < channels && same; c++) same = data[i + c] === data[i + c - channels];
    if (same) equal++;
  }
  return equal >= DRAWN_SHARE * widthPx * heightPx;
}
