import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { craftTinyDecoder, craftTinyEncoder, safetensors } from '../modelkit/craft.js';
import { PICTURE_PNG, Place, ROOT } from './command.js';

const place = new Place();
beforeAll(async () => {
  place.write('encoder.safetensors', safetensors(craftTinyEncoder(4, 4)));
  place.write('decoder.safetensors', safetensors(craftTinyDecoder(4, 4)));
  place.write('in.png', await PICTURE_PNG);
  mkdirSync(place.path('photos'));
  cpSync(join(ROOT, 'examples/pictures/scene-left.png'), place.path('photos/a.png'));
});
afterAll(() => place.remove());

const json = (stdout: Buffer) => JSON.parse(stdout.toString());

describe('models', () => {
  it('are imported, listed, told of, checked and coded with', () => {
    const files = ['encoder.safetensors', 'decoder.safetensors'];
    const imported = place.run(['models', 'import', ...files, '--name', 'mine', '--json']);
    expect([imported.stderr, imported.code]).toEqual(['', 0]);
    const { modelId } = json(imported.stdout);
    const listed = json(place.run(['models', 'list', '--json']).stdout).models;
    expect(listed).toContainEqual(expect.objectContaining({ name: 'mine', modelId }));
    expect(place.run(['models', 'info', 'mine']).stdout.toString()).toContain(modelId);
    const coded = place.run(['compress', 'in.png', 'out.vae', '--model', 'mine']);
    expect([coded.stderr, coded.code]).toEqual([expect.any(String), 0]);
    expect(place.run(['decompress', 'out.vae', 'back.png', '--quiet']).code).toBe(0);
  }, 120_000);

  it('that a file asks for and that are not installed end with code 7 and the way to get them', () => {
    const empty = { VAERANS_HOME: place.path('nowhere') };
    const { code, stderr } = place.run(['decompress', 'out.vae', 'other.png'], { env: empty });
    expect(code).toBe(7);
    expect(stderr).toMatch(/'mine' with id [0-9a-f]{16}.*vaerans models pull URL/);
  });

  it('are tuned, exported and taken in again under another name', () => {
    const tune = ['models', 'tune', 'mine', '--images', 'photos', '--crop', '64', '--steps', '0'];
    const tuned = place.run([...tune, '--json']);
    expect(tuned.code).toBe(0);
    expect(json(tuned.stdout).rates).toHaveLength(9);
    expect(place.run(['models', 'export', 'mine', '-o', 'mine.tar']).code).toBe(0);
    expect(readFileSync(place.path('mine.tar')).length).toBeGreaterThan(10_000);
    const again = ['models', 'export', 'mine', '-o', 'mine.tar'];
    expect(place.run(again).code).toBe(2);
    expect(place.run(['models', 'import', 'mine.tar', '--name', 'theirs']).code).toBe(0);
    // Random weights make no picture, and that is all that is wrong with them.
    const checked = place.run(['models', 'check', 'theirs', '--json']);
    const failed = json(checked.stdout).checks.filter(({ holds }: { holds: boolean }) => !holds);
    expect(failed).toMatchObject([{ name: 'there and back' }]);
    expect(checked.code).toBe(7);
    expect(place.run(['models', 'check', 'fixture']).code).toBe(0);
    // The file of before tuning still decodes: the version that made it was kept.
    expect(place.run(['decompress', 'out.vae', 'still.png', '--quiet']).code).toBe(0);
    expect(place.run(['models', 'remove', 'mine', '--json']).code).toBe(0);
    expect(place.run(['decompress', 'out.vae', 'gone.png', '--quiet']).code).toBe(7);
  }, 120_000);

  it('are shrunk, profiled and timed', () => {
    const shrink = ['models', 'shrink', 'theirs', '--int8', '--as', 'small', '--max-loss', '100'];
    expect(place.run([...shrink, '--json']).code).toBe(0);
    const refused = place.run(['models', 'shrink', 'theirs', '--as', 'other']);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--fp16, --int8')]);
    const profile = json(
      place.run(['models', 'profile', 'small', '--side', '64', '--json']).stdout,
    );
    expect(profile.networks).toHaveLength(2);
    const bench = ['models', 'bench', 'small', '--sides', '64', '--runs', '2', '--json'];
    expect(json(place.run(bench).stdout).rows).toHaveLength(2);
  }, 120_000);

  it('of weights that are a pickle are refused with the reason', () => {
    place.write('weights.ckpt', 'x');
    const { code, stderr } = place.run(['models', 'import', 'weights.ckpt', '--name', 'x']);
    expect(code).toBe(3);
    expect(stderr).toMatch(/pickle, which runs code/);
  });
});
