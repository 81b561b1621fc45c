/**
 * The program disturbed: signals at random times, pipes closed, slow and absent partners.
 * @module
 */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../setup/shell.mjs';
import { finish, start } from './program.mjs';
import { randomOf } from './trial.mjs';

const SIGNALS = 1000;
const PIPES = 1000;
const SLOW = 40;
const PROMISED_MS = 200;

/** @type {import('./trial.mjs').Trial} */
export const signals = {
  promise:
    'SIGINT and SIGTERM at any time end the program by that signal within 200 ms, a closed pipe with 141; nothing is said, no part of a file is left, and slow readers and writers lose nothing.',
  async prepare() {
    const folder = mkdtempSync(join(tmpdir(), 'vaerans-signals-'));
    copyFileSync(join(ROOT, 'fixtures', 'photo.png'), join(folder, 'in.png'));
    const startMs = performance.now();
    await finish(['compress', 'in.png', 'in.vae'], folder);
    /** A whole run, so that a random time falls anywhere in one. */
    const wholeMs = performance.now() - startMs;
    await finish(['decompress', 'in.vae', 'expected.ppm'], folder);
    const files = {
      vae: readFileSync(join(folder, 'in.vae')),
      ppm: readFileSync(join(folder, 'expected.ppm')),
    };
    return {
      total: SIGNALS + PIPES + SLOW,
      async runCase(index) {
        const random = randomOf(index);
        const atMs = (random(1000) / 1000) * wholeMs;
        const faults = [];
        let outcome;
        if (index < SIGNALS) {
          outcome = await interrupt(folder, index % 2 === 0 ? 'SIGINT' : 'SIGTERM', atMs);
        } else if (index < SIGNALS + PIPES) {
          outcome = await closePipe(folder, random(2) === 0 ? atMs : undefined);
        } else if (index % 2 === 0) {
          outcome = await feedSlowly(folder, files.vae, files.ppm);
        } else {
          outcome = await withoutInput(folder);
        }
        const kept = ['in.png', 'in.vae', 'expected.ppm'];
        const left = readdirSync(folder).filter((name) => !kept.includes(name));
        for (const name of left) rmSync(join(folder, name));
        if (left.length > 0) faults.push(`${outcome.what}: left ${left.join(', ')}`);
        if (outcome.fault !== undefined) faults.push(`${outcome.what}: ${outcome.fault}`);
        const { what, delayMs = 0 } = outcome;
        return {
          faults,
          late: delayMs > PROMISED_MS ? [`${what}: ended after ${Math.round(delayMs)} ms`] : [],
          counts: { [outcome.kind]: 1 },
          largest: { 'milliseconds to the end': Math.round(delayMs) },
        };
      },
      close: async () => rmSync(folder, { recursive: true }),
    };
  },
};

/** @typedef {{ kind: string, what: string, fault?: string | undefined, delayMs?: number }} Ended */

/**
 * @param {string} folder
 * @param {'SIGINT' | 'SIGTERM'} signal
 * @param {number} atMs
 * @returns {Promise<Ended>}
 */
async function interrupt(folder, signal, atMs) {
  const { child, said, closed } = start(['compress', 'in.png', 'out.vae', '--quiet'], folder);
  await sleep(atMs);
  const isSent = child.exitCode === null && child.kill(signal);
  const sentMs = performance.now();
  const { code, signal: endedBy } = await closed;
  const delayMs = performance.now() - sentMs;
  const what = `${signal} after ${Math.round(atMs)} ms`;
  // The file may be there whole, when the signal came after it was renamed.
  if (existsSync(join(folder, 'out.vae'))) {
    const { code: sound } = await finish(['info', 'out.vae'], folder);
    if (sound === 0) rmSync(join(folder, 'out.vae'));
  }
  if (!isSent || code === 0) return { kind: 'signal came too late', what };
  let fault;
  if (endedBy !== signal) fault = `ended by ${endedBy ?? code}`;
  else if (said.stderr !== '') fault = `said ${said.stderr.trim()}`;
  return { kind: 'signal', what, fault, delayMs };
}

/**
 * @param {string} folder
 * @param {number | undefined} atMs with the first bytes where left out
 * @returns {Promise<Ended>}
 */
async function closePipe(folder, atMs) {
  const args = ['decompress', 'in.vae', '-', '--format', 'ppm', '--quiet'];
  const { child, said, closed } = start(args, folder);
  if (atMs === undefined) {
    await new Promise((resolve) => child.stdout.once('readable', () => resolve(undefined)));
  } else {
    await sleep(atMs);
  }
  child.stdout.destroy();
  const { code } = await closed;
  const what = `pipe closed ${atMs === undefined ? 'at the first bytes' : `after ${Math.round(atMs)} ms`}`;
  // With 0 the picture was out before the pipe was closed.
  if (code === 0) return { kind: 'pipe closed too late', what };
  let fault;
  if (code !== 141) fault = `ended with ${code}`;
  else if (said.stderr !== '') fault = `said ${said.stderr.trim()}`;
  return { kind: 'pipe closed', what, fault };
}

/**
 * @param {string} folder
 * @param {Uint8Array} vae
 * @param {Buffer} expected
 * @returns {Promise<Ended>}
 */
async function feedSlowly(folder, vae, expected) {
  const what = 'slow writer and slow reader';
  const { child, closed } = start(['decompress', '-', '-', '--format', 'ppm', '--quiet'], folder);
  const read = (async () => {
    const chunks = [];
    for await (const chunk of child.stdout) {
      chunks.push(chunk);
      await sleep(2);
    }
    return Buffer.concat(chunks);
  })();
  const partBytes = Math.ceil(vae.length / 20);
  for (let at = 0; at < vae.length; at += partBytes) {
    child.stdin.write(vae.subarray(at, at + partBytes));
    await sleep(10);
  }
  child.stdin.end();
  const [{ code }, got] = await Promise.all([closed, read]);
  if (code !== 0) return { kind: 'slow partners', what, fault: `ended with ${code}` };
  const fault = got.equals(expected) ? undefined : `gave ${got.length} other bytes`;
  return { kind: 'slow partners', what, fault };
}

/**
 * @param {string} folder
 * @returns {Promise<Ended>}
 */
async function withoutInput(folder) {
  const what = 'standard input closed';
  const { child, said, closed } = start(['decompress', '-', '-', '--quiet'], folder);
  child.stdin.end();
  child.stdout.resume();
  const { code } = await closed;
  const isTold = code === 5 && said.stderr.trim().split('\n').length === 1;
  const fault = isTold ? undefined : `ended with ${code}, said ${said.stderr.trim()}`;
  return { kind: 'no input', what, fault };
}
