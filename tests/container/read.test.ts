import { describe, expect, test } from 'vitest';
import type { ContainerHeader, ContainerStream } from '#src/container/layout.js';
import { readHeader } from '#src/container/read.js';
import { writeContainer } from '#src/container/write.js';
import { FormatError, LimitError, VaeransError } from '#src/errors.js';
import { defaultLimits } from '#src/limits.js';
import { takeApart } from '../../scripts/take-apart.mjs';
import { LATENT, PLAIN_HEADER, type RawFile, rawFile } from './craft.js';

const LIMITS = defaultLimits();
const UNKNOWN_OPTIONAL = { typeByte: 0x50, bytes: [5, 5] };

/** Small files that between them have every part of the layout. */
const FILES: readonly (readonly [string, Uint8Array])[] = [
  ['plain', writeContainer(PLAIN_HEADER, [stream('latent', 9)])],
  [
    'sliced and named',
    writeContainer({ ...PLAIN_HEADER, modelName: 'fixture', sliceRows: 8 }, [
      { ...stream('latent', 200), sliceByteLengths: [150, 1, 0, 49] },
      stream('note', 3),
    ]),
  ],
  [
    'every stream',
    writeContainer(
      { ...PLAIN_HEADER, mode: 'model+residual', alpha: true, colour: 'icc', sixteenBit: true },
      (['latent', 'planes', 'alpha', 'icc', 'exif', 'xmp', 'note'] as const).map((type, index) =>
        stream(type, index),
      ),
    ),
  ],
  ['a later minor', rawFile({ minor: 7, later: [1, 2, 3], streams: [LATENT, UNKNOWN_OPTIONAL] })],
];

function stream(type: ContainerStream['type'], byteLength: number): ContainerStream {
  return { type, bytes: Uint8Array.from({ length: byteLength }, (_, index) => index * 37 + 11) };
}

