/** Builds container bytes field by field, apart from the writer, so that tests can also say what no writer would. */
import { crc32 } from 'node:zlib';
import type { ContainerHeader } from '#src/container/layout.js';

export interface RawStream {
  /** With bit 7 for required. */
  readonly typeByte: number;
  readonly bytes: readonly number[];
  /** Instead of the right one. */
  readonly crc?: number;
  /** Raw bytes after the CRC: slice count and lengths. */
  readonly slices?: readonly number[];
}

export interface RawFile {
  readonly major?: number;
  readonly minor?: number;
  readonly width?: readonly number[];
  readonly height?: readonly number[];
  readonly modelId?: readonly number[];
  readonly rateAndMode?: number;
  readonly colourAndCoder?: number;
  readonly flags?: number;
  readonly sliceRows?: readonly number[];
  readonly modelName?: readonly number[];
  readonly streamCount?: number;
  readonly streams?: readonly RawStream[];
  readonly later?: readonly number[];
  readonly after?: readonly number[];
}

export const LATENT: RawStream = { typeByte: 0x81, bytes: [1, 2, 3] };

export function u32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

/** A right file of 3x2 px unless a field says otherwise; the header's length and CRC are always right. */
export function rawFile(raw: RawFile = {}): Uint8Array {
  const streams = raw.streams ?? [LATENT];
  const rest = [
    ...(raw.width ?? [3]),
    ...(raw.height ?? [2]),
    ...(raw.modelId ?? [1, 2, 3, 4, 5, 6, 7, 8]),
    (raw.rateAndMode ?? 100) & 255,
    (raw.rateAndMode ?? 100) >> 8,
    raw.colourAndCoder ?? 0,
    raw.flags ?? 0,
    ...(raw.sliceRows ?? [0]),
    ...(raw.modelName ?? []),
    raw.streamCount ?? streams.length,
    ...streams.flatMap((stream) => [
      stream.typeByte,
      stream.bytes.length,
      ...u32(stream.crc ?? crc32(Uint8Array.from(stream.bytes))),
      ...(stream.slices ?? []),
    ]),
    ...(raw.later ?? []),
  ];
  const length = rest.length + 4;
  const lengthBytes = length < 128 ? [length] : [(length & 127) | 128, length >> 7];
  const header = [0x56, 0x41, 0x45, 0, raw.major ?? 1, raw.minor ?? 0, ...lengthBytes, ...rest];
  return Uint8Array.from([
    ...header,
    ...u32(crc32(Uint8Array.from(header))),
    ...streams.flatMap(({ bytes }) => bytes),
    ...(raw.after ?? []),
  ]);
}

export const PLAIN_HEADER: ContainerHeader = {
  widthPx: 768,
  heightPx: 512,
  modelId: '0123456789abcdef',
  rate: 2048,
  mode: 'model',
  colour: 'srgb',
  coder: 'context',
  grey: false,
  alpha: false,
  sixteenBit: false,
  sliceRows: 0,
};
