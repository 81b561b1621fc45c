import { openCodec, readImage } from 'vaerans';
import { afterAll, describe, expect, it } from 'vitest';
import { adjustmentOf } from '#src/codec/adjustment.js';
import type { LostParts } from '#src/codec/partial.js';
import { psnr } from '#src/codec/quality.js';
import { readHeader } from '#src/container/read.js';
import { writeContainer } from '#src/container/write.js';
import { sourceOf } from '#src/image/pixel-rows.js';
import type { Pixels, PlainPixels } from '#src/image/pixels.js';
import { defaultLimits } from '#src/limits.js';
import { ADJUSTMENT_LENGTHS, COMPONENT_SUMS, OBSERVED_NUMBERS } from '#src/wasm/restoration.js';
import { takeApart } from '../../scripts/take-apart.mjs';

const photo = (await readImage('fixtures/photo.png')) as PlainPixels;

/** Sums of made-up features, of which the wanted ones make up what is missing. */
function sumsFor(wanted: readonly number[], leaveOut: readonly number[] = []): Float64Array {
  const sums = new Float64Array(OBSERVED_NUMBERS);
  let state = 1;
  const noise = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647 - 0.5;
  };
  let first = 0;
  for (const [component, length] of ADJUSTMENT_LENGTHS.entries()) {
    const own = sums.subarray(component * COMPONENT_SUMS, (component + 1) * COMPONENT_SUMS);
    for (let pixel = 0; pixel < 4000; pixel++) {
      const features = Array.from({ length }, (_, at) => (leaveOut.includes(at) ? 0 : noise()));
      const missing = features.reduce((sum, x, at) => sum + x * (wanted[first + at] ?? 0), 0);
      for (const [row, a] of features.entries()) {
        for (const [column, b] of features.slice(0, row + 1).entries()) {
          own[9 * row + column] = (own[9 * row + column] ?? 0) + a * b;
        }
        own[81 + row] = (own[81 + row] ?? 0) + a * missing;
      }
      own[90] = (own[90] ?? 0) + missing * missing;
    }
    first += length;
  }
  return sums;
}

describe('the adjustment of sums', () => {
  const units = ADJUSTMENT_LENGTHS.flatMap((length) =>
    Array.from({ length }, (_, at) => (at === 0 ? 64 : 512)),
  );
  const wanted = units.map((_, index) => ((index * 29) % 61) - 30);
  const values = wanted.map((value, index) => value / (units[index] ?? 1));

  it('is what was missing', () => {
    const found = adjustmentOf([sumsFor(values)], 1e5, 3);
    expect([...new Int8Array(found?.buffer ?? new ArrayBuffer(0))]).toEqual(wanted);
  });

  it('adds up bands', () => {
    const sums = sumsFor(values);
    const half = sums.map((sum) => sum / 2);
    expect(adjustmentOf([half, half], 1e5, 3)).toEqual(adjustmentOf([sums], 1e5, 3));
  });

  it('gives features that never occur no weight, and values that are too large their end', () => {
    const large = values.map((value, index) => (index === 0 ? 9 : value));
    const found = adjustmentOf([sumsFor(large, [1, 2])], 1e5, 3);
    const numbers = new Int8Array(found?.buffer ?? new ArrayBuffer(0));
    expect([numbers[0], numbers[1], numbers[2], numbers[6], numbers[7]]).toEqual([127, 0, 0, 0, 0]);
    expect(numbers[3]).toBe(wanted[3]);
  });

  it('of a grey picture is that of luma', () => {
    const found = adjustmentOf([sumsFor(values)], 1e5, 1);
    const numbers = [...new Int8Array(found?.buffer ?? new ArrayBuffer(0))];
    expect(numbers).toEqual(wanted.map((value, index) => (index < 5 ? value : 0)));
  });

  it('is left out where it is not worth its bytes', () => {
    expect(adjustmentOf([], 1e6, 3)).toBeUndefined();
    expect(adjustmentOf([sumsFor(values.map(() => 0))], 1e6, 3)).toBeUndefined();
    expect(adjustmentOf([sumsFor(values)], 0, 3)).toBeUndefined();
  });
});

