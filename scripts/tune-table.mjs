/**
 * What a run on Kodak says of the two tunes: `node scripts/tune-table.mjs out.json` prints the tables of docs/tune.md, of a run
 * `vaerans bench FOLDER --codecs ours-psnr,ours-eye,avif-iq,avif --json out.json`. BD-rates are over 0.1 to 1.0 bits per pixel.
 * @module
 */
import { readFileSync } from 'node:fs';
import { bdRate } from '#src/bench/bd-rate.js';

const SPAN = /** @type {const} */ ([0.1, 1]);
const RATES = [0.1, 0.2, 0.4, 0.7, 1];
const METRICS = /** @type {const} */ (['psnrRgb', 'msssim', 'ssimulacra2']);

/** @typedef {{ image: string, codec: string, setting: string, bitsPerPixel: number, metrics: Record<string, number> }} Row */

const [path = ''] = process.argv.slice(2);
const report = JSON.parse(readFileSync(path, 'utf8'));
/** @type {Row[]} */
const rows = report.rows;
/** @type {Row[]} */
const means = report.summary.means;
const images = [...new Set(rows.map(({ image }) => image))];
const codecs = [...new Set(rows.map(({ codec }) => codec))];

/** @param {readonly Row[]} from @param {string} codec @param {string} metric */
function curveOf(from, codec, metric) {
  return from.flatMap(({ codec: of, bitsPerPixel: rate, metrics }) => {
    const value = metrics[metric] ?? Number.NaN;
    const quality = metric === 'msssim' ? -10 * Math.log10(1 - value) : value;
    return of === codec ? [{ rate, quality }] : [];
  });
}

/** Straight over the logarithm of the rate. @param {readonly { rate: number, quality: number }[]} curve @param {number} rate */
function valueAt(curve, rate) {
  const sorted = curve.toSorted((a, b) => a.rate - b.rate);
  const next = sorted.findIndex((point) => point.rate >= rate);
  const [low, high] = [sorted[next - 1], sorted[next]];
  if (low === undefined || high === undefined) return Number.NaN;
  const share = Math.log(rate / low.rate) / Math.log(high.rate / low.rate);
  return low.quality + share * (high.quality - low.quality);
}

const signed = (/** @type {number | undefined} */ value, digits = 1) =>
  value === undefined || Number.isNaN(value)
    ? '-'
    : `${value > 0 ? '+' : ''}${value.toFixed(digits)}`;
const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`;
/** @param {readonly string[]} head @param {readonly (readonly string[])[]} lines */
const table = (head, lines) => [line(head), line(head.map(() => '---')), ...lines.map(line)];
const of = (/** @type {string} */ image) => rows.filter((row) => row.image === image);

for (const anchor of ['avif-iq', 'avif'].filter((name) => codecs.includes(name))) {
  const lines = codecs
    .filter((codec) => codec !== anchor)
    .map((codec) => [
      codec,
      ...METRICS.map((metric) => {
        const rate = (/** @type {readonly Row[]} */ from) =>
          bdRate(curveOf(from, anchor, metric), curveOf(from, codec, metric), SPAN)?.percent;
        const each = images.flatMap((image) => rate(of(image)) ?? []);
        const mean = each.reduce((sum, value) => sum + value, 0) / each.length;
        const ends = `${signed(Math.min(...each), 0)} to ${signed(Math.max(...each), 0)}`;
        return `${signed(rate(means))} (${signed(mean)}; ${ends})`;
      }),
    ]);
  console.log(
    [
      `Bits against ${anchor}, %: of the averaged curves (mean of the pictures' own; least to most)`,
      '',
      ...table(['codec', 'PSNR', 'MS-SSIM', 'SSIMULACRA2'], lines),
      '',
    ].join('\n'),
  );
}

/** @type {string[]} */
const below = [];
const each = images.map((image) => {
  const gains = RATES.map(
    (rate) =>
      valueAt(curveOf(of(image), 'ours-eye', 'ssimulacra2'), rate) -
      valueAt(curveOf(of(image), 'ours-psnr', 'ssimulacra2'), rate),
  );
  for (const [at, gain] of gains.entries()) {
    if (gain < -1) below.push(`${image} at ${RATES[at]}: ${signed(gain)}`);
  }
  const rates = METRICS.map((metric) =>
    signed(
      bdRate(curveOf(of(image), 'avif-iq', metric), curveOf(of(image), 'ours-eye', metric), SPAN)
        ?.percent,
      0,
    ),
  );
  return [image.replace('.png', ''), ...rates, ...gains.map((gain) => signed(gain))];
});
console.log(
  [
    'Picture by picture: bits of eye against avif-iq, %, and points of SSIMULACRA2 that eye has more than psnr at equal bytes',
    '',
    ...table(
      ['picture', 'PSNR', 'MS-SSIM', 'SSIMULACRA2', ...RATES.map((rate) => `at ${rate} bpp`)],
      each,
    ),
    '',
    `Below psnr by more than a point: ${below.join(', ') || 'none'}`,
  ].join('\n'),
);
