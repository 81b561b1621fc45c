/**
 * Sheets of crops at equal bytes, to be looked at: original, AVIF tune=iq, JPEG XL and our two tunes side by side.
 *
 *   node scripts/contact-sheet.mjs OUT_FOLDER NAME=X,Y,SIDE... [--pictures FOLDER] [--bpp 0.1,0.2,0.4]
 *     [--codecs avif-iq,jxl,ours-psnr,ours-eye] [--model FOLDER] [--format png|jpg]
 *
 * NAME is a picture of the folder without its suffix, X, Y and SIDE the square that is shown, twice as large. A row of a sheet
 * is a rate; every codec is turned to the largest file of the whole picture that is not above it. `--model` is what the codec
 * `ours` stands for. Needs the optional package sharp, which draws, and the built tree.
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { bench } from 'vaerans';

const ZOOM = 2;
const LABEL_PX = 34;
const GAP_PX = 6;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pictures: { type: 'string', default: '../shared/data/kodak' },
    bpp: { type: 'string', default: '0.1,0.2,0.4' },
    codecs: { type: 'string', default: 'avif-iq,jxl,ours-psnr,ours-eye' },
    format: { type: 'string', default: 'png' },
    model: { type: 'string' },
  },
});
const [outFolder = '', ...wanted] = positionals;
if (wanted.length === 0) throw new Error('usage: contact-sheet.mjs OUT_FOLDER NAME=X,Y,SIDE...');
const targets = values.bpp.split(',').map(Number);
const codecs = values.codecs.split(',');
mkdirSync(outFolder, { recursive: true });

/** @param {string} path @param {readonly number[]} square */
function cropOf(path, [left = 0, top = 0, side = 0]) {
  const large = side * ZOOM;
  return sharp(path)
    .extract({ left, top, width: side, height: side })
    .resize(large, large, { kernel: 'nearest' })
    .png()
    .toBuffer();
}

/** Two lines of text. @param {readonly string[]} lines @param {number} width */
function labelOf(lines, width) {
  const escaped = (/** @type {string} */ text) =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const texts = lines.map(
    (line, at) => `<text x="4" y="${14 + 15 * at}" font-size="13">${escaped(line)}</text>`,
  );
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${LABEL_PX}"><g font-family="sans-serif" fill="#000">${texts.join('')}</g></svg>`,
  );
}

for (const text of wanted) {
  const [name = '', squareText = ''] = text.split('=');
  const square = squareText.split(',').map(Number);
  const path = join(values.pictures, `${name}.png`);
  const keepFolder = mkdtempSync(join(tmpdir(), 'vaerans-sheet-'));
  try {
    const { rows, codecs: found } = await bench([{ path, name }], {
      codecs,
      targets,
      metrics: ['psnrRgb', 'msssim', 'ssimulacra2'],
      programPath: process.env.PATH ?? '',
      keepFolder,
      provider: 'cpu',
      ...(values.model !== undefined && { model: values.model }),
    });
    const cell = (square[2] ?? 0) * ZOOM;
    const stepX = cell + GAP_PX;
    const stepY = cell + LABEL_PX + GAP_PX;
    const parts = [];
    const original = await cropOf(path, square);
    for (const [line, target] of targets.entries()) {
      const top = line * stepY;
      const first = [`${name}, original`, `${target} bits per pixel`];
      parts.push({ input: labelOf(first, cell), left: 0, top });
      parts.push({ input: original, left: 0, top: top + LABEL_PX });
      for (const [at, codec] of codecs.entries()) {
        const row = rows.find(
          (one) => one.codec === codec && one.setting === `${target} bpp` && one.decodedPath,
        );
        const label = found.find((one) => one.name === codec)?.label ?? codec;
        const left = (at + 1) * stepX;
        if (row?.decodedPath === undefined) {
          parts.push({ input: labelOf([label, 'no file so small'], cell), left, top });
          continue;
        }
        const { psnrRgb, msssim, ssimulacra2 } = row.metrics;
        const figures = `${row.byteLength} B, ${psnrRgb?.toFixed(1)} dB, MS ${msssim?.toFixed(4)}, S2 ${ssimulacra2?.toFixed(1)}`;
        parts.push({ input: labelOf([label, figures], cell), left, top });
        parts.push({ input: await cropOf(row.decodedPath, square), left, top: top + LABEL_PX });
        console.log([name, target, codec, figures].join('\t'));
      }
    }
    const sheet = sharp({
      create: {
        width: (codecs.length + 1) * stepX,
        height: targets.length * stepY,
        channels: 3,
        background: '#fff',
      },
    }).composite(parts);
    const file = join(outFolder, `${name}.${values.format}`);
    await (values.format === 'jpg' ? sheet.jpeg({ quality: 82, mozjpeg: true }) : sheet).toFile(
      file,
    );
    console.log(file);
  } finally {
    rmSync(keepFolder, { recursive: true, force: true });
  }
}
