/**
 * Means, covariance and the Karhunen-Loève transform of latents.
 * @module
 */
import type { FitLatent } from '../../wasm/fit.js';

/** Mean and covariance of the channels over all places of all latents. */
export interface ChannelStatistics {
  readonly channels: number;
  readonly mean: Float64Array;
  /** [channels][channels] */
  readonly covariance: Float64Array;
}

export function measureChannels(
  latents: readonly FitLatent[],
  channels: number,
): ChannelStatistics {
  const mean = new Float64Array(channels);
  const covariance = new Float64Array(channels * channels);
  let places = 0;
  for (const { width, height, values } of latents) {
    const area = width * height;
    places += area;
    for (let c = 0; c < channels; c++) {
      const plane = values.subarray(c * area, (c + 1) * area);
      mean[c] = (mean[c] ?? 0) + plane.reduce((sum, value) => sum + value, 0);
      for (let other = 0; other <= c; other++) {
        const beside = values.subarray(other * area, (other + 1) * area);
        let sum = 0;
        for (let i = 0; i < area; i++) sum += (plane[i] ?? 0) * (beside[i] ?? 0);
        covariance[c * channels + other] = (covariance[c * channels + other] ?? 0) + sum;
      }
    }
  }
  for (let c = 0; c < channels; c++) mean[c] = (mean[c] ?? 0) / places;
  for (let c = 0; c < channels; c++) {
    for (let other = 0; other <= c; other++) {
      const product = (covariance[c * channels + other] ?? 0) / places;
      const value = product - (mean[c] ?? 0) * (mean[other] ?? 0);
      covariance[c * channels + other] = value;
      covariance[other * channels + c] = value;
    }
  }
  return { channels, mean, covariance };
}

const SWEEPS_MAX = 30;

/**
 * The eigenvectors of the covariance, most variance first, by cyclic Jacobi rotations (Golub and Van Loan, 8.5).
 * @returns mean[channels], then the orthonormal matrix, one row for each new channel, as a manifest's klt file has it
 */
export function karhunenLoeve({ channels: n, mean, covariance }: ChannelStatistics): Float32Array {
  const a = covariance.slice();
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  const total = Math.hypot(...a);
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    let outside = 0;
    for (let p = 0; p < n; p++) {
      for (let q = 0; q < p; q++) outside += (a[p * n + q] ?? 0) ** 2;
    }
    if (Math.sqrt(outside) <= 1e-12 * total) break;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) rotatePair(a, vectors, n, p, q);
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort(
    (i, j) => (a[j * n + j] ?? 0) - (a[i * n + i] ?? 0),
  );
  const klt = new Float32Array(n + n * n);
  klt.set(mean);
  for (const [row, from] of order.entries()) {
    const vector = vectors.subarray(from * n, (from + 1) * n);
    // A sign of its own would make two fits of the same latents differ for nothing.
    const largest = vector.reduce((most, v) => (Math.abs(v) > Math.abs(most) ? v : most), 0);
    for (let c = 0; c < n; c++) klt[n + row * n + c] = (vector[c] ?? 0) * (largest < 0 ? -1 : 1);
  }
  return klt;
}

/** One rotation that makes a[p][q] zero; eigenvectors are the rows of `vectors`. */
function rotatePair(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q] ?? 0;
  if (apq === 0) return;
  const theta = ((a[q * n + q] ?? 0) - (a[p * n + p] ?? 0)) / (2 * apq);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (let k = 0; k < n; k++) {
    const akp = a[k * n + p] ?? 0;
    const akq = a[k * n + q] ?? 0;
    a[k * n + p] = c * akp - s * akq;
    a[k * n + q] = s * akp + c * akq;
  }
  for (let k = 0; k < n; k++) {
    const apk = a[p * n + k] ?? 0;
    const aqk = a[q * n + k] ?? 0;
    a[p * n + k] = c * apk - s * aqk;
    a[q * n + k] = s * apk + c * aqk;
    const vpk = vectors[p * n + k] ?? 0;
    const vqk = vectors[q * n + k] ?? 0;
    vectors[p * n + k] = c * vpk - s * vqk;
    vectors[q * n + k] = s * vpk + c * vqk;
  }
}