async function refusal(bytes: Uint8Array): Promise<unknown> {
  try {
    await takeApart(bytes, LIMITS);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.each(FILES)('a damaged file: %s', (_, file) => {
  test('is sound to begin with', async () => {
    expect(await refusal(file)).toBeUndefined();
  });

  test('every truncation is refused', async () => {
    for (let byteLength = 0; byteLength < file.length; byteLength++) {
      const error = await refusal(file.subarray(0, byteLength));
      expect(error, `cut to ${byteLength} bytes`).toBeInstanceOf(FormatError);
      expect((error as FormatError).byteOffset).toBeLessThanOrEqual(byteLength);
    }
  });

  test('every truncation is refused by the header alone too', () => {
    for (let byteLength = 0; byteLength < file.length; byteLength++) {
      const cut = file.subarray(0, byteLength);
      expect(() => readHeader(cut), `cut to ${byteLength} bytes`).toThrow(FormatError);
    }
  });

  test('every single-bit flip is refused', async () => {
    const damaged = Uint8Array.from(file);
    for (let bit = 0; bit < file.length * 8; bit++) {
      damaged[bit >> 3] = (file[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await refusal(damaged), `bit ${bit}`).toBeInstanceOf(FormatError);
      damaged[bit >> 3] = file[bit >> 3] ?? 0;
    }
  });

  test('every doubled and every dropped byte is refused', async () => {
    for (let at = 0; at < file.length; at++) {
      const doubled = [...file.subarray(0, at + 1), ...file.subarray(at)];
      const dropped = [...file.subarray(0, at), ...file.subarray(at + 1)];
      expect(await refusal(Uint8Array.from(doubled)), `doubled ${at}`).toBeInstanceOf(VaeransError);
      expect(await refusal(Uint8Array.from(dropped)), `dropped ${at}`).toBeInstanceOf(VaeransError);
    }
  });

  test('a trailing byte is refused at its place', async () => {
    const error = await refusal(Uint8Array.from([...file, 0]));
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).byteOffset).toBe(file.length);
    expect((error as FormatError).message).toContain('trailing bytes');
  });
});

describe('a whole file', () => {
  test('reads a file that lies somewhere within a larger buffer', async () => {
    const [, file] = FILES[1] ?? ['', new Uint8Array(0)];
    const larger = new Uint8Array(file.length + 20).fill(0xee);
    larger.set(file, 7);
    const { header, streams } = await takeApart(larger.subarray(7, 7 + file.length), LIMITS);
    expect(header.modelName).toBe('fixture');
    expect(streams[1]?.bytes).toEqual(stream('note', 3).bytes);
  });

  test('an unknown optional stream is skipped and listed, an unknown required one refused', async () => {
    const optional = await takeApart(rawFile({ streams: [LATENT, UNKNOWN_OPTIONAL] }), LIMITS);
    expect(optional.streams.map(({ type }) => type)).toEqual(['latent']);
    expect(optional.header.directory[1]).toMatchObject({ type: undefined, typeCode: 0x50 });
    const required = { typeByte: 0xd0, bytes: [5, 5] };
    expect(await refusal(rawFile({ streams: [LATENT, required] }))).toMatchObject({
      name: 'FormatError',
      message: expect.stringContaining('required type 80'),
    });
  });

  test('a higher minor is read and what it appended skipped; in this minor it is refused', async () => {
    expect(readHeader(rawFile({ minor: 1, later: [9, 9, 9] }))).toMatchObject({
      versionMinor: 1,
      widthPx: 3,
      heightPx: 2,
    });
    expect(await refusal(rawFile({ minor: 0, later: [9] }))).toMatchObject({ name: 'FormatError' });
  });

  test('another major is refused by its number', async () => {
    expect(await refusal(rawFile({ major: 2 }))).toMatchObject({
      name: 'FormatError',
      byteOffset: 4,
      message: expect.stringContaining('expected format version 1, got 2; a newer vaerans'),
    });
    expect(await refusal(rawFile({ major: 0 }))).toMatchObject({
      name: 'FormatError',
      message: 'container: expected format version 1, got 0 (at byte 4)',
    });
  });

  test('a picture over the limits is refused before its streams are looked at', async () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
    const file = rawFile({ width: huge, height: huge, streams: [{ ...LATENT, crc: 1 }] });
    expect(await refusal(file)).toBeInstanceOf(LimitError);
    expect(readHeader(file).widthPx).toBe(0xffff_ffff);
  });

  test('16 streams are read, and none at all is refused by that number', async () => {
    const others = Array.from({ length: 15 }, (_, index) => ({ typeByte: 20 + index, bytes: [] }));
    expect(readHeader(rawFile({ streams: [LATENT, ...others] })).directory).toHaveLength(16);
    expect(await refusal(rawFile({ streamCount: 0 }))).toMatchObject({
      message: 'container: expected 1 to 16 streams, got 0 (at byte 22)',
    });
  });

  test.each<[string, RawFile, string]>([
    ['a code', { colourAndCoder: 5 }, 'expected colour code 0 to 3, got 5 (at byte 19)'],
    ['fields', { later: [9] }, "the header's fields to end at byte 30, got 29 (at byte 29)"],
  ])('%s out of range is refused with the range', async (_, raw, message) => {
    expect(await refusal(rawFile(raw))).toMatchObject({
      message: expect.stringContaining(message),
    });
  });

  test('a wrong header CRC is refused where it stands', async () => {
    const file = rawFile();
    const crcOffset = file.length - 3 - 4;
    file[8] = 200;
    expect(await refusal(file)).toMatchObject({
      byteOffset: crcOffset,
      message: expect.stringMatching(/^container: expected header CRC-32 [0-9a-f]{8}, got /),
    });
  });

  test('a wrong CRC is refused with both, in eight digits', async () => {
    expect(await refusal(rawFile({ streams: [{ ...LATENT, crc: 7 }] }))).toMatchObject({
      message: 'container: expected CRC-32 00000007 of stream latent, got 55bc801d (at byte 33)',
    });
    const unknown = { ...UNKNOWN_OPTIONAL, crc: 0xabc };
    expect(await refusal(rawFile({ streams: [LATENT, unknown] }))).toMatchObject({
      message: expect.stringContaining('expected CRC-32 00000abc of stream 80, got '),
    });
  });

  test('a header that is cut off says how many bytes it lacks, and of how many', async () => {
    expect(await refusal(rawFile().subarray(0, 5))).toMatchObject({
      message: 'container: expected 1 more header bytes, got 0 (truncated) (at byte 5)',
    });
    expect(await refusal(rawFile().subarray(0, 20))).toMatchObject({
      message: 'container: expected 4 more header bytes, got 0 (truncated) (at byte 20)',
    });
    expect(await refusal(rawFile().subarray(0, 31))).toMatchObject({
      message: 'container: expected 4 more header bytes, got 2 (truncated) (at byte 29)',
    });
  });

  test('what is no .vae file is refused with what it begins with', async () => {
    expect(await refusal(new Uint8Array(0))).toMatchObject({
      message: 'container: expected a .vae file, got an empty one (at byte 0)',
    });
    expect(await refusal(Uint8Array.of(0x56, 0x41))).toMatchObject({
      message: 'container: expected 1 more header bytes, got 0 (truncated) (at byte 2)',
    });
    expect(await refusal(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1, 2, 3))).toMatchObject({
      message: 'container: expected a .vae file beginning 56 41 45 00, got 89 50 4e 47 (at byte 0)',
    });
  });

  // Offsets of a 3x2 file: 7 width, 8 height, 9 model id, 17 rate, 19 colour, 20 flags, 21 slice rows, 22 ...
  test.each<[string, RawFile, number]>([
    ['a width of 0', { width: [0] }, 7],
    ['a height of 0', { height: [0] }, 7],
    ['a width not in its fewest bytes', { width: [0x83, 0] }, 7],
    ['a width above 2^32 - 1', { width: [0xff, 0xff, 0xff, 0xff, 0x1f] }, 7],
    ['a width of six bytes', { width: [0x80, 0x80, 0x80, 0x80, 0x80, 1] }, 7],
    ['mode 3', { rateAndMode: 0x3000 }, 17],
    ['reserved bits beside the mode', { rateAndMode: 0x4000 }, 17],
    ['colour 4', { colourAndCoder: 4 }, 19],
    ['coder 2', { colourAndCoder: 0x20 }, 19],
    ['an unknown flag', { flags: 16 }, 20],
    ['a model id of zero', { modelId: [0, 0, 0, 0, 0, 0, 0, 0] }, 9],
    ['a model id in mode planes', { rateAndMode: 0x2000 }, 9],
    ['an empty name', { flags: 8, modelName: [0] }, 22],
    ['a name of 33 bytes', { flags: 8, modelName: [33, ...new Array<number>(33).fill(65)] }, 22],
    ['a name with an escape', { flags: 8, modelName: [2, 65, 27] }, 23],
    ['a name that begins with an escape', { flags: 8, modelName: [2, 27, 65] }, 23],
    ['no stream', { streamCount: 0 }, 22],
    ['17 streams', { streamCount: 17 }, 22],
    ['more streams than it lists', { streamCount: 2 }, 29],
    ['a stream twice', { streams: [LATENT, LATENT] }, 29],
    ['stream type 0', { streams: [{ typeByte: 0, bytes: [] }] }, 23],
    ['streams out of order', { streams: [{ typeByte: 7, bytes: [] }, LATENT] }, 29],
    ['a latent marked optional', { streams: [{ ...LATENT, typeByte: 1 }] }, 23],
    ['a note marked required', { streams: [LATENT, { typeByte: 0x87, bytes: [] }] }, 29],
    ['no latent in mode model', { streams: [{ typeByte: 7, bytes: [] }] }, 22],
    ['planes in mode model', { streams: [LATENT, { typeByte: 0x82, bytes: [] }] }, 22],
    ['alpha without its flag', { streams: [LATENT, { typeByte: 0x83, bytes: [] }] }, 22],
    ['the alpha flag without alpha', { flags: 2 }, 22],
    ['colour icc without its stream', { colourAndCoder: 3 }, 22],
    ['no slice', { sliceRows: [1], streams: [{ ...LATENT, slices: [0] }] }, 29],
    ['65,537 slices', { sliceRows: [1], streams: [{ ...LATENT, slices: [0x81, 0x80, 0x04] }] }, 29],
    ['slices over their stream', { sliceRows: [1], streams: [{ ...LATENT, slices: [2, 4] }] }, 30],
    [
      'slices in mode planes',
      {
        rateAndMode: 0x2000,
        modelId: [0, 0, 0, 0, 0, 0, 0, 0],
        sliceRows: [1],
        streams: [{ typeByte: 0x82, bytes: [] }],
      },
      21,
    ],
    ['a wrong stream CRC', { streams: [{ ...LATENT, crc: 7 }] }, 33],
  ])('refuses %s at its byte, though the header CRC is right', async (_, raw, byteOffset) => {
    expect(await refusal(rawFile(raw))).toMatchObject({ name: 'FormatError', byteOffset });
  });

  test('refuses a header length under 26 and over 1,048,576 without looking further', async () => {
    const file = (...length: number[]) =>
      Uint8Array.from([0x56, 0x41, 0x45, 0, 1, 0, ...length, ...new Array(40).fill(0)]);
    for (const length of [[25], [0x81, 0x80, 0x40], [0xff, 0xff, 0xff, 0xff, 0x0f]]) {
      expect(await refusal(file(...length))).toMatchObject({ name: 'FormatError', byteOffset: 6 });
    }
    expect(await refusal(file(26))).toMatchObject({ message: expect.stringContaining('CRC-32') });
    expect(await refusal(file(0x80, 0x80, 0x40))).toMatchObject({
      message: expect.stringContaining('expected 4 more header bytes, got 0 (truncated)'),
    });
  });
});

