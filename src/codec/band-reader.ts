/**
 * The rows of a source, band by band, each with the rows around it that a network needs to see.
 * @module
 */
import type { PixelRows, PixelSource } from '../image/pixel-rows.js';
import type { Pixels } from '../image/pixels.js';
import type { RowMargin } from '../image/tiles.js';
import type { PictureBand } from './bands.js';

/** Rows of a picture as a picture of their own, `margin` rows of which belong to the bands beside it. */
export interface BandPixels {
  readonly pixels: Pixels;
  readonly margin: RowMargin;
}

export class BandReader {
  readonly #source: PixelSource;
  readonly #marginPx: number;
  /** The last rows that were read and may be needed again. */
  #kept: PixelRows;
  #keptFrom = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @param marginPx rows above and below every band */
  constructor(source: PixelSource, marginPx: number) {
    this.#source = source;
    this.#marginPx = marginPx;
    this.#kept = source.bitsPerSample === 16 ? new Uint16Array(0) : new Uint8Array(0);
  }

  /** Bands are read in their order; a band may be asked for before the one before it is there. */
  read(band: PictureBand): Promise<BandPixels> {
    const turn = this.#last.then(() => this.#read(band));
    this.#last = turn;
    return turn;
  }

  async #read({ firstRowPx, rowsPx }: PictureBand): Promise<BandPixels> {
    const { widthPx, heightPx, channels, readRows: _, bitsPerSample: __, ...rest } = this.#source;
    const first = Math.max(0, firstRowPx - this.#marginPx);
    const end = Math.min(heightPx, firstRowPx + rowsPx + this.#marginPx);
    const rowLength = widthPx * channels;
    const kept = this.#kept.subarray((first - this.#keptFrom) * rowLength);
    const missing = end - first - kept.length / rowLength;
    const read = missing > 0 ? await this.#source.readRows(missing) : kept.subarray(0, 0);
    const data = joined(kept, read);
    this.#kept = data;
    this.#keptFrom = first;
    return {
      pixels: { ...rest, widthPx, heightPx: end - first, channels, data },
      margin: { above: firstRowPx - first, below: end - firstRowPx - rowsPx },
    };
  }
}

/** Two runs of samples as one, without a copy where they lie side by side already. */
function joined(a: PixelRows, b: PixelRows): PixelRows {
  if (a.length === 0) return b;
  const length = a.length + b.length;
  const isWords = a instanceof Uint16Array;
  if (a.buffer === b.buffer && a.byteOffset + a.byteLength === b.byteOffset) {
    const { buffer, byteOffset } = a;
    return isWords
      ? new Uint16Array(buffer, byteOffset, length)
      : new Uint8Array(buffer, byteOffset, length);
  }
  const all = isWords ? new Uint16Array(length) : new Uint8Array(length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
