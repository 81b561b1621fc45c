/**
 * The chunks that state colours and carry metadata in a PNG that is written.
 * @module
 */
import { crc32, deflateSync } from 'node:zlib';
import { profileOfName } from './colour.js';
import type { Pixels } from './pixels.js';
import {
  CHUNK_OVERHEAD_BYTES,
  isText,
  PNG_HEAD_BYTES,
  XMP_CHUNK,
  XMP_KEYWORD,
} from './png-chunks.js';

/** sRGB's intent: perceptual. */
const PERCEPTUAL = Uint8Array.of(0);
/** sRGB's exponent for readers that do not know the chunk: 0.45455. */
const SRGB_GAMA = Uint8Array.of(0, 0, 0xb1, 0x8f);
/** Primaries of Display P3 with sRGB's curve, RGB, full range. */
const DISPLAY_P3_CICP = Uint8Array.of(12, 13, 0, 1);

/** @param file that ends its head after IHDR; @returns it with the chunks behind that, in memory of its own */
export function withMetadataChunks(
  file: Uint8Array,
  { channels, colour, metadata = {} }: Omit<Pixels, 'data'>,
): Uint8Array {
  const { icc, exif, xmp, blocks = [] } = metadata;
  const isGrey = channels <= 2;
  const profile =
    icc ??
    (colour === 'display-p3' || colour === 'adobe-rgb' ? profileOfName(colour, isGrey) : undefined);
  const chunks: (readonly [name: string, data: Uint8Array])[] = [];
  if (colour === 'srgb') chunks.push(['gAMA', SRGB_GAMA], ['sRGB', PERCEPTUAL]);
  if (colour === 'display-p3' && !isGrey) chunks.push(['cICP', DISPLAY_P3_CICP]);
  if (profile) chunks.push(['iCCP', Buffer.concat([Buffer.from('icc\0\0'), deflateSync(profile)])]);
  if (exif) chunks.push(['eXIf', exif]);
  if (xmp) {
    // Uncompressed, without language and translated keyword: three empty fields.
    chunks.push([XMP_CHUNK, Buffer.concat([Buffer.from(`${XMP_KEYWORD}\0\0\0\0\0`), xmp])]);
  }
  for (const { kind, bytes } of blocks) {
    if (isText(kind)) chunks.push([kind, bytes]);
  }
  const added = chunks.reduce((sum, [, { length }]) => sum + length + CHUNK_OVERHEAD_BYTES, 0);
  const whole = new Uint8Array(file.length + added);
  whole.set(file.subarray(0, PNG_HEAD_BYTES));
  const view = new DataView(whole.buffer);
  let at = PNG_HEAD_BYTES;
  for (const [name, data] of chunks) {
    view.setUint32(at, data.length);
    whole.set(Buffer.from(name, 'latin1'), at + 4);
    whole.set(data, at + 8);
    const end = at + 8 + data.length;
    view.setUint32(end, crc32(whole.subarray(at + 4, end)));
    at = end + 4;
  }
  whole.set(file.subarray(PNG_HEAD_BYTES), at);
  return whole;
}
