import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fineCoders } from '#src/codec/base.js';
import { type CandidateCoder, type ModelCoding, planesAlone, residualOf } from '#src/codec/fine.js';
import { inspect } from '#src/codec/inspect.js';
import { codeAtRate, type ModelJob } from '#src/codec/latents.js';
import { type Codec, openCodec } from '#src/codec/open.js';
import { planPicture } from '#src/codec/plan.js';
import { psnr } from '#src/codec/quality.js';
import { bareFrame, toFile } from '#src/codec/to-file.js';
import { checkKept } from '#src/codec/verify.js';
import { LimitError } from '#src/errors.js';
import { sourceOf } from '#src/image/pixel-rows.js';
import type { Pixels, PlainPixels } from '#src/image/pixels.js';
import type { PlaneCoding } from '#src/wasm/planes.js';

const FIXTURE = join(import.meta.dirname, '../../models/fixture');

let root: string;
let codec: Codec;
beforeAll(async () => {
  // The fixture model, which is said to be at its end at quality 60.
  root = await mkdtemp(join(tmpdir(), 'vaerans-modes-'));
  await cp(FIXTURE, root, { recursive: true });
  const manifest = JSON.parse(await readFile(join(FIXTURE, 'manifest.json'), 'utf8'));
  const quality = Array.from({ length: 100 }, (_, i) =>
    Math.min(4095, Math.round((4095 * i) / 59)),
  );
  const changed = { ...manifest, quality, residualFrom: 4095 };
  await writeFile(join(root, 'manifest.json'), JSON.stringify(changed));
  codec = await openCodec({ model: root, threads: 1 });
});
afterAll(async () => {
  await codec.close();
  await rm(root, { recursive: true });
});

const WAVES = made(
  96,
  80,
  3,
  (x, y, c, hash) => 120 + 70 * Math.sin(x / 9 + c) * Math.cos(y / 7) + (hash >> 4),
);

/** The modes that each is coded in, from the coarsest quality to the finest. */
const PICTURES: readonly (readonly [string, Pixels, readonly string[]])[] = [
  ['waves', WAVES, ['model', 'planes']],
  [
    'grain',
    made(96, 80, 3, (x, y, _, hash) => 100 + 50 * Math.sin(x / 5 + y / 9) + (hash >> 3)),
    ['model', 'planes'],
  ],
  ['grey', made(90, 70, 1, (x, y, _, hash) => 2 * x + y / 2 + (hash >> 3)), ['model', 'planes']],
  [
    'drawn',
    made(96, 80, 3, (x, y, c) => (((x >> 4) ^ (y >> 3)) & 1 ? 230 : 20 + 40 * c)),
    ['planes'],
  ],
  ['flat', made(64, 64, 3, () => 77), ['planes']],
];

describe('the quality scale', () => {
  it.each(PICTURES)(
    'of %s falls by no more than a twentieth in bytes and half a decibel, also where modes change',
    async (_, pixels, expected) => {
      // A coding of another mode is never exactly as good: it is a little better, by up to half a decibel, and up to 5 %
      // of so small a file larger than it had to be.
      let last = { length: 0, psnrDb: 0 };
      const modes = new Set<string>();
      for (const quality of [1, 20, 40, 55, 59, 60, 61, 65, 75, 85, 95, 99, 100]) {
        const bytes = await codec.compress(pixels, { quality });
        modes.add(inspect(bytes).mode);
        const psnrDb = psnr(pixels, await codec.decompress(bytes));
        expect([quality, bytes.length]).toEqual([
          quality,
          Math.max(bytes.length, Math.floor(0.95 * last.length)),
        ]);
        // The promise of quality 100 is about the largest error, not the mean.
        if (quality < 100) {
          expect([quality, psnrDb]).toEqual([quality, Math.max(psnrDb, last.psnrDb - 0.5)]);
        }
        last = { length: bytes.length, psnrDb };
      }
      expect([...modes]).toEqual(expected);
    },
  );

  it.each(PICTURES)('ends at a largest error of 2 levels for %s', async (_, pixels) => {
    const back = await codec.decompress(await codec.compress(pixels, { quality: 100 }));
    expect(largestError(pixels, back)).toBeLessThanOrEqual(2);
  });

  it('gives a drawn picture up to the plane coder as soon as that is smaller', async () => {
    const drawn = PICTURES[3]?.[1] as Pixels;
    const bytes = await codec.compress(drawn, { quality: 59 });
    expect(inspect(bytes).mode).toBe('planes');
    expect(await codec.decompress(bytes)).toEqual(drawn);
  });

  it('keeps 16 bits at its end, without a note', async () => {
    const { data, ...rest } = WAVES;
    const wide = Uint16Array.from(data, (value, i) => value * 257 + (i % 200));
    const notes: string[] = [];
    const onNote = (note: string) => notes.push(note);
    const pixels = { ...rest, data: wide };
    const bytes = await codec.compress(pixels, { quality: 99, onNote });
    const back = await codec.decompress(bytes);
    expect(back.data).toBeInstanceOf(Uint16Array);
    expect(psnr(pixels, back)).toBeGreaterThan(40);
    expect([inspect(bytes).mode, notes]).toEqual(['planes', []]);
  });
});

