import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BMP_START, end, PICTURE_PNG, Place, ROOT, start } from './command.js';

/** A provider that no machine of this system has. */
const ABSENT_PROVIDER = platform() === 'darwin' ? 'dml' : 'coreml';

let place: Place;
let made: Buffer;
beforeAll(() => {
  place = new Place();
  place.write('in.png', PICTURE_PNG);
  place.run(['compress', 'in.png', 'ok.vae', '--model', 'fixture']);
  made = readFileSync(place.path('ok.vae'));
  place.write('empty', '');
  place.write('text.png', 'not a picture at all');
  place.write('torn.png', PICTURE_PNG.subarray(0, 200));
  place.write('photo.bmp', BMP_START);
  place.write('torn.vae', made.subarray(0, made.length - 1));
  place.write('long.vae', Buffer.concat([made, Buffer.of(0)]));
  place.write('folder/x', '');
  const manifest = JSON.parse(readFileSync(join(ROOT, 'models/fixture/manifest.json'), 'utf8'));
  for (const file of ['encoder.onnx', 'decoder.onnx']) {
    for (const model of ['other', 'hollow']) {
      place.copy(join(ROOT, 'models/fixture', file), join(model, file));
    }
  }
  // Another tile size is another model to a file, though the networks are the same.
  place.write(
    'other/manifest.json',
    JSON.stringify({ ...manifest, name: 'other', tilePx: manifest.tilePx * 2 }),
  );
  place.write('hollow/manifest.json', JSON.stringify(manifest));
  place.write('hollow/encoder.onnx', 'no graph');
  place.write('broken/manifest.json', '{}');
  expect(place.run(['compress', 'in.png', 'other.vae', '--model', './other']).code).toBe(0);
  place.write('bad.toml', 'model = [');
});
afterAll(() => place.remove());

/** Fails as one line on standard error says, with nothing written anywhere. */
function expectRefusal(args: string[], code: number, message: RegExp, env: NodeJS.ProcessEnv = {}) {
  const before = place.files();
  const ended = place.run(args, { env });
  expect(ended.stderr).toMatch(message);
  expect(ended.stderr).toMatch(/^vaerans: [^\n]+\n$/);
  expect(ended.code).toBe(code);
  expect(ended.stdout).toHaveLength(0);
  expect(place.files()).toEqual(before);
}

