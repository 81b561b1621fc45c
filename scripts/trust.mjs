/**
 * `npm run trust -- NAME`: runs a trial of docs/TRUST.md, on from where an earlier call stopped (out/trust/NAME.json).
 * `--table` writes what the records hold into docs/TRUST.md.
 * `--share 0.1` stops at a tenth of its cases, `--fresh` keeps no record, `--untimed` fails nothing for being slow. Without a name it says what there is.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './setup/shell.mjs';
import { bombs } from './trust/bombs.mjs';
import { concurrency } from './trust/concurrency.mjs';
import { damage } from './trust/damage.mjs';
import { determinism } from './trust/determinism.mjs';
import { hostile } from './trust/hostile.mjs';
import { kills } from './trust/kills.mjs';
import { levels } from './trust/levels.mjs';
import { partial } from './trust/partial.mjs';
import { signals } from './trust/signals.mjs';
import { soak } from './trust/soak.mjs';
import { readStanding, runTrial } from './trust/trial.mjs';
import { weights } from './trust/weights.mjs';

/** @type {Readonly<Record<string, import('./trust/trial.mjs').Trial>>} */
const TRIALS = {
  bombs,
  damage,
  hostile,
  kills,
  signals,
  soak,
  concurrency,
  determinism,
  levels,
  partial,
  weights,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    share: { type: 'string', default: '1' },
    fresh: { type: 'boolean', default: false },
    untimed: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
  },
});
const [name] = positionals;
const trial = name === undefined ? undefined : TRIALS[name];
if (values.table) {
  writeTable();
} else if (name === undefined || trial === undefined) {
  for (const [each, { promise }] of Object.entries(TRIALS)) {
    const standing = readStanding(each);
    const done = standing === undefined ? 'not begun' : `${standing.done} of ${standing.total}`;
    console.log(`${each}: ${done}. ${promise}`);
  }
  if (name !== undefined) {
    console.error(`trust: expected one of the trials above, got '${name}'`);
    process.exitCode = 2;
  }
} else {
  const standing = await runTrial(name, trial, {
    share: Number(values.share),
    fresh: values.fresh,
    untimed: values.untimed,
    onProgress: ({ done, total, counts, spentSeconds }) =>
      console.error(
        `${name}: ${done} of ${total}, ${counts.faults} faults, ${Math.round(spentSeconds)} s`,
      ),
  });
  for (const fault of standing.faults) console.log(fault);
  console.log(JSON.stringify({ name, ...standing, faults: standing.counts.faults }));
  if (standing.faults.length > 0) process.exitCode = 1;
}

/** Puts the records between the marks of docs/TRUST.md. */
function writeTable() {
  const file = join(ROOT, 'docs', 'TRUST.md');
  const page = readFileSync(file, 'utf8');
  const [before, rest = ''] = page.split(/(?<=<!-- figures[^\n]*-->\n)/);
  const after = rest.slice(rest.indexOf('<!-- end of figures'));
  const parts = Object.entries(TRIALS).map(([each, { promise }]) => {
    const standing = readStanding(each);
    const lines = standing === undefined ? ['Not run yet.'] : figuresOf(standing);
    return `### ${each}\n\n${promise}\n\n${lines.join('\n')}\n`;
  });
  writeFileSync(file, `${before}\n${parts.join('\n')}\n${after}`);
}

/** @param {import('./trust/trial.mjs').Standing} standing */
function figuresOf({ done, total, spentSeconds, date, commit, faults, counts, largest }) {
  const { faults: faultCount = 0, ...kinds } = counts;
  const number = (/** @type {number} */ value) => value.toLocaleString('en-GB');
  const list = (/** @type {Record<string, number>} */ record) =>
    Object.entries(record)
      .map(([key, value]) => `${key} ${number(value)}`)
      .join('; ');
  return [
    `**${number(done)} of ${number(total)} cases, ${number(faultCount)} faults** (${date}, ${commit}, ${number(Math.round(spentSeconds))} s).`,
    `Counts: ${list(kinds)}.`,
    ...(Object.keys(largest).length > 0 ? [`Largest: ${list(largest)}.`] : []),
    ...faults.map((fault) => `- ${fault}`),
  ];
}
