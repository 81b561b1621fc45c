// Preloaded with NODE_OPTIONS=--import: disturbs one call of node:fs/promises, which DISTURB names: `rename 2 SIGINT` sends
// that signal before the second call of `rename` does its work, `rename 2 ENOSPC` lets it fail.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const [name = '', which, trouble = ''] = (process.env.DISTURB ?? '').split(' ');
const calls = /** @type {any} */ (fs.promises);
const original = calls[name];
let count = 0;
calls[name] = async (/** @type {unknown[]} */ ...args) => {
  count += 1;
  if (count === Number(which)) {
    if (!trouble.startsWith('SIG')) throw Object.assign(new Error('disturbed'), { code: trouble });
    process.kill(process.pid, trouble);
    await sleep(50);
  }
  return await original(...args);
};
syncBuiltinESMExports();
