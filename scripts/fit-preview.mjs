/**
 * Fits a model's previewHead: the linear map from 3 by 3 samples of its latent to the pixel of the one in their middle, by least
 * squares over pictures against the means of their pixels under each sample. Writes it into the manifest, which leaves
 * the model's identity as it is.
 *
 *   node scripts/fit-preview.mjs MODEL_FOLDER PICTURE...          every eighth picture is kept back to judge the fit
 *
 * Needs the built tree (`npm run setup`).
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCodec, readImage } from 'vaerans';
import { decodedLatent } from './decoded-latent.mjs';

/** Keeps channels that are dead, or nearly alike, from large weights that cancel out. */
const RIDGE = 1e-5;
const SIDE = 3;
/** One map serves all. */
const QUALITIES = [20, 40, 60, 80, 100];

const [folder = '', ...paths] = process.argv.slice(2);
if (paths.length < 8)
  throw new Error('usage: fit-preview.mjs MODEL_FOLDER PICTURE... (8 at least)');
const manifestPath = join(folder, 'manifest.json');
const text = readFileSync(manifestPath, 'utf8');
const manifest = JSON.parse(text);
const [{ channels, stridePx }] = manifest.grids;
const weightCount = channels * SIDE ** 2;
const unknowns = weightCount + 1;

const codec = await openCodec({ model: folder, provider: 'cpu' });
const world = await codec.world();

/**
 * Every latent sample of a picture, with its neighbours, and the mean colour of the pixels under it; the picture's edge is left out.
 * @param {string} path
 * @param {number} quality
 * @param {(latent: Float64Array, colour: readonly number[]) => void} visit
 */
async function eachSample(path, quality, visit) {
  world.clear();
  const pixels = await readImage(path);
  const perPixel = pixels.channels;
  const { grids } = await decodedLatent(world, pixels, { quality });
  // The coarsest is the one that the preview is of.
  const [values] = grids;
  if (values === undefined) throw new Error('expected a latent grid, got none');
  const [, , width = 0] = values.shape;
  const plane = (values.shape[1] ?? 0) * width;
  const latent = world.arena.view(values);
  const row = new Float64Array(unknowns).fill(1);
  for (let y = 1; y < Math.floor(pixels.heightPx / stridePx) - 1; y++) {
    for (let x = 1; x < Math.floor(pixels.widthPx / stridePx) - 1; x++) {
      for (let at = 0; at < weightCount; at++) {
        const tap = at % SIDE ** 2;
        const [down, across] = [Math.floor(tap / SIDE) - 1, (tap % SIDE) - 1];
        const start = ((at - tap) / SIDE ** 2) * plane;
        row[at] = latent[start + (y + down) * width + x + across] ?? 0;
      }
      visit(
        row,
        [0, 1, 2].map((colour) => meanOf(pixels, x, y, perPixel < 3 ? 0 : colour)),
      );
    }
  }
}

function meanOf(
  /** @type {import('vaerans').Pixels} */ { widthPx, channels: perPixel, data },
  /** @type {number} */ x,
  /** @type {number} */ y,
  /** @type {number} */ colour,
) {
  let sum = 0;
  for (let row = 0; row < stridePx; row++) {
    const start = ((y * stridePx + row) * widthPx + x * stridePx) * perPixel + colour;
    for (let column = 0; column < stridePx; column++) sum += data[start + column * perPixel] ?? 0;
  }
  return sum / stridePx ** 2;
}

/** Solves a symmetric positive definite system by Cholesky's decomposition. */
function solve(/** @type {Float64Array[]} */ matrix, /** @type {Float64Array} */ right) {
  const size = right.length;
  const lower = matrix.map((row) => row.slice());
  const at = (/** @type {number} */ i, /** @type {number} */ j) => lower[i]?.[j] ?? 0;
  for (let i = 0; i < size; i++) {
    const row = lower[i] ?? right;
    for (let j = 0; j <= i; j++) {
      let sum = row[j] ?? 0;
      for (let k = 0; k < j; k++) sum -= (row[k] ?? 0) * at(j, k);
      row[j] = i === j ? Math.sqrt(sum) : sum / at(j, j);
    }
  }
  const solution = right.slice();
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) solution[i] = (solution[i] ?? 0) - at(i, k) * (solution[k] ?? 0);
    solution[i] = (solution[i] ?? 0) / at(i, i);
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++)
      solution[i] = (solution[i] ?? 0) - at(k, i) * (solution[k] ?? 0);
    solution[i] = (solution[i] ?? 0) / at(i, i);
  }
  return solution;
}

const isKeptBack = (/** @type {number} */ index) => index % 8 === 7;
const normal = Array.from({ length: unknowns }, () => new Float64Array(unknowns));
const rights = [0, 1, 2].map(() => new Float64Array(unknowns));
let samples = 0;
for (const [index, path] of paths.entries()) {
  if (isKeptBack(index)) continue;
  await eachSample(path, QUALITIES[index % QUALITIES.length] ?? 60, (row, colours) => {
    samples++;
    for (let i = 0; i < unknowns; i++) {
      const value = row[i] ?? 0;
      if (value === 0) continue;
      const sums = normal[i] ?? row;
      for (let j = 0; j <= i; j++) sums[j] = (sums[j] ?? 0) + value * (row[j] ?? 0);
      for (const [colour, right] of rights.entries()) {
        right[i] = (right[i] ?? 0) + value * (colours[colour] ?? 0);
      }
    }
  });
}
for (let i = 0; i < unknowns; i++) {
  for (let j = i + 1; j < unknowns; j++) {
    const row = normal[i];
    if (row !== undefined) row[j] = normal[j]?.[i] ?? 0;
  }
  // The bias is not held back.
  const row = normal[i];
  if (row !== undefined && i < weightCount) row[i] = (row[i] ?? 0) + RIDGE * samples;
}
const solutions = rights.map((right) => solve(normal, right));

let squares = 0;
let judged = 0;
for (const [index, path] of paths.entries()) {
  if (!isKeptBack(index)) continue;
  await eachSample(path, 60, (row, colours) => {
    for (const [colour, weights] of solutions.entries()) {
      const value = weights.reduce((sum, weight, i) => sum + weight * (row[i] ?? 0), 0);
      squares += (Math.max(0, Math.min(255, value)) - (colours[colour] ?? 0)) ** 2;
      judged++;
    }
  });
}
await codec.close();
const psnrDb = 10 * Math.log10((255 ** 2 * judged) / squares);
console.log(
  `${paths.length} pictures, ${samples} samples; on those kept back, at quality 60, ${psnrDb.toFixed(2)} dB to the means of the pixels`,
);

const round = (/** @type {number} */ value) => Number(value.toPrecision(6));
const previewHead = {
  weights: solutions.map((solution) => Array.from(solution.subarray(0, weightCount), round)),
  bias: solutions.map((solution) => round(solution[weightCount] ?? 0)),
};
// As text, so that nothing else of the file changes.
const line = `"previewHead":${JSON.stringify(previewHead)}`;
const without = text.replace(/,\s*"previewHead":\{[^}]*\}/, '');
writeFileSync(manifestPath, without.replace(/(,?\s*"card":[^\n]*)?\}\s*$/, `,\n ${line}$1}\n`));
