/**
 * A photograph there and back at three qualities, by the commands that a person would type, and what came of it.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { psnr, readImage } from '../dist/index.js';

const ROOT = join(import.meta.dirname, '..');
const QUALITIES = [30, 60, 90];
const PHOTO = join('fixtures', 'photo.png');
const FOLDER = join('out', 'demo');

/**
 * @param {string[]} args
 * @returns {{ report: Record<string, any>, seconds: number }} what the command said, and how long it took with its start
 */
function vaerans(...args) {
  console.log(`$ vaerans ${args.join(' ')}`);
  const startMs = performance.now();
  const command = [join('bin', 'vaerans.js'), ...args, '--force', '--json'];
  const { status, stdout } = spawnSync(process.execPath, command, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`demo: vaerans ${args[0]} ended with ${status}`);
  return { report: JSON.parse(stdout), seconds: (performance.now() - startMs) / 1000 };
}

mkdirSync(join(ROOT, FOLDER), { recursive: true });
const original = await readImage(join(ROOT, PHOTO));
const rows = [];
for (const quality of QUALITIES) {
  const file = join(FOLDER, `photo-q${quality}.vae`);
  const image = join(FOLDER, `photo-q${quality}.png`);
  const compressed = vaerans('compress', PHOTO, file, '--quality', String(quality));
  const decompressed = vaerans('decompress', file, image);
  const back = await readImage(join(ROOT, image));
  rows.push({
    quality: String(quality),
    bytes: String(compressed.report.bytes),
    'bits per pixel': compressed.report.bitsPerPixel.toFixed(3),
    'PSNR dB': psnr(original, back).toFixed(2),
    'compress s': compressed.seconds.toFixed(2),
    'decompress s': decompressed.seconds.toFixed(2),
    file,
    image,
  });
}
const { widthPx, heightPx } = original;
console.log(`\n${PHOTO}, ${widthPx}x${heightPx}, ${widthPx * heightPx * 3} bytes of samples:\n`);
const columns = Object.keys(rows[0] ?? {});
const cells = [columns, ...rows.map((row) => Object.values(row))];
const widths = columns.map((_, column) =>
  Math.max(...cells.map((row) => row[column]?.length ?? 0)),
);
for (const row of cells) {
  console.log(
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
console.log(
  `\nSeconds include the start of the program. The files lie in ${relative(process.cwd(), join(ROOT, FOLDER)) || '.'}.`,
);
