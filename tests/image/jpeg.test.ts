import jpegJs from 'jpeg-js';
import { describe, expect, test } from 'vitest';
import { FormatError, LimitError, UnsupportedError } from '#src/errors.js';
import { writeJpeg } from '#src/image/jpeg.js';
import type { Pixels } from '#src/image/pixels.js';
import { readImageBytes } from '#src/image/read.js';
import { defaultLimits } from '#src/limits.js';
import { allocatedBytes, MEBIBYTE } from './allocated.js';
import { profile } from './icc-craft.js';
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
import { pixelsOf } from './png-craft.js';
import { decodeBySharp, difference, encodeBySharp, HAS_SECOND_DECODER } from './second-decoder.js';

const LIMITS = defaultLimits();
const SMALL: Layout = { width: 35, height: 21 };

function read(bytes: Uint8Array, onNote?: (note: string) => void): Pixels {
  return readImageBytes(bytes, LIMITS, onNote && { onNote });
}

function refusal(file: Uint8Array): unknown {
  try {
    read(file);
  } catch (error) {
    return error;
  }
  return undefined;
}

/** What a picture would be without its segments before the tables. */
const adobe = (transform: number) =>
  segment(0xee, [...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, transform]);
const JFIF = segment(0xe0, [...Buffer.from('JFIF\0'), 1, 1, 0, 0, 1, 0, 1, 0, 0]);

describe.skipIf(!HAS_SECOND_DECODER)('pixels are those of libjpeg', () => {
  test.each<[string, Omit<Layout, 'width' | 'height'>]>([
    ['grey', { components: GREY }],
    ['grey whose sampling says 2x2', { components: [{ id: 1, across: 2, down: 2 }] }],
    ['4:4:4', { components: ycc(1, 1) }],
    ['4:2:2', { components: ycc(2, 1) }],
    ['4:4:0', { components: ycc(1, 2) }],
    ['4:2:0', { components: ycc(2, 2) }],
    ['4:1:1', { components: ycc(4, 1) }],
    ['4:1:0', { components: ycc(4, 2) }],
    ['extended', { sof: 0xc1 }],
    ['one scan a component', { isInterleaved: false }],
    ['progressive', { sof: 0xc2 }],
    ['progressive, one scan a component', { sof: 0xc2, isInterleaved: false }],
    ['restarts each 2 MCUs', { restart: 2 }],
    ['restarts each MCU, more than eight', { restart: 1, components: ycc(1, 1) }],
    ['restarts each row of a grey picture', { restart: 5, components: GREY }],
    ['an interval beyond the scan', { restart: 5000 }],
    [
      'restarts in scans of one component',
      { restart: 1, isInterleaved: false, components: ycc(1, 1) },
    ],
    ['an interval beyond a scan of one component', { restart: 5000, components: GREY }],
    ['RGB by Adobe', { components: ycc(1, 1), before: [adobe(0)] }],
    ['YCbCr by Adobe', { components: ycc(1, 1), before: [adobe(1)] }],
    ['JFIF above Adobe', { components: ycc(1, 1), before: [JFIF, adobe(0)] }],
    [
      'RGB by the names of its components',
      { components: [...'RGB'].map((name) => ({ id: name.charCodeAt(0), across: 1, down: 1 })) },
    ],
  ])('%s, at odd sizes', async (_, layout) => {
    for (const [width, height] of [
      [35, 21],
      [33, 32],
      [16, 17],
      [8, 8],
      [1, 1],
      [2, 3],
    ] as const) {
      const needsWhole = layout.restart === 5;
      const file = jpegOf({ ...layout, width: needsWhole ? 40 : width, height });
      const ours = read(file);
      const theirs = await decodeBySharp(file, ours.channels);
      expect(difference(ours, theirs).max, `${width}x${height}`).toBeLessThanOrEqual(2);
    }
  });

  test('restarts each row of one component, where the last MCU is full', async () => {
    for (const sof of [0xc0, 0xc2]) {
      const file = jpegOf({ width: 60, height: 32, restart: 4, isInterleaved: false, sof });
      expect(difference(read(file), await decodeBySharp(file, 3)).max).toBeLessThanOrEqual(2);
    }
  });

  test.each(['4:4:4', '4:2:0'])(
    '%s of libjpeg, sequential and progressive, within 3 levels',
    async (chromaSubsampling) => {
      for (const progressive of [false, true]) {
        const file = await encodeBySharp(pixelsOf(93, 61, 3), { progressive, chromaSubsampling });
        const { max, mean } = difference(read(file), await decodeBySharp(file, 3));
        expect(max).toBeLessThanOrEqual(3);
        expect(mean).toBeLessThan(0.3);
      }
    },
  );

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'orientation %i is applied to RGB and grey',
    async (value) => {
      for (const isLittle of [true, false]) {
        for (const components of [ycc(1, 1), GREY]) {
          const before = [app1(exif(isLittle, [[0x0112, 3, 1, value]]))];
          const file = jpegOf({ ...SMALL, components, before });
          const ours = read(file);
          const upright = await decodeBySharp(file, ours.channels);
          expect([ours.widthPx, ours.heightPx]).toEqual(value >= 5 ? [21, 35] : [35, 21]);
          expect(difference(ours, upright).max).toBeLessThanOrEqual(2);
        }
      }
    },
  );
});

