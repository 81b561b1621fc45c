/**
 * What is built on, looked at: bill of materials, terms and sources of crates (`deny.toml`), and known holes in crates and
 * npm packages. What cannot be looked at (a program or a database that is not there) is said, and fails nothing.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { writeBillOfMaterials } from './sbom.mjs';
import { ROOT, which } from './setup/shell.mjs';

/** @typedef {{ state: 'good' | 'bad' | 'not looked at', text: string }} Finding */

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
function ended(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  return { isGood: status === 0, stdout, stderr };
}

/**
 * @param {readonly string[]} checks
 * @returns {Finding}
 */
function deny(checks) {
  if (which('cargo-deny') === undefined) {
    return {
      state: 'not looked at',
      text: 'cargo-deny is not on the PATH: cargo install cargo-deny',
    };
  }
  const { isGood, stderr } = ended('cargo', ['deny', '--locked', 'check', ...checks]);
  if (isGood) return { state: 'good', text: checks.join(', ') };
  const [unfetched] = /failed to fetch advisory database \S+/.exec(stderr) ?? [];
  return unfetched === undefined
    ? { state: 'bad', text: stderr }
    : { state: 'not looked at', text: unfetched };
}

/** @returns {Finding} */
function npmAudit() {
  const { stdout } = ended('npm', ['audit', '--json', '--omit', 'dev']);
  const report = JSON.parse(stdout);
  const counts = report.metadata?.vulnerabilities;
  if (counts === undefined) {
    return { state: 'not looked at', text: report.message ?? 'npm gave no report' };
  }
  return { state: counts.total === 0 ? 'good' : 'bad', text: JSON.stringify(counts) };
}

/** @type {Readonly<Record<string, () => Finding>>} */
const LOOKS = {
  'bill of materials': () => ({ state: 'good', text: writeBillOfMaterials() }),
  'cargo deny': () => deny(['licenses', 'bans', 'sources']),
  'cargo deny, known holes': () => deny(['advisories']),
  'npm audit': npmAudit,
};

for (const [name, look] of Object.entries(LOOKS)) {
  const { state, text } = look();
  console.log(`${name}: ${state}: ${text.trim()}`);
  if (state === 'bad') process.exitCode = 1;
}
