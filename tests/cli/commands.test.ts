import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { psnr } from '#src/codec/quality.js';
import { readImageBytes } from '#src/image/read.js';
import { encodeImage } from '#src/image/write.js';
import { defaultLimits } from '#src/limits.js';
import { DEFAULT_TUNE } from '#src/models/tunes.js';
import { BIN, PICTURE_PNG, Place, picture, ROOT } from './command.js';

const FIXTURE = ['--model', 'fixture'];

let place: Place;
beforeAll(() => {
  place = new Place();
  place.write('in.png', PICTURE_PNG);
  expect(place.run(['compress', 'in.png', 'made.vae', ...FIXTURE]).code).toBe(0);
});
afterAll(() => place.remove());

const read = (name: string) => readFileSync(place.path(name));
const pixels = (bytes: Uint8Array) => readImageBytes(bytes, defaultLimits());

describe('compress and decompress', () => {
  it('bring the picture back, by files and by pipes alike', () => {
    const file = place.run(['compress', 'in.png', 'a.vae', '-q', '60']);
    expect(file.stderr).toMatch(
      /^in\.png -> a\.vae: 40x30, \d+ B, \d+\.\d{3} bpp, [\d.]+ ms encode \(cpu\)\n$/,
    );
    expect([file.code, file.stdout.length]).toEqual([0, 0]);
    const back = place.run(['decompress', 'a.vae', 'back.png']);
    expect(back.stderr).toMatch(/^a\.vae -> back\.png: 40x30, [\d.]+ ms decode \(cpu\)\n$/);

    const pipe = place.run(['compress', '-', '-', '-q', '60'], { input: PICTURE_PNG });
    expect(pipe.stdout.equals(read('a.vae'))).toBe(true);
    const pipeBack = place.run(['decompress', '-', 'piped.png'], { input: pipe.stdout });
    expect(pipeBack.code).toBe(0);
    expect(pixels(read('piped.png'))).toEqual(pixels(read('back.png')));
    expect(psnr(picture(), pixels(read('back.png')))).toBeGreaterThan(25);
  });

  it('take a part of a file, and the same bytes from rows of PPM as from a PNG', {
    timeout: 120_000,
  }, () => {
    const ppm = encodeImage(picture(), 'ppm');
    const pipe = place.run(['compress', '-', '-', ...FIXTURE], { input: ppm });
    expect(pipe.stdout.equals(read('made.vae'))).toBe(true);
    const args = ['--region', '5,6,20,10', '--json', ...FIXTURE];
    const part = place.run(['decompress', 'made.vae', 'part.ppm', ...args]);
    expect(JSON.parse(part.stdout.toString())).toMatchObject({
      widthPx: 20,
      heightPx: 10,
      inputBytes: pipe.stdout.length,
      bytes: read('part.ppm').length,
    });
    expect(place.run(['decompress', 'made.vae', 'all.ppm', ...FIXTURE]).code).toBe(0);
    const [all, small] = [pixels(read('all.ppm')), pixels(read('part.ppm'))];
    const row = (from: number) => all.data.subarray(from * 120 + 15, from * 120 + 75) as Uint8Array;
    const rows = Array.from({ length: 10 }, (_, y) => row(6 + y));
    expect(Buffer.concat(rows).equals(small.data as Uint8Array)).toBe(true);
    const scaled = place.run(['decompress', 'made.vae', 'small.ppm', '--scale', '1/4', ...FIXTURE]);
    expect(scaled.stderr).toMatch(/model 'fixture' has no preview/);
    expect(place.files()).not.toContain('small.ppm');
  });

  it('derive the names that are not given', () => {
    place.write('sub/photo.png', PICTURE_PNG);
    expect(place.run(['compress', 'sub/photo.png', ...FIXTURE]).code).toBe(0);
    expect(place.run(['decompress', 'sub/photo.vae', '--format', 'ppm']).code).toBe(0);
    expect(read('sub/photo.ppm').subarray(0, 2).toString()).toBe('P6');
  });

  it.each([
    ['png', '\x89PNG'],
    ['ppm', 'P6\n4'],
    ['pam', 'P7\nW'],
  ])('write %s to a pipe when asked', (format, start) => {
    const { stdout } = place.run(['decompress', 'made.vae', '-', '--format', format]);
    expect(stdout.subarray(0, 4).toString('latin1')).toBe(start);
    expect(pixels(stdout).widthPx).toBe(40);
  });

  it('write a PNG to a pipe when nothing is asked', () => {
    const { stdout } = place.run(['decompress', 'made.vae', '-']);
    expect(stdout.subarray(1, 4).toString()).toBe('PNG');
  });

  it('take fractions of a quality, which lie between whole ones', () => {
    const bytes = ['20', '20.5', '21'].map((quality) => {
      const { stdout } = place.run(['compress', 'in.png', '-', '-q', quality, ...FIXTURE]);
      return stdout.readUInt16LE(17);
    });
    expect(bytes[1]).toBeGreaterThan(bytes[0] ?? 0);
    expect(bytes[2]).toBeGreaterThan(bytes[1] ?? 0);
  });

  it('say nothing when told to be quiet', () => {
    const ended = place.run(['compress', 'in.png', 'quiet.vae', '--quiet', ...FIXTURE]);
    expect([ended.code, ended.stdout.length, ended.stderr]).toEqual([0, 0, '']);
  });

  it('report in JSON, with the name of its schema', () => {
    const made = place.run(['compress', 'in.png', 'json.vae', '--json', '-q', '30', ...FIXTURE]);
    const report = JSON.parse(made.stdout.toString());
    expect(report).toEqual({
      schema: 'vaerans.compress/1',
      input: 'in.png',
      output: 'json.vae',
      widthPx: 40,
      heightPx: 30,
      channels: 3,
      bitsPerSample: 8,
      quality: 30,
      mode: 'model',
      rate: expect.any(Number),
      bytes: read('json.vae').length,
      bitsPerPixel: (8 * read('json.vae').length) / 1200,
      ratio: 3600 / read('json.vae').length,
      encodeMs: expect.any(Number),
      provider: 'cpu',
      model: { name: 'fixture', id: expect.stringMatching(/^[0-9a-f]{16}$/) },
    });
    expect(made.stderr).toBe('');
    const usual = place.run([
      'compress',
      'in.png',
      'usual.vae',
      '--json',
      '--effort',
      '5',
      ...FIXTURE,
    ]);
    const { schema, quality, effort } = JSON.parse(usual.stdout.toString());
    expect([schema, quality, effort]).toEqual(['vaerans.compress/1', 60, undefined]);
    const back = place.run(['decompress', 'json.vae', 'json.png', '--json']);
    expect(JSON.parse(back.stdout.toString())).toMatchObject({
      schema: 'vaerans.decompress/1',
      format: 'png',
      inputBytes: report.bytes,
      bytes: read('json.png').length,
      model: report.model,
    });
  });

  it('tell with -v what every stage took, and write the same for a trace viewer', () => {
    const args = ['compress', 'in.png', 'v.vae', '-v', '--trace', 'trace.json', ...FIXTURE];
    const { stderr } = place.run(args);
    expect(stderr).toMatch(/^stage +wall ms +cpu ms/m);
    expect(stderr).toMatch(/^entropyEncode /m);
    const { traceEvents } = JSON.parse(read('trace.json').toString());
    expect(traceEvents.map((event: { name: string }) => event.name)).toContain('vaeEncode');
    expect(place.run(args.with(2, 'v2.vae')).code).toBe(2);
  });
});

