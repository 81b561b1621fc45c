/**
 * PPM, PGM and PAM row by row: their samples lie in the file as they are, so a picture of any size passes through the
 * memory of a few rows.
 * @module
 */
import { FormatError } from '../errors.js';
import type { ByteReader } from './byte-reader.js';
import type { PixelFormat, PixelRows, PixelSource } from './pixel-rows.js';
import { hasAlpha } from './pixels.js';
import { type PnmHead, pamHead, pnmHead } from './pnm.js';
import type { RowWriter, WriteBytes } from './rows-write.js';

/** Whether such a picture can be read by rows: alpha is looked through as a whole, before it is known to be there. */
export function canStreamPnm(head: PnmHead): boolean {
  return head.maxValue === 255 && !hasAlpha(head);
}

/**
 * @param bytes at the beginning of the file
 * @param head for which `canStreamPnm` holds
 */
export async function pnmSource(bytes: ByteReader, head: PnmHead): Promise<PixelSource> {
  const { widthPx, heightPx, channels, dataOffset } = head;
  await bytes.take(new Uint8Array(dataOffset));
  const rowByteLength = widthPx * channels;
  let rowsLeft = heightPx;
  return {
    widthPx,
    heightPx,
    channels,
    bitsPerSample: 8,
    async readRows(rows) {
      const samples = new Uint8Array(rows * rowByteLength);
      const got = await bytes.take(samples);
      const at = dataOffset + (heightPx - rowsLeft) * rowByteLength + got;
      if (got < samples.length) throw wrongLength(head, 'fewer (truncated)', at);
      rowsLeft -= rows;
      if (rowsLeft === 0 && (await bytes.peek(1)).length > 0) {
        throw wrongLength(head, 'trailing bytes', at);
      }
      return samples;
    },
  };
}

function wrongLength(
  { widthPx, heightPx, channels }: PnmHead,
  got: string,
  byteOffset: number,
): FormatError {
  const size = `${widthPx}x${heightPx}x${channels}`;
  const expected = widthPx * heightPx * channels;
  return new FormatError(
    `pnm: expected ${expected} bytes of samples for ${size}, got ${got}`,
    byteOffset,
  );
}

/** PPM or PGM, or PAM, of 8 or 16 bits. */
export class PnmWriter implements RowWriter {
  readonly #write: WriteBytes;
  readonly #head: typeof pnmHead;

  constructor(kind: 'ppm' | 'pam', write: WriteBytes) {
    this.#write = write;
    this.#head = kind === 'ppm' ? pnmHead : pamHead;
  }

  async begin(format: PixelFormat): Promise<void> {
    const maxValue = format.bitsPerSample === 16 ? 65_535 : 255;
    await this.#write(Buffer.from(this.#head(format, maxValue), 'latin1'));
  }

  async writeRows(rows: PixelRows): Promise<void> {
    await this.#write(bigEndian(rows));
  }

  end(): void {}
}

/** Samples as PNG and Netpbm store them. @returns `rows` themselves where they are bytes */
export function bigEndian(rows: PixelRows): Uint8Array {
  if (rows instanceof Uint8Array) return rows;
  const bytes = new Uint8Array(2 * rows.length);
  const view = new DataView(bytes.buffer);
  for (const [index, sample] of rows.entries()) view.setUint16(2 * index, sample);
  return bytes;
}
