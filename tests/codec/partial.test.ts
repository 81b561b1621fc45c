import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Codec, openCodec } from '#src/codec/open.js';
import { hatchAt, type LostParts, remainsOf } from '#src/codec/partial.js';
import { readHeader } from '#src/container/read.js';
import { writeContainer } from '#src/container/write.js';
import { FormatError } from '#src/errors.js';
import type { Pixels } from '#src/image/pixels.js';
import { defaultLimits } from '#src/limits.js';
import { takeApart } from '../../scripts/take-apart.mjs';
import { grainyPicture, openFixtureCodec, picture } from '../pipeline/fixture.js';
import { makeTwoGrids } from '../pipeline/two-grids.js';

const WIDTH = 40;
const HEIGHT = 1300;
/** Of the fixture model: slices of 128 latent rows at stride 4, and a decoder that sees 4 px around. */
const SLICE_PX = 512;
const MARGIN_PX = 4;
const SLICES = 3;

let codec: Codec;
let file: Uint8Array;
let whole: Pixels;
beforeAll(async () => {
  codec = await openFixtureCodec();
  file = await codec.compress(picture(WIDTH, HEIGHT), { quality: 70 });
  whole = await codec.decompress(file);
});
afterAll(() => codec.close());

/** Turns a bit in the middle of parts of a stream. */
function damaged(bytes: Uint8Array, type: string, parts: readonly number[] = [0]): Uint8Array {
  const entry = readHeader(bytes).directory.find((each) => each.type === type);
  const copy = bytes.slice();
  for (const index of parts) {
    const part = entry?.parts[index];
    if (part === undefined) throw new Error(`expected part ${index} of ${type}`);
    const at = part.byteOffset + (part.byteLength >> 1);
    copy[at] = (copy[at] ?? 0) ^ 4;
  }
  return copy;
}

async function decodePartly(bytes: Uint8Array, options: object = {}) {
  let lost: LostParts | undefined;
  const onLost = (parts: LostParts) => {
    expect(lost).toBeUndefined();
    lost = parts;
  };
  const pixels = await codec.decompress(bytes, { ...options, onLost });
  return { pixels, lost };
}

const ends = (ranges: LostParts['rows']) =>
  ranges.map(({ firstRow, rows }) => [firstRow, firstRow + rows]);

function rowsOf({ data, widthPx, channels }: Pixels, from: number, to: number): Buffer {
  const rows = data.subarray(from * widthPx * channels, to * widthPx * channels);
  return Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength);
}

/** Rows that are neither lost nor inexact are those of the sound file to the last bit, lost ones are all hatched. */
function expectKept(pixels: Pixels, sound: Pixels, { rows, inexactRows }: LostParts): void {
  const within = (ranges: LostParts['rows'], row: number) =>
    ranges.some((range) => row >= range.firstRow && row < range.firstRow + range.rows);
  const { widthPx, channels, data } = pixels;
  for (let row = 0; row < pixels.heightPx; row++) {
    if (within(rows, row)) {
      const expected = Array.from({ length: widthPx * channels }, (_, i) =>
        hatchAt(Math.floor(i / channels), row),
      );
      expect([...data.subarray(row * expected.length, (row + 1) * expected.length)]).toEqual(
        expected,
      );
    } else if (!within(inexactRows, row)) {
      expect(rowsOf(pixels, row, row + 1).equals(rowsOf(sound, row, row + 1))).toBe(true);
    }
  }
}

