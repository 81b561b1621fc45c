/**
 * Knows whether a step's outputs are what its inputs would make again, by content, never by time:
 * a fresh checkout or a switched branch sets every file's time anew.
 * @module
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './shell.mjs';

/**
 * @typedef {object} Step
 * @property {string} name file name of the stamp
 * @property {readonly string[]} inputs files and folders, relative to the repository root; absent ones count as absent
 * @property {readonly string[]} outputs likewise
 * @property {string} [setting] whatever else the outputs depend on
 */

/**
 * True when the step ran on exactly these inputs and its outputs still are what it left.
 * @param {Step} step
 */
export function isFresh(step) {
  try {
    return readFileSync(stampPath(step), 'utf8') === state(step);
  } catch {
    return false;
  }
}

/**
 * To be called when the step has run. `inputsBefore` is `inputState` taken before it ran, so that an edit during a
 * long build is not mistaken for built.
 * @param {Step} step
 * @param {string} inputsBefore
 */
export function remember(step, inputsBefore) {
  mkdirSync(dirname(stampPath(step)), { recursive: true });
  writeFileSync(stampPath(step), `${inputsBefore}\n${fingerprint(step.outputs)}\n`);
}

/** @param {Step} step */
export function inputState(step) {
  return `${fingerprint(step.inputs)} ${step.setting ?? ''}`;
}

/** @param {Step} step */
function state(step) {
  return `${inputState(step)}\n${fingerprint(step.outputs)}\n`;
}

/** @param {Step} step */
function stampPath(step) {
  return join(ROOT, 'build', 'stamps', step.name);
}

/** @param {readonly string[]} paths */
function fingerprint(paths) {
  const hash = createHash('sha256');
  for (const path of paths) {
    for (const file of filesUnder(path)) {
      const content = readFileSync(join(ROOT, file));
      hash.update(`${file}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest('hex');
}

/**
 * @param {string} path relative to the repository root, with forward slashes
 * @returns {string[]} the files there in a fixed order; none when nothing is there
 */
export function filesUnder(path) {
  const stat = statSync(join(ROOT, path), { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [path];
  const names = readdirSync(join(ROOT, path)).sort();
  return names.flatMap((name) => filesUnder(`${path}/${name}`));
}
