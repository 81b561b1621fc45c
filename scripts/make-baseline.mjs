/**
 * Writes fixtures/bench/baseline.json: what `vaerans bench --against` compares the fixture model with, in the tests too.
 * To be run again when the codec has changed its bytes on purpose; the diff shows by how much.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBaseline, readBenchRecord } from 'vaerans';
import { ROOT } from './setup/shell.mjs';

const PICTURES = ['gradients', 'interface', 'odd-191x127', 'text-dark-on-light'];
const MODEL = ['--model', 'fixture', '--provider', 'cpu'];
const GOLDEN_QUALITY = 60;

const folder = mkdtempSync(join(tmpdir(), 'vaerans-baseline-'));
try {
  const results = join(folder, 'results.json');
  const pictures = PICTURES.map((name) => `fixtures/${name}.png`);
  execFileSync(
    process.execPath,
    ['bin/vaerans.js', 'bench', ...pictures, ...MODEL, '--json', results, '--quiet'],
    { cwd: ROOT, stdio: 'inherit' },
  );
  process.chdir(ROOT);
  const report = readBenchRecord(readFileSync(results));
  const command = `vaerans bench ${pictures.join(' ')} ${MODEL.join(' ')}`;
  const baseline = await makeBaseline({ ...report, command }, GOLDEN_QUALITY, {
    model: 'fixture',
    provider: 'cpu',
  });
  mkdirSync('fixtures/bench', { recursive: true });
  writeFileSync('fixtures/bench/baseline.json', `${JSON.stringify(baseline, undefined, 1)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
