import jpegJs from 'jpeg-js';
import { describe, expect, test } from 'vitest';
import { FormatError, LimitError, UnsupportedError } from '#src/errors.js';
import { writeJpeg } from '#src/image/jpeg.js';
import type { Pixels } from '#src/image/pixels.js';
import { profile } from './icc-craft.js';
import {
  app1,
  exif,
  GREY,
  HUFFMAN,
  jpegOf,
  type Layout,
  QUANT,
  scan,
  segment,
  ycc,
} from './jpeg-craft.js';
import { pixelsOf } from './png-craft.js';
import { LIMITS, read, refusal } from './reading.js';
import { decodeBySharp, difference, encodeBySharp, HAS_SECOND_DECODER } from './second-decoder.js';

const SMALL: Layout = { width: 35, height: 21 };

/** Segments that say how components are meant. */
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
    const ours = read(jpegOf({ ...SMALL, before }), { onNote: () => expect.unreachable() });
    expect(ours).toEqual({ ...plain, colour: 'icc', metadata: { icc: new Uint8Array(icc) } });
  });

  test.each([
    ['a part missing', [iccPart(1, 2, icc)]],
    ['a part that counts from 0', [iccPart(0, 1, icc)]],
    ['bytes that are none', [iccPart(1, 1, Buffer.alloc(300))]],
  ])('a profile with %s is told and left out', (_, before) => {
    const notes: string[] = [];
    const ours = read(jpegOf({ ...SMALL, before }), { onNote: (note) => notes.push(note) });
    expect(ours).toEqual(read(jpegOf(SMALL)));
    expect(notes).toEqual(['jpeg: damaged colour profile ignored; read as sRGB']);
  });

  test('an XMP packet is carried byte for byte, and what goes on elsewhere is told', () => {
    const packet = Buffer.from('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>');
    const mark = Buffer.from('http://ns.adobe.com/xap/1.0/\0');
    const more = Buffer.from('http://ns.adobe.com/xmp/extension/\0abc');
    const notes: string[] = [];
    const before = [segment(0xe1, Buffer.concat([mark, packet])), segment(0xe1, more)];
    const ours = read(jpegOf({ ...SMALL, before }), { onNote: (note) => notes.push(note) });
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
    const ours = read(jpegOf({ ...rgb, before: others }), { onNote: (note) => notes.push(note) });
    expect(ours).toEqual({ ...plain, metadata: { xmp: new Uint8Array(six) } });
    expect(notes).toEqual([]);
    const both = read(jpegOf({ ...rgb, before: [...others, adobe(0), app1(six)] }));
    expect(both.widthPx).toBe(SMALL.height);
    expect(both).not.toEqual(read(jpegOf({ ...rgb, before: [app1(six)] })));
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
