import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FormatError, LimitError, type VaeransError } from '#src/errors.js';
import { NAMED_COLORANTS } from '#src/image/colour.js';
import { readAnyImage } from '#src/image/file.js';
import { writeProfile } from '#src/image/icc-write.js';
import type { Pixels } from '#src/image/pixels.js';
import { readImageBytes } from '#src/image/read.js';
import { encodeAnyImage } from '#src/image/write.js';
import { defaultLimits } from '#src/limits.js';
import { exif, segment } from './jpeg-craft.js';
import { pixelsOf } from './png-craft.js';
import { difference, encodeBySharp, HAS_SECOND_DECODER } from './second-decoder.js';

const LIMITS = defaultLimits();
const EDGE = new URL('../../../shared/data/edge/', import.meta.url);
const HAS_DATA = existsSync(EDGE);
const HAS_MAGICK = spawnSync('convert', ['-version']).status === 0;
if (!HAS_MAGICK) console.log('skipped: ImageMagick is absent, so what sharp reads is not compared');
const canCompare = HAS_DATA && HAS_MAGICK && HAS_SECOND_DECODER;

const edge = (name: string) => readFileSync(new URL(name, EDGE));

function byMagick(
  file: Buffer,
  kind: string,
  { channels, data }: Pixels,
): Uint8Array | Uint16Array {
  const bits = data.BYTES_PER_ELEMENT * 8;
  const raw = ['gray', 'graya', 'rgb', 'rgba'][channels - 1];
  const arguments_ = [`${kind}:-[0]`, '-depth', String(bits), '-endian', 'LSB', `${raw}:-`];
  const bytes = execFileSync('convert', arguments_, { input: file, maxBuffer: 2 ** 28 });
  return bits === 8 ? bytes : new Uint16Array(new Uint8Array(bytes).buffer);
}

describe.skipIf(!canCompare)('what sharp reads', () => {
  test.each([
    ['webp.webp', 'webp'],
    ['webp_named.png', 'webp'],
    ['gif.gif', 'gif'],
    ['tiff.tif', 'tiff'],
    ['pillow_16bit.cropped.tif', 'tiff'],
  ])('%s is what ImageMagick reads', async (name, kind) => {
    const file = edge(name);
    const ours = await readAnyImage(file, LIMITS);
    const theirs = { ...ours, data: byMagick(file, kind, ours) };
    // Lossy WebP brings its chroma up in more than one way.
    expect(difference(ours, theirs).max).toBeLessThanOrEqual(name === 'webp_named.png' ? 3 : 0);
  });

  test.each([
    'cmyk.jpg',
    'pillow_pil_sample_cmyk.jpg',
    'real_cmyk_flower.jpg',
    'sharp_Channel_digital_image_CMYK_color_no_profile.jpg',
  ])('%s is converted to sRGB and not taken for its negative', async (name) => {
    const notes: string[] = [];
    const file = edge(name);
    const ours = await readAnyImage(file, LIMITS, { onNote: (note) => notes.push(note) });
    expect(ours).toMatchObject({ channels: 3, colour: 'srgb' });
    expect(notes).toEqual(['jpeg: cmyk samples converted to sRGB without a profile of its own']);
    // ImageMagick multiplies inks, libvips asks a press: the same picture in other shades.
    expect(difference(ours, { ...ours, data: byMagick(file, 'jpeg', ours) }).mean).toBeLessThan(45);
  });
});

describe.skipIf(!HAS_SECOND_DECODER)('a JPEG that is left to sharp', () => {
  test('keeps its IPTC byte for byte', async () => {
    const file = readFileSync(new URL('../../fixtures/cmyk.jpg', import.meta.url));
    const iptc = Buffer.from('Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x04name', 'latin1');
    const parts = [file.subarray(0, 2), segment(0xed, iptc), file.subarray(2)];
    const { metadata } = await readAnyImage(Buffer.concat(parts), LIMITS);
    expect(metadata?.blocks).toEqual([{ kind: 'photoshop', bytes: new Uint8Array(iptc) }]);
  });
});

