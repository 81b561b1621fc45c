import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareImages, METRIC_NAMES, type Pixels, readImage } from 'vaerans';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeImage } from '#src/image/write.js';
import { loadMetricsModule } from '#src/wasm/load.js';
import { type Measure, MetricsCore } from '#src/wasm/metrics.js';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const SHARED = join(ROOT, '..', 'shared');
const MEAN_DIFFERENCE = join(ROOT, 'fixtures/metrics/mean-difference.onnx');

interface Reference {
  readonly fixture: string;
  readonly size: readonly [number, number];
  readonly distortion: 'coarse' | 'shifted';
  readonly mse: number;
  readonly psnrRgb: number;
  readonly psnrLuma: number;
  readonly ssim: number;
  readonly msssim: number | null;
  readonly ssimulacra2: number;
}

const { rows } = JSON.parse(
  readFileSync(join(ROOT, 'fixtures/metrics/references.json'), 'utf8'),
) as { readonly rows: readonly Reference[] };

function fixture(name: string): Promise<Pixels> {
  return readImage(join(ROOT, 'fixtures', `${name}.png`));
}

function crop(pixels: Pixels, widthPx: number, heightPx: number): Pixels {
  const { channels } = pixels;
  const data = new Uint8Array(widthPx * heightPx * channels);
  for (let y = 0; y < heightPx; y++) {
    const start = y * pixels.widthPx * channels;
    data.set(pixels.data.subarray(start, start + widthPx * channels), y * widthPx * channels);
  }
  return { widthPx, heightPx, channels, data };
}

/** As in scripts/metric-references.py. */
const DISTORTIONS = {
  coarse: (pixels: Pixels): Pixels => ({
    ...pixels,
    data: Uint8Array.from(pixels.data, (sample) => (sample & 0xe0) | 0x10),
  }),
  shifted: (pixels: Pixels): Pixels => {
    const { widthPx, channels, data } = pixels;
    const stride = widthPx * channels;
    const from = (at: number) =>
      at - (at % stride) + (((at % stride) + stride - channels) % stride);
    return { ...pixels, data: Uint8Array.from(data, (_, at) => data[from(at)] ?? 0) };
  },
};

