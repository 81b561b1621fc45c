import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchOptions, bench, readImage } from 'vaerans';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProgramRunner } from '#src/bench/peers/programs.js';
import { PEERS } from '#src/bench/peers/table.js';
import { encodeImage } from '#src/image/write.js';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const PICTURES = ['odd-191x127', 'noise', 'odd-grey-61x43'].map((name) => ({
  name,
  path: join(ROOT, 'fixtures', `${name}.png`),
}));
const PATH = process.env.PATH ?? '';
const isPosix = process.platform !== 'win32';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vaerans-peers-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A program made of shell, in a folder of its own that takes the place of PATH. */
function makeProgram(place: string, name: string, script: string): void {
  mkdirSync(join(folder, place), { recursive: true });
  const path = join(folder, place, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

function isThere(codec: string): boolean {
  const programs = [PEERS[codec]?.encoder, PEERS[codec]?.decoder];
  return programs.every((program) => {
    return program !== undefined && spawnSync(program, ['-h']).error === undefined;
  });
}

function run(options: BenchOptions, pictures = PICTURES) {
  return bench(pictures, {
    model: join(ROOT, 'models/fixture'),
    threads: 1,
    metrics: ['mse', 'psnrRgb'],
    programPath: PATH,
    ...options,
  });
}

describe('a codec of two programs', () => {
  it.each(Object.keys(PEERS))('%s gives back pictures of odd sides and of grey', async (codec) => {
    if (!isThere(codec)) {
      console.warn(`skipped: no ${PEERS[codec]?.encoder} here`);
      return;
    }
    const { rows, failures, codecs } = await run({ codecs: [codec] });
    expect(failures).toEqual([]);
    const dials = PEERS[codec]?.defaultDials ?? [];
    expect(rows.length).toBe(PICTURES.length * dials.length);
    expect(codecs[0]?.version).toMatch(/\d+\.\d+/);
    for (const { name } of PICTURES) {
      const ofPicture = rows.filter(({ image }) => image === name);
      const sizes = ofPicture.map(({ byteLength }) => byteLength);
      expect(sizes[0]).toBeLessThan(sizes.at(-1) ?? 0);
      const errors = ofPicture.map(({ metrics }) => metrics.mse ?? 0);
      expect(errors[0]).toBeGreaterThan(errors.at(-1) ?? 0);
    }
  });

  it('keeps its files, whose bytes are those of the rows and whose pictures are what was measured', async () => {
    if (!isThere('webp')) {
      console.warn('skipped: no cwebp here');
      return;
    }
    const keepFolder = join(folder, 'kept');
    const { rows } = await run({ codecs: ['webp', 'ours'], keepFolder, targets: [0.8] });
    expect(rows.length).toBe(2 * PICTURES.length);
    for (const row of rows) {
      const { path = '' } = PICTURES.find(({ name }) => name === row.image) ?? {};
      expect(readFileSync(row.codedPath ?? '').length).toBe(row.byteLength);
      const [original, decoded] = [await readImage(path), await readImage(row.decodedPath ?? '')];
      const channels = decoded.channels;
      const differenceAt = (sample: number, at: number) =>
        sample -
        (original.data[Math.floor(at / channels) * original.channels + (at % original.channels)] ??
          0);
      const squares = Array.from(decoded.data, (sample, at) => differenceAt(sample, at) ** 2);
      expect(squares.reduce((a, b) => a + b) / squares.length).toBeCloseTo(row.metrics.mse ?? 0, 9);
      // At or below the target, and no further below than a step of the dial.
      expect(row.setting).toBe('0.8 bpp');
      expect(row.bitsPerPixel).toBeLessThanOrEqual(0.8);
    }
  });

  it('that is missing is listed as missing, with where it was looked for', async () => {
    const { codecs, rows } = await run({
      codecs: ['ours', 'jp2'],
      programPath: join(folder, 'none'),
    });
    expect(codecs[1]).toMatchObject({
      name: 'jp2',
      version: null,
      encodeCommand: null,
      missing: 'no opj_compress and no opj_decompress in the folders of PATH',
    });
    expect(new Set(rows.map(({ codec }) => codec))).toEqual(new Set(['ours']));
    await expect(run({ codecs: ['jp2'], programPath: '' })).rejects.toMatchObject({
      code: 'usage',
    });
  });

  it.each(['mozjpeg', 'jpeg', 'webp', 'avif', 'avif420', 'avif-iq'])(
    '%s is taken from sharp',
    async (codec) => {
      const { rows, failures, codecs } = await run({
        codecs: [codec],
        settings: { [codec]: [20, 90] },
        programPath: join(folder, 'none'),
      });
      const [info] = codecs;
      expect(failures).toEqual([]);
      expect(info?.version).toMatch(/^sharp \d+\.\d+\.\d+, \w+ /);
      expect(rows.length).toBe(2 * PICTURES.length);
      for (const { name } of PICTURES) {
        const [bad, good] = rows.filter(({ image }) => image === name);
        expect(bad?.byteLength).toBeLessThan(good?.byteLength ?? 0);
        expect(bad?.metrics.psnrRgb).toBeLessThan(good?.metrics.psnrRgb ?? 0);
        expect(good?.decode).toMatchObject({ cpuMs: null, peakMemoryBytes: null });
      }
    },
  );

  it.runIf(isPosix)('that fails on one picture takes it out of every mean', async () => {
    // Copies the picture, but only one that is 191 pixels wide.
    const only191 =
      'for last; do :; done; head -c 15 "$last" | grep -q 191 || { echo "too small" >&2; exit 3; }';
    makeProgram(
      'picky',
      'cjpeg',
      `[ "$1" = -version ] && { echo version 1.0; exit; }; ${only191}; cp "$last" "$8"`,
    );
    makeProgram(
      'picky',
      'djpeg',
      '[ "$1" = -version ] && { echo version 1.0; exit; }; cp "$4" "$3"',
    );
    const path = [join(folder, 'picky'), PATH].join(delimiter);
    const { failures, summary, rows } = await run({
      codecs: ['ours', 'jpeg'],
      settings: { jpeg: [50], ours: [40] },
      programPath: path,
    });
    expect(failures.map(({ image, codec, setting }) => [image, codec, setting])).toEqual([
      ['noise', 'jpeg', '50'],
      ['odd-grey-61x43', 'jpeg', '50'],
    ]);
    expect(failures[0]?.message).toMatch(/cjpeg to succeed, got code 3/);
    expect(rows.length).toBe(4);
    expect(summary.images).toEqual(['odd-191x127']);
    expect(summary.means.map(({ codec, images }) => [codec, images])).toEqual([
      ['ours', 1],
      ['jpeg', 1],
    ]);
    expect(rows.find(({ codec }) => codec === 'jpeg')?.metrics).toEqual({ mse: 0, psnrRgb: null });
  });

  it('of ours stands beside the embedded ones of each tune', async () => {
    const names = ['ours', 'ours-psnr', 'ours-eye'];
    const { codecs, rows, model, summary } = await run({
      codecs: names,
      settings: { 'ours-eye': [20, 60], 'ours-psnr': [20, 60], ours: [20, 60] },
      anchor: 'ours-psnr',
    });
    expect(codecs.map(({ name }) => name)).toEqual(names);
    expect(model?.name).toBe('fixture');
    const versions = codecs.map(({ version }) => version?.split(' ')[1]);
    expect(versions).toEqual(['fixture', 'psnr', 'eye']);
    expect(new Set(rows.map(({ codec }) => codec))).toEqual(new Set(names));
    expect(new Set(summary.bdRates.map(({ codec }) => codec))).toEqual(
      new Set(['ours', 'ours-eye']),
    );
  });

  it('of ours takes an effort, and says so', async () => {
    const at = async (effort?: number) => {
      const settings = { 'ours-psnr': [60] };
      const found = await run({
        codecs: ['ours-psnr'],
        settings,
        ...(effort !== undefined && { effort }),
      });
      return { ...found.codecs[0], bytes: found.rows.map(({ byteLength }) => byteLength) };
    };
    const [usual, more] = [await at(), await at(4)];
    expect(more.version).toBe(`${usual.version}, effort 4`);
    expect(more.encodeCommand).toContain('--tune psnr --effort 4,');
    expect(more.bytes).not.toEqual(usual.bytes);
    await expect(at(10)).rejects.toThrow('bench: effort');
  });

  it('works side by side on several pictures with the same result', async () => {
    const facts = async (jobs: number) => {
      const { rows } = await run({ codecs: ['ours'], settings: { ours: [30, 70] }, jobs });
      return rows.map(({ image, setting, byteLength, metrics }) => [
        image,
        setting,
        byteLength,
        metrics,
      ]);
    };
    expect(await facts(3)).toEqual(await facts(1));
  });

  it('ends when it is cancelled, and leaves nothing running', async () => {
    const controller = new AbortController();
    const running = run({
      codecs: ['ours'],
      settings: { ours: Array.from({ length: 90 }, (_, at) => at + 1) },
      signal: controller.signal,
      onProgress: (done) => {
        if (done === 2) controller.abort();
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe.runIf(isPosix)('the runner of programs', () => {
  it('tells what a program took, and what it said when it fails', async () => {
    makeProgram('runner', 'busy', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done');
    makeProgram('runner', 'bad', 'echo first >&2; echo "cannot do that" >&2; exit 7');
    const runner = await ProgramRunner.open(PATH, folder);
    const cost = await runner.run(join(folder, 'runner/busy'), []);
    expect(cost.wallMs).toBeGreaterThan(0);
    if (spawnSync('python3', ['-V']).error === undefined) {
      expect(cost.cpuMs).toBeGreaterThan(0);
      expect(cost.peakMemoryBytes).toBeGreaterThan(500_000);
    }
    await expect(runner.run(join(folder, 'runner/bad'), [])).rejects.toMatchObject({
      code: 'backend',
      message: expect.stringMatching(/expected bad to succeed, got code 7/),
    });
    runner.close();
  });

  it('does without Python, and then knows the wall time alone', async () => {
    const runner = await ProgramRunner.open('', folder);
    const cost = await runner.run('/bin/sh', ['-c', 'exit 0']);
    expect(cost).toEqual({ wallMs: expect.any(Number), cpuMs: null, peakMemoryBytes: null });
    await expect(runner.run('/bin/sh', ['-c', 'exit 3'])).rejects.toMatchObject({
      code: 'backend',
    });
  });

  it('ends a program that runs when it is cancelled', async () => {
    const controller = new AbortController();
    const runner = await ProgramRunner.open(PATH, folder, controller.signal);
    const running = runner.run('/bin/sleep', ['60']);
    setTimeout(() => controller.abort(), 100);
    await expect(running).rejects.toMatchObject({ code: 'aborted' });
    await expect(runner.run('/bin/sleep', ['60'])).rejects.toMatchObject({ code: 'aborted' });
    runner.close();
  });
});

it('writes what the codecs read without any metadata', () => {
  const pixels = { widthPx: 1, heightPx: 1, channels: 3, data: new Uint8Array(3) } as const;
  const chunks = Buffer.from(encodeImage(pixels, 'png')).toString('latin1');
  expect(chunks).not.toMatch(/gAMA|iCCP|cHRM|sRGB|eXIf/);
});
