import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FormatError, UnsupportedError, VaeransError } from '#src/errors.js';
import type { Pixels } from '#src/image/pixels.js';
import { readImageBytes } from '#src/image/read.js';
import { defaultLimits } from '#src/limits.js';
import { allocatedBytes, MEBIBYTE } from './allocated.js';
import { jpegOf } from './jpeg-craft.js';
import { encodePng, pixelsOf } from './png-craft.js';
import { decodeBySharp, difference, HAS_SECOND_DECODER } from './second-decoder.js';

const LIMITS = defaultLimits();
const DATA = new URL('../../../shared/data/', import.meta.url);
const HAS_DATA = existsSync(DATA);
if (!HAS_DATA) {
  console.log('skipped: ../shared/data is absent, so PngSuite and the awkward files are not read');
}

interface Outcome {
  /** `ok`, or the code of the refusal. */
  readonly code: string;
  readonly pixels?: Pixels;
  readonly notes: readonly string[];
}

function outcome(file: Buffer): Outcome {
  const notes: string[] = [];
  try {
    const pixels = readImageBytes(file, LIMITS, { onNote: (note) => notes.push(note) });
    return { code: 'ok', pixels, notes };
  } catch (error) {
    expect(error).toBeInstanceOf(VaeransError);
    return { code: (error as VaeransError).code, notes };
  }
}

/** PNG to the last bit of the last sample; of JPEG two inverse cosine transforms may differ by 3 levels. */
async function expectSecondDecoderToAgree(file: Buffer, { pixels }: Outcome): Promise<void> {
  if (pixels === undefined || !HAS_SECOND_DECODER) return;
  const bits = pixels.data instanceof Uint16Array ? 16 : 8;
  const { max, mean } = difference(pixels, await decodeBySharp(file, pixels.channels, bits));
  const isPng = file[0] === 0x89;
  expect(max).toBeLessThanOrEqual(isPng ? 0 : 3);
  expect(mean).toBeLessThanOrEqual(isPng ? 0 : 0.2);
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
    expect(readImageBytes(jpegOf({ width: 9, height: 9 }), LIMITS).widthPx).toBe(9);
    expect(readImageBytes(Buffer.from('P5 1 1 255\nA'), LIMITS).data).toEqual(Uint8Array.of(65));
  });

  test.each([
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
      new RegExp(
        `got ${name}; (install the optional package 'sharp' to read it, or )?\\w+ it .*first$`,
      ),
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
  test.each(listFiles('pngsuite/'))(
    '%s is read as a second decoder reads it, or refused where its name says it is damaged',
    async (name, file) => {
      const ours = outcome(file);
      expect(ours.code).toBe(name.startsWith('x') ? 'format' : 'ok');
      await expectSecondDecoderToAgree(file, ours);
    },
  );
});

/** What becomes of the awkward files that are not read. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  format: [
    'bad_depth.png',
    'chunk_len_huge.png',
    'crc_idat.png',
    'crc_ihdr.png',
    'empty.jpg',
    'empty.png',
    'idat_short.png',
    'no_eoi.jpg',
    'only_sig.png',
    'only_soi.jpg',
    'palette_index_oob.png',
    'palette_missing.png',
    'pillow_broken.png',
    'pillow_broken_data_stream.png',
    'pillow_truncated_image.png',
    'pillow_truncated_jpeg.jpg',
    'random.png',
    'scan_noise.jpg',
    'sharp_truncated.jpg',
    'sharp_truncated.png',
    'text.png',
    'trunc_half.jpg',
    'trunc_half.png',
    'trunc_header.jpg',
    'trunc_header.png',
    'trunc_no_iend.png',
    'zero_width.png',
    'zlib_corrupt.png',
  ],
  unsupported: [
    'bmp.bmp',
    'cmyk.jpg',
    'gif.gif',
    'pillow_16bit.cropped.tif',
    'pillow_pil_sample_cmyk.jpg',
    'real_cmyk_flower.jpg',
    'sharp_Channel_digital_image_CMYK_color_no_profile.jpg',
    'tiff.tif',
    'webp.webp',
    'webp_named.png',
  ],
  limit: ['bomb_dims.jpg', 'bomb_dims_100k.png', 'bomb_dims_2g.png', 'bomb_real_20000.png'],
};

describe.skipIf(!HAS_DATA)('awkward files', () => {
  test.each(listFiles('edge/'))(
    '%s is read as a second decoder reads it or refused as listed',
    async (name, file) => {
      const listed = Object.entries(REFUSED).find(([, names]) => names.includes(name));
      let ours: Outcome = { code: 'not read', notes: [] };
      const bytes = allocatedBytes(() => {
        ours = outcome(file);
      });
      expect(ours.code).toBe(listed?.[0] ?? 'ok');
      if (ours.code !== 'ok') {
        expect(bytes).toBeLessThan((name.startsWith('bomb') ? 1 : 300) * MEBIBYTE);
      }
      await expectSecondDecoderToAgree(file, ours);
    },
  );

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'exif_orient_%i.jpg is the reference once upright',
    (value) => {
      const files = new Map(listFiles('edge/'));
      const upright = outcome(files.get(`exif_orient_${value}.jpg`) ?? Buffer.alloc(0)).pixels;
      const reference = outcome(files.get('orient_reference.png') ?? Buffer.alloc(0)).pixels;
      if (upright === undefined || reference === undefined) throw new Error('not read');
      expect(difference(upright, reference).mean).toBeLessThan(4);
    },
  );

  test('326 mutated files end the same twice, in pixels or a refusal', () => {
    const files = listFiles('edge/imagetestsuite/');
    expect(files.length).toBe(326);
    for (const [name, file] of files) {
      const first = outcome(file);
      const second = outcome(file);
      expect(second.code, name).toBe(first.code);
      expect(second.notes, name).toEqual(first.notes);
      const isSame =
        first.pixels === undefined ||
        Buffer.from(first.pixels.data).equals(Buffer.from(second.pixels?.data ?? []));
      expect(isSame, name).toBe(true);
    }
  });
});
