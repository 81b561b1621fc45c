import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('the bench of the kernels runs, all of which it calls once', async () => {
  const { stdout } = await promisify(execFile)('node', ['benches/core.mjs', 'restore_rgb8']);
  expect(stdout).toMatch(/^restore_rgb8 +\d+ MB\/s +\d+ MB\/s +\d+ MB\/s/m);
}, 60_000);
