import { describe, expect, test } from 'vitest';
import { writeContainer } from '#src/container/write.js';
import { defaultLimits } from '#src/limits.js';
import { takeApart } from '../../scripts/take-apart.mjs';
import { PLAIN_HEADER } from './craft.js';

/** These bytes are format version 1 and never change. CRCs were made by Python's zlib. */
const GOLDEN = [
  {
    name: 'a plain file',
    header: PLAIN_HEADER,
    streams: [{ type: 'latent', bytes: Uint8Array.of(1, 2, 3, 4) }],
    hex: [
      '56414500 01 00 1c', // magic, version 1.0, 28 more header bytes
      '8006 8004', // 768x512 px
      '0123456789abcdef 0008', // model id; rate 2048 and mode 0
      '10 00 00', // colour 0 and coder 1; no flags; one slice
      '01 81 04 cdfb3cb6', // one stream: latent, required, 4 bytes, its CRC
      '142b612b', // the header's CRC
      '01020304',
    ],
  },
  {
    name: 'a file with everything',
    header: {
      ...PLAIN_HEADER,
      widthPx: 200,
      heightPx: 1,
      modelName: 'tiny',
      rate: 4095,
      mode: 'model+residual',
      colour: 'icc',
      coder: 'static',
      grey: true,
      alpha: true,
      sixteenBit: true,
      sliceRows: 16,
    },
    streams: [
      { type: 'latent', bytes: Uint8Array.of(1, 2, 3, 4, 5), sliceByteLengths: [2, 0, 3] },
      { type: 'planes', bytes: Uint8Array.of(6) },
      { type: 'alpha', bytes: Uint8Array.of() },
      { type: 'icc', bytes: Uint8Array.of(7, 8) },
      { type: 'note', bytes: Uint8Array.of(9) },
    ],
    hex: [
      '56414500 01 00 43', // 67 more header bytes
      'c801 01', // 200x1 px
      '0123456789abcdef ff1f', // rate 4095 and mode 1
      '03 0f 10', // colour 3 and coder 0; all flags; 16 rows a slice
      '04 74696e79', // "tiny"
      '05',
      '81 05 9242ccb6 03 02 00', // latent: three slices of 2, 0 and what is left
      '00000000 c05601e9', // checksums of the second and the third
      '82 01 b84a613b',
      '83 00 00000000',
      '04 02 0a0c4300',
      '07 01 2957deab',
      '6ee514f1',
      '0102030405 06 0708 09',
    ],
  },
] as const;

describe('format version 1', () => {
  test.each(GOLDEN)('$name has exactly these bytes', async ({ header, streams, hex }) => {
    const golden = hex.join('').replaceAll(' ', '');
    expect(Buffer.from(writeContainer(header, streams)).toString('hex')).toBe(golden);
    const read = await takeApart(Buffer.from(golden, 'hex'), defaultLimits());
    expect(read.header).toMatchObject(header);
    expect(read.streams.map((stream) => ({ ...stream, bytes: [...stream.bytes] }))).toEqual(
      streams.map((stream) => ({ ...stream, bytes: [...stream.bytes] })),
    );
  });

  test('a plain file spends at most 40 bytes, up to the default limits and 256 MiB', () => {
    const overheadBytes = (widthPx: number, heightPx: number, payloadBytes: number) =>
      writeContainer({ ...PLAIN_HEADER, widthPx, heightPx }, [
        { type: 'latent', bytes: new Uint8Array(payloadBytes) },
      ]).length - payloadBytes;
    expect(overheadBytes(1, 1, 0)).toBe(33);
    expect(overheadBytes(768, 512, 20_000)).toBe(37);
    // 2^21 bytes take the same four bytes of length as 2^28 - 1.
    expect(overheadBytes(32_768, 16_384, 2 ** 21)).toBe(40);
  });
});
