/**
 * What `--effort` gives: bytes at an equal score, for the metric that a tune is judged by and for MS-SSIM, and time of the
 * processor, both against effort 3. `node benches/effort.mjs [--qualities 40,60,70] [--efforts 2,3,4] PICTURE...`
 *
 * A quality names a rate, so bytes and score move together; the bytes that effort 3 would take for the same score are
 * interpolated (logarithms, between qualities 10 apart).
 * @module
 */
import { parseArgs } from 'node:util';
import { compareImages, openCodec, readImage } from '../dist/index.js';

const STEP = 10;
/** The last quality that both tunes code by the model. */
const MODEL_UP_TO = 87;
const JUDGES = /** @type {const} */ ({ psnr: 'psnrRgb', eye: 'ssimulacra2' });

const { values, positionals: paths } = parseArgs({
  options: {
    qualities: { type: 'string', default: '40,60,70' },
    efforts: { type: 'string', default: '2,3,4' },
  },
  allowPositionals: true,
});
const qualities = values.qualities.split(',').map(Number);
const efforts = values.efforts.split(',').map(Number);
const around = qualities.flatMap((quality) => [quality - STEP, quality, quality + STEP]);
const CURVE = [...new Set(around)].filter((at) => at <= MODEL_UP_TO).sort((a, b) => a - b);
if (paths.length === 0) throw new Error('effort: expected pictures, got none; name some');
const pictures = await Promise.all(paths.map((path) => readImage(path)));

for (const tune of /** @type {const} */ (['psnr', 'eye'])) {
  const codec = await openCodec({ threads: 1, provider: 'cpu' });
  const metrics = [JUDGES[tune], 'msssim'];

  /**
   * @param {import('../dist/index.js').Pixels} picture
   * @param {number} quality
   * @param {number} effort
   */
  async function code(picture, quality, effort) {
    const before = process.cpuUsage();
    const file = await codec.compress(picture, { quality, effort, tune });
    const { user, system } = process.cpuUsage(before);
    const decoded = await codec.decompress(file);
    const found = /** @type {Record<string, number>} */ (
      await compareImages(picture, decoded, metrics)
    );
    return { logBytes: Math.log(file.length), found, milliseconds: (user + system) / 1000 };
  }

  const curves = [];
  for (const picture of pictures) {
    const curve = [];
    for (const quality of CURVE) curve.push(await code(picture, quality, 3));
    curves.push(curve);
  }
  for (const effort of efforts) {
    /** @type {string[][]} */
    const columns = [];
    let milliseconds = 0;
    for (const quality of qualities) {
      const sums = metrics.map(() => 0);
      for (const [index, picture] of pictures.entries()) {
        const coded = await code(picture, quality, effort);
        milliseconds += coded.milliseconds;
        for (const [at, metric] of metrics.entries()) {
          const excess = coded.logBytes - bytesFor(curves[index] ?? [], metric, coded.found);
          sums[at] = (sums[at] ?? 0) + excess / pictures.length;
        }
      }
      columns.push(sums.map((sum) => (100 * Math.expm1(sum)).toFixed(1)));
    }
    const shares = metrics.map(
      (metric, at) => `${metric} ${columns.map((c) => c[at]).join(' ')} %`,
    );
    console.log(
      `${tune}, effort ${effort}: ${shares.join('; ')} bytes at quality ${qualities}; ${Math.round(milliseconds)} ms`,
    );
  }
  await codec.close();
}

/**
 * @param {readonly { logBytes: number, found: Record<string, number> }[]} curve
 * @param {string} metric
 * @param {Record<string, number>} found
 */
function bytesFor(curve, metric, found) {
  const straight = (/** @type {Record<string, number>} */ values) => {
    const value = values[metric] ?? Number.NaN;
    return metric === 'msssim' ? -Math.log(1 - value) : value;
  };
  const wanted = straight(found);
  // The piece of the curve that it lies on, or the end that it lies beyond.
  const above = curve.findIndex(({ found: values }) => straight(values) >= wanted);
  const at = above < 0 ? curve.length - 1 : Math.max(1, above);
  const [from, to] = [curve[at - 1], curve[at]];
  if (from === undefined || to === undefined) throw new Error('effort: expected a curve, got none');
  const [low, high] = [straight(from.found), straight(to.found)];
  return from.logBytes + ((to.logBytes - from.logBytes) * (wanted - low)) / (high - low);
}
