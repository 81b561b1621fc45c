/**
 * What a trial of trust is, and how it is run: in steps that can be interrupted and gone on with, spread over all its
 * cases, so that one per cent of it is a fair sample.
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, ROOT } from '../setup/shell.mjs';

/**
 * What one case showed.
 * @typedef {object} Outcome
 * @property {readonly string[]} [faults] what should not have been, a sentence each
 * @property {readonly string[]} [late] what took longer than promised: a fault too, but no test may fail for it
 * @property {Readonly<Record<string, number>>} [counts] added up over all cases
 * @property {Readonly<Record<string, number>>} [largest] the largest of all cases is kept
 */

/**
 * @typedef {object} Trial
 * @property {string} promise what holds if there is no fault, in one sentence
 * @property {() => Promise<Prepared>} prepare
 */

/**
 * @typedef {object} Prepared
 * @property {number} total cases of a whole run
 * @property {(index: number) => Promise<Outcome>} runCase 0 to total - 1, in any order
 * @property {() => Promise<Outcome>} [conclude] what only all cases together show
 * @property {() => Promise<void>} [close]
 */

/**
 * What is known of a trial so far; kept in out/trust/NAME.json.
 * @typedef {object} Standing
 * @property {number} total
 * @property {number} done
 * @property {number} spentSeconds
 * @property {string[]} faults
 * @property {Record<string, number>} counts
 * @property {Record<string, number>} largest
 * @property {string} date of the last step
 * @property {string} commit of the last step
 */

/** Faults that are kept in words; the count goes on. */
const FAULTS_KEPT = 50;
const SAVE_EVERY_MS = 5000;

/** @param {string} name */
export function standingFile(name) {
  return join(ROOT, 'out', 'trust', `${name}.json`);
}

/**
 * @param {string} name
 * @returns {Standing | undefined}
 */
export function readStanding(name) {
  try {
    return JSON.parse(readFileSync(standingFile(name), 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Runs a trial up to a share of its cases, on from where an earlier call stopped.
 * @param {string} name
 * @param {Trial} trial
 * @param {{ share: number, fresh: boolean, untimed: boolean, onProgress: (standing: Standing) => void }} options
 *   `fresh` begins anew and keeps no record, `untimed` lets everything take its time: both for the tests
 * @returns {Promise<Standing>}
 */
export async function runTrial(name, trial, { share, fresh, untimed, onProgress }) {
  const { total, runCase, conclude, close } = await trial.prepare();
  const earlier = fresh ? undefined : readStanding(name);
  /** @type {Standing} */
  const standing =
    earlier?.total === total
      ? earlier
      : {
          total,
          done: 0,
          spentSeconds: 0,
          faults: [],
          counts: {},
          largest: {},
          date: '',
          commit: '',
        };
  const until = Math.max(1, Math.round(total * share));
  const stride = strideOf(total);
  const commit = ask('git', ['rev-parse', '--short', 'HEAD']) ?? 'no repository';
  const startMs = performance.now() - standing.spentSeconds * 1000;
  let savedMs = performance.now();
  const save = () => {
    standing.spentSeconds = (performance.now() - startMs) / 1000;
    standing.date = new Date().toISOString().slice(0, 10);
    standing.commit = commit;
    if (!fresh) {
      mkdirSync(join(ROOT, 'out', 'trust'), { recursive: true });
      writeFileSync(standingFile(name), `${JSON.stringify(standing, null, 2)}\n`);
    }
    savedMs = performance.now();
  };
  const add = (/** @type {Outcome} */ outcome) =>
    merge(standing, untimed ? { ...outcome, late: [] } : outcome);
  try {
    while (standing.done < until) {
      add(await runCase((standing.done * stride) % total));
      standing.done++;
      if (performance.now() - savedMs > SAVE_EVERY_MS) {
        save();
        onProgress(standing);
      }
    }
    if (conclude) add(await conclude());
    save();
  } finally {
    await close?.();
  }
  return standing;
}

/**
 * @param {Standing} standing
 * @param {Outcome} outcome
 */
function merge(standing, { faults = [], late = [], counts = {}, largest = {} }) {
  const all = [...faults, ...late];
  standing.faults.push(...all.slice(0, Math.max(0, FAULTS_KEPT - standing.faults.length)));
  for (const [key, value] of Object.entries({ ...counts, faults: all.length })) {
    standing.counts[key] = (standing.counts[key] ?? 0) + value;
  }
  for (const [key, value] of Object.entries(largest)) {
    standing.largest[key] = Math.max(standing.largest[key] ?? Number.NEGATIVE_INFINITY, value);
  }
}

/**
 * A step that visits every index once and leaves no long gap early on: near the golden section, and coprime.
 * @param {number} total
 */
function strideOf(total) {
  let stride = Math.max(1, Math.round(total * 0.618));
  while (greatestCommonDivisor(stride, total) !== 1) stride++;
  return stride;
}

/**
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * Random numbers that depend on the case alone, so that a fault can be seen again (mulberry32).
 * @param {number} seed
 * @returns {(below: number) => number} whole numbers from 0 to below - 1
 */
export function randomOf(seed) {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
