import { linkSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { platform } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BMP_START, PICTURE_PNG, Place } from './command.js';

const FIXTURE = ['--model', 'fixture'];

let place: Place;
beforeEach(() => {
  place = new Place();
  place.write('in.png', PICTURE_PNG);
});
afterEach(() => place.remove());

const text = (name: string) => readFileSync(place.path(name), 'utf8');

describe('an output that exists', () => {
  beforeEach(() => place.write('in.vae', 'precious'));

  it('is not touched unasked', () => {
    const { code, stderr } = place.run(['compress', 'in.png', ...FIXTURE]);
    expect(stderr).toMatch(
      /^vaerans: write: expected no file yet, got 'in\.vae'; -f overwrites it/,
    );
    expect(code).toBe(2);
    expect(text('in.vae')).toBe('precious');
  });

  it('is overwritten with --force', () => {
    expect(place.run(['compress', 'in.png', '-f', ...FIXTURE]).code).toBe(0);
    expect(text('in.vae').slice(0, 3)).toBe('VAE');
  });

  it('is passed over with --skip-existing, which the exit code tells', () => {
    const { code, stderr } = place.run(['compress', 'in.png', '--skip-existing', ...FIXTURE]);
    expect(stderr).toMatch(/^vaerans: in\.png: skipped/);
    expect(code).toBe(3);
    expect(text('in.vae')).toBe('precious');
  });

  it('is not both overwritten and passed over', () => {
    expect(place.run(['compress', 'in.png', '-f', '--skip-existing']).code).toBe(2);
  });

  it('keeps what it was when the work fails, even with --force', () => {
    place.write('torn.png', PICTURE_PNG.subarray(0, 100));
    expect(place.run(['compress', 'torn.png', 'in.vae', '-f', ...FIXTURE]).code).toBe(5);
    expect(text('in.vae')).toBe('precious');
    expect(place.files()).toEqual(['in.png', 'in.vae', 'torn.png']);
  });
});

describe('an output that is the input', () => {
  it.each([
    ['by the same name', () => 'in.png'],
    ['by another spelling', () => './sub/../in.png'],
    [
      'by a symbolic link',
      () => {
        symlinkSync(place.path('in.png'), place.path('soft.vae'));
        return 'soft.vae';
      },
    ],
    [
      'by a hard link',
      () => {
        linkSync(place.path('in.png'), place.path('hard.vae'));
        return 'hard.vae';
      },
    ],
  ])('is refused %s, even with --force', (_, name) => {
    mkdirSync(place.path('sub'));
    for (const flags of [[], ['-f'], ['--skip-existing']]) {
      const ended = place.run(['compress', 'in.png', '-o', name(), ...flags, ...FIXTURE]);
      expect(ended.stderr).toMatch(/expected an output that is no input/);
      expect(ended.code).toBe(2);
      place.remove();
      place = new Place();
      place.write('in.png', PICTURE_PNG);
      mkdirSync(place.path('sub'));
    }
  });
});

describe('a report', () => {
  it.each([
    ['--trace and an input', ['compress', 'in.png', 'in.vae', '--trace', 'soft.json']],
    ['--trace and an output', ['compress', 'in.png', 'in.vae', '--trace', './in.vae']],
    [
      '--trace and --files-from',
      ['compress', '--files-from', 'list', '--output-dir', 'o', '--trace', 'list'],
    ],
    ['--json and an input', ['bench', 'in.png', '--json', 'in.png']],
    ['--json and --against', ['bench', 'in.png', '--against', 'list', '--json', 'list']],
    ['--csv and --json', ['bench', 'in.png', '--json', 'x', '--csv', './x']],
    ['--csv and the rows of --json', ['bench', 'in.png', '--json', 'x', '--csv', 'x.rows']],
    ['--report and --json', ['bench', 'in.png', '--json', '--report', '-']],
    ['--output and an input', ['report', 'in.png', '-o', 'in.png']],
  ])('has a place of its own even with --force: different ones for %s', (names, args) => {
    symlinkSync(place.path('in.png'), place.path('soft.json'));
    place.write('list', 'in.png');
    const { code, stdout, stderr } = place.run([...args, '-f']);
    expect(stderr).toMatch(/^vaerans: write: expected different places for .* for both\n$/);
    expect(stderr).toContain(`for ${names}, got`);
    expect([code, stdout.length]).toEqual([2, 0]);
    expect(readFileSync(place.path('in.png')).equals(PICTURE_PNG)).toBe(true);
    expect(place.files().filter((name) => !name.startsWith('o/'))).toEqual([
      'in.png',
      'list',
      'soft.json',
    ]);
  });
});

describe('an output that is no file', () => {
  it('is refused when it is a folder', () => {
    mkdirSync(place.path('out.vae'));
    const { code, stderr } = place.run(['compress', 'in.png', 'out.vae', '-f', ...FIXTURE]);
    expect(stderr).toMatch(/got a folder: 'out\.vae'/);
    expect(code).toBe(2);
  });

  it.skipIf(platform() === 'win32')(
    'is refused when it is a device, which would be replaced',
    () => {
      const { code, stderr } = place.run([
        'compress',
        'in.png',
        '-o',
        '/dev/null',
        '-f',
        ...FIXTURE,
      ]);
      expect(stderr).toMatch(/got a device or pipe: '\/dev\/null'/);
      expect(code).toBe(2);
    },
  );
});

