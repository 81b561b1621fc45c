/**
 * Disturbs the program at random times: `node scripts/disturb.mjs [count]` sends so many signals and closes so many
 * pipes (200 of each), and holds what is left to what is promised: the right end, soon, nothing said, nothing left.
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = join(import.meta.dirname, '..');
const BIN = join(ROOT, 'bin', 'vaerans.js');
const PROMISED_MS = 200;
const count = Number(process.argv[2] ?? 200);
const folder = mkdtempSync(join(tmpdir(), 'vaerans-disturb-'));
copyFileSync(join(ROOT, 'fixtures', 'photo.png'), join(folder, 'in.png'));
const startMs = performance.now();
spawnSync(process.execPath, [BIN, 'compress', 'in.png', 'in.vae'], { cwd: folder });
/** A whole run, so that a random time falls anywhere in one. */
const wholeMs = performance.now() - startMs;

/** @type {string[]} */
const faults = [];
/** @type {number[]} */
const delaysMs = [];
let finished = 0;

/** @param {string[]} args */
function start(args) {
  const child = spawn(process.execPath, [BIN, ...args], { cwd: folder });
  const said = { stderr: '' };
  child.stderr.on('data', (chunk) => {
    said.stderr += chunk;
  });
  return { child, said };
}

/** @param {string} what */
function checkFolder(what) {
  const left = readdirSync(folder).filter((name) => !['in.png', 'in.vae'].includes(name));
  for (const name of left) rmSync(join(folder, name));
  if (left.length > 0) faults.push(`${what}: left ${left.join(', ')}`);
}

/** @param {NodeJS.Signals} signal */
async function interrupt(signal) {
  const { child, said } = start(['compress', 'in.png', 'out.vae', '--quiet']);
  const closed = once(child, 'close');
  const atMs = Math.random() * wholeMs;
  await sleep(atMs);
  const isRunning = child.exitCode === null && child.kill(signal);
  const sentMs = performance.now();
  const [code, endedBy] = await closed;
  const what = `${signal} after ${Math.round(atMs)} ms`;
  if (!isRunning || code === 0) {
    finished++;
    rmSync(join(folder, 'out.vae'), { force: true });
    return;
  }
  delaysMs.push(performance.now() - sentMs);
  if (endedBy !== signal) faults.push(`${what}: ended by ${endedBy ?? code}`);
  if (said.stderr !== '') faults.push(`${what}: said ${said.stderr.trim()}`);
  // The file may be there whole, when the signal came after it was renamed.
  if (existsSync(join(folder, 'out.vae'))) {
    const { status } = spawnSync(process.execPath, [BIN, 'info', 'out.vae'], { cwd: folder });
    if (status === 0) rmSync(join(folder, 'out.vae'));
  }
  checkFolder(what);
}

async function closePipe() {
  const { child, said } = start(['decompress', 'in.vae', '-', '--format', 'ppm', '--quiet']);
  const closed = once(child, 'close');
  if (Math.random() < 0.5) await sleep(Math.random() * wholeMs);
  else await once(child.stdout, 'readable');
  child.stdout.destroy();
  const [code] = await closed;
  // With 0 the picture was out before the pipe was closed.
  if (code === 0) finished++;
  else if (code !== 141) faults.push(`closed pipe: ended with ${code}`);
  if (said.stderr !== '') faults.push(`closed pipe: said ${said.stderr.trim()}`);
  checkFolder('closed pipe');
}

for (let i = 0; i < count; i++) await interrupt(i % 2 === 0 ? 'SIGINT' : 'SIGTERM');
for (let i = 0; i < count; i++) await closePipe();
rmSync(folder, { recursive: true });

delaysMs.sort((a, b) => a - b);
const slowestMs = delaysMs.at(-1) ?? 0;
const late = delaysMs.filter((delayMs) => delayMs > PROMISED_MS).length;
for (const fault of faults) console.log(fault);
console.log(
  `${count} signals and ${count} closed pipes, ${finished} of which came too late to disturb: ${faults.length} faults; ` +
    `ended within ${Math.round(delaysMs[Math.floor(delaysMs.length / 2)] ?? 0)} ms (median), ${Math.round(slowestMs)} ms (slowest), ${late} over ${PROMISED_MS} ms`,
);
if (faults.length > 0 || late > 0) process.exitCode = 1;
