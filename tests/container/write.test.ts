import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CODERS,
  COLOURS,
  type ContainerHeader,
  type ContainerStream,
  HEADER_MAX_BYTES,
  MODES,
  NO_MODEL_ID,
} from '#src/container/layout.js';
import { readHeader } from '#src/container/read.js';
import { writeContainer } from '#src/container/write.js';
import { UsageError } from '#src/errors.js';
import { defaultLimits } from '#src/limits.js';
import { takeApart } from '../../scripts/take-apart.mjs';
import { PLAIN_HEADER } from './craft.js';

const ANY_SIZE = { ...defaultLimits(), maxSidePx: 2 ** 32, maxPixels: Number.MAX_VALUE };
const LATENT: ContainerStream = { type: 'latent', bytes: Uint8Array.of(1, 2, 3) };

const side = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 0xffff_ffff }));
const bytes = fc.uint8Array({ maxLength: 300 });

/** Any header with the streams that it calls for, and any of those that it does not. */
const anyFile = fc
  .record({
    widthPx: side,
    heightPx: side,
    id: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((id) => Buffer.from(id).toString('hex')),
    modelName: fc.option(
      fc.string({
        unit: fc.integer({ min: 32, max: 126 }).map((c) => String.fromCharCode(c)),
        minLength: 1,
        maxLength: 32,
      }),
    ),
    rate: fc.integer({ min: 0, max: 4095 }),
    mode: fc.constantFrom(...MODES),
    colour: fc.constantFrom(...COLOURS),
    coder: fc.constantFrom(...CODERS),
    grey: fc.boolean(),
    alpha: fc.boolean(),
    sixteenBit: fc.boolean(),
    rows: fc.oneof(fc.constant(0), side),
    slices: fc.array(bytes, { minLength: 1, maxLength: 40 }),
    others: fc.record({ planes: bytes, alpha: bytes, icc: bytes }),
    extras: fc.record({ exif: fc.option(bytes), xmp: fc.option(bytes), note: fc.option(bytes) }),
  })
  .map(({ id, modelName, rows, slices, others, extras, ...rest }) => {
    const hasLatent = rest.mode !== 'planes';
    const sliceRows = hasLatent ? rows : 0;
    const header: ContainerHeader = {
      ...rest,
      modelId: hasLatent ? (id === NO_MODEL_ID ? '0000000000000001' : id) : NO_MODEL_ID,
      ...(modelName !== null && { modelName }),
      sliceRows,
    };
    const streams: ContainerStream[] = [];
    if (hasLatent) {
      const latent = Uint8Array.from(slices.flatMap((slice) => [...slice]));
      streams.push({
        type: 'latent',
        bytes: latent,
        ...(sliceRows > 0 && { sliceByteLengths: slices.map((slice) => slice.length) }),
      });
    }
    if (header.mode !== 'model') streams.push({ type: 'planes', bytes: others.planes });
    if (header.alpha) streams.push({ type: 'alpha', bytes: others.alpha });
    if (header.colour === 'icc') streams.push({ type: 'icc', bytes: others.icc });
    for (const type of ['exif', 'xmp', 'note'] as const) {
      const extra = extras[type];
      if (extra !== null) streams.push({ type, bytes: extra });
    }
    return { header, streams };
  });

