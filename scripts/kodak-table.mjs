/**
 * Puts a Kodak benchmark into the README, between its marks: `node scripts/kodak-table.mjs out.json`, where out.json
 * is from `npm run bench:kodak -- --json out.json`. Beside our means stand JPEG's and WebP's PSNR at the same rate.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {readonly (readonly [bitsPerPixel: number, psnrDb: number])[]} Curve */

/**
 * Means over the same 24 pictures, one point a setting, rates rising: libjpeg-turbo 2.1.5 (4:2:0, optimised,
 * progressive) and cwebp 1.2.4 -m 6, measured for this project on 2026-11-21.
 * @type {Record<string, Curve>}
 */
const CLASSICAL = {
  JPEG: [
    [0.1076, 21.373],
    [0.1557, 23.823],
    [0.2257, 25.835],
    [0.2707, 26.664],
    [0.3721, 28.143],
    [0.4595, 29.144],
    [0.615, 30.491],
    [0.7434, 31.422],
    [0.8648, 32.174],
    [0.9959, 32.908],
    [1.1926, 33.917],
    [1.5044, 35.37],
    [1.7678, 36.462],
    [2.207, 38.034],
    [3.117, 40.56],
  ],
  WebP: [
    [0.1026, 25.675],
    [0.2174, 28.109],
    [0.2744, 28.932],
    [0.3775, 30.194],
    [0.5772, 32.202],
    [0.7687, 33.732],
    [0.939, 34.872],
    [1.4475, 37.606],
    [1.9297, 39.446],
    [2.7982, 41.66],
  ],
};

/** @param {Curve} curve @param {number} bitsPerPixel @returns {string} straight between neighbours over the log rate */
function psnrAt(curve, bitsPerPixel) {
  const next = curve.findIndex(([rate]) => rate >= bitsPerPixel);
  const [low, high] = [curve[next - 1], curve[next]];
  if (low === undefined || high === undefined) return '-';
  const share = Math.log(bitsPerPixel / low[0]) / Math.log(high[0] / low[0]);
  return (low[1] + share * (high[1] - low[1])).toFixed(2);
}

const [path = ''] = process.argv.slice(2);
const report = JSON.parse(readFileSync(path, 'utf8'));
if (report.schema !== 'vaerans.bench/1') {
  throw new Error(`kodak-table: expected a report of vaerans bench, got '${path}'`);
}
const { machine, model, means } = report;
const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;
const lines = [
  `| quality | bytes | bits per pixel | PSNR dB | encode ms | decode ms | ${Object.keys(CLASSICAL).join(' | ')} |`,
  `| --- | --- | --- | --- | --- | --- | ${Object.keys(CLASSICAL)
    .map(() => '---')
    .join(' | ')} |`,
  ...means.map((/** @type {any} */ mean) =>
    [
      '',
      mean.quality,
      Math.round(mean.byteLength),
      mean.bitsPerPixel.toFixed(4),
      mean.psnrDb.toFixed(2),
      mean.encodeMs.toFixed(0),
      mean.decodeMs.toFixed(0),
      ...Object.values(CLASSICAL).map((curve) => psnrAt(curve, mean.bitsPerPixel)),
      '',
    ]
      .join(' | ')
      .trim(),
  ),
  '',
  `Means of ${means[0].images} pictures. Model ${model.name} ${model.version} (${model.id}), onnxruntime ${report.versions.onnxruntime} on ${report.threads} threads of ${machine.cores} cores (${machine.cpu}), Node ${machine.node}, ${report.date.slice(0, 10)}. Time spent outside the networks: ${percent(report.overheadShare)}.`,
];
const BEGIN = '<!-- kodak: scripts/kodak-table.mjs writes from here -->';
const END = '<!-- kodak: to here -->';
const readmePath = join(import.meta.dirname, '..', 'README.md');
const readme = readFileSync(readmePath, 'utf8');
const [before, rest] = readme.split(BEGIN);
const after = rest?.split(END)[1];
if (after === undefined) throw new Error('kodak-table: expected both marks in README.md, got less');
writeFileSync(readmePath, `${before}${BEGIN}\n\n${lines.join('\n')}\n\n${END}${after}`);
