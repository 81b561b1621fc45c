/**
 * Finds where the plane coder takes over from a model: `node scripts/fit-residual.mjs MODEL PICTURES...` writes `residualFrom`
 * into MODEL/manifest.json, the rate from which the pictures, coded without the model, take no more bytes in the mean for the
 * same score. The score is what the model was trained for: SSIMULACRA2 of tune `eye`, else PSNR. No part of the identity.
 * @module
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareImages, openCodec, planesDecode, planesEncode, readImage } from 'vaerans';

const RATE_MAX = 4095;
/** The coarsest that is looked at, and how often the way from there to the finest is halved. */
const RATE_MIN = 1365;
const HALVINGS = 5;
/** Steps of the wavelet tried for each score, by halves of their logarithm between these. */
const [FINEST_STEP, COARSEST_STEP] = [0.25, 64];
const TRIES = 9;

const [model = '', ...paths] = process.argv.slice(2);
if (paths.length === 0) throw new Error('usage: node scripts/fit-residual.mjs MODEL PICTURES...');
const manifestFile = join(model, 'manifest.json');
const text = readFileSync(manifestFile, 'utf8');
const manifest = JSON.parse(text);
const metric = manifest.tune === 'eye' ? 'ssimulacra2' : 'psnrRgb';

// A copy whose qualities are rates, and whose model serves them all.
const folder = mkdtempSync(join(tmpdir(), 'vaerans-residual-'));
cpSync(model, folder, { recursive: true });
const quality = Array.from({ length: 100 }, (_, index) => Math.round((index * RATE_MAX) / 99));
writeFileSync(
  join(folder, 'manifest.json'),
  JSON.stringify({ ...manifest, quality, residualFrom: 4096 }),
);
const codec = await openCodec({ model: folder, provider: 'cpu' });
const world = await codec.world();

/** @typedef {import('vaerans').Pixels} Pixels */
/** @param {Pixels} a @param {Pixels} b */
const scoreOf = async (a, b) => (await compareImages(a, b, [metric]))[metric] ?? Number.NaN;

/** @param {Pixels} picture @param {number} stepSize */
async function codeWithout(picture, stepSize) {
  world.clear();
  const stream = await world
    .pipe(world.spawnImage(picture))
    .to(planesEncode({ from: 'Rgb', coding: { stepSize } }))
    .out('PlaneStream');
  const byteLength = stream.bands.reduce((sum, { shape: [length = 0] }) => sum + length, 0);
  const entity = world.newEntity().add('PlaneStream', stream);
  const rgb = await world
    .pipe(entity)
    .to(planesDecode({ to: 'Rgb' }))
    .out('Rgb');
  return { byteLength, score: await scoreOf(picture, world.readPixels(rgb)) };
}

/** The fewest bytes without the model for a score. @param {Pixels} picture @param {number} least */
async function bytesWithout(picture, least) {
  let [fine, coarse] = [Math.log(FINEST_STEP), Math.log(COARSEST_STEP)];
  let byteLength = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES; tries++) {
    const middle = (fine + coarse) / 2;
    const tried = await codeWithout(picture, Math.exp(middle));
    if (tried.score >= least) [fine, byteLength] = [middle, tried.byteLength];
    else coarse = middle;
  }
  return byteLength;
}

/** Logarithm of the bytes without the model over those of the model at a rate, in the mean. @param {number} rate */
async function gainAt(rate) {
  let gain = 0;
  for (const path of paths) {
    const { metadata: _, ...picture } = await readImage(path);
    // Quality 100 itself is another mode: a largest error.
    const asked = Math.min(99.97, 1 + (99 * rate) / RATE_MAX);
    const bytes = await codec.compress(picture, { quality: asked });
    const score = await scoreOf(picture, await codec.decompress(bytes));
    gain += Math.log((await bytesWithout(picture, score)) / bytes.length) / paths.length;
  }
  const percent = (100 * Math.expm1(gain)).toFixed(1);
  console.log(`rate ${rate}: without the model ${percent} % more bytes at equal ${metric}`);
  return gain;
}

/** Where the gain is gone; the model's last rate where it never is, as there the model has no more to give. */
let residualFrom = RATE_MAX;
try {
  if ((await gainAt(RATE_MAX)) < 0) {
    let low = RATE_MIN;
    for (let halving = 0; halving < HALVINGS; halving++) {
      const middle = Math.round((low + residualFrom) / 2);
      if ((await gainAt(middle)) > 0) low = middle;
      else residualFrom = middle;
    }
  }
} finally {
  await codec.close();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`residualFrom ${residualFrom}`);
// As text, so that nothing else of the file changes.
writeFileSync(manifestFile, text.replace(/("residualFrom":\s*)\d+/, `$1${residualFrom}`));
