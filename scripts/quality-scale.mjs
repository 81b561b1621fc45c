/**
 * Fits a model's quality scale to pictures (DESIGN section 10): `node scripts/quality-scale.mjs MODEL PICTURES...` writes the
 * table of 100 rates into MODEL/manifest.json. Mean SSIMULACRA2 is 50 at quality 40, 70 at 70 and 85 at 90; quality 1 is 0.05 bits per
 * pixel, 100 a largest error of 2 levels; between these the score goes evenly. Qualities past the model's finest rate have that
 * rate, and `residualFrom` (fit-residual.mjs) sends them to the plane coder. The scale is no part of the model's identity.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareImages, openCodec, readImage } from 'vaerans';

const LOWEST_BITS_PER_PIXEL = 0.05;
const MARKS = /** @type {const} */ ([
  [40, 50],
  [70, 70],
  [90, 85],
]);
const RATE_MAX = 4095;
const RATES = Array.from({ length: 17 }, (_, index) => Math.round((index * RATE_MAX) / 16));

const [model, ...paths] = process.argv.slice(2);
if (model === undefined || paths.length === 0) {
  throw new Error('usage: node scripts/quality-scale.mjs MODEL PICTURES...');
}
const manifestFile = join(model, 'manifest.json');
const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
// While it is fitted, the scale is a straight line and the model's own, so that every rate can be asked for.
const line = Array.from({ length: 100 }, (_, index) => Math.round((index * RATE_MAX) / 99));
writeManifest({ quality: line, residualFrom: 4096 });

const codec = await openCodec({ model, provider: 'cpu' });
/** @type {{ rate: number, bitsPerPixel: number, score: number }[]} */
const points = [];
for (const rate of RATES) {
  let bits = 0;
  let pixels = 0;
  let score = 0;
  for (const path of paths) {
    const { metadata: _, ...picture } = await readImage(path);
    // Quality 100 itself is another mode: a largest error.
    const asked = Math.min(99.97, 1 + (99 * rate) / RATE_MAX);
    const bytes = await codec.compress(picture, { quality: asked });
    const decoded = await codec.decompress(bytes);
    const compared = await compareImages(picture, decoded, ['ssimulacra2']);
    bits += 8 * bytes.length;
    pixels += picture.widthPx * picture.heightPx;
    score += compared.ssimulacra2 ?? Number.NaN;
  }
  points.push({ rate, bitsPerPixel: bits / pixels, score: score / paths.length });
  console.log(
    `rate ${rate}: ${(bits / pixels).toFixed(4)} bits per pixel, SSIMULACRA2 ${(score / paths.length).toFixed(2)}`,
  );
}
/** What the scale ends at. */
let finestScore = 0;
for (const path of paths) {
  const { metadata: _, ...picture } = await readImage(path);
  const decoded = await codec.decompress(await codec.compress(picture, { quality: 100 }));
  const compared = await compareImages(picture, decoded, ['ssimulacra2']);
  finestScore += (compared.ssimulacra2 ?? Number.NaN) / paths.length;
}
console.log(`a largest error of 2 levels: SSIMULACRA2 ${finestScore.toFixed(2)}`);
await codec.close();

/**
 * The rate at which a rising measure takes a value, on straight lines between the points.
 * @param {(point: { bitsPerPixel: number, score: number }) => number} measure
 * @param {number} value
 */
function rateAt(measure, value) {
  const above = points.findIndex((point) => measure(point) >= value);
  const high = points[above];
  const low = points[above - 1];
  if (high === undefined) return RATE_MAX;
  if (low === undefined) return 0;
  const share = (value - measure(low)) / (measure(high) - measure(low));
  return low.rate + share * (high.rate - low.rate);
}

const lowestRate = rateAt(({ bitsPerPixel }) => bitsPerPixel, LOWEST_BITS_PER_PIXEL);
const lowestScore = scoreAt(lowestRate);
/** @type {(readonly [quality: number, score: number])[]} */
const knots = [[1, lowestScore], ...MARKS, [100, finestScore]];

/** @param {number} rate */
function scoreAt(rate) {
  const above = Math.max(
    1,
    points.findIndex((point) => point.rate >= rate),
  );
  const low = points[above - 1];
  const high = points[above];
  if (low === undefined || high === undefined) throw new Error(`quality-scale: no rate ${rate}`);
  return low.score + ((rate - low.rate) / (high.rate - low.rate)) * (high.score - low.score);
}

/** @param {number} quality */
function rateOf(quality) {
  const above = Math.max(
    1,
    knots.findIndex(([at]) => at >= quality),
  );
  const [[fromQuality, fromScore], [toQuality, toScore]] =
    /** @type {[readonly [number, number], readonly [number, number]]} */ (
      knots.slice(above - 1, above + 1)
    );
  const share = (quality - fromQuality) / (toQuality - fromQuality);
  return rateAt(({ score }) => score, fromScore + share * (toScore - fromScore));
}

let previous = -1;
const quality = line.map((_, index) => {
  const rate = Math.min(RATE_MAX, Math.max(previous + 1, Math.round(rateOf(index + 1))));
  previous = rate;
  return rate;
});
writeManifest({ quality });
console.log(
  `quality 1, 10, 40, 70, 90, 100: rates ${[1, 10, 40, 70, 90, 100].map((q) => quality[q - 1]).join(', ')}`,
);

/**
 * One field a line, so that a change shows as one.
 * @param {{ quality: readonly number[], residualFrom?: number }} changes
 */
function writeManifest(changes) {
  const fields = Object.entries({ ...manifest, ...changes }).map(
    ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
  );
  writeFileSync(manifestFile, `{${fields.join(',\n ')}}\n`);
}
