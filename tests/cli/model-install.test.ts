import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exportModel } from '#src/modelkit/package.js';
import { describeModel } from '#src/modelkit/store.js';
import { type Ended, Place } from './command.js';

const place = new Place();
const MODELS = place.path('home', 'models');
const IMPORT = ['models', 'import', 'model.tar', '--name', 'mine'];
beforeAll(async () => {
  place.write('model.tar', (await exportModel('fixture', {})).bytes);
});
afterAll(() => place.remove());
beforeEach(() => {
  rmSync(MODELS, { recursive: true, force: true });
  expect(run(IMPORT)).toMatchObject({ code: 0, stderr: '' });
});

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Ended {
  return place.run(args, { env: { VAERANS_HOME: place.path('home'), ...env } });
}

function disturbed(args: readonly string[], trouble: string): Ended {
  const hook = join(import.meta.dirname, 'disturb-install.mjs');
  return run(args, { NODE_OPTIONS: `--import=${hook}`, DISTURB: trouble });
}

function leftovers(): string[] {
  return readdirSync(MODELS).filter((name) => !['mine', '.versions'].includes(name));
}

describe('installing a model', () => {
  it.each([
    ['while its files are written', 'writeFile 1 SIGINT'],
    ['between the old one and the new', 'rename 2 SIGTERM'],
  ])('leaves a whole model and nothing else when a signal comes %s', async (_, trouble) => {
    const [, , signal] = trouble.split(' ');
    expect(disturbed([...IMPORT, '--force'], trouble)).toMatchObject({ signal, stderr: '' });
    expect((await describeModel('mine', { modelsFolder: MODELS })).folder).toBe(
      join(MODELS, 'mine'),
    );
    expect(leftovers()).toEqual([]);
  });

  it('clears what a killed one left behind', () => {
    expect(disturbed([...IMPORT, '--force'], 'writeFile 1 SIGKILL').signal).toBe('SIGKILL');
    expect(leftovers()).toHaveLength(1);
    expect(run([...IMPORT, '--force']).code).toBe(0);
    expect(leftovers()).toEqual([]);
  });

  it('puts the old one back when the new one cannot take its place', async () => {
    const { code, stderr } = disturbed([...IMPORT, '--force'], 'rename 2 ENOSPC');
    expect([code, stderr]).toEqual([
      9,
      `vaerans: models: expected to write '${join(MODELS, 'mine')}', got a full disk\n`,
    ]);
    expect((await describeModel('mine', { modelsFolder: MODELS })).folder).toBe(
      join(MODELS, 'mine'),
    );
    expect(leftovers()).toEqual([]);
  });
});

describe('a model whose manifest does not hold', () => {
  const damage = () => writeFileSync(join(MODELS, 'mine', 'manifest.json'), '{');
  beforeEach(damage);

  it('keeps its name until it is replaced by force', () => {
    const { code, stderr } = run(IMPORT);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/'mine'.*--force replaces it\n$/)]);
    expect(run([...IMPORT, '--force'])).toMatchObject({ code: 0, stderr: '' });
    expect(run(['models', 'info', 'mine']).code).toBe(0);
  }, 120_000);

  it('is removed with all that was kept under its name', () => {
    expect(run([...IMPORT, '--force']).code).toBe(0);
    damage();
    expect(run(['models', 'remove', 'mine'])).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(MODELS)).toEqual(['.versions']);
    expect(readdirSync(join(MODELS, '.versions', 'mine'))).toEqual([]);
    expect(run(['models', 'remove', 'mine']).code).toBe(7);
  }, 120_000);
});

it.each([
  [IMPORT],
  [['models', 'pull', 'http://127.0.0.1:9/model.tar', '--sha256', '0'.repeat(64)]],
])('%j says that there is no folder for models, with code 9', (args) => {
  place.write('file', '');
  const { code, stderr } = run(args, { VAERANS_HOME: place.path('file') });
  const expected = `got a file where a folder should be for '${place.path('file', 'models')}`;
  expect([code, stderr]).toEqual([9, expect.stringContaining(expected)]);
  expect(stderr).toMatch(/^vaerans: write: .*\n$/);
});
