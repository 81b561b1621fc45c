import { describe, expect, test } from 'vitest';
import { FormatError, LimitError, UnsupportedError } from '#src/errors.js';
import { readImageBytes } from '#src/image/read.js';
import { allocatedBytes, MEBIBYTE } from './allocated.js';
import {
  app1,
  coded,
  EOI,
  exif,
  frame,
  GREY,
  HUFFMAN,
  jpegOf,
  type Layout,
  QUANT,
  SOI,
  scan,
  segment,
  ycc,
} from './jpeg-craft.js';
import { LIMITS, read, refusal } from './reading.js';

const SMALL: Layout = { width: 35, height: 21 };

describe('hostile Exif', () => {
  const upright = read(jpegOf(SMALL));
  const directory = (from: number) => {
    const tiff = exif(true, [[0x0112, 3, 1, 6]]);
    tiff.writeUInt32LE(from, 4);
    return tiff;
  };
  const counting = exif(true, [[0x0100, 3, 1, 6]]);
  counting.writeUInt16LE(65_535, 8);
  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['a byte order alone', Buffer.from('II')],
    ['another byte order', Buffer.from('XX*\0\x08\0\0\0\0\0')],
    ['a directory at 0', directory(0)],
    ['a directory at its own pointer', directory(4)],
    ['a directory beyond the end', directory(1000)],
    ['a directory at 2^32 - 1', directory(0xffffffff)],
    ['65535 entries in 26 bytes', counting],
    ['orientation 0', exif(true, [[0x0112, 3, 1, 0]])],
    ['orientation 9', exif(true, [[0x0112, 3, 1, 9]])],
    ['orientation of two values', exif(true, [[0x0112, 3, 2, 6]])],
    ['orientation as text', exif(true, [[0x0112, 2, 1, 6]])],
    ['orientation cut off', exif(true, [[0x0112, 3, 1, 6]]).subarray(0, 17)],
  ])('%s is as if there were none', (name, tiff) => {
    const { metadata, ...pixels } = read(jpegOf({ ...SMALL, before: [app1(tiff)] }));
    expect(pixels).toEqual(upright);
    expect(Object.keys(metadata ?? {})).toEqual(/orientation|entries/.test(name) ? ['exif'] : []);
  });

  test('the first orientation counts, of the first Exif segment', () => {
    const six = app1(
      exif(true, [
        [0x0100, 3, 1, 1],
        [0x0112, 3, 1, 6],
        [0x0112, 3, 1, 3],
      ]),
    );
    const three = app1(exif(true, [[0x0112, 3, 1, 3]]));
    const turned = read(jpegOf({ ...SMALL, before: [six, three] }));
    expect(turned).toEqual(read(jpegOf({ ...SMALL, before: [six] })));
    expect(turned.widthPx).toBe(21);
  });
});

