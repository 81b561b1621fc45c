import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planBands } from '#src/codec/bands.js';
import { inspect } from '#src/codec/inspect.js';
import { type Codec, openCodec } from '#src/codec/open.js';
import type { PixelFormat, PixelSource } from '#src/image/pixel-rows.js';
import type { Pixels } from '#src/image/pixels.js';
import { defaultLimits } from '#src/limits.js';
import { rateOfQuality } from '#src/models/quality.js';
import type { Manifest } from '#src/models/schemas.js';
import { entropyDecode, entropyEncode } from '#src/stages/entropy.js';
import { dequantise, quantise } from '#src/stages/quantise.js';
import { rotate, unrotate } from '#src/stages/rotate.js';
import { vaeDecode } from '#src/stages/vae-decode.js';
import { latentShapes, vaeEncode } from '#src/stages/vae-encode.js';
import { waveletForward, waveletInverse } from '#src/stages/wavelet.js';
import { takeApart } from '../../scripts/take-apart.mjs';
import { grainyPicture as picture } from '../pipeline/fixture.js';

const FIXTURE = join(import.meta.dirname, '../../models/fixture');

/** For megabytes, which the test runner compares one by one. */
const isSame = (a: ArrayLike<number> & NodeJS.ArrayBufferView, b: typeof a) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );

let codec: Codec;
beforeAll(async () => {
  codec = await openCodec({ model: FIXTURE, threads: 1 });
});
afterAll(() => codec.close());

/** The whole picture through the stages at once, as a pipe of one's own would take it. */
async function wholeSlices(pixels: Pixels, quality: number): Promise<Uint8Array> {
  const world = await codec.world({ arenaByteLength: 64 << 20 });
  const rate = rateOfQuality(world.context.model.manifest, quality);
  const { slices } = await world
    .pipe(world.spawnImage(pixels))
    .to(vaeEncode())
    .to(rotate())
    .to(waveletForward())
    .to(quantise({ rate }))
    .to(entropyEncode())
    .out('Bitstream');
  return Buffer.concat(slices.map((slice) => world.arena.view(slice)));
}

/** The same the other way. */
async function wholePicture(file: Uint8Array): Promise<Uint8Array> {
  const { header, streams } = await takeApart(file, defaultLimits());
  const [latent] = streams;
  const world = await codec.world({ arenaByteLength: 64 << 20 });
  const lengths = latent?.sliceByteLengths ?? [latent?.bytes.length ?? 0];
  let start = 0;
  const slices = lengths.map((byteLength) => {
    const slice = world.arena.allocate('u8', [byteLength]);
    world.arena.view(slice).set(latent?.bytes.subarray(start, start + byteLength) ?? []);
    start += byteLength;
    return slice;
  });
  const { widthPx, heightPx, coder, rate, sliceRows } = header;
  const shapes = latentShapes(world.context.model.manifest, widthPx, heightPx);
  const entity = world.newEntity().add('Bitstream', {
    slices,
    coder,
    sliceRows: sliceRows || (shapes[0]?.[1] ?? 0),
    shapes,
    quant: { rate },
    widthPx,
    heightPx,
  });
  const rgb = await world
    .pipe(entity)
    .to(entropyDecode())
    .to(dequantise())
    .to(waveletInverse())
    .to(unrotate())
    .to(vaeDecode())
    .out('ReconRgb');
  return world.readPixels(rgb).data as Uint8Array;
}

// Bands of the fixture are 128 latent rows of 4 px: eight rows of its tiles.
const HEIGHTS = [511, 512, 513, 520, 1025, 1100, 1540];