describe('a whole run', () => {
  it('writes its output and nothing else: no device id, no cache of the model runtime', () => {
    const before = place.files();
    // The runtime collects nothing where it finds itself in CI, which would hide what it does elsewhere.
    const env = { CI: '', ORT_DISABLE_TELEMETRY: undefined };
    expect(place.run(['compress', 'in.png', 'one.vae', ...FIXTURE], { env }).code).toBe(0);
    expect(place.files()).toEqual([...before, 'one.vae'].sort());
  });
});

describe('several inputs', () => {
  it('go to --output-dir as a tree, whose folders are made', () => {
    place.write('photos/a.png', PICTURE_PNG);
    place.write('photos/deep/b.PNG', PICTURE_PNG);
    place.write('photos/deep/notes.txt', 'no picture');
    const made = place.run(['compress', '-r', 'photos', 'in.png', '--output-dir', 'o', ...FIXTURE]);
    expect(made.stderr).toMatch(/^3 done, 0 skipped, 0 failed$/m);
    expect(made.code).toBe(0);
    const outputs = place.files().filter((name) => name.startsWith('o/'));
    expect(outputs).toEqual(['o/a.vae', 'o/deep/b.vae', 'o/in.vae']);
    expect(place.run(['decompress', '-r', 'o', '--output-dir', 'p', '--format', 'ppm']).code).toBe(
      0,
    );
    expect(place.files().filter((name) => name.startsWith('p/'))).toEqual([
      'p/a.ppm',
      'p/deep/b.ppm',
      'p/in.ppm',
    ]);
  });

  it('four at a time give the files and the report that one at a time gives', () => {
    const inputs = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) =>
      place.write(`${name}.png`, PICTURE_PNG),
    );
    place.write('bad.png', 'broken');
    const outputs = (folder: string) =>
      inputs.map((name) => readFileSync(place.path(folder, name.replace('png', 'vae'))));
    const run = (folder: string, jobs: string) =>
      place.run(['compress', 'bad.png', ...inputs, '--output-dir', folder, '-j', jobs, ...FIXTURE]);
    const alone = run('alone', '1');
    const together = run('together', '4');
    for (const { code, stderr } of [alone, together]) {
      expect(stderr).toMatch(/^6 done, 0 skipped, 1 failed$/m);
      expect(code).toBe(4);
    }
    expect(outputs('together')).toEqual(outputs('alone'));
  });

  it('do not stop at one that fails or is not handled', () => {
    place.write('a.png', 'broken');
    place.write('b.bmp', BMP_START);
    const args = ['compress', 'a.png', 'b.bmp', 'in.png', '--output-dir', 'o', ...FIXTURE];
    const { code, stdout, stderr } = place.run([...args, '--json']);
    expect(code).toBe(4);
    expect(stderr).toMatch(/^vaerans: a\.png: image: expected PNG/m);
    const lines = stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      {
        schema: 'vaerans.compress/1',
        input: 'a.png',
        error: { code: 'format', message: expect.any(String), exitCode: 5 },
      },
      {
        schema: 'vaerans.compress/1',
        input: 'b.bmp',
        error: { code: 'unsupported', message: expect.any(String), exitCode: 3 },
      },
      expect.objectContaining({ schema: 'vaerans.compress/1', output: 'o/in.vae' }),
      { schema: 'vaerans.summary/1', done: 1, skipped: 1, failed: 1 },
    ]);
    const rest = place.run(args.toSpliced(1, 1).concat('-f'));
    expect([rest.code, rest.stderr.split('\n').at(-2)]).toEqual([3, '1 done, 1 skipped, 0 failed']);
  });

  it('stop when all of them would fail', () => {
    const args = ['compress', 'in.png', 'in2.png', '--output-dir', 'o', '--model', 'absent'];
    expect(place.run(args).code).toBe(7);
  });

  it('that would have one output are refused before any work', () => {
    place.write('sub/in.png', PICTURE_PNG);
    const args = ['compress', 'in.png', 'sub/in.png', '--output-dir', 'o', '-f', ...FIXTURE];
    const { code, stderr } = place.run(args);
    expect(stderr).toMatch(/expected an output for each input, got 'o\/in\.vae' for 'in\.png' and/);
    expect(code).toBe(2);
    expect(place.files()).toEqual(['in.png', 'sub/in.png']);
  });

  it('whose output is another input are refused before any work', () => {
    place.write('o/in.vae', PICTURE_PNG);
    const args = ['compress', 'in.png', 'o/in.vae', '--output-dir', 'o', '-f', ...FIXTURE];
    expect(place.run(args).code).toBe(2);
    expect(readFileSync(place.path('o/in.vae')).equals(PICTURE_PNG)).toBe(true);
  });
});
