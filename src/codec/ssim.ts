/**
 * Structural similarity of two pictures, for the search of `targetSsim`. The bench's metrics live in a module of their
 * own, which a compressor does not load.
 * @module
 */
import { UsageError } from '../errors.js';
import type { Pixels } from '../image/pixels.js';

/** Window of 11 samples, a Gaussian of 1.5 px, as in the paper. */
const RADIUS = 5;
const WINDOW = Float64Array.from({ length: 2 * RADIUS + 1 }, (_, i) =>
  Math.exp(-((i - RADIUS) ** 2) / (2 * 1.5 ** 2)),
);
const WINDOW_SUM = WINDOW.reduce((sum, weight) => sum + weight, 0);

/** Stabilisers of both fractions for samples of 0 to 255. */
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

/**
 * Mean SSIM of the luma (Wang, Bovik, Sheikh and Simoncelli, 2004), edges repeated; 1 for equal pictures. Rows are
 * filtered as they come, so it holds 11 of them and not the picture.
 * @throws UsageError when sizes or channels differ
 */
export function ssim(a: Pixels, b: Pixels): number {
  if (a.widthPx !== b.widthPx || a.heightPx !== b.heightPx || a.channels !== b.channels) {
    throw new UsageError('ssim: expected pictures of equal size and channels');
  }
  const { widthPx, heightPx } = a;
  const rows: (Moments | undefined)[] = new Array(2 * RADIUS + 1);
  const rowAt = (y: number): Moments => {
    const slot = y % rows.length;
    const there = rows[slot];
    if (there?.y === y) return there;
    const made = filterRow(a, b, y, there?.sums ?? new Float64Array(5 * widthPx));
    rows[slot] = made;
    return made;
  };
  let sum = 0;
  const column = new Float64Array(5 * widthPx);
  for (let y = 0; y < heightPx; y++) {
    column.fill(0);
    for (let offset = -RADIUS; offset <= RADIUS; offset++) {
      const { sums } = rowAt(Math.min(heightPx - 1, Math.max(0, y + offset)));
      const weight = (WINDOW[offset + RADIUS] ?? 0) / WINDOW_SUM;
      for (let i = 0; i < column.length; i++)
        column[i] = (column[i] ?? 0) + weight * (sums[i] ?? 0);
    }
    for (let x = 0; x < widthPx; x++) sum += similarity(column, 5 * x);
  }
  return sum / (widthPx * heightPx);
}

/** A row filtered along itself: of each sample the windowed means of a, b, a², b² and ab. */
interface Moments {
  readonly y: number;
  readonly sums: Float64Array;
}

function filterRow(a: Pixels, b: Pixels, y: number, sums: Float64Array): Moments {
  const { widthPx } = a;
  const lumaA = lumaRow(a, y);
  const lumaB = lumaRow(b, y);
  sums.fill(0);
  for (let x = 0; x < widthPx; x++) {
    for (let offset = -RADIUS; offset <= RADIUS; offset++) {
      const from = Math.min(widthPx - 1, Math.max(0, x + offset));
      const weight = (WINDOW[offset + RADIUS] ?? 0) / WINDOW_SUM;
      const [p, q] = [lumaA[from] ?? 0, lumaB[from] ?? 0];
      const at = 5 * x;
      sums[at] = (sums[at] ?? 0) + weight * p;
      sums[at + 1] = (sums[at + 1] ?? 0) + weight * q;
      sums[at + 2] = (sums[at + 2] ?? 0) + weight * p * p;
      sums[at + 3] = (sums[at + 3] ?? 0) + weight * q * q;
      sums[at + 4] = (sums[at + 4] ?? 0) + weight * p * q;
    }
  }
  return { y, sums };
}

/** BT.601 luma, 0 to 255. */
function lumaRow({ widthPx, channels, data }: Pixels, y: number): Float64Array {
  return Float64Array.from({ length: widthPx }, (_, x) => {
    const at = (y * widthPx + x) * channels;
    if (channels === 1) return data[at] ?? 0;
    return 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
  });
}

function similarity(moments: Float64Array, at: number): number {
  const [a = 0, b = 0, aa = 0, bb = 0, ab = 0] = moments.subarray(at, at + 5);
  const luminance = (2 * a * b + C1) / (a * a + b * b + C1);
  return (luminance * (2 * (ab - a * b) + C2)) / (aa - a * a + bb - b * b + C2);
}