describe('models', () => {
  it('are found by VAERANS_CONFIG, by vaerans.toml here, and in VAERANS_HOME', () => {
    const modelFiles = ['manifest.json', 'encoder.onnx', 'decoder.onnx'];
    for (const folder of ['mine', 'home/models/mine']) {
      for (const file of modelFiles) {
        place.copy(join(ROOT, 'models/fixture', file), join(folder, file));
      }
    }
    place.write('conf/my.toml', 'model = "own"\n[models.own]\npath = "../mine"\n');
    place.write('here/vaerans.toml', 'model = "own"\n[models.own]\npath = "../mine"\n');
    place.write('here/in.png', PICTURE_PNG);
    const made = read('made.vae');
    const withConfig = place.run(['compress', 'in.png', '-'], {
      env: { VAERANS_CONFIG: 'conf/my.toml' },
    });
    expect(withConfig.stdout.equals(made)).toBe(true);
    const withHome = place.run(['compress', 'in.png', '-', '--model', 'mine'], {
      env: { VAERANS_HOME: 'home' },
    });
    expect(withHome.stdout.equals(made)).toBe(true);
    const here = new Place();
    for (const file of modelFiles) here.copy(place.path('mine', file), join('mine', file));
    here.write('vaerans.toml', 'model = "own"\n[models.own]\npath = "mine"\n');
    here.write('in.png', PICTURE_PNG);
    expect(here.run(['compress', 'in.png', '-']).stdout.equals(made)).toBe(true);
    here.remove();
  });
});

