/**
 * Pictures that come and go row by row, from the top, so that nobody has to hold one whole.
 * @module
 */
import type { Pixels } from './pixels.js';
import type { Rect } from './tiles.js';

/** All that is known of a picture before its first row. */
export interface PixelFormat extends Omit<Pixels, 'data'> {
  readonly bitsPerSample: 8 | 16;
}

/** Interleaved samples of whole rows: bytes for 8 bits a sample, words for 16. */
export type PixelRows = Uint8Array | Uint16Array;

/** A picture to be read once, from its first row to its last. */
export interface PixelSource extends PixelFormat {
  /** What it holds in memory beside rows, such as a compressed file. */
  readonly heldByteLength?: number;
  /**
   * The rows that come next; call it again once it has answered.
   * @param rows at least 1, and no more than are left
   * @returns samples that nobody writes to any more; a view of something larger is fine
   * @throws FormatError where the picture is damaged, IoError
   */
  readRows(rows: number): Promise<PixelRows> | PixelRows;
}

/** Takes a picture from its first row to its last. */
export interface PixelSink {
  /** Called once, before any row. */
  begin(format: PixelFormat): Promise<void> | void;
  /** @param rows whole rows, at least one; not to be kept, as their memory is used again */
  writeRows(rows: PixelRows): Promise<void> | void;
}

export function formatOf({ data, ...rest }: Pixels): PixelFormat {
  return { ...rest, bitsPerSample: data.BYTES_PER_ELEMENT === 2 ? 16 : 8 };
}

/** A picture in memory as a source; rows are views of it. @param pixels checked by the caller */
export function sourceOf(pixels: Pixels): PixelSource {
  const { widthPx, channels, data } = pixels;
  let at = 0;
  return {
    ...formatOf(pixels),
    readRows: (rows) => {
      const start = at;
      at += rows * widthPx * channels;
      return data.subarray(start, at);
    },
  };
}

/** Passes on what lies within a region of the picture. */
export class CropSink implements PixelSink {
  readonly #sink: PixelSink;
  readonly #region: Rect;
  #rowLength = 0;
  #channels = 1;
  #row: number;

  /** @param firstRow of the picture, the first that will be written */
  constructor(sink: PixelSink, region: Rect, firstRow = 0) {
    this.#sink = sink;
    this.#region = region;
    this.#row = firstRow;
  }

  begin(format: PixelFormat): Promise<void> | void {
    const { width, height } = this.#region;
    this.#channels = format.channels;
    this.#rowLength = format.widthPx * format.channels;
    return this.#sink.begin({ ...format, widthPx: width, heightPx: height });
  }

  writeRows(rows: PixelRows): Promise<void> | void {
    const { x, y, width, height } = this.#region;
    const from = this.#row;
    this.#row += rows.length / this.#rowLength;
    const first = Math.max(from, y);
    const end = Math.min(this.#row, y + height);
    if (first >= end) return;
    const wanted = rows.subarray((first - from) * this.#rowLength, (end - from) * this.#rowLength);
    const length = width * this.#channels;
    if (length === this.#rowLength) return this.#sink.writeRows(wanted);
    const cut = wanted.slice(0, (end - first) * length);
    for (let row = 0; row < end - first; row++) {
      const start = row * this.#rowLength + x * this.#channels;
      cut.set(wanted.subarray(start, start + length), row * length);
    }
    return this.#sink.writeRows(cut);
  }
}

/** Collects a picture in memory. */
export class PixelCollector implements PixelSink {
  #pixels: Pixels | undefined;
  #at = 0;

  begin({ bitsPerSample, ...rest }: PixelFormat): void {
    const length = rest.widthPx * rest.heightPx * rest.channels;
    const data = bitsPerSample === 16 ? new Uint16Array(length) : new Uint8Array(length);
    this.#pixels = { ...rest, data };
  }

  writeRows(rows: PixelRows): void {
    this.#pixels?.data.set(rows, this.#at);
    this.#at += rows.length;
  }

  /** Once all rows are there. */
  get pixels(): Pixels {
    if (this.#pixels === undefined) throw new Error('pixels: expected a picture that was begun');
    return this.#pixels;
  }
}
