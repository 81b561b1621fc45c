/**
 * A model of two latent grids, made by a script and given a context model of noise: sound, exact arithmetic, and no good
 * at saving bits.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from '#src/models/schemas.js';
import { modelFile } from '../wasm/toy-context.js';

const SCRIPT = join(import.meta.dirname, '../../scripts/make-fixture-model.mjs');
/** Channels of the coarse grid, one sample for 8x8 px, and of the fine one, one for 4x4. */
export const COARSE_CHANNELS = 3;
export const FINE_CHANNELS = 8;

/**
 * @param channels what the context model has in each grid
 * @returns the model's folder, which `remove` takes away again
 */
export async function makeTwoGrids(
  change: (manifest: Manifest) => unknown = () => {},
  [coarse, fine] = [COARSE_CHANNELS, FINE_CHANNELS],
): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'vaerans-two-grids-'));
  execFileSync(process.execPath, [SCRIPT, '--two-grids', folder]);
  const context = Buffer.concat([modelFile(coarse), modelFile(fine, coarse)]);
  await writeFile(join(folder, 'context.bin'), context);
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Manifest;
  const sha256 = createHash('sha256').update(context).digest('hex');
  const whole = { ...manifest, context: { file: 'context.bin', sha256 } };
  change(whole);
  await writeFile(path, JSON.stringify(whole));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