describe.skipIf(!HAS_SECOND_DECODER)('sharp', () => {
  const carried = {
    exif: new Uint8Array(exif(false, [[0x0100, 3, 1, 6]])),
    xmp: new Uint8Array(Buffer.from('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')),
  };

  test.each(['webp', 'avif', 'tiff'] as const)(
    'writes %s that reads back the same, profile and all',
    async (format) => {
      const icc = writeProfile('any', { exponent: 1.8 }, NAMED_COLORANTS['adobe-rgb']);
      for (const channels of [3, 4] as const) {
        const { data } = pixelsOf(19, 11, 3);
        const rgba = Uint8Array.from(
          { length: 19 * 11 * channels },
          (_, at) => data[at % 600] ?? 0,
        );
        const pixels: Pixels = {
          widthPx: 19,
          heightPx: 11,
          channels,
          data: rgba,
          colour: 'icc',
          metadata: { icc, ...carried },
        };
        if (channels === 4) for (let at = 3; at < rgba.length; at += 4) rgba[at] = 1 + (at & 127);
        const back = await readAnyImage(await encodeAnyImage(pixels, format), LIMITS);
        expect(difference(back, pixels).max).toBe(0);
        expect(back).toMatchObject({ channels, colour: 'icc' });
        expect(back.metadata?.icc).toEqual(icc);
        // libvips keeps no Exif in a TIFF.
        expect(back.metadata?.exif !== undefined).toBe(format !== 'tiff');
      }
    },
  );

  test('keeps 16 bits and grey of a TIFF', async () => {
    for (const channels of [1, 3] as const) {
      const data = new Uint16Array(9 * 5 * channels).map((_, at) => at * 1234);
      const pixels: Pixels = { widthPx: 9, heightPx: 5, channels, data };
      const back = await readAnyImage(await encodeAnyImage(pixels, 'tiff'), LIMITS);
      expect(back).toMatchObject({ channels, data });
    }
  });

  test('is refused what its build does not write, by name', async () => {
    await expect(encodeAnyImage(pixelsOf(2, 2, 3), 'jxl')).rejects.toThrow(
      /got jxl; write it as PNG$/,
    );
  });

  test('is handed nothing over the limits', async () => {
    const file = Buffer.from(await encodeAnyImage(pixelsOf(30, 20, 3), 'webp'));
    await expect(readAnyImage(file, { ...LIMITS, maxPixels: 599 })).rejects.toThrow(LimitError);
    await expect(readAnyImage(file, { ...LIMITS, maxSidePx: 29 })).rejects.toThrow('--max-side');
    await expect(readAnyImage(file, { ...LIMITS, maxMemoryBytes: 4000 })).rejects.toThrow(
      '--max-memory',
    );
  });

  test.each(['webp', 'avif', 'tiff'] as const)(
    'what it finds damaged in a %s is a FormatError, or a picture',
    async (format) => {
      const file = Buffer.from(await encodeAnyImage(pixelsOf(40, 30, 3), format));
      for (let at = 12; at < file.length; at += Math.ceil(file.length / 40)) {
        const codes = new Set<string>();
        for (const bytes of [
          file.subarray(0, at),
          Buffer.from(file).fill(0xff, at, Math.min(at + 3, file.length)),
        ]) {
          await readAnyImage(bytes, LIMITS).catch((error: VaeransError) => codes.add(error.code));
        }
        for (const code of codes) expect(['format', 'unsupported', 'limit']).toContain(code);
        await expect(readAnyImage(file.subarray(0, at), LIMITS)).rejects.toMatchObject({
          name: expect.stringMatching(/^(Format|Unsupported)Error$/),
        });
      }
    },
  );

  test('takes over JPEGs of over 24 megapixels', async () => {
    const [widthPx, heightPx] = [6001, 4000];
    const data = new Uint8Array(widthPx * heightPx * 3).map((_, at) => at >> 16);
    const file = await encodeBySharp({ widthPx, heightPx, channels: 3, data }, {});
    expect(() => readImageBytes(file, LIMITS)).toThrow("install the optional package 'sharp'");
    const ours = await readAnyImage(file, LIMITS);
    expect(difference(ours, { widthPx, heightPx, channels: 3, data }).mean).toBeLessThan(1);
    await expect(readAnyImage(file.subarray(0, -2), LIMITS)).rejects.toThrow(FormatError);
  }, 90_000);
});

test.skipIf(!HAS_DATA)('without sharp what it would read is refused, naming it', () => {
  const hook = new URL('without-sharp.mjs', import.meta.url).href;
  const reader = new URL('../../dist/index.js', import.meta.url).href;
  for (const name of ['webp.webp', 'cmyk.jpg']) {
    const script = `
      const { readImage, encodeImage } = await import(${JSON.stringify(reader)});
      await readImage(${JSON.stringify(new URL(name, EDGE).pathname)}).catch((e) => console.log(e.name, e.message));
      const pixels = { widthPx: 1, heightPx: 1, channels: 1, data: new Uint8Array(1) };
      await encodeImage(pixels, 'webp').catch((e) => console.log(e.name, e.message));`;
    const { stdout } = spawnSync(
      process.execPath,
      ['--import', hook, '--input-type=module', '-e', script],
      { encoding: 'utf8' },
    );
    const what = name === 'cmyk.jpg' ? 'CMYK or YCCK' : 'a WebP';
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(
        new RegExp(
          `^UnsupportedError .*, got ${what}; install the optional package 'sharp' to read it`,
        ),
      ),
      expect.stringMatching(
        /^UnsupportedError write: .* got webp; install the optional package 'sharp' to write it$/,
      ),
      '',
    ]);
  }
});
