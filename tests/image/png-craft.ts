/** Makes and reads PNGs apart from src/image and pngjs: the second opinion that the tests compare with. */
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import type { PlainPixels } from '#src/image/pixels.js';

export const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Colour type and bits a sample of grey and of RGB. */
export const OPAQUE_KINDS = [
  [0, 1],
  [0, 2],
  [0, 4],
  [0, 8],
  [0, 16],
  [2, 8],
  [2, 16],
] as const;

const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

export function chunk(name: string, data: Uint8Array = new Uint8Array(0)): Buffer {
  const bytes = Buffer.alloc(data.length + 12);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(name, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

export interface Ihdr {
  readonly width?: number;
  readonly height?: number;
  readonly depth?: number;
  readonly colour?: number;
  readonly compression?: number;
  readonly filter?: number;
  readonly interlace?: number;
}

export function ihdr(fields: Ihdr = {}): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(fields.width ?? 2, 0);
  data.writeUInt32BE(fields.height ?? 2, 4);
  data.set(
    [
      fields.depth ?? 8,
      fields.colour ?? 2,
      fields.compression ?? 0,
      fields.filter ?? 0,
      fields.interlace ?? 0,
    ],
    8,
  );
  return chunk('IHDR', data);
}

/** Chunks between a signature and IEND. */
export function png(...chunks: readonly Uint8Array[]): Buffer {
  return Buffer.concat([SIGNATURE, ...chunks, chunk('IEND')]);
}

/** IDAT of any scanlines, filter bytes included. */
export function idat(scanlines: Uint8Array, level = 6): Buffer {
  return chunk('IDAT', deflateSync(scanlines, { level }));
}

/** The default: two rows of two RGB pixels, filter 0. */
export const SCANLINES = Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12]);

/** Samples of any depth as scanlines of filter 0. @param rowSamples of one row */
export function packScanlines(
  samples: readonly number[],
  rowSamples: number,
  depth: number,
): Uint8Array {
  const lines: number[] = [];
  for (let from = 0; from < samples.length; from += rowSamples) {
    lines.push(0);
    let bits = '';
    for (const sample of samples.slice(from, from + rowSamples)) {
      bits += sample.toString(2).padStart(depth, '0');
    }
    for (let at = 0; at < bits.length; at += 8) {
      lines.push(Number.parseInt(bits.slice(at, at + 8).padEnd(8, '0'), 2));
    }
  }
  return Uint8Array.from(lines);
}

export function pixelsOf(widthPx: number, heightPx: number, channels: 1 | 3): PlainPixels {
  const data = Uint8Array.from(
    { length: widthPx * heightPx * channels },
    (_, at) => (at * at * 7 + at * 13 + (at >> 3)) & 255,
  );
  return { widthPx, heightPx, channels, data };
}

/** Encodes with filters 0 to 4 in turn, so that each is met in each pass with enough rows. */
export function encodePng(pixels: PlainPixels, isInterlaced: boolean): Buffer {
  const { widthPx: width, heightPx: height, channels, data } = pixels;
  const lines: number[] = [];
  let filter = 0;
  for (const pass of passes(isInterlaced)) {
    let above: number[] | undefined;
    forRows(pass, width, height, (row, columns) => {
      const line = columns.flatMap((column) => {
        const at = (row * width + column) * channels;
        return [...data.subarray(at, at + channels)];
      });
      lines.push(
        filter,
        ...line.map((value, at) => (value - predict(filter, line, above, at, channels)) & 255),
      );
      above = line;
      filter = (filter + 1) % 5;
    });
  }
  const head = ihdr({ width, height, colour: channels === 1 ? 0 : 2, interlace: +isInterlaced });
  return png(head, idat(Uint8Array.from(lines)));
}

/** Decodes a sound 8-bit RGB or grey PNG; checks nothing. */
export function decodePng(file: Buffer): PlainPixels {
  const width = file.readUInt32BE(16);
  const height = file.readUInt32BE(20);
  const channels = file[25] === 2 ? 3 : 1;
  const parts: Buffer[] = [];
  for (let at = 8; at < file.length; at += file.readUInt32BE(at) + 12) {
    if (file.toString('latin1', at + 4, at + 8) === 'IDAT') {
      parts.push(file.subarray(at + 8, at + 8 + file.readUInt32BE(at)));
    }
  }
  const lines = inflateSync(Buffer.concat(parts));
  const data = new Uint8Array(width * height * channels);
  let from = 0;
  for (const pass of passes(file[28] === 1)) {
    let above: number[] | undefined;
    forRows(pass, width, height, (row, columns) => {
      const filter = lines[from++] ?? 0;
      const line: number[] = [];
      for (let at = 0; at < columns.length * channels; at++) {
        line.push(((lines[from++] ?? 0) + predict(filter, line, above, at, channels)) & 255);
      }
      for (const [index, column] of columns.entries()) {
        const pixel = line.slice(index * channels, (index + 1) * channels);
        data.set(pixel, (row * width + column) * channels);
      }
      above = line;
    });
  }
  return { widthPx: width, heightPx: height, channels, data };
}

type PassGeometry = readonly [x: number, y: number, stepX: number, stepY: number];

function passes(isInterlaced: boolean): readonly PassGeometry[] {
  return isInterlaced ? ADAM7 : [[0, 0, 1, 1]];
}

function forRows(
  [x, y, stepX, stepY]: PassGeometry,
  width: number,
  height: number,
  visit: (row: number, columns: readonly number[]) => void,
): void {
  const columns: number[] = [];
  for (let column = x; column < width; column += stepX) {
    columns.push(column);
  }
  for (let row = y; row < height && columns.length > 0; row += stepY) {
    visit(row, columns);
  }
}

function predict(
  filter: number,
  line: readonly number[],
  above: readonly number[] | undefined,
  at: number,
  channels: number,
): number {
  const left = line[at - channels] ?? 0;
  const up = above?.[at] ?? 0;
  const upLeft = (at >= channels ? above?.[at - channels] : 0) ?? 0;
  switch (filter) {
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4: {
      const guess = left + up - upLeft;
      const [toLeft, toUp, toUpLeft] = [left, up, upLeft].map((from) => Math.abs(guess - from));
      if ((toLeft ?? 0) <= (toUp ?? 0) && (toLeft ?? 0) <= (toUpLeft ?? 0)) {
        return left;
      }
      return (toUp ?? 0) <= (toUpLeft ?? 0) ? up : upLeft;
    }
    default:
      return 0;
  }
}