describe('memory', () => {
  it.each([
    ['compress', ['in.png', 'none.vae', ...FIXTURE]],
    ['decompress', ['made.vae', 'none.png']],
    ['test', ['made.vae']],
  ])(
    'of %s is bounded by vaerans.toml, shared by inputs in flight, a flag before it',
    (name, args) => {
      place.write('small.toml', 'max_memory = "1K"\n');
      const run = (...more: string[]) =>
        place.run([name, ...args, ...more], { env: { VAERANS_CONFIG: 'small.toml' } });
      const { code, stderr } = run('-j', '4');
      expect(stderr).toMatch(/expected .*at most 256 bytes, got .*; raise it with --max-memory/);
      expect(code).toBe(6);
      expect(run('--max-memory', '1G').code).toBe(0);
    },
  );
});

describe('a tune', () => {
  it('is taken from the flag, then from vaerans.toml, and told of everywhere', () => {
    const tuneOf = (file: string) =>
      JSON.parse(place.run(['info', file, '--json']).stdout.toString()).tune;
    place.write('eye.toml', '[compress]\ntune = "eye"\n');
    const env = { VAERANS_CONFIG: 'eye.toml' };
    const json = place.run(['compress', 'in.png', 'psnr.vae', '--tune', 'psnr', '--json'], { env });
    expect(JSON.parse(json.stdout.toString()).model).toMatchObject({ name: 'psnr', tune: 'psnr' });
    expect(place.run(['compress', 'in.png', 'eye.vae'], { env }).code).toBe(0);
    expect([tuneOf('psnr.vae'), tuneOf('eye.vae'), tuneOf('made.vae')]).toEqual([
      'psnr',
      'eye',
      undefined,
    ]);
    const told = place.run(['info', 'eye.vae']).stdout.toString();
    expect(told).toMatch(/^model +eye, id [0-9a-f]{16}$/m);
    expect(place.run(['decompress', 'eye.vae', 'eye.png']).code).toBe(0);
    // A model that is asked for goes before what the configuration says.
    const other = place.run(['compress', 'in.png', '-', ...FIXTURE], { env });
    expect(other.stdout.equals(read('made.vae'))).toBe(true);
    const list = place.run(['models', 'list']).stdout.toString();
    expect(list).toMatch(/^psnr .* psnr +embedded$/m);
    expect(list).toMatch(/^eye .* eye +embedded$/m);
  });

  it('that there is not, or that is not the model’s, is a usage error', () => {
    const unknown = place.run(['compress', 'in.png', 'x.vae', '--tune', 'ear']);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringMatching(/psnr, eye/)]);
    const other = place.run(['compress', 'in.png', 'x.vae', '--tune', 'eye', ...FIXTURE]);
    expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/leave out the model/)]);
  });
});

describe('info', () => {
  it('tells a person and a program', () => {
    const { code, stdout } = place.run(['info', 'made.vae']);
    expect(code).toBe(0);
    expect(stdout.toString()).toMatch(/^size +40x30, RGB, 8 bits$/m);
    expect(stdout.toString()).toMatch(/^model +fixture, id [0-9a-f]{16}$/m);
    const json = JSON.parse(place.run(['info', 'made.vae', '--json']).stdout.toString());
    expect(json).toMatchObject({
      schema: 'vaerans.info/1',
      input: 'made.vae',
      widthPx: 40,
      byteLength: read('made.vae').length,
    });
  });

  it('reads from a pipe', () => {
    const { stdout } = place.run(['info', '-', '--json'], { input: read('made.vae') });
    expect(JSON.parse(stdout.toString())).toMatchObject({ input: '-', modelName: 'fixture' });
  });

  it('goes on after a file that is none', () => {
    const { code, stdout, stderr } = place.run(['info', 'in.png', 'made.vae']);
    expect(code).toBe(4);
    expect(stderr).toMatch(/^vaerans: in\.png: container: expected a \.vae file/);
    expect(stdout.toString()).toMatch(/^file +made\.vae$/m);
  });
});

