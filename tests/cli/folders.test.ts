import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeImage } from '#src/image/write.js';
import { BIN, PICTURE_PNG, Place, picture } from './command.js';

const FIXTURE = ['--model', 'fixture', '--threads', '1'];

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.remove());

describe('inputs from a list', () => {
  it('are taken one a line, and keep their folders below the output folder', () => {
    place.write('a.png', PICTURE_PNG);
    place.write('deep/er/a.png', PICTURE_PNG);
    place.write('more/b.png', PICTURE_PNG);
    const list = 'a.png\r\n./deep/er/a.png\n\nmore\n';
    const args = ['compress', '--files-from', '-', '-r', '--output-dir', 'o', ...FIXTURE];
    expect(place.run(args, { input: list }).code).toBe(0);
    expect(place.files().filter((name) => name.startsWith('o/'))).toEqual([
      'o/a.vae',
      'o/deep/er/a.vae',
      'o/more/b.vae',
    ]);
  });

  it('may end with zero bytes, so that a name may hold a line end, which a note shows escaped', () => {
    place.write('two\nlines \u001b[31m.png', PICTURE_PNG);
    const args = ['compress', '--files-from', 'list', '-0', '--output-dir', 'o', ...FIXTURE];
    place.write('list', 'two\nlines \u001b[31m.png\0');
    const { code, stderr } = place.run(args);
    expect(code).toBe(0);
    expect(stderr).toContain('two\\x0alines \\x1b[31m.png -> o/two\\x0alines');
    expect(stderr.trim()).not.toContain('\n');
    const missing = place.run(['compress', 'not\u202ehere\u001b.png', '-o', 'x.vae']);
    expect(missing.stderr).toContain("'not\\u202ehere\\x1b.png'");
  });

  it.each([
    ['an empty list', '\n', [], 'got none in'],
    ['standard input in it', 'a.png\n-\n', [], "got '-'"],
  ])('are refused for %s', (_, input, more, message) => {
    const args = ['compress', '--files-from', '-', '--output-dir', 'o', ...more, ...FIXTURE];
    const { code, stderr } = place.run(args, { input });
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it('need a folder for the outputs, and no inputs at all are refused', () => {
    expect(place.run(['compress', '--files-from', '-']).stderr).toContain('expected --output-dir');
    for (const command of ['compress', 'decompress', 'test']) {
      const { code, stderr } = place.run([command]);
      expect([code, stderr]).toEqual([2, expect.stringContaining('got none')]);
    }
  });
});

describe('a target that one picture of several cannot meet', () => {
  it('is told with its name, and the others are coded', () => {
    const bytes = encodeImage(picture(1200, 900, 3), 'png');
    place.write('in/big.png', bytes);
    place.write('in/small.png', PICTURE_PNG);
    const args = ['compress', '-r', 'in', '--output-dir', 'o', '--target-size', '650', ...FIXTURE];
    const { code, stderr } = place.run(args);
    expect(stderr).toMatch(/in\/big\.png: compress: expected a target size of at least \d+ bytes/);
    expect(stderr).toMatch(/^1 done, 0 skipped, 1 failed$/m);
    expect([code, place.files().filter((name) => name.startsWith('o/'))]).toEqual([
      4,
      ['o/small.vae'],
    ]);
  });

  it('but what no input can be coded with is told once', () => {
    place.write('in/a.png', PICTURE_PNG);
    place.write('in/b.png', PICTURE_PNG);
    const args = ['compress', '-r', 'in', '--output-dir', 'o', '--tune', 'eye', ...FIXTURE];
    const { code, stderr } = place.run(args);
    expect([code, stderr.trim().split('\n')]).toEqual([2, [expect.stringMatching(/leave out/)]]);
  });
});

describe('a run over a folder that was broken off', () => {
  it('goes on with what is missing, and leaves what is whole alone', () => {
    for (const name of ['a', 'b', 'c']) place.write(`photos/${name}.png`, PICTURE_PNG);
    const args = ['compress', 'photos', '-r', '--output-dir', 'o', '--skip-existing', ...FIXTURE];
    expect(place.run(args).code).toBe(0);
    const whole = readFileSync(place.path('o/a.vae'));
    const { mtimeMs } = statSync(place.path('o/a.vae'));
    rmSync(place.path('o/b.vae'));
    const { code, stderr } = place.run(args);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^1 done, 2 skipped, 0 failed$/m);
    expect(readFileSync(place.path('o/b.vae'))).toEqual(whole);
    expect(statSync(place.path('o/a.vae')).mtimeMs).toBe(mtimeMs);
  });
});

describe('--rm', () => {
  it('removes what was compressed and decodes, and nothing that was not', () => {
    place.write('a.png', PICTURE_PNG);
    place.write('bad.png', 'broken');
    place.write('done.png', PICTURE_PNG);
    place.write('o/done.vae', 'there already');
    const args = ['compress', 'a.png', 'bad.png', 'done.png', '--output-dir', 'o', '--rm'];
    expect(place.run([...args, '--skip-existing', ...FIXTURE]).code).toBe(4);
    expect(place.files()).toEqual(['bad.png', 'done.png', 'o/a.vae', 'o/done.vae']);
  });

  it('is refused for pipes', () => {
    place.write('a.png', PICTURE_PNG);
    const { code, stderr } = place.run(['compress', 'a.png', '-', '--rm', ...FIXTURE]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("with --rm, got '-'")]);
    expect(place.files()).toEqual(['a.png']);
  });
});

