/**
 * What follows the decoding of a JPEG's components: halved chroma brought back to full size smoothly, and YCbCr to RGB.
 * Both as libjpeg does them, so that a picture is what other programs show.
 * @module
 */
import type { JpegComponent } from './jpeg-frame.js';
import type { PlainPixels } from './pixels.js';

/**
 * Replaces repeated samples of components that have half the columns, half the rows, or both, by a triangle filter's.
 * Other ratios stay repeated.
 * @param pixels three interleaved components; changed in place
 */
export function smoothChroma(pixels: PlainPixels, components: readonly JpegComponent[]): void {
  const acrossMax = Math.max(...components.map(({ acrossMcu }) => acrossMcu));
  const downMax = Math.max(...components.map(({ downMcu }) => downMcu));
  for (const [channel, { acrossMcu, downMcu }] of components.entries()) {
    const acrossRatio = acrossMax / acrossMcu;
    const downRatio = downMax / downMcu;
    if (acrossRatio <= 2 && downRatio <= 2 && acrossRatio * downRatio > 1) {
      smooth(pixels, channel, acrossRatio, downRatio);
    }
  }
}

/** Each sample is 3/4 of the nearest stored one and 1/4 of the next, along each direction that was halved. */
function smooth(
  { widthPx, heightPx, data }: PlainPixels,
  channel: number,
  acrossRatio: number,
  downRatio: number,
): void {
  const columns = Math.ceil(widthPx / acrossRatio);
  const rows = Math.ceil(heightPx / downRatio);
  const stored = new Uint8Array(columns * rows);
  for (let row = 0, to = 0; row < rows; row++) {
    let from = row * downRatio * widthPx * 3 + channel;
    for (let column = 0; column < columns; column++, from += 3 * acrossRatio) {
      stored[to++] = data[from] ?? 0;
    }
  }
  const sums = new Uint16Array(columns);
  for (let y = 0; y < heightPx; y++) {
    const near = Math.floor(y / downRatio);
    const far = neighbour(y, near, downRatio, rows);
    for (let column = 0; column < columns; column++) {
      const value = stored[near * columns + column] ?? 0;
      sums[column] = downRatio === 1 ? value : 3 * value + (stored[far * columns + column] ?? 0);
    }
    let to = y * widthPx * 3 + channel;
    for (let x = 0; x < widthPx; x++, to += 3) {
      if (acrossRatio === 1) {
        // Halves are rounded up and down in turn, so that no shift comes of them.
        data[to] = ((sums[x] ?? 0) + 1 + (y & 1)) >> 2;
        continue;
      }
      const column = x >> 1;
      const side = neighbour(x, column, 2, columns);
      const sum = 3 * (sums[column] ?? 0) + (sums[side] ?? 0);
      data[to] = downRatio === 1 ? (sum + 1 + (x & 1)) >> 2 : (sum + 8 - (x & 1)) >> 4;
    }
  }
}

/** The stored sample on the other side of `at`, which lies in the first or second half of `nearest`; within bounds. */
function neighbour(at: number, nearest: number, ratio: number, count: number): number {
  const step = ratio === 1 ? 0 : at % 2 === 0 ? -1 : 1;
  return Math.min(count - 1, Math.max(0, nearest + step));
}

/** YCbCr of JFIF (BT.601, full range) to RGB, in place, rounded to the nearest. */
export function convertToRgb(samples: Uint8Array): void {
  for (let at = 0; at < samples.length; at += 3) {
    const y = samples[at] ?? 0;
    const cb = (samples[at + 1] ?? 0) - 128;
    const cr = (samples[at + 2] ?? 0) - 128;
    samples[at] = clamp(y + 1.402 * cr);
    samples[at + 1] = clamp(y - 0.344136286 * cb - 0.714136286 * cr);
    samples[at + 2] = clamp(y + 1.772 * cb);
  }
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : Math.round(value);
}