describe('readHeader', () => {
  test('needs the header bytes only, given the length of the file', () => {
    for (const [, file] of FILES) {
      const whole = readHeader(file);
      const beginning = file.subarray(0, whole.headerByteLength);
      expect(readHeader(beginning, LIMITS, file.length)).toEqual(whole);
      expect(() => readHeader(beginning, LIMITS, file.length - 1)).toThrow(/truncated/);
      expect(() => readHeader(beginning, LIMITS, file.length + 1)).toThrow(/trailing bytes/);
    }
  });

  test('says where every stream lies', () => {
    const [, file] = FILES[1] ?? ['', new Uint8Array(0)];
    const header = readHeader(file);
    const { directory } = header;
    expect(directory).toMatchObject([
      {
        type: 'latent',
        byteLength: 200,
        sliceByteLengths: [150, 1, 0, 49],
        parts: [
          { byteOffset: header.headerByteLength, byteLength: 150 },
          { byteOffset: header.headerByteLength + 150, byteLength: 1 },
          { byteOffset: header.headerByteLength + 151, byteLength: 0 },
          { byteOffset: header.headerByteLength + 151, byteLength: 49 },
        ],
      },
      { type: 'note', byteLength: 3 },
    ]);
    for (const { type, byteOffset, byteLength } of directory) {
      const wanted = stream(type ?? 'note', byteLength).bytes;
      expect(file.subarray(byteOffset, byteOffset + byteLength)).toEqual(wanted);
    }
  });

  test('gives back the fields of any flag alone', () => {
    for (const flag of ['grey', 'sixteenBit'] as const) {
      const header: ContainerHeader = { ...PLAIN_HEADER, [flag]: true };
      expect(readHeader(writeContainer(header, [stream('latent', 1)]))).toMatchObject(header);
    }
  });
});