describe('targets past the model', () => {
  const pixels = PICTURES[1]?.[1] as Pixels;

  it('are met by the plane coder', async () => {
    const back = await codec.decompress(await codec.compress(pixels, { targetPsnr: 44 }));
    expect(psnr(pixels, back)).toBeGreaterThanOrEqual(44);
    expect(psnr(pixels, back)).toBeLessThan(45);
    for (const targetBpp of [4, 6]) {
      const { bitsPerPixel } = inspect(await codec.compress(pixels, { targetBpp }));
      expect(bitsPerPixel).toBeLessThanOrEqual(targetBpp);
      expect(bitsPerPixel).toBeGreaterThan(0.97 * targetBpp);
    }
  });

  it('end at the picture itself', async () => {
    const lossless = await codec.compress(pixels, { lossless: true });
    const large = await codec.compress(pixels, { targetSize: 2 * lossless.length });
    expect(await codec.decompress(large)).toEqual(pixels);
    for (const target of [{ targetSsim: 1 }, { targetPsnr: 100 }]) {
      const best = await codec.compress(pixels, target);
      expect(await codec.decompress(best)).toEqual(pixels);
      expect(best.length).toBeLessThanOrEqual(lossless.length);
    }
  });
});

describe('a file with a residual', () => {
  it('is refused on another provider by name, unless drift is allowed', async () => {
    const bytes = await readFile(join(FIXTURE, '../../fixtures/streams/v1/residual.vae'));
    expect(inspect(bytes).mode).toBe('model+residual');
    await using other = await openCodec({ model: 'fixture', provider: 'cuda' });
    await expect(other.decompress(bytes)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('--allow-drift'),
    });
    await expect(other.decompress(bytes, { allowDrift: true })).rejects.not.toThrow(/drift/);
  });
});

describe('a residual beside the model', () => {
  it.each([
    ['waves', 3, 61, 43],
    ['waves over a slice', 3, 40, 1100],
    ['grey', 1, 33, 20],
  ] as const)(
    'of %s brings back every sample, and at a step stays within it',
    async (_, channels, width, height) => {
      const pixels = made(
        width,
        height,
        channels,
        (x, y, c, hash) => 120 + 70 * Math.sin(x / 9 + c) * Math.cos(y / 7) + (hash >> 4),
      ) as PlainPixels;
      const opened = await codec.openModel();
      const picture = planPicture(opened.model.manifest, width, height);
      const job = { codec, opened, picture, options: {}, heldByteLength: 0 };
      const latents = await codeAtRate(job, sourceOf(pixels), 2000);
      const coded = { mode: 'model', latents, model: opened.model } as const;
      const decoded = (await codec.decompress(toFile(bareFrame(pixels), coded))) as PlainPixels;
      expect(largestError(pixels, decoded)).toBeGreaterThan(8);
      const residual = residualOf(job, pixels, { coded, decoded });
      const back = async (coding: PlaneCoding) => {
        const file = toFile(bareFrame(pixels), await residual.code(coding));
        expect(inspect(file).mode).toBe('model+residual');
        return codec.decompress(file);
      };
      expect((await back({ maxError: 0 })).data).toEqual(pixels.data);
      expect(largestError(pixels, await back({ maxError: 3 }))).toBeLessThanOrEqual(3);
      expect((await back({ stepSize: 6 })).data).toEqual((await residual.decodedAt(6)).data);
    },
  );
});