describe('files with a filter stream', () => {
  const codec = openCodec({ threads: 1 });
  afterAll(async () => (await codec).close());
  const compress = async (picture: Pixels, options: object) =>
    (await codec).compress(picture, { tune: 'psnr', quality: 60, ...options });
  const typesOf = (file: Uint8Array) => readHeader(file).directory.map(({ type }) => type);

  it('are made from effort 3 on with tune psnr, and are nearer to the original for their few bytes', async () => {
    // A quality at which symbols are not chosen by rate: that is nothing but the filter's.
    const [plain, adjusted] = [
      await compress(photo, { effort: 2, quality: 88 }),
      await compress(photo, { quality: 88 }),
    ];
    expect(typesOf(plain)).not.toContain('filter');
    expect(typesOf(adjusted)).toContain('filter');
    expect(typesOf(await compress(photo, { tune: 'eye' }))).not.toContain('filter');
    expect(adjusted.length).toBe(plain.length + 29);
    const decoded = await Promise.all(
      [plain, adjusted].map(async (file) => (await codec).decompress(file)),
    );
    const [before = 0, after = 0] = decoded.map((picture) => psnr(photo, picture));
    expect(after).toBeGreaterThan(before + 0.005);
  });

  it('tell of every tile of a network', async () => {
    for (const [effort, tiles] of [
      [2, 1],
      [3, 2],
      [4, 4],
    ] as const) {
      const seen: [number, number][] = [];
      await compress(photo, { effort, onProgress: (...at: [number, number]) => seen.push(at) });
      expect(seen).toEqual(Array.from({ length: tiles }, (_, at) => [at + 1, tiles]));
    }
  });

  it('gain where a part of a wide picture is nothing like the rest', async () => {
    const widthPx = 1792;
    const { heightPx } = photo;
    const data = new Uint8Array(3 * widthPx * heightPx);
    for (let row = 0; row < heightPx; row++) {
      for (let column = 0; column < widthPx; column++) {
        const from = 3 * (row * photo.widthPx + (column % photo.widthPx));
        for (let channel = 0; channel < 3; channel++) {
          const sample = Number(photo.data[from + channel]);
          // Dark and smooth up to the second tile.
          const own = column < 1024 ? Math.round(sample / 8 + 3 * Math.sin(column / 40)) : sample;
          data[3 * (row * widthPx + column) + channel] = Math.max(0, own);
        }
      }
    }
    const wide: PlainPixels = { widthPx, heightPx, channels: 3, data };
    const files = [
      await compress(wide, { effort: 2, quality: 88 }),
      await compress(wide, { quality: 88 }),
    ];
    const decoded = await Promise.all(files.map(async (file) => (await codec).decompress(file)));
    const [before = 0, after = 0] = decoded.map((picture) => psnr(wide, picture));
    expect(after).toBeGreaterThanOrEqual(before - 0.005);
  });

  it('are the same with bands side by side, and come back by parts as they do whole', async () => {
    const { widthPx } = photo;
    const copies = Math.ceil(1500 / photo.heightPx);
    const data = new Uint8Array(copies * photo.data.length);
    for (let copy = 0; copy < copies; copy++) data.set(photo.data, copy * photo.data.length);
    const tall: PlainPixels = { ...photo, heightPx: copies * photo.heightPx, data };
    const file = await compress(tall, {});
    expect(typesOf(file)).toContain('filter');
    await using other = await openCodec({ threads: 2 });
    expect(await other.compress(sourceOf(tall), { tune: 'psnr', quality: 60 })).toEqual(file);
    const whole = await (await codec).decompress(file);
    const region = { x: 5, y: 1000, width: widthPx - 9, height: 60 };
    const part = await (await codec).decompress(file, { region });
    for (let row = 0; row < region.height; row++) {
      const start = 3 * ((region.y + row) * widthPx + region.x);
      const expected = whole.data.slice(start, start + 3 * region.width);
      const rowBytes = 3 * region.width;
      expect(part.data.slice(row * rowBytes, (row + 1) * rowBytes)).toEqual(expected);
    }
  });

  it('are refused where the stream is not whole, and all rows are told to be a little off where it is lost', async () => {
    const file = await compress(photo, {});
    const { header, streams } = await takeApart(file, defaultLimits());
    const short = streams.map((stream) =>
      stream.type === 'filter' ? { ...stream, bytes: stream.bytes.slice(1) } : stream,
    );
    await expect((await codec).decompress(writeContainer(header, short))).rejects.toThrow(
      'expected a filter stream of 23 bytes, got 22',
    );
    const damaged = file.slice();
    const last = damaged.length - 1;
    damaged[last] = Number(damaged[last]) ^ 1;
    await expect((await codec).decompress(damaged)).rejects.toThrow('filter');
    let lost: LostParts | undefined;
    const decoded = await (await codec).decompress(damaged, {
      onLost: (parts) => {
        lost = parts;
      },
    });
    expect(lost?.streams).toEqual(['filter']);
    expect(lost?.inexactRows).toEqual([{ firstRow: 0, rows: photo.heightPx }]);
    const without = streams.filter(({ type }) => type !== 'filter');
    expect(decoded.data).toEqual(
      (await (await codec).decompress(writeContainer(header, without))).data,
    );
  });

  it('are refused where the model has no filter', async () => {
    const fixture = await openCodec({ model: 'fixture', threads: 1 });
    const { header, streams } = await takeApart(
      await fixture.compress(photo, { quality: 40 }),
      defaultLimits(),
    );
    const file = writeContainer(header, [
      ...streams,
      { type: 'filter', bytes: new Uint8Array(23) },
    ]);
    await expect(fixture.decompress(file)).rejects.toThrow("as model 'fixture' has no filter");
    await fixture.close();
  });
});