describe('writeContainer', () => {
  test('what it writes reads back the same, whatever the header and streams', async () => {
    await fc.assert(
      fc.asyncProperty(anyFile, async ({ header, streams }) => {
        const file = writeContainer(header, streams);
        const read = await takeApart(file, ANY_SIZE);
        const { versionMinor, headerByteLength, fileByteLength, directory, ...fields } =
          read.header;
        expect(fields).toEqual(header);
        expect(read.streams).toEqual(streams);
        expect(versionMinor).toBe(0);
        expect(fileByteLength).toBe(file.length);
        expect(directory.map(({ type }) => type)).toEqual(streams.map(({ type }) => type));
        expect(directory[0]?.byteOffset).toBe(headerByteLength);
      }),
      { numRuns: 300 },
    );
  });

  test('the order in which streams come does not change the file', () => {
    fc.assert(
      fc.property(anyFile, ({ header, streams }) => {
        expect(writeContainer(header, [...streams].reverse())).toEqual(
          writeContainer(header, streams),
        );
      }),
      { numRuns: 50 },
    );
  });

  test('a model name of 32 characters reads back', () => {
    const modelName = 'x'.repeat(32);
    const file = writeContainer({ ...PLAIN_HEADER, modelName }, [LATENT]);
    expect(readHeader(file).modelName).toBe(modelName);
  });

  test('65,536 slices fit the longest header that there is, and are read from it', () => {
    const sliceByteLengths = Array.from({ length: 65_536 }, (_, index) => index % 5);
    const total = sliceByteLengths.reduce((sum, length) => sum + length, 0);
    const file = writeContainer({ ...PLAIN_HEADER, sliceRows: 1 }, [
      { type: 'latent', bytes: new Uint8Array(total), sliceByteLengths },
    ]);
    const header = readHeader(file.subarray(0, HEADER_MAX_BYTES), undefined, file.length);
    expect(header.directory[0]?.sliceByteLengths).toEqual(sliceByteLengths);
  });

  test.each<[string, Partial<ContainerHeader>]>([
    ['width of 0', { widthPx: 0 }],
    ['height of 2^32', { heightPx: 2 ** 32 }],
    ['half a pixel', { widthPx: 1.5 }],
    ['not a number', { heightPx: Number.NaN }],
    ['rate of 4096', { rate: 4096 }],
    ['negative rate', { rate: -1 }],
    ['negative slice rows', { sliceRows: -1 }],
    ['model id of 15 digits', { modelId: '123456789abcdef' }],
    ['model id in capitals', { modelId: '0123456789ABCDEF' }],
    ['model id of zero', { modelId: NO_MODEL_ID }],
    ['model id of a digit more in front', { modelId: `f${PLAIN_HEADER.modelId}` }],
    ['model id of a digit more behind', { modelId: `${PLAIN_HEADER.modelId}0` }],
    ['empty model name', { modelName: '' }],
    ['model name of 33 characters', { modelName: 'x'.repeat(33) }],
    ['model name with an escape', { modelName: 'a\x1b[31m' }],
    ['model name beyond ASCII', { modelName: 'modèle' }],
    ['slices without lengths', { sliceRows: 1 }],
    ['residual without planes', { mode: 'model+residual' }],
    ['alpha without its stream', { alpha: true }],
    ['icc without its stream', { colour: 'icc' }],
  ])('refuses a header with %s', (_, change) => {
    expect(() => writeContainer({ ...PLAIN_HEADER, ...change }, [LATENT])).toThrow(UsageError);
  });

  test.each<[string, ContainerStream[]]>([
    ['no stream', []],
    ['a stream twice', [LATENT, LATENT]],
    ['planes in mode model', [LATENT, { type: 'planes', bytes: Uint8Array.of() }]],
    ['alpha without the flag', [LATENT, { type: 'alpha', bytes: Uint8Array.of() }]],
    ['slice lengths where there is one slice', [{ ...LATENT, sliceByteLengths: [3] }]],
  ])('refuses %s', (_, streams) => {
    expect(() => writeContainer(PLAIN_HEADER, streams)).toThrow(UsageError);
  });

  test.each<[string, number[]]>([
    ['too few bytes', [1, 1]],
    ['too many bytes', [1, 3]],
    ['none', []],
    ['a negative one', [4, -1]],
    ['65,537 of them', [3, ...new Array<number>(65_536).fill(0)]],
  ])('refuses slice lengths of %s', (_, sliceByteLengths) => {
    const stream = { ...LATENT, sliceByteLengths };
    expect(() => writeContainer({ ...PLAIN_HEADER, sliceRows: 1 }, [stream])).toThrow(UsageError);
  });

  test('says whether slice lengths are missing or too many', () => {
    const write = (sliceRows: number, stream: ContainerStream) => () =>
      writeContainer({ ...PLAIN_HEADER, sliceRows }, [stream]);
    expect(write(1, LATENT)).toThrow(/got none for latent$/);
    expect(write(0, { ...LATENT, sliceByteLengths: [3] })).toThrow(/got some for latent$/);
  });

  test('a planes file takes no model and no slices', () => {
    const planes: ContainerStream = { type: 'planes', bytes: Uint8Array.of(1) };
    const header: ContainerHeader = { ...PLAIN_HEADER, mode: 'planes', modelId: NO_MODEL_ID };
    expect(writeContainer(header, [planes]).length).toBeGreaterThan(0);
    expect(() => writeContainer({ ...header, modelId: PLAIN_HEADER.modelId }, [planes])).toThrow(
      UsageError,
    );
    expect(() => writeContainer({ ...header, sliceRows: 1 }, [planes])).toThrow(UsageError);
    expect(() => writeContainer(header, [planes, LATENT])).toThrow(UsageError);
  });
});