describe('verify', () => {
  it('passes what the model and the planes are chosen for', async () => {
    for (const [, pixels] of PICTURES) {
      for (const options of [
        { quality: 1 },
        { quality: 70 },
        { quality: 100 },
        { lossless: true },
      ]) {
        const bytes = await codec.compress(pixels, { ...options, verify: true });
        expect(bytes.length).toBeGreaterThan(40);
      }
    }
  });

  it.each([
    ['a sample', { kind: 'lossless' } as const, 1, /largest error of at most 0/],
    ['three levels', { kind: 'quality', quality: 100 } as const, 3, /largest error of at most 2/],
    ['the picture', { kind: 'quality', quality: 10 } as const, 200, /mean squared error/],
    ['what SSIM sees', { kind: 'ssim', least: 0.999 } as const, 12, /loss of SSIM of at most/],
  ])('tells of %s that is off', async (_, aim, off, message) => {
    const pixels = PICTURES[0]?.[1] as Pixels;
    const damaged = { ...pixels, data: pixels.data.map((v) => (v + off) & 255) };
    await expect(checkKept(pixels, damaged, aim, {})).rejects.toThrow(message);
    await checkKept(pixels, pixels, aim, {});
  });

  it('tells of metadata and alpha that are gone', async () => {
    const [, pixels] = PICTURES[0] ?? [];
    const tagged = { ...(pixels as Pixels), metadata: { xmp: Uint8Array.of(60) } };
    const aim = { kind: 'quality', quality: 50 } as const;
    await expect(checkKept(tagged, pixels as Pixels, aim, {})).rejects.toThrow(/keep its xmp/);
    await checkKept(tagged, pixels as Pixels, aim, { strip: true });
    const clear = made(4, 4, 4, () => 9);
    const solid = { ...clear, data: clear.data.map((v, i) => (i % 4 === 3 ? 255 : v)) };
    await expect(checkKept(clear, solid, aim, {})).rejects.toThrow(/keep its alpha/);
  });
});

function largestError(a: Pixels, b: Pixels): number {
  const errors = Array.from(a.data, (value, i) => Math.abs(value - (b.data[i] ?? 0)));
  return errors.reduce((most, error) => Math.max(most, error), 0);
}

function made(
  widthPx: number,
  heightPx: number,
  channels: 1 | 3 | 4,
  value: (x: number, y: number, c: number, hash: number) => number,
): Pixels {
  const data = Uint8Array.from({ length: widthPx * heightPx * channels }, (_, i) => {
    const at = Math.floor(i / channels);
    const hash = Math.imul(i + 1, 2654435761) >>> 24;
    return value(at % widthPx, Math.floor(at / widthPx), i % channels, hash);
  });
  return { widthPx, heightPx, channels, data };
}

describe('effort', () => {
  it('changes the encoder’s choices alone, from 4 on, and is refused out of range', async () => {
    const pixels = PICTURES[1]?.[1] as Pixels;
    const at = (effort: number, quality = 58) => codec.compress(pixels, { quality, effort });
    expect(await at(1)).toEqual(await codec.compress(pixels, { quality: 58 }));
    const more = await at(6);
    expect(more).not.toEqual(await at(1));
    // By squared error nothing is refined up to quality 50.
    expect(await at(6, 50)).toEqual(await at(1, 50));
    expect(psnr(pixels, await codec.decompress(more))).toBeGreaterThan(15);
    for (const effort of [0, 10, 2.5]) await expect(at(effort)).rejects.toThrow(/effort/);
  });
});

describe('memory past the model', () => {
  it('is planned with what the model makes of a picture, codings, and what they decode to', async () => {
    const pixels = made(
      200,
      300,
      3,
      (x, y, _, hash) => ((x + y) >> 2) + (hash >> 4),
    ) as PlainPixels;
    /** The least limit that a coding is not refused at, to 4 kB. */
    const least = async (coderOf: (job: ModelJob) => CandidateCoder | undefined) => {
      let [low, high] = [0, 2 ** 25];
      while (high - low > 4096) {
        const maxMemoryBytes = Math.floor((low + high) / 2);
        await using tight = await openCodec({
          model: root,
          threads: 1,
          limits: { maxMemoryBytes },
        });
        const opened = await tight.openModel();
        const picture = planPicture(opened.model.manifest, pixels.widthPx, pixels.heightPx);
        const job = { codec: tight, opened, picture, options: {}, heldByteLength: 0 };
        const coder = coderOf(job);
        if (coder === undefined) throw new Error('expected a coder');
        const isEnough = await coder.decodedAt(8).then(
          () => true,
          (error: unknown) => {
            expect(error).toBeInstanceOf(LimitError);
            return false;
          },
        );
        if (isEnough) high = maxMemoryBytes;
        else low = maxMemoryBytes;
      }
      return high;
    };
    const model = { mode: 'model' } as ModelCoding['coded'];
    const base = { coded: model, decoded: pixels };
    const byItself = await least((job) => planesAlone(job, pixels));
    const [alone = 0, residual = 0] = await Promise.all(
      [0, 1].map((index) => least((job) => fineCoders(job, pixels, pixels, base)[index])),
    );
    const { length } = pixels.data;
    expect(alone).toBeGreaterThan(byItself + 3.9 * length);
    // 16 bits a sample are coded, in an arena that is larger by as much.
    expect(residual).toBeGreaterThan(byItself + 8.9 * length);
  });
});
