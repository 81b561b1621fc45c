/**
 * Records of runs made by hand, with pictures on disk whose every sample is known.
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchReport, BenchRow } from '#src/bench/rows.js';
import type { Pixels } from '#src/image/pixels.js';
import { encodeImage } from '#src/image/write.js';

const WIDTH_PX = 96;
const HEIGHT_PX = 64;

/** Red says the column, green the row, blue a checkerboard. */
export const ORIGINAL: Pixels = {
  widthPx: WIDTH_PX,
  heightPx: HEIGHT_PX,
  channels: 3,
  data: Uint8Array.from({ length: WIDTH_PX * HEIGHT_PX * 3 }, (_, at) => {
    const x = Math.floor(at / 3) % WIDTH_PX;
    const y = Math.floor(at / 3 / WIDTH_PX);
    return [2 * x, 3 * y, (x + y) % 2 ? 40 : 200][at % 3] ?? 0;
  }),
};

/** What a codec made of it: the fewer levels the coarser. */
export function coarse(levels: number): Pixels {
  const step = 256 / levels;
  return {
    ...ORIGINAL,
    data: ORIGINAL.data.map((sample) =>
      Math.min(255, Math.floor(sample / step) * step + step / 2),
    ) as Uint8Array,
  };
}

export interface Sample {
  readonly record: BenchReport;
  readonly folder: string;
  remove(): void;
}

const METRICS = [
  { name: 'psnrRgb', label: 'PSNR RGB, dB', better: 'higher', scale: 'linear' },
  { name: 'msssim', label: 'MS-SSIM', better: 'higher', scale: 'log' },
] as const;

const LEVELS = [4, 8, 16, 32];

interface SampleNames {
  readonly images?: readonly string[];
  readonly codecs?: readonly (readonly [name: string, label: string])[];
  readonly setting?: string;
}

/** Each further picture is coded worse by the first codec and no worse by the others. */
export function makeSample({
  images = ['first.png', 'second.png'],
  codecs = [
    ['ours', 'vaerans'],
    ['jpeg', 'JPEG (cjpeg)'],
  ],
  setting = 'level',
}: SampleNames = {}): Sample {
  const folder = mkdtempSync(join(tmpdir(), 'vaerans-report-'));
  writeFileSync(join(folder, 'original.png'), encodeImage(ORIGINAL, 'png'));
  for (const levels of LEVELS) {
    writeFileSync(join(folder, `${levels}.png`), encodeImage(coarse(levels), 'png'));
  }
  const rows = images.flatMap((image, imageAt) =>
    codecs.flatMap(([codec], codecAt) =>
      LEVELS.map((levels, at): BenchRow => {
        const bitsPerPixel = 0.2 * 2 ** at * (1 + codecAt / 4);
        const psnrRgb = 24 + 4 * at + codecAt - (codecAt === 0 ? imageAt : 0);
        return {
          image,
          codec,
          setting: `${setting} ${levels}`,
          dial: levels,
          widthPx: WIDTH_PX,
          heightPx: HEIGHT_PX,
          byteLength: Math.round((bitsPerPixel * WIDTH_PX * HEIGHT_PX) / 8),
          bitsPerPixel,
          metrics: { mse: 20, psnrRgb, msssim: 1 - 10 ** (-(psnrRgb - 16) / 10) },
          encode: { wallMs: 10 + at, cpuMs: 9, peakMemoryBytes: 2 ** 26 },
          decode: { wallMs: 5 + at, cpuMs: null, peakMemoryBytes: null },
          decodedPath: `${levels}.png`,
        };
      }),
    ),
  );
  const spread = { mean: 11, p50: 11, p95: 13, p99: 13 };
  const record: BenchReport = {
    schema: 'vaerans.bench/2',
    date: '2026-11-21T12:00:00.000Z',
    command: 'vaerans bench photos --json results.json',
    machine: { cpu: 'a processor', cores: 2, memoryBytes: 2 ** 34, os: 'an os 1', node: 'v20' },
    versions: { vaerans: '0.1.0', format: '1.0', core: 'simd', onnxruntime: '1.30.0' },
    model: { name: 'fixture', version: '1', id: '00' },
    threads: 2,
    jobs: 1,
    codecs: codecs.map(([name, label]) => ({
      name,
      label,
      version: '1.0',
      encodeCommand: `${name} SETTING IN CODED`,
      decodeCommand: `${name} CODED OUT`,
      missing: null,
    })),
    metrics: METRICS,
    images: images.map((name) => ({
      name,
      path: 'original.png',
      widthPx: WIDTH_PX,
      heightPx: HEIGHT_PX,
    })),
    rows,
    failures: [],
    summary: {
      images: [...images],
      leftOut: [],
      means: rows
        .filter(({ image }) => image === images[0])
        .map(({ encode, decode, image, dial, ...row }) => ({
          ...row,
          images: images.length,
          encodeWallMs: encode.wallMs,
          encodeCpuMs: encode.cpuMs,
          decodeWallMs: decode.wallMs,
          decodeCpuMs: decode.cpuMs,
        })),
      times: codecs.map(([codec]) => ({
        codec,
        encodeWallMs: spread,
        decodeWallMs: spread,
        encodeCpuMs: spread,
        decodeCpuMs: null,
        encodePeakMemoryBytes: 2 ** 26,
        decodePeakMemoryBytes: null,
      })),
      anchor: codecs[1]?.[0] ?? null,
      bdRates: METRICS.map(({ name }) => ({
        codec: codecs[0]?.[0] ?? '',
        metric: name,
        averaged: { percent: -12.34, overlap: { from: 25, to: 33 } },
        perImage: { percent: -10, standardDeviation: 2, images: images.length },
      })),
      overheadShare: null,
    },
  };
  return { record, folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