describe('exit code 2, usage', () => {
  it.each([
    ['a configuration that is not there', 'absent.toml', /no such file/],
    ['a configuration that is no TOML', 'bad.toml', /expected TOML/],
  ])('after %s', (_, config, message) => {
    expectRefusal(['compress', 'in.png', 'o.vae'], 2, message, { VAERANS_CONFIG: config });
  });

  it.each([
    ['an unknown command', ['squeeze', 'in.png'], /expected a command \(compress, .*got 'squeeze'/],
    ['an unknown flag', ['compress', 'in.png', '--fast'], /unknown option '--fast'/],
    ['a flag before its command', ['--json', 'info', 'ok.vae'], /before 'info', got --json/],
    ['--version and a command', ['--version', 'models', 'list'], /before 'models', got --version/],
    ['-0 without a list', ['test', '-0', 'ok.vae'], /expected --files-from with -0, got none/],
    ['no input', ['compress'], /at least one input, got none/],
    ['several inputs and nowhere to put them', ['compress', 'in.png', 'text.png'], /--output-dir/],
    [
      'a quality over 100',
      ['compress', 'in.png', '-q', '101'],
      /--quality: expected a number from 1 to 100, got '101'/,
    ],
    ['a quality under 1', ['compress', 'in.png', '-q', '0.5'], /got '0\.5'/],
    ['a quality that is no number', ['compress', 'in.png', '-q', 'high'], /got 'high'/],
    ['half a thread', ['compress', 'in.png', '--threads', '1.5'], /a whole number/],
    ['memory without a size', ['compress', 'in.png', '--max-memory', 'lots'], /512M or 2G/],
    ['an unknown provider', ['compress', 'in.png', '--provider', 'abacus'], /Allowed choices/],
    ['a folder as input', ['compress', 'folder'], /got the folder 'folder'/],
    [
      'an output of unknown kind',
      ['decompress', 'ok.vae', '-o', 'back.bmp'],
      /--format, got 'back\.bmp'/,
    ],
    [
      'JSON and bytes on one pipe',
      ['compress', 'in.png', '-', '--json'],
      /got both for standard output/,
    ],
    ['an empty folder', ['compress', '-r', 'folder', '--output-dir', 'o'], /at least one input/],
  ])('for %s', (_, args, message) => expectRefusal(args, 2, message));
});

describe('exit code 3, a sound file of a kind that is not handled', () => {
  it('for a BMP, whose name and way out are told', () => {
    expectRefusal(['compress', 'photo.bmp'], 3, /got a BMP; /);
  });
});

describe('exit code 5, corrupt input', () => {
  it.each([
    ['text as a picture', ['compress', 'text.png', 'out.vae'], /expected PNG, .*, got text/],
    ['a PNG cut short', ['compress', 'torn.png', 'out.vae'], /png: /],
    ['an empty file as a picture', ['compress', 'empty', 'out.vae'], /got an empty one/],
    ['an empty file as .vae', ['decompress', 'empty', 'out.png'], /got an empty one/],
    ['a picture as .vae', ['decompress', 'in.png', 'out.png'], /expected a \.vae file beginning/],
    ['a .vae file cut short', ['decompress', 'torn.vae', 'out.png'], /\(truncated\)/],
    ['the same to a pipe', ['decompress', 'torn.vae', '-'], /\(truncated\)/],
    ['trailing bytes', ['decompress', 'long.vae', 'out.png'], /\(trailing bytes\)/],
    ['a .vae file cut short, asked for info', ['info', 'torn.vae'], /\(truncated\)/],
  ])('for %s', (_, args, message) => expectRefusal(args, 5, message));

  it('for a hundred damaged files, each in one line, with no picture made', async () => {
    const damaged = Array.from({ length: 100 }, (_, i) => {
      // Half are cut at places all over the file, half have one bit turned.
      const place = Math.floor(((i >> 1) / 50) * made.length);
      if (i % 2 === 0) return made.subarray(0, place);
      const copy = Buffer.from(made);
      copy[place] = (copy[place] ?? 0) ^ (1 << (i % 8));
      return copy;
    });
    const own = new Place();
    const refuse = async (bytes: Uint8Array, index: number) => {
      const name = own.write(`${index}.vae`, bytes);
      const { code, stdout, stderr } = await end(start(own, ['decompress', name]));
      expect(stderr).toMatch(new RegExp(`^vaerans: ${index}\\.vae: container: [^\\n]+\\n$`));
      expect([name, code, stdout.length]).toEqual([name, 5, 0]);
    };
    for (let index = 0; index < damaged.length; index += 2) {
      await Promise.all(
        damaged.slice(index, index + 2).map((bytes, offset) => refuse(bytes, index + offset)),
      );
    }
    expect(own.files().filter((name) => !name.endsWith('.vae'))).toEqual([]);
    expect(own.files()).toHaveLength(100);
    own.remove();
  }, 180_000);
});

describe('exit code 6, a limit', () => {
  it.each([
    [
      'pixels of a picture',
      ['compress', 'in.png', 'o.vae', '--max-pixels', '1199'],
      /--max-pixels/,
    ],
    ['a side of a picture', ['compress', 'in.png', 'o.vae', '--max-side', '39'], /--max-side/],
    ['memory', ['compress', 'in.png', 'o.vae', '--max-memory', '64K'], /--max-memory/],
    [
      'pixels of a .vae file',
      ['decompress', 'ok.vae', 'o.png', '--max-pixels', '1199'],
      /--max-pixels/,
    ],
  ])('for %s, naming the flag that raises it', (_, args, message) => {
    expectRefusal(args, 6, message);
  });

  it('for more bytes on a pipe than the memory that is granted', () => {
    const { code, stderr } = place.run(['compress', '-', '-', '--max-memory', '64K'], {
      input: Buffer.alloc(100_000),
    });
    expect(stderr).toMatch(/at most 65536 bytes, got more; .*--max-memory/);
    expect(code).toBe(6);
  });

  it('but not for exactly as much', () => {
    const args = ['compress', 'in.png', '-', '--max-pixels', '1200', '--max-side', '40'];
    expect(place.run(args).code).toBe(0);
  });
});

describe('exit code 7, a model', () => {
  it.each([
    [
      'that is not there',
      ['compress', 'in.png', 'o.vae', '--model', 'absent'],
      /expected 'absent' to be/,
    ],
    [
      'that a file asks for by name',
      ['decompress', 'other.vae', 'o.png'],
      /the model 'other' with id [0-9a-f]{16}/,
    ],
    [
      'whose manifest does not hold',
      ['compress', 'in.png', 'o.vae', '--model', './broken'],
      /schemaVersion/,
    ],
    [
      'whose files are not what it says',
      ['compress', 'in.png', 'o.vae', '--model', './hollow'],
      /with sha256/,
    ],
  ])('%s', (_, args, message) => expectRefusal(args, 7, message));

  it('but not when the file’s model is given', () => {
    expect(place.run(['decompress', 'other.vae', '-', '--model', './other']).code).toBe(0);
  });
});

describe('exit code 8, a provider', () => {
  it('that was asked for by name and does not load, with nothing else tried', () => {
    const args = ['compress', 'in.png', 'o.vae', '--provider', ABSENT_PROVIDER];
    expectRefusal(args, 8, new RegExp(`expected provider '${ABSENT_PROVIDER}' to load`));
  });
});

describe('exit code 9, input and output', () => {
  it.each([
    [
      'an input that is not there',
      ['compress', 'absent.png', 'o.vae'],
      /no such file or folder for 'absent\.png'/,
    ],
    ['the same asked for info', ['info', 'absent.vae'], /no such file or folder/],
    [
      'an output in no folder',
      ['compress', 'in.png', 'absent/o.vae'],
      /no such file or folder for 'absent\/o\.vae'/,
    ],
    [
      'an output below a file',
      ['compress', 'in.png', 'text.png/o.vae'],
      /a file where a folder should be/,
    ],
    [
      'an output folder that is a file',
      ['compress', 'in.png', '--output-dir', 'empty'],
      /a file where/,
    ],
  ])('for %s', (_, args, message) => expectRefusal(args, 9, message));

  it.skipIf(platform() !== 'linux')('for a disk that is full', () => {
    const command = `"${process.execPath}" "${join(ROOT, 'bin/vaerans.js')}" compress in.png - > /dev/full; echo $?`;
    const said = execFileSync('/bin/sh', ['-c', command], {
      cwd: place.folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(said).toBe('9\n');
  });
});

describe('VAERANS_DEBUG', () => {
  it('shows where an error came from, which is told to nobody else', () => {
    const { stderr } = place.run(['decompress', 'torn.vae', 'o.png'], {
      env: { VAERANS_DEBUG: '1' },
    });
    expect(stderr).toMatch(/^ +at .*container/m);
  });
});
