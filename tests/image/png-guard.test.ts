import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { FormatError, LimitError } from '#src/errors.js';
import { guardPng } from '#src/image/png-guard.js';
import { allocatedBytes, MEBIBYTE } from './allocated.js';
import {
  chunk,
  encodePng,
  type Ihdr,
  idat,
  ihdr,
  pixelsOf,
  png,
  SCANLINES,
  SIGNATURE,
} from './png-craft.js';
import { LIMITS, read, refusal } from './reading.js';

const PALETTE = chunk('PLTE', Uint8Array.of(1, 2, 3));
const KEY = chunk('tRNS', new Uint8Array(6));

describe('a damaged PNG', () => {
  test('every truncation of a plain and of an interlaced file is refused', () => {
    for (const isInterlaced of [false, true]) {
      const file = encodePng(pixelsOf(11, 7, 3), isInterlaced);
      for (let byteLength = 0; byteLength < file.length; byteLength++) {
        expect(refusal(file.subarray(0, byteLength)), `${byteLength} bytes`).toBeInstanceOf(
          FormatError,
        );
      }
    }
  });

  test('every single-bit flip of a small file is refused', () => {
    const file = encodePng(pixelsOf(4, 3, 3), true);
    const damaged = Buffer.from(file);
    for (let bit = 0; bit < file.length * 8; bit++) {
      damaged[bit >> 3] = (file[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(refusal(damaged), `bit ${bit}`).toBeInstanceOf(Error);
      damaged[bit >> 3] = file[bit >> 3] ?? 0;
    }
    expect(refusal(damaged)).toBeUndefined();
  });

  test('no single-bit flip in IDAT changes a pixel even when the chunk CRC is made right', () => {
    const pixels = pixelsOf(9, 9, 1);
    const whole = encodePng(pixels, false);
    const compressed = whole.subarray(41, -16);
    let harmless = 0;
    for (let bit = 0; bit < compressed.length * 8; bit++) {
      const damaged = Buffer.from(compressed);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const file = Buffer.concat([whole.subarray(0, 33), chunk('IDAT', damaged), chunk('IEND')]);
      if (refusal(file) === undefined) {
        harmless++;
        expect(read(file)).toEqual(pixels);
      }
    }
    // Deflate fills its last byte up with bits that mean nothing.
    expect(harmless).toBeLessThan(8);
  });
});

describe('a PNG that lies', () => {
  test('68 bytes claiming 30000x30000 are refused and nothing is allocated for them', () => {
    const file = png(ihdr({ width: 30_000, height: 30_000 }), idat(Uint8Array.of(0)));
    expect(file.length).toBeLessThan(70);
    expect(allocatedBytes(() => expect(refusal(file)).toBeInstanceOf(LimitError))).toBeLessThan(
      MEBIBYTE,
    );
  });

  test('a size within the limits that the compressed bytes cannot hold is refused before it is allocated', () => {
    const file = png(ihdr({ width: 16_000, height: 16_000, colour: 0 }), idat(new Uint8Array(99)));
    const bytes = allocatedBytes(() =>
      expect(refusal(file)).toMatchObject({
        name: 'FormatError',
        byteOffset: 33,
        message: expect.stringContaining('which cannot hold them'),
      }),
    );
    expect(bytes).toBeLessThan(MEBIBYTE);
  });

  test('a small picture with a large zlib stream is refused without inflating it all', () => {
    const bomb = deflateSync(Buffer.alloc(32 * 2 ** 20));
    const bytes = allocatedBytes(() =>
      expect(refusal(png(ihdr(), chunk('IDAT', bomb)))).toMatchObject({
        message: expect.stringContaining('expected 14 bytes of scanlines, got more'),
      }),
    );
    expect(bytes).toBeLessThan(MEBIBYTE);
  });

  test('sides over the limits are refused before the rest of the file is looked at', () => {
    const head = Buffer.concat([SIGNATURE, ihdr({ width: 40_000, height: 1 })]);
    expect(refusal(head)).toBeInstanceOf(LimitError);
    expect(refusal(png(ihdr({ width: 20_000, height: 20_000 })))).toBeInstanceOf(LimitError);
  });

  test.each([
    ['8 bits', { depth: 8 }, 2 * 7, 3 * 4],
    ['16 bits', { depth: 16 }, 2 * 13, 3 * 8],
  ] as const)(
    'a plan of the file twice, scanlines three times and %s of pixels is held to the byte',
    (_, fields, scanlineBytes, bytesAPixel) => {
      const compressed = idat(new Uint8Array(scanlineBytes));
      const idatByteLength = compressed.length - 12;
      const file = png(ihdr(fields), compressed);
      const plannedBytes = 2 * idatByteLength + 3 * scanlineBytes + bytesAPixel * 4;
      const guard = (maxMemoryBytes: number) => guardPng(file, { ...LIMITS, maxMemoryBytes });
      expect(guard(plannedBytes).survey.idatByteLength).toBe(idatByteLength);
      expect(() => guard(plannedBytes - 1)).toThrow(LimitError);
    },
  );

  test('1032 bytes of scanlines might come from each compressed byte, and not one more', () => {
    const file = (width: number) =>
      png(ihdr({ width, height: 1, colour: 0 }), chunk('IDAT', Uint8Array.of(0x78)));
    expect(refusal(file(1031))).toMatchObject({ message: expect.stringContaining('sound zlib') });
    expect(refusal(file(1032))).toMatchObject({ message: expect.stringContaining('cannot hold') });
  });

  test.each([
    ['one byte too few', SCANLINES.subarray(0, -1)],
    ['one byte too many', Uint8Array.from([...SCANLINES, 0])],
    ['a row too few', SCANLINES.subarray(0, 7)],
    ['nothing', new Uint8Array(0)],
  ])('scanlines of %s are refused', (_, scanlines) => {
    expect(refusal(png(ihdr(), idat(scanlines)))).toBeInstanceOf(FormatError);
  });

  test.each([0, 7])('a filter of 5 at scanline byte %i is refused as such', (at) => {
    const scanlines = Uint8Array.from(SCANLINES);
    scanlines[at] = 5;
    expect(refusal(png(ihdr(), idat(scanlines)))).toMatchObject({
      name: 'FormatError',
      message: 'png: expected filters 0 to 4, got 5 (at byte 33)',
    });
  });

  test('a filter of 5 in the last pass of an interlaced picture is refused', () => {
    // 2x2 grey: passes of one pixel, one pixel, and a row of two.
    const head = ihdr({ width: 2, height: 2, colour: 0, interlace: 1 });
    const lines = Uint8Array.of(0, 10, 0, 20, 0, 30, 40);
    expect(read(png(head, idat(lines))).data).toEqual(Uint8Array.of(10, 20, 30, 40));
    lines[4] = 5;
    expect(refusal(png(head, idat(lines)))).toMatchObject({
      message: expect.stringContaining('expected filters 0 to 4'),
    });
  });

  test('a zlib stream without its end, or one that needs a dictionary, is refused', () => {
    const whole = deflateSync(SCANLINES);
    for (let cut = 1; cut < whole.length; cut++) {
      expect(refusal(png(ihdr(), chunk('IDAT', whole.subarray(0, -cut))))).toMatchObject({
        name: 'FormatError',
        message: expect.stringContaining('expected a sound zlib stream in IDAT'),
        cause: expect.any(Error),
      });
    }
    const dictionary = deflateSync(SCANLINES, { dictionary: Buffer.from(SCANLINES) });
    expect(refusal(png(ihdr(), chunk('IDAT', dictionary)))).toBeInstanceOf(FormatError);
  });

  test.each<[string, Ihdr, number]>([
    ['width 0', { width: 0 }, 16],
    ['height 0', { height: 0 }, 16],
    ['depth 3', { depth: 3 }, 24],
    ['depth 4 in RGB', { depth: 4 }, 24],
    ['depth 16 with a palette', { depth: 16, colour: 3 }, 24],
    ['colour type 1', { colour: 1 }, 24],
    ['colour type 7', { colour: 7 }, 24],
    ['compression 1', { compression: 1 }, 26],
    ['filter method 1', { filter: 1 }, 26],
    ['interlace 2', { interlace: 2 }, 26],
  ])('an IHDR with %s is refused at its byte', (_, fields, byteOffset) => {
    const file = png(ihdr(fields), PALETTE, idat(SCANLINES));
    expect(refusal(file)).toMatchObject({ name: 'FormatError', byteOffset });
  });

  test.each<[string, Uint8Array[]]>([
    ['no IHDR', [idat(SCANLINES)]],
    ['a chunk before IHDR', [chunk('teXt'), ihdr(), idat(SCANLINES)]],
    ['an IHDR of 12 bytes', [chunk('IHDR', new Uint8Array(12)), idat(SCANLINES)]],
    ['a second IHDR', [ihdr(), ihdr(), idat(SCANLINES)]],
    ['no IDAT', [ihdr()]],
    ['an empty IDAT', [ihdr(), chunk('IDAT')]],
    ['a gap between IDAT', [ihdr(), idat(SCANLINES), chunk('teXt'), idat(SCANLINES)]],
    ['an unknown critical chunk', [ihdr(), chunk('ABCD'), idat(SCANLINES)]],
    ['an unknown critical chunk of small letters', [ihdr(), chunk('Abcd'), idat(SCANLINES)]],
    ['a chunk name with a digit', [ihdr(), chunk('te1t'), idat(SCANLINES)]],
    ['two palettes', [ihdr(), PALETTE, PALETTE, idat(SCANLINES)]],
    ['a palette after IDAT', [ihdr(), idat(SCANLINES), PALETTE]],
    ['a palette of 4 bytes', [ihdr(), chunk('PLTE', new Uint8Array(4)), idat(SCANLINES)]],
    ['an empty palette', [ihdr(), chunk('PLTE'), idat(SCANLINES)]],
    ['a palette of 257 colours', [ihdr(), chunk('PLTE', new Uint8Array(771)), idat(SCANLINES)]],
    ['a palette in a grey picture', [ihdr({ colour: 0 }), PALETTE, idat(new Uint8Array(6))]],
    ['no palette with colour type 3', [ihdr({ colour: 3 }), idat(new Uint8Array(6))]],
    ['two tRNS', [ihdr(), KEY, KEY, idat(SCANLINES)]],
    ['tRNS after IDAT', [ihdr(), idat(SCANLINES), chunk('tRNS', new Uint8Array(6))]],
    ['tRNS of 2 bytes in RGB', [ihdr(), chunk('tRNS', new Uint8Array(2)), idat(SCANLINES)]],
    [
      'tRNS of 6 bytes in grey',
      [ihdr({ colour: 0 }), chunk('tRNS', new Uint8Array(6)), idat(new Uint8Array(6))],
    ],
    [
      'tRNS beside an alpha channel',
      [ihdr({ colour: 4 }), chunk('tRNS', new Uint8Array(2)), idat(new Uint8Array(10))],
    ],
    [
      'tRNS before its palette',
      [ihdr({ colour: 3 }), chunk('tRNS', Uint8Array.of(9)), PALETTE, idat(new Uint8Array(6))],
    ],
    [
      'more alphas than colours',
      [ihdr({ colour: 3 }), PALETTE, chunk('tRNS', Uint8Array.of(9, 9)), idat(new Uint8Array(6))],
    ],
    ['an IEND with data', [ihdr(), idat(SCANLINES), chunk('IEND', Uint8Array.of(1))]],
    ['an IHDR of 14 bytes', [chunk('IHDR', new Uint8Array(14)), idat(SCANLINES)]],
    ['a palette beside grey with alpha', [ihdr({ colour: 4 }), PALETTE, idat(new Uint8Array(10))]],
    [
      'an empty tRNS in a palette picture',
      [ihdr({ colour: 3 }), PALETTE, chunk('tRNS'), idat(new Uint8Array(6))],
    ],
  ])('%s is refused by the guard itself', (_, chunks) => {
    expect(() => guardPng(png(...chunks), LIMITS)).toThrow(FormatError);
  });

  test.each<[string, Uint8Array[], string]>([
    ['no IHDR', [chunk('teXt')], 'expected IHDR of 13 bytes first, got teXt of 0 (at byte 8)'],
    [
      'IHDR by another name',
      [chunk('teXt', ihdr().subarray(8, -4)), idat(SCANLINES)],
      'got teXt of 13',
    ],
    ['a short IHDR', [chunk('IHDR', new Uint8Array(12))], 'first, got IHDR of 12 (at byte 8)'],
    ['a second IHDR', [ihdr(), ihdr()], 'expected one IHDR, got another (at byte 33)'],
    ['a digit in a name', [ihdr(), chunk('te1t')], 'four letters, got others (at byte 37)'],
  ])('%s is refused as such and at its byte', (_, chunks, message) => {
    expect(refusal(png(...chunks))).toMatchObject({ message: expect.stringContaining(message) });
  });

  test('a file with any byte of the signature changed is no PNG', () => {
    const whole = png(ihdr(), idat(SCANLINES));
    for (let at = 0; at < SIGNATURE.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] = 0x20;
      expect(refusal(changed), `byte ${at}`).toMatchObject({
        message: expect.stringMatching(/^image: expected PNG/),
      });
    }
  });

  test('a wrong CRC of a chunk that nobody needs is refused at that chunk', () => {
    const text = chunk('teXt', Uint8Array.of(1, 2));
    text[9] = 3;
    expect(refusal(png(ihdr(), text, idat(SCANLINES)))).toMatchObject({ byteOffset: 33 });
  });
});

describe('guardPng', () => {
  const others = [chunk('gAMA', new Uint8Array(4)), chunk('acTL'), chunk('teXt')];
  const bare = (...chunks: readonly Buffer[]) => {
    for (const each of chunks) each.fill(0, each.length - 4);
    return Buffer.concat(chunks);
  };

  test('hands on nothing of true colour but IHDR, one IDAT and IEND', () => {
    const whole = idat(SCANLINES);
    const file = png(ihdr(), ...others, PALETTE, KEY, whole, chunk('teXt'));
    const { plainFile, survey } = guardPng(file, LIMITS);
    expect([...survey.noted.keys()]).toEqual(['gAMA', 'acTL', 'PLTE', 'tRNS', 'IDAT']);
    const rest = bare(idat(SCANLINES), chunk('IEND'));
    expect(plainFile.equals(Buffer.concat([SIGNATURE, ihdr(), rest]))).toBe(true);
  });

  test('hands on nothing of what lies behind the zlib stream', () => {
    const padding = chunk('IDAT', Buffer.alloc(300, 0xab));
    const padded = guardPng(png(ihdr(), idat(SCANLINES), padding), LIMITS).plainFile;
    expect(padded).toEqual(guardPng(png(ihdr(), idat(SCANLINES)), LIMITS).plainFile);
  });

  test('a signature alone is told from a file that was cut off', () => {
    expect(refusal(SIGNATURE)).toMatchObject({
      message: 'png: expected chunks, got a signature alone (at byte 8)',
    });
    expect(refusal(png(ihdr(), idat(SCANLINES)).subarray(0, 40))).toMatchObject({
      message: 'png: expected another chunk up to IEND, got 7 bytes (truncated) (at byte 33)',
    });
    expect(refusal(png(ihdr(), idat(SCANLINES)).subarray(0, 45))).toMatchObject({
      message: expect.stringContaining('of IDAT, got 0 (truncated) (at byte 33)'),
    });
  });

  test('hands on the palette of a palette picture and its alphas', () => {
    const head = ihdr({ colour: 3 });
    const alphas = chunk('tRNS', Uint8Array.of(7));
    const file = png(head, ...others, PALETTE, alphas, idat(new Uint8Array(6)));
    const rest = bare(
      chunk('PLTE', Uint8Array.of(1, 2, 3)),
      chunk('tRNS', Uint8Array.of(7)),
      idat(new Uint8Array(6)),
      chunk('IEND'),
    );
    const { plainFile } = guardPng(file, LIMITS);
    expect(plainFile.equals(Buffer.concat([SIGNATURE, head, rest]))).toBe(true);
  });

  test('a file of 200,000 empty chunks is read and none of them is kept', () => {
    const empty = Buffer.alloc(200_000 * 12, chunk('teXt'));
    const { survey, plainFile } = guardPng(png(ihdr(), empty, idat(SCANLINES)), LIMITS);
    expect([...survey.noted.keys()]).toEqual(['IDAT']);
    expect(survey.idatOffset).toBe(33 + empty.length);
    expect(plainFile.length).toBe(png(ihdr(), idat(SCANLINES)).length);
  });
});