describe('readJpeg', () => {
  test('no size is too large for jpeg-js that is not too large for us', () => {
    // As megapixels and back these lose their last pixel.
    for (const width of [21, 35, 42, 65, 99, 113]) {
      expect(read(jpegOf({ width, height: 1 })).widthPx).toBe(width);
    }
  });

  test('reads what jpeg-js writes, near the pixels that went in', () => {
    const flat = Buffer.alloc(40 * 30 * 4, 90);
    const { data } = jpegJs.encode({ width: 40, height: 30, data: flat }, 90);
    const pixels = read(data);
    expect(pixels).toMatchObject({ widthPx: 40, heightPx: 30, channels: 3 });
    expect(pixels.data.every((value) => Math.abs(value - 90) <= 2)).toBe(true);
  });

  test('what is beside the picture changes nothing: comments, fill bytes, thumbnails, bytes after the end', () => {
    const plain = jpegOf(SMALL);
    const others = [
      segment(0xfe, Buffer.alloc(65_000, 7)),
      Buffer.of(0xff, 0xff, 0xff),
      app1(Buffer.concat([exif(true, []), plain])),
      segment(0xe5, []),
    ];
    const file = Buffer.concat([jpegOf({ ...SMALL, before: others }), plain, Buffer.alloc(5)]);
    expect({ ...read(file), metadata: undefined }).toEqual(read(plain));
  });

  test('CMYK is checked like any other and then left to sharp, by name', () => {
    const cmyk = { ...SMALL, components: [...ycc(1, 1), { id: 4, across: 1, down: 1 }] };
    expect(refusal(jpegOf(cmyk))).toMatchObject({
      name: 'UnsupportedError',
      message: expect.stringMatching(/got CMYK or YCCK; install the optional package 'sharp'/),
    });
    expect(refusal(jpegOf(cmyk).subarray(0, -2))).toBeInstanceOf(FormatError);
  });

  test('Huffman tables that change between scans are followed', () => {
    const whole = jpegOf({ ...SMALL, isInterleaved: false });
    const second = whole.indexOf(scan(ycc(1, 1).slice(1, 2)));
    const file = Buffer.concat([whole.subarray(0, second), HUFFMAN, QUANT, whole.subarray(second)]);
    expect(read(file)).toEqual(read(whole));
  });

  const icc = profile('Any RGB', 4);
  const iccPart = (index: number, count: number, data: Buffer) =>
    segment(0xe2, Buffer.concat([Buffer.from('ICC_PROFILE\0'), Buffer.of(index, count), data]));

  test('a profile is carried byte for byte, put together from its parts in any order', () => {
    const plain = read(jpegOf(SMALL));
    const before = [iccPart(2, 2, icc.subarray(140)), iccPart(1, 2, icc.subarray(0, 140))];
    const ours = read(jpegOf({ ...SMALL, before }), () => expect.unreachable());
    expect(ours).toEqual({ ...plain, colour: 'icc', metadata: { icc: new Uint8Array(icc) } });
  });

  test.each([
    ['a part missing', [iccPart(1, 2, icc)]],
    ['a part that counts from 0', [iccPart(0, 1, icc)]],
    ['bytes that are none', [iccPart(1, 1, Buffer.alloc(300))]],
  ])('a profile with %s is told and left out', (_, before) => {
    const notes: string[] = [];
    const ours = read(jpegOf({ ...SMALL, before }), (note) => notes.push(note));
    expect(ours).toEqual(read(jpegOf(SMALL)));
    expect(notes).toEqual(['jpeg: damaged colour profile ignored; read as sRGB']);
  });

  test('an XMP packet is carried byte for byte, and what goes on elsewhere is told', () => {
    const packet = Buffer.from('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>');
    const mark = Buffer.from('http://ns.adobe.com/xap/1.0/\0');
    const more = Buffer.from('http://ns.adobe.com/xmp/extension/\0abc');
    const notes: string[] = [];
    const before = [segment(0xe1, Buffer.concat([mark, packet])), segment(0xe1, more)];
    const ours = read(jpegOf({ ...SMALL, before }), (note) => notes.push(note));
    expect(ours.metadata?.xmp).toEqual(new Uint8Array(packet));
    expect(notes).toEqual([]);
  });
});

