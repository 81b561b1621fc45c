/**
 * What our coder tells of a file, as images: bits per area, and the planes of the latent.
 * @module
 */
import type { LatentMap } from '../../codec/latent-map.js';
import type { Rect } from '../../image/tiles.js';
import { encodeImage } from '../../image/write.js';

/** Planes that are embedded, those with most bits. */
const MOST_PLANES = 48;
/** Planes beside one another on their sheet. */
export const SHEET_COLUMNS = 8;

/** Grey images of the part of the grid that lies under a part of the picture. */
export interface EmbeddedLatent {
  readonly stridePx: number;
  readonly width: number;
  readonly height: number;
  /** One sample a position: 255 is `maxBitsPerPixel`. */
  readonly bitsPng: Uint8Array;
  readonly maxBitsPerPixel: number;
  /** Planes in rows of `SHEET_COLUMNS`: 128 is 0, the plane's peak 1 or 255. */
  readonly planesPng: Uint8Array;
  /** In the order of the sheet, most bits first. */
  readonly planes: readonly EmbeddedPlane[];
}

interface EmbeddedPlane {
  readonly channel: number;
  /** Of all bits, 0 to 1. */
  readonly share: number;
  /** Largest magnitude in it. */
  readonly peak: number;
}

/** @param part of the picture, beginning at a position of the grid */
export function embedLatent(map: LatentMap, part: Rect): EmbeddedLatent {
  const { stridePx, channels } = map;
  const grid: Rect = {
    x: Math.floor(part.x / stridePx),
    y: Math.floor(part.y / stridePx),
    width: Math.ceil(part.width / stridePx),
    height: Math.ceil(part.height / stridePx),
  };
  const { width, height } = grid;
  const perPixel = new Float32Array(width * height);
  const ofChannel = new Float64Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    for (const [at, from] of positions(map, grid, channel)) {
      const bits = map.bits[from] ?? 0;
      perPixel[at] = (perPixel[at] ?? 0) + bits / stridePx ** 2;
    }
    const area = map.width * map.height;
    for (const bits of map.bits.subarray(channel * area, (channel + 1) * area)) {
      ofChannel[channel] = (ofChannel[channel] ?? 0) + bits;
    }
  }
  const sum = ofChannel.reduce((a, b) => a + b, 0) || 1;
  const chosen = [...ofChannel.entries()]
    .filter(([, bits]) => bits > 0)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MOST_PLANES);
  const rows = Math.max(1, Math.ceil(chosen.length / SHEET_COLUMNS));
  const sheetWidth = SHEET_COLUMNS * width;
  const sheet = new Uint8Array(sheetWidth * rows * height).fill(128);
  const planes = chosen.map(([channel, bits], place): EmbeddedPlane => {
    let peak = 0;
    for (const [, from] of positions(map, grid, channel)) {
      peak = Math.max(peak, Math.abs(map.symbols[from] ?? 0));
    }
    const left = (place % SHEET_COLUMNS) * width;
    const top = Math.floor(place / SHEET_COLUMNS) * height;
    for (const [at, from] of positions(map, grid, channel)) {
      const x = left + (at % width);
      const y = top + Math.floor(at / width);
      sheet[y * sheetWidth + x] = 128 + Math.round((127 * (map.symbols[from] ?? 0)) / (peak || 1));
    }
    return { channel, share: bits / sum, peak };
  });
  const maxBitsPerPixel = perPixel.reduce((a, b) => Math.max(a, b), 0);
  return {
    stridePx,
    width,
    height,
    bitsPng: greyPng(
      width,
      height,
      Uint8Array.from(perPixel, (bits) => Math.round((255 * bits) / (maxBitsPerPixel || 1))),
    ),
    maxBitsPerPixel,
    planesPng: greyPng(sheetWidth, rows * height, sheet),
    planes,
  };
}

/** Index in the part, and in the map, of every position of a channel that lies in both. */
function* positions(
  map: LatentMap,
  grid: Rect,
  channel: number,
): Generator<readonly [at: number, from: number]> {
  for (let y = 0; y < grid.height && grid.y + y < map.height; y++) {
    for (let x = 0; x < grid.width && grid.x + x < map.width; x++) {
      const from = (channel * map.height + grid.y + y) * map.width + grid.x + x;
      yield [y * grid.width + x, from];
    }
  }
}

function greyPng(widthPx: number, heightPx: number, data: Uint8Array): Uint8Array {
  return encodeImage({ widthPx, heightPx, channels: 1, data }, 'png');
}
