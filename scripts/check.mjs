/**
 * Everything `npm run check` looks at, in the order of speed. Goes on after a failure, so that one run tells all.
 * @module
 */
import { nativeRust } from './setup/rust.mjs';
import { nodeTool, show } from './setup/shell.mjs';

const node = (/** @type {string} */ entry, /** @type {string[]} */ args) => ({
  command: process.execPath,
  args: nodeTool(entry, args),
});
const cargo = (/** @type {string[]} */ args) => ({ command: 'cargo', args });

const CHECKS = {
  'lint and format': node('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']),
  'import directions': node('dependency-cruiser/bin/dependency-cruise.mjs', ['src', 'bin']),
  types: node('typescript/bin/tsc', ['-p', '.', '--noEmit']),
  "types of the report's script": node('typescript/bin/tsc', [
    ...['-p', 'src/bench/report/client', '--noEmit'],
  ]),
  'types of the tests': node('typescript/bin/tsc', ['-p', 'tests']),
  rustfmt: cargo(['fmt', '--all', '--check']),
  clippy: cargo(['clippy', '--workspace', '--all-targets', '--locked', '--', '-D', 'warnings']),
};

const env = nativeRust();
const failed = Object.entries(CHECKS)
  .filter(([, { command, args }]) => !show(command, args, env))
  .map(([name]) => name);
if (failed.length > 0) {
  console.log(`check: failed: ${failed.join(', ')}`);
  process.exitCode = 1;
} else {
  console.log(`check: ${Object.keys(CHECKS).join(', ')}: all good`);
}