describe('a pipe that is named like a file', () => {
  it.skipIf(process.platform === 'win32')(
    'is read to its end where a file is read in parts',
    () => {
      place.write('a.png', PICTURE_PNG);
      expect(place.run(['compress', 'a.png', ...FIXTURE]).code).toBe(0);
      for (const command of [
        ['test', '/dev/stdin'],
        ['decompress', '--region', '1,2,8,8', '/dev/stdin', 'part.ppm'],
        ['info', '/dev/stdin'],
      ]) {
        const words = [process.execPath, BIN, ...command];
        const line = `cat a.vae | ${words.map((word) => `'${word}'`).join(' ')}`;
        const ended = spawnSync('sh', ['-c', line], { cwd: place.folder, env: place.env });
        expect([command, ended.status, ended.stderr.toString()]).toEqual([
          command,
          0,
          expect.not.stringContaining('expected'),
        ]);
      }
      expect(place.files()).toContain('part.ppm');
    },
  );
});

describe('vaerans test', () => {
  it('tells sound files from damaged ones, in folders too, and writes nothing', () => {
    place.write('a.png', PICTURE_PNG);
    expect(place.run(['compress', 'a.png', ...FIXTURE]).code).toBe(0);
    const sound = readFileSync(place.path('a.vae'));
    place.write('files/good.vae', sound);
    place.write('files/cut.vae', sound.subarray(0, -1));
    const flipped = Buffer.from(sound);
    flipped[flipped.length - 1] = 255 - (flipped.at(-1) ?? 0);
    place.write('files/flipped.vae', flipped);
    place.write('files/other.txt', 'x');
    const before = place.files();
    const alone = place.run(['test', 'a.vae', '--json', ...FIXTURE]);
    expect(alone.code).toBe(0);
    expect(JSON.parse(alone.stdout.toString())).toMatchObject({
      schema: 'vaerans.test/1',
      input: 'a.vae',
      widthPx: 40,
      heightPx: 30,
      bytes: sound.length,
    });
    const all = place.run(['test', 'files', ...FIXTURE]);
    expect(all.code).toBe(4);
    expect(all.stderr).toMatch(/^1 done, 0 skipped, 2 failed$/m);
    expect(all.stderr).toContain('files/good.vae: sound, 40x30');
    expect(place.run(['test', 'files/cut.vae', ...FIXTURE]).code).toBe(5);
    expect(place.run(['test', '-', ...FIXTURE], { input: sound }).code).toBe(0);
    expect(place.files()).toEqual(before);
  });
});
