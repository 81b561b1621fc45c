/**
 * Everything `npm test` runs after set-up: types of the tests, vitest, cargo test. Goes on after a failure, so that
 * one run tells all, and closes with the sum of what really ran.
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nativeRust } from './setup/rust.mjs';
import { nodeTool, ROOT, show } from './setup/shell.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

const VITEST_REPORT = join(ROOT, 'build', 'test', 'vitest.json');

/** @returns {{ ok: boolean, counts: Counts }} */
function runVitest() {
  mkdirSync(join(ROOT, 'build', 'test'), { recursive: true });
  rmSync(VITEST_REPORT, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${VITEST_REPORT}`];
  const ok = show(process.execPath, nodeTool('vitest/vitest.mjs', ['run', ...reporters]));
  try {
    const report = JSON.parse(readFileSync(VITEST_REPORT, 'utf8'));
    const skipped = report.numPendingTests + report.numTodoTests;
    return {
      ok,
      counts: { passed: report.numPassedTests, failed: report.numFailedTests, skipped },
    };
  } catch {
    // Without a report nothing is known to have run.
    return { ok: false, counts: { passed: 0, failed: 0, skipped: 0 } };
  }
}

/** @returns {Promise<{ ok: boolean, counts: Counts }>} */
async function runCargoTest() {
  const cargo = spawn('cargo', ['test', '--workspace', '--locked'], {
    cwd: ROOT,
    env: { ...process.env, ...nativeRust() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  /** @type {Buffer[]} */
  const chunks = [];
  cargo.stdout.on('data', (chunk) => {
    chunks.push(chunk);
    process.stdout.write(chunk);
  });
  const code = await new Promise((resolve, reject) => {
    cargo.on('error', reject);
    cargo.on('close', resolve);
  });
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const line = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm;
  for (const [, passed, failed, ignored] of Buffer.concat(chunks).toString('utf8').matchAll(line)) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
    counts.skipped += Number(ignored);
  }
  return { ok: code === 0, counts };
}

const typesOk = show(process.execPath, nodeTool('typescript/bin/tsc', ['-p', 'tests']));
const vitest = runVitest();
const cargo = await runCargoTest();

// A file that could not be loaded, or Rust that did not compile, has no failed test to count, and has failed.
for (const { ok, counts } of [vitest, cargo]) if (!ok && counts.failed === 0) counts.failed = 1;
const sum = (/** @type {keyof Counts} */ key) => vitest.counts[key] + cargo.counts[key];
if (!typesOk) console.log('types of the tests: failed');
if (!vitest.ok) console.log('vitest: failed');
if (!cargo.ok) console.log('cargo test: failed');
console.log(`tests: ${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
if (!typesOk || !vitest.ok || !cargo.ok) process.exitCode = 1;