describe('application segments', () => {
  const six = exif(true, [[0x0112, 3, 1, 6]]);
  const named = (marker: number, name: string, data: Uint8Array) =>
    segment(marker, Buffer.concat([Buffer.from(name, 'latin1'), data]));

  test('count only under the marker and the name that are theirs', () => {
    const rgb = { ...SMALL, components: ycc(1, 1) };
    const plain = read(jpegOf(rgb));
    const others = [
      named(0xe1, 'http://ns.adobe.com/xap/1.0/\0', six),
      named(0xe5, 'Exif\0\0', six),
      named(0xe1, 'Exif\0', six),
      named(0xee, 'Others', Buffer.alloc(8)),
      named(0xed, 'Adobe', Buffer.alloc(8)),
      named(0xe1, 'ICC_PROFILE\0', Buffer.alloc(8)),
      named(0xe2, 'MPF\0', Buffer.alloc(8)),
      named(0xe2, 'ICC_PROFILE\0', Buffer.of(1, 1)),
    ];
    const notes: string[] = [];
    const ours = read(jpegOf({ ...rgb, before: others }), (note) => notes.push(note));
    expect(ours).toEqual({ ...plain, metadata: { xmp: new Uint8Array(six) } });
    expect(notes).toEqual([]);
    const both = read(jpegOf({ ...rgb, before: [...others, adobe(0), app1(six)] }));
    expect(both.widthPx).toBe(SMALL.height);
    expect(both).not.toEqual(read(jpegOf({ ...rgb, before: [app1(six)] })));
  });
});

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

  test('every single-bit flip ends with a picture of the same kind or a refusal', () => {
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

describe('a JPEG that is written', () => {
  const metadata = {
    exif: new Uint8Array(exif(true, [[0x0100, 3, 1, 6]])),
    xmp: new Uint8Array(Buffer.from('<x:xmpmeta/>')),
  };

  test.each([1, 3] as const)(
    'reads back near what went in, from 8 and 16 bits of %i channels',
    (channels) => {
      const wave = (at: number) => 128 + 90 * Math.sin(at / channels / 9);
      const bytes = Uint8Array.from({ length: 40 * 30 * channels }, (_, at) => wave(at));
      for (const data of [bytes, Uint16Array.from(bytes, (value) => value * 257)]) {
        const ours = read(writeJpeg({ widthPx: 40, heightPx: 30, channels, data }, LIMITS));
        expect(ours.channels).toBe(3);
        const apart = bytes.map((value, at) =>
          Math.abs(value - (ours.data[at * (3 / channels)] ?? 0)),
        );
        expect(Math.max(...apart)).toBeLessThan(12);
      }
    },
  );

  test('carries Exif, XMP and a profile of any length byte for byte', () => {
    const icc = new Uint8Array(200_000).map((_, at) => at * 7);
    icc.set(profile('Any RGB', 4));
    const pixels: Pixels = {
      ...pixelsOf(9, 7, 3),
      colour: 'icc',
      metadata: { ...metadata, icc },
    };
    const { colour, metadata: back } = read(writeJpeg(pixels, LIMITS));
    expect(colour).toBe('icc');
    expect(back).toEqual({ ...metadata, icc });
  });

  test.each(['display-p3', 'adobe-rgb'] as const)('states %s by a profile', (colour) => {
    expect(read(writeJpeg({ ...pixelsOf(9, 7, 3), colour }, LIMITS)).colour).toBe(colour);
  });

  test('refuses alpha, Exif longer than a segment, and more memory than it may have', () => {
    const rgba = { widthPx: 1, heightPx: 1, channels: 4, data: new Uint8Array(4) } as const;
    expect(() => writeJpeg(rgba, LIMITS)).toThrow(UnsupportedError);
    const long = { ...pixelsOf(9, 7, 3), metadata: { exif: new Uint8Array(65_528) } };
    expect(() => writeJpeg(long, LIMITS)).toThrow('at most 65527 bytes of Exif, got 65528');
    const tight = { ...LIMITS, maxMemoryBytes: 24 * 63 - 1 };
    expect(() => writeJpeg(pixelsOf(9, 7, 3), tight)).toThrow(LimitError);
  });
});
