import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FormatError, UnsupportedError, VaeransError } from '#src/errors.js';
import type { Pixels } from '#src/image/pixels.js';
import { readImageBytes } from '#src/image/read.js';
import { defaultLimits } from '#src/limits.js';
import { decodePng, encodePng, pixelsOf } from './png-craft.js';

const LIMITS = defaultLimits();
const DATA = new URL('../../../shared/data/', import.meta.url);
const HAS_DATA = existsSync(DATA);
if (!HAS_DATA) {
  console.log('skipped: ../shared/data is absent, so PngSuite and the awkward files are not read');
}

/** `ok` after comparing with the second decoder, else the class of the refusal. */
function outcome(file: Buffer): string {
  let pixels: Pixels;
  try {
    pixels = readImageBytes(file, LIMITS);
  } catch (error) {
    expect(error).toBeInstanceOf(VaeransError);
    return (error as VaeransError).code;
  }
  const wanted = decodePng(file);
  expect({ ...pixels, data: undefined }).toEqual({ ...wanted, data: undefined });
  expect(Buffer.compare(pixels.data, wanted.data)).toBe(0);
  return 'ok';
}

function listFiles(folder: string): readonly (readonly [string, Buffer])[] {
  if (!HAS_DATA) {
    return [];
  }
  const url = new URL(folder, DATA);
  return readdirSync(url, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(png|jpg|gif|bmp|webp|tif)$/.test(entry.name))
    .map(({ name }) => [name, readFileSync(new URL(encodeURIComponent(name), url))]);
}

describe('readImageBytes', () => {
  test('goes by the first bytes', () => {
    const pixels = pixelsOf(3, 2, 3);
    expect(readImageBytes(encodePng(pixels, false), LIMITS)).toEqual(pixels);
    expect(readImageBytes(Buffer.from('P5 1 1 255\nA'), LIMITS).data).toEqual(Uint8Array.of(65));
  });

  test.each([
    ['a JPEG', '\xff\xd8\xff\xe0'],
    ['a WebP', 'RIFF\x10\0\0\0WEBPVP8 '],
    ['a GIF', 'GIF89a\x01'],
    ['a BMP', 'BM\x46\0\0\0\0\0\0\0\x36'],
    ['a TIFF', 'II*\0\x08'],
    ['a TIFF', 'MM\0*\0'],
    ['a BigTIFF', 'II+\0'],
    ['an AVIF', '\0\0\0\x20ftypavif'],
    ['a HEIC', '\0\0\0\x18ftypheic'],
    ['a HEIF', '\0\0\0\x18ftypmif1'],
    ['a JPEG XL', '\xff\x0a\0'],
    ['a JPEG XL', '\0\0\0\x0cJXL \r\n\x87\n'],
    ['a JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n'],
    ['a QOI', 'qoif\0'],
    ['an OpenEXR', '\x76\x2f\x31\x01'],
    ['an SVG', '<svg xmlns="'],
    ['a PFM with floating-point samples', 'PF\n1 1\n-1\n'],
    ['a .vae file', 'VAE\0\x01\0'],
  ])('refuses %s by name and says what to do', (name, beginning) => {
    const bytes = Buffer.from(beginning, 'latin1');
    expect(() => readImageBytes(bytes, LIMITS)).toThrow(UnsupportedError);
    expect(() => readImageBytes(bytes, LIMITS)).toThrow(
      new RegExp(`got ${name}; \\w+ it .*first$`),
    );
  });

  test.each([
    ['got an empty one', ''],
    ['got text', 'Dear reader,\nBM is not always a bitmap, nor PF a float map.'],
    ['got text', 'BM is a firm'],
    ['got a signature alone', '\x89PNG\r\n\x1a\n'],
    ['as by a transfer in text mode', '\x89PNG\n\x1a\n\0\0'],
    ['got unknown bytes beginning 01 02 03 04', '\x01\x02\x03\x04\x05'],
    ['got unknown bytes beginning 00', '\0'],
    ['got unknown bytes', '\0\0\0\x20ftypisom'],
  ])('what is no image is refused: %s', (message, text) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(() => readImageBytes(bytes, LIMITS)).toThrow(FormatError);
    expect(() => readImageBytes(bytes, LIMITS)).toThrow(message);
  });
});

describe.skipIf(!HAS_DATA)('PngSuite', () => {
  // Colour type and depth are in the name; `x` marks damaged files; a `t` in front marks transparency.
  test.each(listFiles('pngsuite/'))(
    '%s is read exactly or refused for what its name says',
    (name, file) => {
      const [, colour, depth] = /([0-9])[a-z]([0-9]{2})\.png$/.exec(name) ?? [];
      const isHandled = (colour === '0' || colour === '2') && depth === '08';
      const isTransparent = name === 'tbrn2c08.png';
      const wanted = name.startsWith('x')
        ? 'format'
        : name === 'PngSuite.png' || (isHandled && !isTransparent)
          ? 'ok'
          : 'unsupported';
      expect(outcome(file)).toBe(wanted);
    },
  );
});

/** What becomes of each awkward file that is not simply of a kind not handled yet. */
const EDGE: Readonly<Record<string, readonly string[]>> = {
  ok: [
    'bad_iccp.png',
    'exif_orient_6.png',
    'gama_100000.png',
    'gama_45455_chrm.png',
    'gray8.png',
    'iccp_p3_color_bars.png',
    'iccp_srgb.png',
    'interlaced_3x5.png',
    'interlaced_rgb.png',
    'many_idat.png',
    'name with space & ü.png',
    'odd_191x127.png',
    'orient_reference.png',
    'pillow_hopper_idat_after_image_end.png',
    'pillow_padded_idat.png',
    'png_named.jpg',
    'px_1023x1.png',
    'px_1x1.png',
    'px_1x257.png',
    'px_3x5.png',
    'px_5x3.png',
    'text_chunks.png',
  ],
  format: [
    'bad_depth.png',
    'chunk_len_huge.png',
    'crc_idat.png',
    'crc_ihdr.png',
    'empty.jpg',
    'empty.png',
    'idat_short.png',
    'only_sig.png',
    'palette_missing.png',
    'pillow_broken.png',
    'pillow_broken_data_stream.png',
    'pillow_tRNS_null_1x1.png',
    'pillow_truncated_image.png',
    'random.png',
    'sharp_truncated.png',
    'text.png',
    'trailing_garbage.png',
    'trunc_half.png',
    'trunc_header.png',
    'trunc_no_iend.png',
    'zero_width.png',
    'zlib_corrupt.png',
  ],
  limit: ['bomb_dims_100k.png', 'bomb_dims_2g.png', 'bomb_real_20000.png'],
};

describe.skipIf(!HAS_DATA)('awkward files', () => {
  test.each(listFiles('edge/'))('%s ends as listed, and within 2 seconds', (name, file) => {
    const listed = Object.entries(EDGE).find(([, names]) => names.includes(name));
    const startMs = performance.now();
    expect(outcome(file)).toBe(listed?.[0] ?? 'unsupported');
    expect(performance.now() - startMs).toBeLessThan(2000);
  });

  test('326 mutated files never crash, and give the same twice', () => {
    const files = listFiles('edge/imagetestsuite/');
    expect(files.length).toBe(326);
    for (const [name, file] of files) {
      expect(outcome(file), name).toBe(outcome(file));
    }
  });
});