describe('metrics', () => {
  it.each(rows)('of $fixture $size $distortion are those of other implementations', async (row) => {
    const original = crop(await fixture(row.fixture), ...row.size);
    const values = await compareImages(original, DISTORTIONS[row.distortion](original));
    expect(values.mse).toBeCloseTo(row.mse, 9);
    expect(values.psnrRgb).toBeCloseTo(row.psnrRgb, 9);
    expect(values.psnrLuma).toBeCloseTo(row.psnrLuma, 9);
    expect(Math.abs((values.ssim ?? 0) - row.ssim)).toBeLessThan(5e-5);
    if (row.msssim === null) expect(values.msssim).toBeNull();
    else expect(Math.abs((values.msssim ?? 0) - row.msssim)).toBeLessThan(5e-5);
    // A recursive blur keeps a little of what it passed, which tells in flat and in very bad pictures; ours is the
    // window that it stands for. The most is 0.63, of the grey ramp.
    const room = row.fixture === 'odd-grey-61x43' ? 1 : 0.1;
    expect(Math.abs((values.ssimulacra2 ?? 0) - row.ssimulacra2)).toBeLessThan(room);
  });

  it('of equal pictures are at the ends of their scales', async () => {
    for (const name of ['photo', 'gradients', 'interface']) {
      const picture = await fixture(name);
      expect(await compareImages(picture, picture)).toEqual({
        mse: 0,
        psnrRgb: Number.POSITIVE_INFINITY,
        psnrLuma: Number.POSITIVE_INFINITY,
        ssim: 1,
        msssim: 1,
        ssimulacra2: 100,
      });
    }
  });

  it('that are not defined for small pictures are null', async () => {
    const values = async (widthPx: number, heightPx: number) => {
      const picture = crop(await fixture('photo'), widthPx, heightPx);
      return compareImages(picture, DISTORTIONS.coarse(picture));
    };
    expect(await values(7, 20)).toMatchObject({ ssim: null, msssim: null, ssimulacra2: null });
    expect(await values(8, 10)).toMatchObject({ ssim: null, ssimulacra2: expect.any(Number) });
    expect(await values(200, 160)).toMatchObject({ ssim: expect.any(Number), msssim: null });
    expect(await values(161, 161)).toMatchObject({ msssim: expect.any(Number) });
  });

  it('of grey beside RGB are those of grey as RGB', async () => {
    const grey = await fixture('odd-grey-61x43');
    const asRgb: Pixels = {
      ...grey,
      channels: 3,
      data: Uint8Array.from({ length: 3 * grey.data.length }, (_, at) => {
        return grey.data[Math.floor(at / 3)] ?? 0;
      }),
    };
    expect(await compareImages(grey, asRgb)).toMatchObject({ mse: 0, ssim: 1 });
    const coarse = DISTORTIONS.coarse(grey);
    const [ofGrey, ofRgb] = [await compareImages(grey, coarse), await compareImages(asRgb, coarse)];
    for (const name of METRIC_NAMES.filter((name) => name !== 'msssim')) {
      expect(ofRgb[name]).toBeCloseTo(ofGrey[name] ?? 0, 4);
    }
  });

  it('of pictures that cannot be compared are refused', async () => {
    const photo = await fixture('photo');
    const alpha = await fixture('alpha-soft').catch(() => undefined);
    await expect(compareImages(photo, crop(photo, 20, 20))).rejects.toMatchObject({
      code: 'usage',
      message: 'metrics: expected pictures of equal size, got 768x512 and 20x20',
    });
    if (alpha)
      await expect(compareImages(alpha, alpha)).rejects.toMatchObject({ code: 'unsupported' });
    await expect(compareImages(photo, photo, ['speed'])).rejects.toMatchObject({ code: 'usage' });
  });

  it("of a user's graph are what it gives for pictures of -1 to 1", async () => {
    const black: Pixels = { widthPx: 5, heightPx: 3, channels: 3, data: new Uint8Array(45) };
    const other = { ...black, data: new Uint8Array(45).fill(51) };
    const values = await compareImages(black, other, [`distance=${MEAN_DIFFERENCE}`, 'mse']);
    expect(values).toEqual({ distance: expect.closeTo(0.4, 6), mse: 2601 });
  });

  it("of a user's graph that is none are refused", async () => {
    const photo = await fixture('photo');
    const notAGraph = `lpips=${join(ROOT, 'package.json')}`;
    await expect(compareImages(photo, photo, [notAGraph])).rejects.toMatchObject({
      code: 'backend',
      message: expect.stringMatching(/^metrics: expected an ONNX graph in '.*package\.json'/),
    });
    const networks = `lpips=${join(ROOT, 'models/fixture/encoder.onnx')}`;
    await expect(compareImages(photo, photo, [networks])).rejects.toMatchObject({
      code: 'backend',
      message: expect.stringContaining('expected a graph of two inputs and one output'),
    });
  });

  it('are the same of the scalar and the SIMD build', async () => {
    const photo = crop(await fixture('photo'), 333, 217) as Parameters<MetricsCore['measure']>[0];
    const coarse = DISTORTIONS.coarse(photo) as typeof photo;
    const measures: Measure[] = [
      'meanSquaredError',
      'meanSquaredLumaError',
      'ssim',
      'msSsim',
      'ssimulacra2',
    ];
    const [simd, scalar] = await Promise.all(
      (['simd', 'scalar'] as const).map(async (build) => {
        const core = new MetricsCore(await loadMetricsModule(build));
        return core.measure(photo, coarse, measures);
      }),
    );
    for (const [at, value] of (simd ?? []).entries()) {
      expect(value).toBeCloseTo(scalar?.[at] ?? Number.NaN, 9);
    }
  });

  it('are refused of more samples than the sides say, which would be written over other memory', async () => {
    const core = await MetricsCore.open();
    const picture = { widthPx: 16, heightPx: 16, channels: 1, data: new Uint8Array(256) } as const;
    const longer = { ...picture, data: new Uint8Array(2 ** 20) };
    expect(() => core.measure(picture, longer, ['ssim'])).toThrow(/16x16x1 samples, got 1048576/);
    expect(core.measure(picture, picture, ['ssim'])).toEqual([1]);
  });

  it('take 15 bytes a pixel beside a few rows', async () => {
    const side = 2048;
    const picture = {
      widthPx: side,
      heightPx: side,
      channels: 3 as const,
      data: new Uint8Array(3 * side * side).map((_, at) => (at * 7919) >> 5),
    };
    const core = await MetricsCore.open();
    core.measure(picture, picture, ['ssim', 'msSsim', 'ssimulacra2']);
    expect(core.memoryByteLength).toBeLessThan(15 * side * side + 2 ** 23);
  });
});

