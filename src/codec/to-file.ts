/**
 * What was coded to the bytes of a file.
 * @module
 */
import {
  type ColourSpace,
  type ContainerHeader,
  type ContainerStream,
  NO_MODEL_ID,
} from '../container/layout.js';
import { writeContainer } from '../container/write.js';
import type { PlainPixels } from '../image/pixels.js';
import type { Model } from '../models/registry.js';
import { embeddedTune } from '../models/tunes.js';
import type { CodedLatents } from './latents.js';

/** All of a file but its colour samples. */
export interface Frame {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly grey: boolean;
  readonly sixteenBit: boolean;
  readonly colour: ColourSpace;
  /** Alpha and what travels with the picture. */
  readonly streams: readonly ContainerStream[];
}

/** A file of colour alone, to be decoded here. */
export function bareFrame({ widthPx, heightPx, channels }: PlainPixels): Frame {
  return {
    widthPx,
    heightPx,
    grey: channels === 1,
    sixteenBit: false,
    colour: 'srgb',
    streams: [],
  };
}

/** Colour samples, coded in one of the three modes. */
export type CodedColour =
  | { readonly mode: 'planes'; readonly planes: Uint8Array }
  | { readonly mode: 'model'; readonly latents: CodedLatents; readonly model: Model }
  | {
      readonly mode: 'model+residual';
      readonly latents: CodedLatents;
      readonly model: Model;
      readonly planes: Uint8Array;
    };

export function toFile({ streams, ...frame }: Frame, coded: CodedColour): Uint8Array {
  const header: ContainerHeader = {
    ...frame,
    ...(coded.mode === 'planes' ? WITHOUT_MODEL : modelFields(coded.model, coded.latents)),
    mode: coded.mode,
    alpha: streams.some(({ type }) => type === 'alpha'),
  };
  return writeContainer(header, [
    ...(coded.mode === 'planes' ? [] : latentStreams(coded.latents)),
    ...(coded.mode === 'model' ? [] : [{ type: 'planes', bytes: coded.planes } as const]),
    ...streams,
  ]);
}

const WITHOUT_MODEL = { modelId: NO_MODEL_ID, rate: 0, coder: 'static', sliceRows: 0 } as const;

function modelFields({ modelId, manifest }: Model, latents: CodedLatents) {
  const { rate, coder, slices, sliceRows } = latents;
  return {
    modelId,
    // Those that everybody has need no name to be told by.
    ...(embeddedTune(modelId) === undefined && { modelName: manifest.name }),
    rate,
    coder,
    sliceRows: slices.length === 1 ? 0 : sliceRows,
  };
}

function latentStreams({ slices, adjustment }: CodedLatents): ContainerStream[] {
  const latent: ContainerStream = {
    type: 'latent',
    bytes: Buffer.concat(slices),
    ...(slices.length === 1 ? {} : { sliceByteLengths: slices.map(({ length }) => length) }),
  };
  return adjustment === undefined ? [latent] : [latent, { type: 'filter', bytes: adjustment }];
}
