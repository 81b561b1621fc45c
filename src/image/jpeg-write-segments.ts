/**
 * The application segments that carry metadata in a JPEG that is written.
 * @module
 */
import { UnsupportedError } from '../errors.js';
import { EXIF_MARK, ICC_MARK, XMP_MARK } from './jpeg-metadata.js';
import { EXTENDED_XMP_MARK, type PixelMetadata, SEGMENT_DATA_MAX_BYTES } from './pixels.js';

const APP1 = 0xe1;
const APP2 = 0xe2;
const APP13 = 0xed;

/** SOI, and the JFIF segment that jpeg-js writes first. */
const HEAD_BYTES = 2 + 18;

/**
 * @param file by jpeg-js
 * @returns it with the segments behind its head
 * @throws UnsupportedError for Exif or XMP that does not fit a segment
 */
export function withMetadataSegments(
  file: Uint8Array,
  { icc, exif, xmp, blocks = [] }: PixelMetadata,
): Uint8Array {
  const parts: Uint8Array[] = [file.subarray(0, HEAD_BYTES)];
  if (exif) parts.push(...segment(APP1, EXIF_MARK, exif, 'Exif'));
  if (xmp) parts.push(...segment(APP1, XMP_MARK, xmp, 'XMP'));
  for (const { kind, bytes } of blocks) {
    if (kind === 'xmp-extension') parts.push(...segment(APP1, EXTENDED_XMP_MARK, bytes, 'XMP'));
    if (kind === 'photoshop') parts.push(...segment(APP13, '', bytes, 'IPTC'));
  }
  if (icc) {
    const partBytes = SEGMENT_DATA_MAX_BYTES - ICC_MARK.length - 2;
    const count = Math.ceil(icc.length / partBytes);
    for (let index = 0; index < count; index++) {
      const mark = `${ICC_MARK}${String.fromCharCode(index + 1, count)}`;
      const part = icc.subarray(index * partBytes, (index + 1) * partBytes);
      parts.push(...segment(APP2, mark, part, 'ICC'));
    }
  }
  return new Uint8Array(Buffer.concat([...parts, file.subarray(HEAD_BYTES)]));
}

function segment(marker: number, mark: string, data: Uint8Array, name: string): Uint8Array[] {
  const byteLength = mark.length + data.length;
  if (byteLength > SEGMENT_DATA_MAX_BYTES) {
    throw new UnsupportedError(
      `jpeg: expected at most ${SEGMENT_DATA_MAX_BYTES - mark.length} bytes of ${name}, got ${data.length}; write it as PNG`,
    );
  }
  const head = Buffer.from([0xff, marker, (byteLength + 2) >> 8, (byteLength + 2) & 255]);
  return [head, Buffer.from(mark, 'latin1'), data];
}
