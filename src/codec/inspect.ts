/**
 * What a `.vae` file says of itself. Reads the header; loads neither WASM nor a model.
 * @module
 */
import type { CodingMode, ColourSpace, EntropyCoder } from '../container/layout.js';
import { type CutOptions, readHeader } from '../container/read.js';
import type { ChannelCount } from '../image/pixels.js';
import { embeddedTune, type Tune } from '../models/tunes.js';
import { formatOf } from './format.js';

export interface Inspection {
  readonly formatVersion: string;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Channels of the picture that decoding gives. */
  readonly channels: ChannelCount;
  readonly bitsPerSample: 8 | 16;
  /** Name that the file carries; those of the embedded models are not stored. */
  readonly modelName: string | undefined;
  readonly modelId: string;
  /** What the model was trained for, where it is one of the embedded ones. */
  readonly tune: Tune | undefined;
  /** 0 to 4095. */
  readonly rate: number;
  readonly mode: CodingMode;
  readonly coder: EntropyCoder;
  readonly colour: ColourSpace;
  readonly slices: number;
  readonly byteLength: number;
  readonly headerByteLength: number;
  readonly streams: readonly { readonly type: string; readonly byteLength: number }[];
  readonly bitsPerPixel: number;
  /** Bytes of the raw samples divided by bytes of the file. */
  readonly ratio: number;
}

/**
 * @param bytes a whole file, or its beginning with `fileByteLength`
 * @throws FormatError when the header is damaged or the length is not what it says
 */
export function inspect(
  bytes: Uint8Array,
  fileByteLength: number = bytes.length,
  cut: CutOptions = {},
): Inspection {
  const header = readHeader(bytes, undefined, fileByteLength, cut);
  const { widthPx, heightPx, directory } = header;
  const { channels, bitsPerSample } = formatOf(header);
  const latent = directory.find(({ type }) => type === 'latent');
  return {
    formatVersion: `1.${header.versionMinor}`,
    widthPx,
    heightPx,
    channels,
    bitsPerSample,
    modelName: header.modelName,
    modelId: header.modelId,
    tune: embeddedTune(header.modelId),
    rate: header.rate,
    mode: header.mode,
    coder: header.coder,
    colour: header.colour,
    slices: latent?.sliceByteLengths?.length ?? 1,
    byteLength: fileByteLength,
    headerByteLength: header.headerByteLength,
    streams: directory.map(({ type, typeCode, byteLength }) => ({
      type: type ?? `unknown ${typeCode}`,
      byteLength,
    })),
    bitsPerPixel: (8 * fileByteLength) / (widthPx * heightPx),
    ratio: (widthPx * heightPx * channels * bitsPerSample) / 8 / fileByteLength,
  };
}
