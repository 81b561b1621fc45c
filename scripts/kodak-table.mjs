/**
 * Puts a Kodak benchmark into the README, between its marks: `node scripts/kodak-table.mjs out.json`, where out.json
 * is from `npm run bench:kodak -- --json out.json`. Beside our means stands the SSIMULACRA2 of the other codecs that the run
 * found, at the same rate between their settings.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {readonly (readonly [bitsPerPixel: number, score: number])[]} Curve */

/** @param {Curve} curve @param {number} bitsPerPixel @returns {string} straight between neighbours over the log rate */
function scoreAt(curve, bitsPerPixel) {
  const next = curve.findIndex(([rate]) => rate >= bitsPerPixel);
  const [low, high] = [curve[next - 1], curve[next]];
  if (low === undefined || high === undefined) return '-';
  const share = Math.log(bitsPerPixel / low[0]) / Math.log(high[0] / low[0]);
  return (low[1] + share * (high[1] - low[1])).toFixed(1);
}

const [path = ''] = process.argv.slice(2);
const report = JSON.parse(readFileSync(path, 'utf8'));
if (report.schema !== 'vaerans.bench/2' || report.model === null) {
  throw new Error(`kodak-table: expected a report of vaerans bench with ours in it, got '${path}'`);
}
const { machine, model, summary } = report;
/** @param {string} codec */
const meansOf = (codec) => summary.means.filter((/** @type {any} */ mean) => mean.codec === codec);
const means = meansOf('ours');
const others = report.codecs
  .filter((/** @type {any} */ codec) => codec.name !== 'ours' && codec.missing === null)
  .map((/** @type {any} */ { name, label, version }) => ({
    label,
    version,
    curve: meansOf(name)
      .map((/** @type {any} */ mean) => [mean.bitsPerPixel, mean.metrics.ssimulacra2])
      .toSorted((/** @type {number[]} */ [a = 0], /** @type {number[]} */ [b = 0]) => a - b),
  }));
const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;
const columns = ['quality', 'bytes', 'bits per pixel', 'PSNR dB', 'MS-SSIM', 'SSIMULACRA2'];
const head = [
  ...columns,
  'encode ms',
  'decode ms',
  ...others.map((/** @type {any} */ { label }) => label),
];
const row = (/** @type {readonly unknown[]} */ cells) => `| ${cells.join(' | ')} |`;
const lines = [
  row(head),
  row(head.map(() => '---')),
  ...means.map((/** @type {any} */ mean) =>
    row([
      mean.setting,
      Math.round(mean.byteLength),
      mean.bitsPerPixel.toFixed(4),
      mean.metrics.psnrRgb.toFixed(2),
      mean.metrics.msssim?.toFixed(4) ?? '-',
      mean.metrics.ssimulacra2?.toFixed(1) ?? '-',
      mean.encodeWallMs.toFixed(0),
      mean.decodeWallMs.toFixed(0),
      ...others.map((/** @type {any} */ { curve }) => scoreAt(curve, mean.bitsPerPixel)),
    ]),
  ),
  '',
  `Means of ${summary.images.length} pictures. Model ${model.name} ${model.version} (${model.id}), onnxruntime ${report.versions.onnxruntime} on ${report.threads} threads of ${machine.cores} cores (${machine.cpu}), Node ${machine.node}, ${report.date.slice(0, 10)}. Time spent outside the networks: ${percent(summary.overheadShare.both)}.`,
  ...(others.length > 0
    ? [
        '',
        `SSIMULACRA2 of the others at the same bits per pixel: ${others.map((/** @type {any} */ { label, version }) => `${label} (${version.split(',')[0]})`).join(', ')}.`,
      ]
    : []),
];
const BEGIN = '<!-- kodak: scripts/kodak-table.mjs writes from here -->';
const END = '<!-- kodak: to here -->';
const readmePath = join(import.meta.dirname, '..', 'README.md');
const readme = readFileSync(readmePath, 'utf8');
const [before, rest] = readme.split(BEGIN);
const after = rest?.split(END)[1];
if (after === undefined) throw new Error('kodak-table: expected both marks in README.md, got less');
writeFileSync(readmePath, `${before}${BEGIN}\n\n${lines.join('\n')}\n\n${END}${after}`);
