/**
 * Alpha apart from colour, and colour that nobody sees made cheap: what lies under full transparency is replaced by a
 * smooth extension of what lies around it, so it costs next to nothing and leaves no seam for a network to ring at.
 * @module
 */
import { hasAlpha, largestSample, newSamples, type Pixels } from '../image/pixels.js';

type Samples = Uint8Array | Uint16Array;

export interface SplitPixels {
  /** One or three channels. */
  readonly colour: Pixels;
  readonly alpha: Samples | undefined;
}

/** @returns samples of their own where there is alpha, else the picture as it came */
export function splitAlpha(pixels: Pixels): SplitPixels {
  if (!hasAlpha(pixels)) return { colour: pixels, alpha: undefined };
  const { widthPx, heightPx, data } = pixels;
  const channels = pixels.channels === 2 ? 1 : 3;
  const count = widthPx * heightPx;
  const colour = newSamples({ data }, count * channels);
  const alpha = newSamples({ data }, count);
  for (let i = 0; i < count; i++) {
    const from = i * (channels + 1);
    for (let c = 0; c < channels; c++) colour[i * channels + c] = data[from + c] ?? 0;
    alpha[i] = data[from + channels] ?? 0;
  }
  return { colour: { ...pixels, channels, data: colour }, alpha };
}

/** Rows of colour and of alpha as one. */
export function joinAlpha(colour: Samples, channels: number, alpha: Samples): Samples {
  const joined = newSamples({ data: colour }, alpha.length * (channels + 1));
  for (let i = 0; i < alpha.length; i++) {
    const to = i * (channels + 1);
    for (let c = 0; c < channels; c++) joined[to + c] = colour[i * channels + c] ?? 0;
    joined[to + channels] = alpha[i] ?? 0;
  }
  return joined;
}

/**
 * Alpha with fewer levels: none of it, and all of it, stay what they are.
 * @param quality 1 to 100; 100 keeps every level
 */
export function coarserAlpha(alpha: Samples, quality: number): Samples {
  if (quality >= 100) return alpha;
  const most = largestSample({ data: alpha });
  const steps = 1 + Math.round(254 * (quality / 100) ** 2);
  return alpha.map((value) => Math.round((Math.round((value * steps) / most) * most) / steps));
}

/**
 * Replaces colour where alpha is zero by what a pyramid of means of the seen pixels says there, coarse to fine; what is
 * seen stays. The result does not depend on what was there.
 */
export function fillUnseen(colour: Pixels, alpha: Samples): Pixels {
  if (!alpha.includes(0)) return colour;
  const { widthPx, heightPx, channels, data } = colour;
  const filled = newSamples({ data }, data.length);
  filled.set(data);
  for (let channel = 0; channel < channels; channel++) {
    const values = new Float32Array(alpha.length);
    const weights = new Float32Array(alpha.length);
    for (let i = 0; i < alpha.length; i++) {
      if (alpha[i] === 0) continue;
      values[i] = data[i * channels + channel] ?? 0;
      weights[i] = 1;
    }
    const extended = extend({ width: widthPx, height: heightPx, values, weights });
    for (let i = 0; i < alpha.length; i++) {
      if (alpha[i] === 0) filled[i * channels + channel] = Math.round(extended[i] ?? 0);
    }
  }
  return { ...colour, data: filled };
}

/** A plane with holes where `weights` is zero. */
interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
  readonly weights: Float32Array;
}

/** Fills the holes from the plane at half the size, whose own are filled first. All black where there are only holes. */
function extend(plane: Plane): Float32Array {
  const { width, height, values, weights } = plane;
  if (!weights.includes(0)) return values;
  if (width === 1 && height === 1) return values;
  const half = halved(plane);
  const coarse = extend(half);
  const at = (x: number, y: number): number =>
    coarse[clamp(y, half.height) * half.width + clamp(x, half.width)] ?? 0;
  const out = values.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (weights[i] !== 0) continue;
      // The four nearest of the coarse plane by their distance: 9, 3, 3 and 1 sixteenths.
      const [cx, cy] = [x >> 1, y >> 1];
      const nx = cx + (x & 1 ? 1 : -1);
      const ny = cy + (y & 1 ? 1 : -1);
      out[i] = (9 * at(cx, cy) + 3 * at(nx, cy) + 3 * at(cx, ny) + at(nx, ny)) / 16;
    }
  }
  return out;
}

function halved({ width, height, values, weights }: Plane): Plane {
  const [halfWidth, halfHeight] = [(width + 1) >> 1, (height + 1) >> 1];
  const sums = new Float32Array(halfWidth * halfHeight);
  const counts = new Float32Array(halfWidth * halfHeight);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (weights[i] === 0) continue;
      const to = (y >> 1) * halfWidth + (x >> 1);
      sums[to] = (sums[to] ?? 0) + (values[i] ?? 0);
      counts[to] = (counts[to] ?? 0) + 1;
    }
  }
  return {
    width: halfWidth,
    height: halfHeight,
    values: sums.map((sum, i) => (counts[i] ? sum / counts[i] : 0)),
    weights: counts,
  };
}

function clamp(value: number, size: number): number {
  return Math.min(size - 1, Math.max(0, value));
}
