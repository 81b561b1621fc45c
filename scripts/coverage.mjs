/**
 * How much of src the test-suite runs: c8 around vitest, so that what the command line and the worker threads run in
 * processes of their own counts as well. Counts lines that hold code which is there when the program runs: comments,
 * types and imports, which cannot be left out by a test, are not lines here. Fails under 90 % of all lines.
 *
 *   node scripts/coverage.mjs [--report]      with --report from the last run's records, without running the tests
 * @module
 */
import { readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { nodeTool, ROOT, show } from './setup/shell.mjs';

const FOLDER = join(ROOT, 'build', 'coverage');
const WANTED_PERCENT = 90;

/** @typedef {{ lines: number, covered: number, missed: number[] }} Count */

/**
 * Numbers of the lines on which a token of running code begins.
 * @param {string} file
 */
function codeLines(file) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022);
  /** @type {Set<number>} */
  const lines = new Set();
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (
      ts.isTypeNode(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node) ||
      ts.isImportDeclaration(node) ||
      ts.isExportDeclaration(node) ||
      ts.isJSDoc(node)
    ) {
      return;
    }
    if (ts.isStatement(node) || ts.isExpression(node) || ts.isClassElement(node)) {
      lines.add(source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1);
    }
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(source, visit);
  return lines;
}

/** @returns {Map<string, Count>} by file, as `src/...` */
function countFiles() {
  const report = JSON.parse(readFileSync(join(FOLDER, 'coverage-final.json'), 'utf8'));
  const ran = new Map(
    Object.entries(report).map(([path, { statementMap, s }]) => {
      /** @type {[number, number][]} */
      const hits = Object.entries(statementMap).map(([id, { start }]) => [start.line, s[id]]);
      return [relative(ROOT, path), new Map(hits)];
    }),
  );
  /** @type {Map<string, Count>} */
  const counts = new Map();
  for (const file of ts.sys.readDirectory(join(ROOT, 'src'), ['.ts'], ['**/*.d.ts'])) {
    const name = relative(ROOT, file);
    const lines = [...codeLines(file)];
    // A file that nothing loaded is in no record, and none of its lines ran.
    const missed = lines.filter((line) => !ran.get(name)?.get(line)).sort((a, b) => a - b);
    counts.set(name, { lines: lines.length, covered: lines.length - missed.length, missed });
  }
  return counts;
}

/** @param {Iterable<Count>} counts */
function sum(counts) {
  let lines = 0;
  let covered = 0;
  for (const count of counts) {
    lines += count.lines;
    covered += count.covered;
  }
  return { lines, percent: (100 * covered) / Math.max(lines, 1) };
}

let hasPassed = true;
if (!process.argv.includes('--report')) {
  rmSync(FOLDER, { recursive: true, force: true });
  const vitest = [process.execPath, ...nodeTool('vitest/vitest.mjs', ['run'])];
  const options = ['--include=dist/**', '--reporter=json', `--reports-dir=${FOLDER}`];
  options.push(`--temp-directory=${join(FOLDER, 'raw')}`);
  hasPassed = show(process.execPath, nodeTool('c8/bin/c8.js', [...options, ...vitest]));
}

const counts = countFiles();
/** @type {Map<string, Count[]>} */
const rooms = new Map();
for (const [file, count] of counts) {
  const room = file.split('/').length > 2 ? file.split('/').slice(0, 2).join('/') : 'src/*.ts';
  rooms.set(room, [...(rooms.get(room) ?? []), count]);
}
const row = (/** @type {string} */ name, /** @type {Iterable<Count>} */ of) => {
  const { lines, percent } = sum(of);
  console.log(`| ${name} | ${lines} | ${percent.toFixed(1)} % |`);
};
console.log('\n| room | lines of code | covered |\n| --- | ---: | ---: |');
for (const [room, of] of rooms) row(room, of);
row('all', counts.values());
console.log('\nlines that no test runs:');
for (const [file, { lines, covered, missed }] of counts) {
  if (missed.length > 0) {
    console.log(`${file}: ${((100 * covered) / lines).toFixed(1)} %, not ${missed.join(' ')}`);
  }
}
const { percent } = sum(counts.values());
if (!hasPassed) console.log('coverage: tests failed');
if (!hasPassed || percent < WANTED_PERCENT) process.exitCode = 1;
