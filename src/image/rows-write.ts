/**
 * Image files that are written row by row.
 * @module
 */
import { noteOfLostBlocks } from './blocks.js';
import type { ImageFormat } from './formats.js';
import { PixelCollector, type PixelSink } from './pixel-rows.js';
import { PngWriter } from './rows-png.js';
import { PnmWriter } from './rows-pnm.js';

/** Takes the bytes of a file in order; they are not to be kept, as their memory is used again. */
export type WriteBytes = (bytes: Uint8Array) => Promise<void> | void;

/** A sink that makes a file. */
export interface RowWriter extends PixelSink {
  /** Called once, after the last row: writes what is left. */
  end(): Promise<void> | void;
}

/**
 * Kinds that are not made row by row are written from the whole picture.
 * @param onNote told what the picture carries and the format has no place for
 * @throws from `begin` or `end`: UnsupportedError for a picture that the format does not hold
 */
export function writeImageRows(
  format: ImageFormat,
  write: WriteBytes,
  onNote?: (note: string) => void,
): RowWriter {
  const writer = writerOf(format, write);
  return {
    begin: (begun) => {
      const note = noteOfLostBlocks(format, begun.metadata?.blocks);
      if (note !== undefined) onNote?.(note);
      return writer.begin(begun);
    },
    writeRows: (rows) => writer.writeRows(rows),
    end: () => writer.end(),
  };
}

function writerOf(format: ImageFormat, write: WriteBytes): RowWriter {
  switch (format) {
    case 'png':
      return new PngWriter(write);
    case 'ppm':
    case 'pam':
      return new PnmWriter(format, write);
    default:
      return new WholeWriter(format, write);
  }
}

class WholeWriter extends PixelCollector implements RowWriter {
  readonly #format: ImageFormat;
  readonly #write: WriteBytes;

  constructor(format: ImageFormat, write: WriteBytes) {
    super();
    this.#format = format;
    this.#write = write;
  }

  async end(): Promise<void> {
    const { encodeAnyImage } = await import('./write.js');
    await this.#write(await encodeAnyImage(this.pixels, this.#format));
  }
}
