import { describe, expect, it } from 'vitest';
import {
  COMPRESS,
  type Direction,
  decompressTo,
  type OutputFlags,
  parseOperands,
  planJobs,
} from '#src/cli/grammar.js';
import { UsageError } from '#src/errors.js';

const DECOMPRESS = decompressTo(undefined);

/** Operands to `input > output` lines, as far as no file has to be looked at. */
function jobs(operands: string[], flags: OutputFlags = {}, direction: Direction = COMPRESS) {
  const { inputs, ...target } = parseOperands(operands, flags, direction);
  const sources = inputs.map((path) => ({ path, relativePath: path }));
  return planJobs(sources, target, direction).map(({ input, output }) => `${input} > ${output}`);
}

describe('operands of compress', () => {
  it.each([
    ['one input derives its name', ['a.png'], {}, ['a.png > a.vae']],
    ['the name stays in its folder', ['x/y.z/a.b.png'], {}, ['x/y.z/a.b.png > x/y.z/a.b.vae']],
    ['a name without suffix gets one', ['photo'], {}, ['photo > photo.vae']],
    ['a hidden name is no suffix', ['.photo'], {}, ['.photo > .photo.vae']],
    ['IN OUT by the suffix', ['a.png', 'b.vae'], {}, ['a.png > b.vae']],
    ['in any case', ['a.png', 'b.VAE'], {}, ['a.png > b.VAE']],
    ['IN OUT by the pipe', ['a.png', '-'], {}, ['a.png > -']],
    ['a pipe to a pipe', ['-', '-'], {}, ['- > -']],
    ['a pipe alone goes on to a pipe', ['-'], {}, ['- > -']],
    ['a pipe to a file', ['-', 'b.vae'], {}, ['- > b.vae']],
    ['--output may have any name', ['a.png'], { output: 'b.bin' }, ['a.png > b.bin']],
    ['--output may be a pipe', ['a.png'], { output: '-' }, ['a.png > -']],
    [
      '--output-dir takes all as inputs',
      ['a.png', 'b.vae'],
      { outputDir: 'o' },
      ['a.png > o/a.vae', 'b.vae > o/b.vae'],
    ],
  ])('%s', (_, operands, flags, expected) => {
    expect(jobs(operands, flags)).toEqual(expected);
  });

  it.each([
    ['two inputs', ['a.png', 'b.png'], {}, /--output-dir for several inputs, got 'b.png'/],
    ['three operands, the last an output', ['a.png', 'b.png', 'c.vae'], {}, /got 3 inputs/],
    ['an image suffix as output', ['a.png', 'b.ppm'], {}, /OUT ending in \.vae/],
    [
      'two inputs with --output',
      ['a.png', 'b.vae'],
      { output: 'c.vae' },
      /one input with --output/,
    ],
    ['both ways to name outputs', ['a'], { output: 'b', outputDir: 'c' }, /got both/],
    ['a pipe with --output-dir', ['-'], { outputDir: 'o' }, /named inputs/],
    ['--recursive without a folder to write to', ['a'], { recursive: true }, /--output-dir with/],
    ['an empty name', [''], {}, /got an empty one/],
  ])('refuses %s', (_, operands, flags, message) => {
    const parse = () => jobs(operands, flags);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });
});

describe('operands of decompress', () => {
  it.each([
    ['one input becomes a PNG', ['a.vae'], ['a.vae > a.png']],
    ['IN OUT by an image suffix', ['a.vae', 'b.PPM'], ['a.vae > b.PPM']],
    ['IN OUT by the pipe', ['a.vae', '-'], ['a.vae > -']],
  ])('%s', (_, operands, expected) => {
    expect(jobs(operands, {}, DECOMPRESS)).toEqual(expected);
  });

  it('names what it makes after --format', () => {
    expect(jobs(['a.vae'], {}, decompressTo('pam'))).toEqual(['a.vae > a.pam']);
  });

  it.each([
    ['a.vae', 'b.vae'],
    ['a.vae', 'b.bmp'],
    ['a.vae', 'b'],
  ])('refuses %s %s, naming what there is', (...operands) => {
    expect(() => jobs(operands, {}, DECOMPRESS)).toThrow(
      `OUT ending in .png, .ppm, .pam, .jpg, .webp, .avif, .tiff or .jxl, or --output-dir for several inputs, got '${operands[1]}'`,
    );
  });
});
