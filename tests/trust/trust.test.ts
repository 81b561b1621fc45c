import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
/** One per cent, but all of the bombs: they take a tenth of a second. */
const SHARES = {
  bombs: 1,
  concurrency: 0.01,
  damage: 0.01,
  determinism: 0.01,
  hostile: 0.01,
  kills: 0.01,
  levels: 0.05,
  partial: 0.01,
  signals: 0.01,
  soak: 0.01,
  weights: 0.01,
};

describe('a share of a trial of trust', () => {
  it.each(Object.entries(SHARES))(
    '%s shows no fault',
    (name, share) => {
      const args = ['scripts/trust.mjs', name, '--share', String(share), '--fresh', '--untimed'];
      const { status, stdout } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
      const lines = stdout.trim().split('\n');
      expect(lines.slice(0, -1)).toEqual([]);
      const standing = JSON.parse(lines.at(-1) ?? '{}');
      expect(standing).toMatchObject({ name, faults: 0 });
      expect(standing.done).toBeGreaterThanOrEqual(Math.floor(standing.total * share));
      expect(status).toBe(0);
      // On a busy machine a share takes a minute and more.
    },
    300_000,
  );
});
