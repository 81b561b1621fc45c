/**
 * A photograph of 12 megapixels where only small ones lie about.
 * @module
 */

const [widthPx, heightPx] = [4000, 3000];

/**
 * A picture repeated side by side until it is 4000x3000.
 * @param {import('vaerans').Pixels} tile 8-bit RGB
 */
export function mosaicOf(tile) {
  const data = new Uint8Array(3 * widthPx * heightPx);
  for (let y = 0; y < heightPx; y++) {
    const from = (y % tile.heightPx) * tile.widthPx * 3;
    for (let x = 0; x < widthPx; x += tile.widthPx) {
      const length = 3 * Math.min(tile.widthPx, widthPx - x);
      data.set(tile.data.subarray(from, from + length), 3 * (y * widthPx + x));
    }
  }
  return { widthPx, heightPx, channels: /** @type {const} */ (3), data };
}
