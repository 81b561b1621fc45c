/**
 * Copies the default model without its context tables, so that a bench can tell what the static coder does with the
 * same symbols: `node scripts/static-model.mjs out/static`, then `vaerans bench --model out/static`.
 * @module
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('static-model: expected a folder to write, got none');
cpSync(join(dirname(fileURLToPath(import.meta.url)), '../models/psnr'), folder, {
  recursive: true,
});
const path = join(folder, 'manifest.json');
const { context: _, ...manifest } = JSON.parse(readFileSync(path, 'utf8'));
writeFileSync(path, JSON.stringify({ ...manifest, name: 'default-static' }));