describe('what is loaded', () => {
  const hook = join(import.meta.dirname, 'record-loading.mjs');
  const recorded = (args: string[]): string[] => {
    place.write('loaded.txt', '');
    const env = { NODE_OPTIONS: `--import=${hook}`, RECORD_TO: place.path('loaded.txt') };
    expect(place.run(args, { env }).code).toBe(0);
    return read('loaded.txt').toString().trim().split('\n');
  };
  const HEAVY =
    /\.wasm$|\/models\/(?!(?:quality|reach|tunes)\.js)|onnxruntime|\/zod\/|pngjs|smol-toml|cli-progress|WebAssembly/;

  it.each([[['info', 'made.vae']], [['--version']], [['compress', '--help']]])(
    'by %j is neither WASM, nor a model, nor a library for them',
    (args) => {
      const loaded = recorded(args);
      expect(loaded.some((name) => name.endsWith('commander/index.js'))).toBe(true);
      // Asking whether SIMD would work compiles nothing.
      const built = loaded.filter((name) => name !== 'WebAssembly.validate');
      expect(built.filter((name) => HEAVY.test(name))).toEqual([]);
    },
  );

  it('by --version is under 75 modules, which is what starting costs', () => {
    // How long that takes beside Node itself is told by `npm run bench:start`.
    const modules = recorded(['--version']).filter((name) => /\/.*\.m?js$/.test(name));
    const names = new Set(modules.map((name) => name.replace('file://', '')));
    expect([...names].some((name) => name.endsWith('dist/cli/version.js'))).toBe(true);
    expect(names.size).toBeLessThan(75);
  });

  it('by compress is all of it, as the recorder sees', () => {
    const loaded = recorded(['compress', 'in.png', 'recorded.vae', ...FIXTURE]);
    for (const name of [/\.wasm$/, /models\/fixture\/manifest\.json$/, /\/zod\//, /pngjs/]) {
      expect(loaded.some((line) => name.test(line))).toBe(true);
    }
  });
});

describe('--version', () => {
  it('names program, format, core and runtime', () => {
    const { dependencies, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const { code, stdout } = place.run(['--version']);
    expect(code).toBe(0);
    expect(stdout.toString()).toBe(
      `vaerans ${version} (.vae format 1.0, WASM core simd, onnxruntime ${dependencies['onnxruntime-node']})\n`,
    );
    expect(JSON.parse(place.run(['--version', '--json']).stdout.toString())).toMatchObject({
      schema: 'vaerans.version/1',
      vaerans: version,
    });
  });
});

describe('doctor', () => {
  it('says what loads, and that the CPU does', () => {
    const { code, stdout } = place.run(['doctor', '--json']);
    expect(code).toBe(0);
    const { schema, providers, model } = JSON.parse(stdout.toString());
    expect([schema, model.name]).toEqual(['vaerans.doctor/1', DEFAULT_TUNE]);
    expect(providers[0]).toEqual({ provider: 'cpu', loads: true });
  });

  it('tells a person the same, a line each', () => {
    const { code, stdout } = place.run(['doctor', '--model', 'fixture']);
    expect(code).toBe(0);
    const told = stdout.toString();
    expect(told).toMatch(/^vaerans +\S+, \.vae format 1\.0, Node v\d+/);
    expect(told).toMatch(/^core +WASM, (simd|scalar)$/m);
    expect(told).toMatch(/^model +fixture, id [0-9a-f]{16}, in .+fixture$/m);
    expect(told).toMatch(/^config +none$/m);
    expect(told).toMatch(/^memory +at most \d+\.\d\d [MG]B a call; .+ of .+ free$/m);
    expect(told).toMatch(/^cpu +loads$/m);
  });
});

describe('help', () => {
  it('stands on standard output when it is asked for', () => {
    const { code, stdout, stderr } = place.run(['compress', '--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.toString()).toMatch(/--quality <1-100> .*\(default: 60\)/);
  });

  it('of a command, or of one below it, is another way to ask', () => {
    const asked = place.run(['compress', '--help']);
    expect(place.run(['help', 'compress'])).toMatchObject({ code: 0, stdout: asked.stdout });
    const { code, stdout } = place.run(['help', 'models', 'list']);
    expect([code, stdout.toString().split('\n', 1)]).toEqual([
      0,
      ['Usage: vaerans models list [options]'],
    ]);
  });

  it('says in one line which commands there are where it is asked about none of them', () => {
    const { code, stdout, stderr } = place.run(['help', 'nope']);
    expect([code, stdout.length]).toEqual([2, 0]);
    expect(stderr).toMatch(/^vaerans: usage: expected a command \(compress, .*\), got 'nope'\n$/);
  });

  it('stands on standard error when no command is given, which is a mistake', () => {
    const { code, stdout, stderr } = place.run([]);
    expect([code, stdout.length]).toEqual([2, 0]);
    expect(stderr).toMatch(/^Usage: vaerans/);
  });

  it('is all that the executable file holds: it opens the door', () => {
    expect(readFileSync(BIN, 'utf8').split('\n')).toHaveLength(3);
  });
});