describe('a damaged file of which the rest is taken', () => {
  it.each([
    [[0], [[0, 512]], [[512, 516]]],
    [
      [1],
      [[512, 1024]],
      [
        [508, 512],
        [1024, 1028],
      ],
    ],
    [[2], [[1024, 1300]], [[1020, 1024]]],
    [[1, 2], [[512, 1300]], [[508, 512]]],
    [
      [0, 2],
      [
        [0, 512],
        [1024, 1300],
      ],
      [
        [512, 516],
        [1020, 1024],
      ],
    ],
  ])(
    'loses the rows of slices %j and disturbs a margin beside them',
    async (slices, rows, near) => {
      const { pixels, lost } = await decodePartly(damaged(file, 'latent', slices));
      expect(ends(lost?.rows ?? [])).toEqual(rows);
      expect(ends(lost?.inexactRows ?? [])).toEqual(near);
      expect(lost?.streams).toEqual([]);
      if (lost) expectKept(pixels, whole, lost);
    },
  );

  it('shows the rows of the margin from a latent that is zero where it is lost', async () => {
    const { pixels } = await decodePartly(damaged(file, 'latent', [1]));
    const margin = [508, 512] as const;
    expect(rowsOf(pixels, ...margin).equals(rowsOf(whole, ...margin))).toBe(false);
    const hatched = Buffer.from(Array.from({ length: WIDTH }, (_, x) => hatchAt(x, 511)));
    expect(rowsOf(pixels, 511, 512).subarray(0, WIDTH).equals(hatched)).toBe(false);
  });

  it('is refused when no slice is left, and nothing is given out', async () => {
    const begun: unknown[] = [];
    const sink = { begin: (format: unknown) => void begun.push(format), writeRows: () => {} };
    const onLost = () => begun.push('told');
    const bytes = damaged(file, 'latent', [0, 1, 2]);
    await expect(codec.decompressTo(bytes, sink, { onLost })).rejects.toThrow(FormatError);
    expect(begun).toEqual([]);
  });

  it('is refused where the header or its directory is damaged, and where bytes follow the end', async () => {
    const { headerByteLength } = readHeader(file);
    for (let at = 0; at < headerByteLength; at++) {
      const bytes = file.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      await expect(decodePartly(bytes)).rejects.toThrow(FormatError);
    }
    await expect(decodePartly(Uint8Array.of(...file, 0))).rejects.toThrow(FormatError);
  });

  it('is decoded up to where it was cut off, slice by slice', async () => {
    const { headerByteLength, directory } = readHeader(file);
    const parts = directory[0]?.parts ?? [];
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: file.length - 1 }), async (length) => {
        const decoding = decodePartly(file.slice(0, length));
        const kept = parts.filter((part) => part.byteOffset + part.byteLength <= length).length;
        if (length < headerByteLength || kept === 0) {
          await expect(decoding).rejects.toThrow(FormatError);
          return;
        }
        const { pixels, lost } = await decoding;
        expect(ends(lost?.rows ?? [])).toEqual([[kept * SLICE_PX, HEIGHT]]);
        expect(ends(lost?.inexactRows ?? [])).toEqual([
          [kept * SLICE_PX - MARGIN_PX, kept * SLICE_PX],
        ]);
        if (lost) expectKept(pixels, whole, lost);
      }),
      {
        numRuns: 12,
        examples: parts.flatMap(({ byteOffset, byteLength }): [number][] => [
          [byteOffset],
          [Math.min(file.length - 1, byteOffset + byteLength)],
        ]),
      },
    );
  });

  it('reads no further than a file that was cut off goes', async () => {
    const bytes = file.subarray(0, file.length - 1);
    const access = {
      byteLength: bytes.length,
      read: (byteOffset: number, byteLength: number) => {
        expect(byteOffset + byteLength).toBeLessThanOrEqual(bytes.length);
        return Promise.resolve(bytes.slice(byteOffset, byteOffset + byteLength));
      },
    };
    const told: LostParts[] = [];
    const { data } = await codec.decompress(access, { onLost: (lost) => told.push(lost) });
    expect(data).toEqual((await decodePartly(bytes)).pixels.data);
    expect(ends(told[0]?.rows ?? [])).toEqual([[1024, HEIGHT]]);
  });

  it('tells of the rows of a region only', async () => {
    const bytes = damaged(file, 'latent', [1]);
    const crop = async (y: number, height: number) => {
      const region = { x: 3, y, width: 30, height };
      const partly = await decodePartly(bytes, { region });
      return { ...partly, sound: await codec.decompress(file, { region }) };
    };
    const above = await crop(100, 400);
    expect(above.lost).toBeUndefined();
    expect(above.pixels.data).toEqual(above.sound.data);
    const across = await crop(505, 20);
    expect(ends(across.lost?.rows ?? [])).toEqual([[512, 525]]);
    expect(ends(across.lost?.inexactRows ?? [])).toEqual([[508, 512]]);
    expect(across.pixels.data[7 * 30 * 3]).toBe(hatchAt(3, 512));
    await expect(crop(512, 100)).rejects.toThrow(FormatError);
  });

  it('comes without alpha where that is lost', async () => {
    const { bytes, sound } = await withAlpha();
    const { pixels, lost } = await decodePartly(damaged(bytes, 'alpha'));
    expect(lost).toEqual({ rows: [], inexactRows: [], streams: ['alpha'] });
    expect(pixels.channels).toBe(3);
    expect([...pixels.data]).toEqual([...sound.data].filter((_, i) => i % 4 < 3));
  });

  it('shows rows that are lost whatever alpha is there', async () => {
    const { bytes, sound } = await withAlpha();
    const { pixels, lost } = await decodePartly(damaged(bytes, 'latent', [2]));
    expect(lost?.streams).toEqual([]);
    const row = (at: number) => [...rowsOf(pixels, at, at + 1)];
    expect(row(1100).filter((_, i) => i % 4 === 3)).toEqual(new Array(WIDTH).fill(255));
    expect(row(1100).slice(0, 3)).toEqual(new Array(3).fill(hatchAt(0, 1100)));
    expect(row(900)).toEqual([...rowsOf(sound, 900, 901)]);
    expect(row(900).filter((_, i) => i % 4 === 3)).toContain(0);
  });

  it('is what the model gives where a residual is lost, and says that all of it is inexact', async () => {
    const { header, streams } = await takeApart(file, defaultLimits());
    const [latent] = streams;
    if (latent === undefined) throw new Error('expected a latent');
    const lossless = await codec.compress(picture(WIDTH, HEIGHT), { lossless: true });
    const planes = (await takeApart(lossless, defaultLimits())).streams[0];
    if (planes === undefined) throw new Error('expected planes');
    // Whatever they decode to: nobody gets to see it.
    const bytes = writeContainer({ ...header, mode: 'model+residual' }, [latent, planes]);
    const { pixels, lost } = await decodePartly(damaged(bytes, 'planes'));
    expect(lost).toEqual({
      rows: [],
      inexactRows: [{ firstRow: 0, rows: HEIGHT }],
      streams: ['planes'],
    });
    expect(pixels.data).toEqual(whole.data);
  });

  it('is refused where planes are all that it has, as one checksum stands for all of them', async () => {
    const bytes = await codec.compress(picture(WIDTH, 300), { lossless: true });
    await expect(decodePartly(damaged(bytes, 'planes'))).rejects.toThrow(FormatError);
    await expect(decodePartly(bytes.slice(0, -1))).rejects.toThrow(FormatError);
  });

  it('is hatched in the levels of 16 bits', async () => {
    const data = Uint16Array.from(picture(WIDTH, HEIGHT).data, (value) => value * 257);
    const tall = { widthPx: WIDTH, heightPx: HEIGHT, channels: 3, data } as const;
    const bytes = await codec.compress(tall, { quality: 50 });
    const { pixels } = await decodePartly(damaged(bytes, 'latent', [0]));
    expect(pixels.data[0]).toBe(257 * hatchAt(0, 0));
  });

  it('comes without a profile and metadata that are lost', async () => {
    const metadata = { icc: new Uint8Array(300).fill(7), exif: new Uint8Array(40).fill(9) };
    const bytes = await codec.compress(
      { ...picture(WIDTH, 50), colour: 'icc', metadata },
      { quality: 60 },
    );
    const { pixels, lost } = await decodePartly(damaged(bytes, 'icc'));
    expect(lost).toEqual({ rows: [], inexactRows: [], streams: ['icc'] });
    expect(pixels.colour).toBeUndefined();
    expect(pixels.metadata).toEqual({ exif: metadata.exif });
  });

  it('loses all rows with one slice where the model decodes its latent as one', async () => {
    const header = readHeader(file);
    const [part] = header.directory[0]?.parts ?? [];
    if (part === undefined) throw new Error('expected a part');
    const { manifest } = (await codec.openModel()).model;
    const blending = { ...manifest, decoder: { ...manifest.decoder, blend: true } } as const;
    const region = { x: 0, y: 0, width: WIDTH, height: HEIGHT };
    const error = new FormatError('damaged', 0);
    const damage = new Map([[part, error]]);
    expect(remainsOf(header, damage, region, manifest)?.lost.rows).toHaveLength(1);
    expect(() => remainsOf(header, damage, region, blending)).toThrow(error);
  });

  it('loses nothing that it does not tell of, wherever a byte is other than it was', async () => {
    const { headerByteLength } = readHeader(file);
    const byte = fc.integer({ min: headerByteLength, max: file.length - 1 });
    await fc.assert(
      fc.asyncProperty(byte, fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const bytes = file.slice();
        bytes[at] = (bytes[at] ?? 0) ^ change;
        await expect(codec.decompress(bytes)).rejects.toThrow(FormatError);
        const { pixels, lost } = await decodePartly(bytes);
        expect(lost?.rows).toHaveLength(1);
        if (lost) expectKept(pixels, whole, lost);
      }),
      { numRuns: 8 },
    );
  });
});

