// Rate and distortion over the whole quality scale, from the model's coarsest rate to a largest error of 2 levels, so
// that a bump where modes change would show: JSON and an SVG.
//   node benches/range.mjs [--model NAME|FOLDER] [--out FOLDER] PICTURE...
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { inspect, openCodec, psnr, readImage } from 'vaerans';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string' },
    out: { type: 'string', default: 'out/range' },
    qualities: {
      type: 'string',
      default: '1,5,10,20,30,40,50,60,70,80,85,90,91,92,93,94,95,96,97,98,99,100',
    },
  },
});
const qualities = values.qualities.split(',').map(Number);

/** @typedef {{ image: string, quality: number, mode: 'model' | 'model+residual' | 'planes', byteLength: number, bitsPerPixel: number, psnrDb: number, encodeMs: number }} Row */
/** @type {Row[]} */
const rows = [];
const codec = await openCodec(values.model ? { model: values.model } : {});
for (const path of positionals) {
  const pixels = await readImage(path);
  const image = basename(path);
  for (const quality of qualities) {
    const startMs = performance.now();
    const bytes = await codec.compress(pixels, { quality });
    const encodeMs = Math.round(performance.now() - startMs);
    const psnrDb = psnr(pixels, await codec.decompress(bytes));
    const { mode, bitsPerPixel } = inspect(bytes);
    rows.push({ image, quality, mode, byteLength: bytes.length, bitsPerPixel, psnrDb, encodeMs });
    console.log(
      `${image} q ${quality} ${mode} ${bitsPerPixel.toFixed(3)} bpp ${psnrDb.toFixed(2)} dB ${encodeMs} ms`,
    );
  }
}
await codec.close();

const falls = rows.filter((row, i) => {
  const before = rows[i - 1];
  if (before?.image !== row.image) return false;
  return row.byteLength < before.byteLength || row.psnrDb < before.psnrDb - 0.01;
});
console.log(`${falls.length} of ${rows.length} rows are smaller or worse than the one before`);
for (const { image, quality } of falls) console.log(`  ${image} at quality ${quality}`);

await mkdir(values.out, { recursive: true });
await writeFile(join(values.out, 'range.json'), `${JSON.stringify({ rows, falls }, null, 2)}\n`);
await writeFile(join(values.out, 'range.svg'), plot());

/** Bits per pixel on a logarithmic axis, dB on a linear one; a line for each picture, a mark for each mode. */
function plot() {
  const [width, height, margin] = [860, 520, 48];
  const finite = rows.filter(({ psnrDb }) => Number.isFinite(psnrDb));
  const bpps = finite.map(({ bitsPerPixel }) => Math.log2(bitsPerPixel));
  const dbs = finite.map(({ psnrDb }) => psnrDb);
  const [low, high] = [Math.floor(Math.min(...bpps)), Math.ceil(Math.max(...bpps))];
  const [least, most] = [Math.floor(Math.min(...dbs)), Math.ceil(Math.max(...dbs))];
  const x = (/** @type {number} */ bpp) =>
    margin + ((Math.log2(bpp) - low) / (high - low)) * (width - 2 * margin);
  const y = (/** @type {number} */ db) =>
    height - margin - ((db - least) / (most - least)) * (height - 2 * margin);
  const fill = { model: '#3366aa', 'model+residual': '#cc7722', planes: '#228855' };
  const images = [...new Set(finite.map(({ image }) => image))];
  const lines = images.map((image) => {
    const own = finite.filter((row) => row.image === image);
    const points = own.map((row) => [x(row.bitsPerPixel).toFixed(1), y(row.psnrDb).toFixed(1)]);
    const marks = own.map(
      (row) =>
        `<circle cx="${x(row.bitsPerPixel).toFixed(1)}" cy="${y(row.psnrDb).toFixed(1)}" r="3" fill="${fill[row.mode]}"><title>${image} q ${row.quality} ${row.mode}</title></circle>`,
    );
    return `<polyline points="${points.join(' ')}" fill="none" stroke="#999"/>${marks.join('')}`;
  });
  const ticks = [
    ...Array.from({ length: high - low + 1 }, (_, i) => {
      const bpp = 2 ** (low + i);
      return `<text x="${x(bpp)}" y="${height - margin + 18}" text-anchor="middle">${bpp}</text>`;
    }),
    ...Array.from({ length: Math.floor((most - least) / 5) + 1 }, (_, i) => {
      const db = least + 5 * i;
      return `<text x="${margin - 6}" y="${y(db) + 4}" text-anchor="end">${db}</text>`;
    }),
  ];
  const legend = Object.entries(fill).map(
    ([mode, colour], i) =>
      `<circle cx="${margin + 20}" cy="${margin + 20 * i}" r="4" fill="${colour}"/><text x="${margin + 30}" y="${margin + 20 * i + 4}">${mode}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12"><title>PSNR against bits per pixel, quality 1 to 100</title><rect width="100%" height="100%" fill="#fff"/>${ticks.join('')}${lines.join('')}${legend.join('')}<text x="${width / 2}" y="${height - 8}" text-anchor="middle">bits per pixel</text><text x="14" y="${margin - 16}">PSNR, dB</text></svg>\n`;
}