describe('bands', () => {
  it.each(HEIGHTS)(
    'of a picture %i px high give the bytes and pixels of the whole',
    async (heightPx) => {
      const pixels = picture(70, heightPx, heightPx % 7);
      const file = await codec.compress(pixels, { quality: 70 });
      const { slices, headerByteLength } = inspect(file);
      expect(slices).toBe(Math.ceil(heightPx / 512));
      expect(isSame(file.subarray(headerByteLength), await wholeSlices(pixels, 70))).toBe(true);
      const { data } = await codec.decompress(file);
      expect(isSame(data, await wholePicture(file))).toBe(true);
    },
  );

  it('side by side or one by one, many tiles in flight or one, give the same bytes and pixels', {
    timeout: 120_000,
  }, async () => {
    const pixels = picture(150, 2100);
    const file = await codec.compress(pixels);
    const { data } = await codec.decompress(file);
    for (const options of [
      { threads: 2 },
      { threads: 16 },
      // Room for one band with one tile at a time.
      { threads: 16, limits: { maxMemoryBytes: 76 * 2 ** 20 } },
    ]) {
      await using other = await openCodec({ model: FIXTURE, ...options });
      expect(isSame(await other.compress(pixels), file)).toBe(true);
      expect(isSame((await other.decompress(file)).data, data)).toBe(true);
    }
  });

  it('begin at tiles and end at slices, whatever the sizes of both', () => {
    const manifest = (tilePx: number, wavelet = false): Manifest =>
      ({
        grids: [{ channels: 8, stridePx: 8 }],
        padToPx: 8,
        encoder: { marginPx: 40 },
        decoder: { marginPx: 48 },
        tilePx,
        ...(wavelet && { transform: { channel: 'none', wavelet: { kind: 'haar', levels: 1 } } }),
      }) as unknown as Manifest;
    for (const tilePx of [64, 72, 512, 1000, 1024, 1032, 1536, 8192]) {
      const { bands, sliceRows } = planBands(manifest(tilePx), 20_001);
      expect(sliceRows).toBeLessThanOrEqual(128);
      for (const [index, band] of bands.entries()) {
        expect(band.index).toBe(index);
        expect(band.firstRowPx % tilePx).toBe(0);
        expect(band.firstRow % sliceRows).toBe(0);
        expect(band.firstRowPx).toBe(8 * band.firstRow);
        expect(band.firstRow).toBe(bands.slice(0, index).reduce((sum, { rows }) => sum + rows, 0));
      }
      expect(bands.reduce((sum, { rowsPx }) => sum + rowsPx, 0)).toBe(20_001);
      expect(bands.reduce((sum, { rows }) => sum + rows, 0)).toBe(2501);
    }
    expect(planBands(manifest(1024, true), 20_001).bands).toHaveLength(1);
  });
});

/** Rows one by one, from memory that is overwritten with the next. */
function slowSource(pixels: Pixels): PixelSource & { readonly asked: number[] } {
  let at = 0;
  const asked: number[] = [];
  const { data, ...rest } = pixels;
  return {
    ...rest,
    bitsPerSample: 8,
    asked,
    async readRows(rows) {
      asked.push(rows);
      const start = at;
      at += rows * rest.widthPx * rest.channels;
      await new Promise((resolve) => setImmediate(resolve));
      return data.slice(start, at);
    },
  };
}

describe('a picture that comes and goes by rows', () => {
  it('gives the bytes of one in memory, and is read once from top to bottom', async () => {
    const pixels = picture(70, 1300);
    const source = slowSource(pixels);
    expect(isSame(await codec.compress(source), await codec.compress(pixels))).toBe(true);
    expect(source.asked.reduce((sum, rows) => sum + rows)).toBe(1300);
    expect(Math.max(...source.asked)).toBeLessThan(600);
  });

  it('is given out in order, band by band', async () => {
    const file = await codec.compress(picture(70, 1300));
    const parts: Uint8Array[] = [];
    let format: PixelFormat | undefined;
    await codec.decompressTo(file, {
      begin: (begun) => {
        format = begun;
      },
      writeRows: async (rows) => {
        await new Promise((resolve) => setImmediate(resolve));
        parts.push(Uint8Array.from(rows));
      },
    });
    expect(format).toEqual({ widthPx: 70, heightPx: 1300, channels: 3, bitsPerSample: 8 });
    expect(parts.map(({ length }) => length / 210)).toEqual([512, 512, 276]);
    expect(isSame(Buffer.concat(parts), (await codec.decompress(file)).data)).toBe(true);
  });

  it('stops where its source fails or its sink does, with their own error', async () => {
    const pixels = picture(70, 2100);
    const broken = {
      ...slowSource(pixels),
      readRows: () => Promise.reject(new Error('the disk went away')),
    };
    await expect(codec.compress(broken)).rejects.toThrow('the disk went away');
    let rows = 0;
    const full = {
      begin: () => {},
      writeRows: () => {
        rows++;
        throw new Error('the disk is full');
      },
    };
    const file = await codec.compress(pixels);
    await expect(codec.decompressTo(file, full)).rejects.toThrow('the disk is full');
    expect(rows).toBe(1);
    expect((await codec.decompress(file)).heightPx).toBe(2100);
  });
});

it('a model with a wavelet over its grid is coded whole, in slices', async () => {
  const model = await mkdtemp(join(tmpdir(), 'vaerans-wavelet-'));
  await cp(FIXTURE, model, { recursive: true });
  const path = join(model, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  manifest.transform = {
    ...manifest.transform,
    channel: 'none',
    wavelet: { kind: 'cdf53', levels: 2 },
  };
  delete manifest.transform.klt;
  await writeFile(path, JSON.stringify(manifest));
  await using wavelet = await openCodec({ model, threads: 1 });
  const file = await wavelet.compress(picture(40, 1100), { quality: 90 });
  expect(inspect(file).slices).toBe(3);
  expect((await wavelet.decompress(file)).heightPx).toBe(1100);
  await rm(model, { recursive: true });
});