it('a sound file is decoded as ever where damage would be taken', async () => {
  const { pixels, lost } = await decodePartly(file);
  expect(lost).toBeUndefined();
  expect(pixels.data).toEqual(whole.data);
  expect(readHeader(file).directory[0]?.parts).toHaveLength(SLICES);
});

it('of two grids slices and margins are counted on the coarser one', async () => {
  const model = await makeTwoGrids();
  const two = await openCodec({ model: model.folder, provider: 'cpu', threads: 1 });
  try {
    const bytes = await two.compress(grainyPicture(WIDTH, HEIGHT), { quality: 60 });
    const sound = await two.decompress(bytes);
    const told: LostParts[] = [];
    const onLost = (lost: LostParts) => told.push(lost);
    const pixels = await two.decompress(damaged(bytes, 'latent', [1]), { onLost });
    const [lost] = told;
    expect(ends(lost?.rows ?? [])).toEqual([[512, 1024]]);
    expect(ends(lost?.inexactRows ?? [])).toEqual([
      [504, 512],
      [1024, 1032],
    ]);
    if (lost) expectKept(pixels, sound, lost);
  } finally {
    await two.close();
    await model.remove();
  }
});

it('a preview is not made of a damaged file', async () => {
  await expect(codec.decompress(file, { scale: 0.25, onLost: () => {} })).rejects.toMatchObject({
    code: 'usage',
  });
});

/** Rows of the picture with alpha that rises from none to all. */
async function withAlpha() {
  const { data } = picture(WIDTH, HEIGHT);
  const rgba = Uint8Array.from({ length: WIDTH * HEIGHT * 4 }, (_, i) =>
    i % 4 === 3 ? ((i >> 2) % WIDTH) * 6 : (data[(i >> 2) * 3 + (i % 4)] ?? 0),
  );
  const tall = { widthPx: WIDTH, heightPx: HEIGHT, channels: 4, data: rgba } as const;
  const bytes = await codec.compress(tall, { quality: 50 });
  return { bytes, sound: await codec.decompress(bytes) };
}