/** Per-image values of the first study: cwebp and cjpeg of these versions, scored by cloudinary's own program. */
describe('SSIMULACRA2', () => {
  const studyPath = join(SHARED, 'research/kodak_classical_per_image.json');
  const folder = mkdtempSync(join(tmpdir(), 'vaerans-metrics-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  interface StudyRow {
    readonly setting: number;
    readonly images: readonly {
      readonly image: number;
      readonly bytes: number;
      readonly psnr: number;
      readonly ms_ssim: number;
      readonly ssimulacra2: number;
    }[];
  }
  let study: Readonly<Record<string, readonly StudyRow[]>> = {};
  beforeAll(() => {
    if (existsSync(studyPath)) study = JSON.parse(readFileSync(studyPath, 'utf8'));
  });

  const isThere = (program: string, args: readonly string[], version: string) => {
    const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    return `${stdout}${stderr}`.includes(version);
  };
  const run = (program: string, args: readonly string[]) => {
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    expect([program, status, stderr]).toEqual([program, 0, expect.anything()]);
  };

  it.each([
    ['webp_m6', 'cwebp', ['-version'], '1.2.4', [0, 40, 90]],
    ['jpeg_turbo_420', 'cjpeg', ['-version'], '2.1.5', [5, 30, 90]],
  ] as const)(
    'of %s is the reference program’s',
    async (name, program, args, version, settings) => {
      const kodak = join(SHARED, 'data/kodak');
      if (!existsSync(studyPath) || !existsSync(kodak) || !isThere(program, args, version)) {
        console.warn(`skipped: no ${program} ${version}, or no study and pictures in ../shared`);
        return;
      }
      for (const number of [1, 13]) {
        const picture = await readImage(join(kodak, `kodim${String(number).padStart(2, '0')}.png`));
        const [source, coded, decoded] = ['in.ppm', 'coded', 'out.ppm'].map((f) =>
          join(folder, f),
        ) as [string, string, string];
        writeFileSync(source, encodeImage(picture, 'ppm'));
        for (const setting of settings) {
          if (program === 'cwebp') {
            run('cwebp', ['-quiet', '-m', '6', '-q', String(setting), source, '-o', coded]);
            run('dwebp', ['-quiet', coded, '-ppm', '-o', decoded]);
          } else {
            const quality = ['-quality', String(setting), '-optimize', '-progressive'];
            run('cjpeg', [...quality, '-sample', '2x2', '-outfile', coded, source]);
            run('djpeg', ['-outfile', decoded, coded]);
          }
          const expected = study[name]
            ?.find((row) => row.setting === setting)
            ?.images.find(({ image }) => image === number);
          expect(readFileSync(coded).length).toBe(expected?.bytes);
          const values = await compareImages(picture, await readImage(decoded));
          expect(values.psnrRgb).toBeCloseTo(expected?.psnr ?? 0, 5);
          expect(values.msssim).toBeCloseTo(expected?.ms_ssim ?? 0, 5);
          expect(Math.abs((values.ssimulacra2 ?? 0) - (expected?.ssimulacra2 ?? 0))).toBeLessThan(
            0.3,
          );
        }
      }
    },
  );
});
