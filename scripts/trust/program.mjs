/**
 * The program as another process, in a folder of its own.
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from '../setup/shell.mjs';

export const BIN = join(ROOT, 'bin', 'vaerans.js');

/**
 * @param {readonly string[]} args
 * @param {string} folder
 */
export function start(args, folder) {
  const child = spawn(process.execPath, [BIN, ...args], { cwd: folder });
  const said = { stderr: '' };
  child.stderr.on('data', (chunk) => {
    said.stderr += chunk;
  });
  const closed = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  return { child, said, closed };
}

/**
 * @param {readonly string[]} args
 * @param {string} folder
 * @returns {Promise<{ code: number | null, stderr: string }>}
 */
export async function finish(args, folder) {
  const { child, said, closed } = start(args, folder);
  child.stdout.resume();
  const { code } = await closed;
  return { code, stderr: said.stderr };
}