describe('a damaged JPEG', () => {
  test.each<[string, Layout]>([
    ['sequential', SMALL],
    ['progressive', { ...SMALL, sof: 0xc2, isInterleaved: false }],
    ['restarted', { ...SMALL, restart: 1 }],
  ])('every truncation of a %s file is refused', (_, layout) => {
    const file = jpegOf(layout);
    for (let byteLength = 2; byteLength < file.length; byteLength++) {
      expect(refusal(file.subarray(0, byteLength)), `${byteLength}`).toBeInstanceOf(FormatError);
    }
  });

  test('every scan cut short is refused though its end marker stands', () => {
    const file = jpegOf(SMALL);
    const from = file.lastIndexOf(scan(ycc(2, 2))) + scan(ycc(2, 2)).length;
    for (let end = from; end < file.length - 2; end++) {
      if (file[end - 1] === 0xff) continue;
      const cut = Buffer.concat([file.subarray(0, end), EOI]);
      expect(refusal(cut), `${end - from} bytes`).toBeInstanceOf(FormatError);
    }
  });

  test('every single-bit flip ends with a picture or a refusal of its own kind', () => {
    const file = jpegOf({ width: 20, height: 10, restart: 1, sof: 0xc2 });
    const damaged = Buffer.from(file);
    for (let bit = 0; bit < file.length * 8; bit++) {
      damaged[bit >> 3] = (file[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const outcome = refusal(damaged);
      if (outcome !== undefined)
        expect(outcome).toMatchObject({
          code: expect.stringMatching(/^(format|unsupported|limit)$/),
        });
      damaged[bit >> 3] = file[bit >> 3] ?? 0;
    }
  });

  test('restart markers that are missing, too many or out of turn are refused', () => {
    const file = jpegOf({ ...SMALL, restart: 1 });
    const swap = (from: number, to: number) => {
      const at = file.indexOf(Buffer.of(0xff, from));
      const damaged = Buffer.from(file);
      damaged[at + 1] = to;
      return damaged;
    };
    expect(refusal(swap(0xd1, 0xd2))).toBeInstanceOf(FormatError);
    expect(refusal(swap(0xd1, 0x00))).toMatchObject({
      message: expect.stringContaining('restart markers'),
    });
    const more = Buffer.concat([file.subarray(0, -2), Buffer.of(0xff, 0xd5), EOI]);
    expect(refusal(more)).toMatchObject({ message: expect.stringContaining('restart markers') });
  });

  const grey = { ...SMALL, components: GREY };
  const data = coded(grey, GREY, 'sequential');
  const head = [QUANT, HUFFMAN, frame(grey)];
  const lowScan = [scan(GREY, 0, 0, 0x10), coded(grey, GREY, 'low')];
  const highScan = [scan(GREY, 0, 0, 0x01), coded(grey, GREY, 'high')];
  const progressive = [QUANT, HUFFMAN, frame({ ...grey, sof: 0xc2 })];
  const two = ycc(1, 1).slice(0, 2);
  test.each<[string, Buffer[]]>([
    ['no frame', [QUANT, HUFFMAN, scan(GREY), data]],
    ['no scan', head],
    ['two frames', [...head, frame(grey), scan(GREY), data]],
    ['no quantisation table', [HUFFMAN, frame(grey), scan(GREY), data]],
    ['no Huffman table', [QUANT, frame(grey), scan(GREY), data]],
    ['a component that the frame has not', [...head, scan([{ id: 9, across: 1, down: 1 }]), data]],
    ['a scan of no component', [...head, scan([]), data]],
    ['a scan of more components than there are', [...head, scan(two), data]],
    [
      'a component twice in one scan',
      [
        QUANT,
        HUFFMAN,
        frame({ ...SMALL, components: two.concat({ id: 3, across: 1, down: 1 }) }),
        scan([two[0] ?? GREY[0], two[0] ?? GREY[0]] as typeof two),
        data,
      ],
    ],
    ['a component coded twice', [...head, scan(GREY), data, scan(GREY), data]],
    [
      'a component never coded',
      [QUANT, HUFFMAN, frame({ ...SMALL, components: ycc(1, 1) }), scan(GREY), data],
    ],
    ['a scan header of the wrong length', [...head, segment(0xda, [1, 1, 0, 0, 63]), data]],
    ['a refinement before what it refines', [...progressive, ...lowScan]],
    ['the same refinement twice', [...progressive, ...highScan, ...lowScan, ...lowScan]],
    ['coefficients before the mean', [...progressive, scan(GREY, 1, 5, 0), data]],
    ['coefficients with the mean', [...progressive, scan(GREY, 0, 5, 0), data]],
    ['coefficients beyond 63', [...progressive, ...highScan, scan(GREY, 1, 64, 0), data]],
    ['coefficients the wrong way round', [...progressive, ...highScan, scan(GREY, 5, 1, 0), data]],
    [
      'a quantisation table of 63 values',
      [segment(0xdb, new Array(64).fill(8)), ...head.slice(1), scan(GREY), data],
    ],
    [
      'a quantisation table numbered 4',
      [segment(0xdb, [4, ...new Array(64).fill(8)]), ...head, scan(GREY), data],
    ],
    [
      'a quantisation table of 32 bits',
      [segment(0xdb, [0x20, ...new Array(192).fill(8)]), ...head, scan(GREY), data],
    ],
    ['a Huffman table cut off', [segment(0xc4, [0, 1, 0, 0]), ...head, scan(GREY), data]],
    [
      'more codes than bits',
      [segment(0xc4, [0, 3, ...new Array(15).fill(0), 1, 2, 3]), ...head, scan(GREY), data],
    ],
    [
      'a code of ones',
      [segment(0xc4, [0, 2, ...new Array(15).fill(0), 1, 2]), ...head, scan(GREY), data],
    ],
    [
      'a difference of 16 bits',
      [segment(0xc4, [0, 1, ...new Array(15).fill(0), 16]), ...head, scan(GREY), data],
    ],
    [
      'a Huffman table numbered 4',
      [segment(0xc4, [4, 1, ...new Array(15).fill(0), 1]), ...head, scan(GREY), data],
    ],
    ['a restart interval of 1 byte', [segment(0xdd, [1]), ...head, scan(GREY), data]],
    ['a second SOI', [SOI, ...head, scan(GREY), data]],
    ['a stray TEM', [Buffer.of(0xff, 1), ...head, scan(GREY), data]],
    ['a stray restart marker', [Buffer.of(0xff, 0xd0), ...head, scan(GREY), data]],
    ['bytes between segments', [Buffer.of(1, 2), ...head, scan(GREY), data]],
    ['a marker of no meaning', [segment(0xf0, []), ...head, scan(GREY), data]],
    ['a segment length of 1', [Buffer.of(0xff, 0xe0, 0, 1), ...head, scan(GREY), data]],
    ['width 0', [QUANT, HUFFMAN, frame({ ...grey, width: 0 }), scan(GREY), data]],
    [
      'sampling 0',
      [QUANT, HUFFMAN, frame({ ...grey, components: [{ id: 1, across: 0, down: 1 }] })],
    ],
    ['sampling 5', [QUANT, HUFFMAN, frame({ ...SMALL, components: ycc(5, 1) })]],
    ['an id twice', [QUANT, HUFFMAN, frame({ ...SMALL, components: [...GREY, ...GREY, ...GREY] })]],
    ['more than ten blocks an MCU', [QUANT, HUFFMAN, frame({ ...SMALL, components: ycc(4, 4) })]],
    ['a frame header cut off', [QUANT, HUFFMAN, segment(0xc0, [8, 0, 1, 0, 1, 3, 1, 17, 0])]],
    ['a stuffed byte between segments', [Buffer.of(0xff, 0), ...head, scan(GREY), data]],
    [
      'a quantisation table 4 in the frame',
      [QUANT, HUFFMAN, segment(0xc0, [8, 0, 8, 0, 8, 1, 1, 0x11, 4]), scan(GREY), data],
    ],
    [
      'sampling 5 of one component',
      [QUANT, HUFFMAN, frame({ ...grey, components: [{ id: 1, across: 1, down: 5 }] })],
    ],
  ])('%s is refused before jpeg-js sees it', (_, parts) => {
    const error = refusal(Buffer.concat([SOI, ...parts, EOI]));
    expect(error).toBeInstanceOf(FormatError);
    expect(error).not.toMatchObject({ cause: expect.anything() });
  });

  test('a refinement may name tables that it does not use', () => {
    const [lowHead = SOI, lowData = SOI] = lowScan;
    const other = Buffer.from(lowHead);
    other[6] = 0x33;
    const parts = [...progressive, ...highScan, other, lowData, EOI];
    expect(read(Buffer.concat([SOI, ...parts])).widthPx).toBe(35);
    const first = Buffer.from(highScan[0] ?? SOI);
    first[6] = 0x33;
    const wrong = Buffer.concat([SOI, ...progressive, first, highScan[1] ?? SOI, EOI]);
    expect(refusal(wrong)).toMatchObject({ message: expect.stringContaining('Huffman tables') });
  });

  test('quantisation table 3 may be used', () => {
    const third = segment(0xdb, [3, ...new Array(64).fill(8)]);
    const header = segment(0xc0, [8, 0, SMALL.height, 0, SMALL.width, 1, 1, 0x11, 3]);
    const file = Buffer.concat([SOI, third, HUFFMAN, header, scan(GREY), data, EOI]);
    expect(read(file)).toEqual(read(jpegOf(grey)));
  });

  test('what these are made of is a picture', () => {
    expect(refusal(Buffer.concat([SOI, ...head, scan(GREY), data, EOI]))).toBeUndefined();
    expect(
      refusal(Buffer.concat([SOI, ...progressive, ...highScan, ...lowScan, EOI])),
    ).toBeUndefined();
  });
});

describe('a JPEG of a kind that is not handled', () => {
  test.each<[string, Partial<Layout>]>([
    ['2', { components: ycc(1, 1).slice(0, 2) }],
    ['12-bit ones', { precision: 12, sof: 0xc1 }],
    ['a lossless JPEG (SOF3)', { sof: 0xc3 }],
    ['a hierarchical JPEG (SOF5)', { sof: 0xc5 }],
    ['an arithmetic-coded JPEG (SOF9)', { sof: 0xc9 }],
    ['an arithmetic-coded progressive JPEG (SOF10)', { sof: 0xca }],
    ['an arithmetic-coded JPEG (DAC)', { before: [segment(0xcc, [0, 0])] }],
    ['a JPEG-LS (SOF55)', { sof: 0xf7 }],
    ['one that is given after the scan (DNL)', { height: 0 }],
    [
      '2x1 of 3x1',
      {
        components: [
          { id: 1, across: 3, down: 1 },
          { id: 2, across: 2, down: 1 },
          { id: 3, across: 1, down: 1 },
        ],
      },
    ],
    ['one each 4', { components: ycc(1, 2), isInterleaved: false, restart: 4 }],
  ])('%s is refused by name', (name, layout) => {
    const error = refusal(jpegOf({ ...SMALL, ...layout }));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error).toMatchObject({
      message: expect.stringContaining(`got ${name}; convert it to PNG first`),
    });
  });

  test('a quantisation table that changes after a scan that used it is refused by name', () => {
    const whole = jpegOf({ ...SMALL, isInterleaved: false });
    const second = whole.indexOf(scan(ycc(1, 1).slice(1, 2)));
    const other = segment(0xdb, [0, ...new Array(64).fill(9)]);
    const file = Buffer.concat([whole.subarray(0, second), other, whole.subarray(second)]);
    expect(refusal(file)).toBeInstanceOf(UnsupportedError);
    // Before its first use a table may change as it likes.
    expect(read(jpegOf({ ...SMALL, before: [other] }))).toEqual(read(jpegOf(SMALL)));
  });
});

describe('a JPEG that asks for too much', () => {
  test('sides and pixels over the limits are refused as soon as the frame is read', () => {
    const head = Buffer.concat([SOI, frame({ width: 65_535, height: 65_535 })]);
    expect(refusal(head)).toBeInstanceOf(LimitError);
    const small = jpegOf(SMALL);
    expect(() => readImageBytes(small, { ...LIMITS, maxPixels: 700 })).toThrow(LimitError);
    expect(() => readImageBytes(small, { ...LIMITS, maxSidePx: 34 })).toThrow(LimitError);
    expect(() => readImageBytes(small, { ...LIMITS, maxMemoryBytes: 10_000 })).toThrow(
      '--max-memory',
    );
  });

  test('a size that the coded bytes cannot hold is refused before it is allocated', () => {
    const huge = { width: 6000, height: 4000 };
    const file = Buffer.concat([
      SOI,
      QUANT,
      HUFFMAN,
      frame(huge),
      scan(ycc(2, 2)),
      Buffer.alloc(1000),
      EOI,
    ]);
    const bytes = allocatedBytes(() =>
      expect(refusal(file)).toMatchObject({
        name: 'FormatError',
        message: expect.stringContaining('expected at least'),
      }),
    );
    expect(bytes).toBeLessThan(MEBIBYTE);
  });

  test('100 scans are read, 101 are refused', () => {
    const layout = { ...SMALL, components: GREY, sof: 0xc2 };
    const first = [scan(GREY, 0, 0, 0), coded(layout, GREY, 'high')];
    // Coefficient by coefficient, bit by bit: legal, and without an end.
    const withMore = (count: number) => {
      const more = Array.from({ length: count }, (_, at) => [
        scan(GREY, 1 + (at % 50), 1 + (at % 50), at < 50 ? 1 : 0x10),
        Buffer.alloc(4),
      ]);
      return Buffer.concat([SOI, QUANT, HUFFMAN, frame(layout), ...first, ...more.flat(), EOI]);
    };
    expect(read(withMore(99)).widthPx).toBe(35);
    expect(refusal(withMore(100))).toMatchObject({
      name: 'FormatError',
      message: expect.stringContaining('at most 100 scans'),
    });
  });
});
