/**
 * The records that stages hand to each other. Each is data only: a tensor in the world's arena and what is needed
 * to read it. They are checked when they are made, so a stage may trust what it is given.
 * @module
 */
import type { EntropyCoder } from '../container/layout.js';
import { BackendError } from '../errors.js';
import { checkRange } from '../limits.js';
import type { Dtype, TensorRef } from '../wasm/arena.js';
import type { WaveletKind } from '../wasm/core.js';

/** A picture: u8 [heightPx, widthPx, 3]; a grey one has three equal samples. */
export interface RgbData {
  readonly pixels: TensorRef<'u8'>;
}

/** What the encoder network made of a picture: f32 [channels, height, width]. */
export interface LatentData {
  readonly values: TensorRef<'f32'>;
  /** Size of the picture that it stands for, before padding. */
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Where one subband lies in every plane of a pyramid, in samples. */
export interface Subband {
  readonly level: number;
  readonly orientation: 'LL' | 'HL' | 'LH' | 'HH';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Wavelet coefficients packed in Mallat order, f32 [channels, height, width], with their index. With no levels it is the
 * latent itself.
 */
export interface WaveletPyramidData extends LatentData {
  readonly kind: WaveletKind;
  /** 0 to 10. */
  readonly levels: number;
  readonly subbands: readonly Subband[];
}

/** How symbols came from coefficients. */
export interface QuantParams {
  /** 0 to 4095; with the model it fixes the step of every channel. */
  readonly rate: number;
}

/** Integers ready for the coder: i16 [channels, height, width]. */
export interface SymbolsData {
  readonly values: TensorRef<'i16'>;
  readonly quant: QuantParams;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Coded symbols: one run of bytes for each band of `sliceRows` latent rows. */
export interface BitstreamData {
  readonly slices: readonly TensorRef<'u8'>[];
  readonly coder: EntropyCoder;
  /** Latent rows of a slice; the last may have fewer. */
  readonly sliceRows: number;
  /** The symbols' [channels, height, width]. */
  readonly shape: readonly [channels: number, height: number, width: number];
  readonly quant: QuantParams;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Original minus reconstruction: i16 [heightPx, widthPx, 3], -255 to 255. */
export interface ResidualData {
  readonly values: TensorRef<'i16'>;
}

/** Every component by name. */
export interface Components {
  Rgb: RgbData;
  ReconRgb: RgbData;
  BlurRgb: RgbData;
  Latent: LatentData;
  /** The latent after the channel transform that the model asks for. */
  Rotated: LatentData;
  WaveletPyramid: WaveletPyramidData;
  Symbols: SymbolsData;
  Bitstream: BitstreamData;
  Residual: ResidualData;
}

export type ComponentName = keyof Components;

function checkTensor(
  name: ComponentName,
  tensor: TensorRef,
  dtype: Dtype,
  lastAxis?: number,
): void {
  const bad =
    tensor.dtype !== dtype ||
    tensor.shape.length !== 3 ||
    tensor.shape.some((side) => !Number.isInteger(side) || side < 1) ||
    (lastAxis !== undefined && tensor.shape[2] !== lastAxis);
  if (bad) {
    const axes =
      lastAxis === undefined ? '[channels, height, width]' : `[height, width, ${lastAxis}]`;
    throw new BackendError(
      `${name}: expected ${dtype} ${axes}, got ${tensor.dtype} [${tensor.shape.join(', ')}]`,
    );
  }
}

type Checks = { readonly [Name in ComponentName]: (data: Components[Name]) => void };

const checkRgb = (name: ComponentName) => (data: RgbData) =>
  checkTensor(name, data.pixels, 'u8', 3);
const checkLatent = (name: ComponentName) => (data: LatentData) =>
  checkTensor(name, data.values, 'f32');

const CHECKS: Checks = {
  Rgb: checkRgb('Rgb'),
  ReconRgb: checkRgb('ReconRgb'),
  BlurRgb: checkRgb('BlurRgb'),
  Latent: checkLatent('Latent'),
  Rotated: checkLatent('Rotated'),
  WaveletPyramid: (data) => {
    checkLatent('WaveletPyramid')(data);
    checkRange('WaveletPyramid: levels', data.levels, 0, 10);
  },
  Symbols: (data) => {
    checkTensor('Symbols', data.values, 'i16');
    checkRange('Symbols: rate', data.quant.rate, 0, 4095);
  },
  Bitstream: (data) => {
    checkRange('Bitstream: rate', data.quant.rate, 0, 4095);
    const expected = Math.ceil(data.shape[1] / data.sliceRows);
    if (data.slices.length !== expected) {
      throw new BackendError(
        `Bitstream: expected ${expected} slices of ${data.sliceRows} rows for ${data.shape[1]} rows, got ${data.slices.length}`,
      );
    }
  },
  Residual: (data) => checkTensor('Residual', data.values, 'i16', 3),
};

/** @throws BackendError or UsageError when shape, dtype or a parameter does not fit the component */
export function checkComponent<Name extends ComponentName>(
  name: Name,
  data: Components[Name],
): void {
  CHECKS[name](data);
}

/** The tensors inside a component, for traces. */
export function tensorsOf<Name extends ComponentName>(
  data: Components[Name],
): readonly TensorRef[] {
  if ('pixels' in data) return [data.pixels];
  if ('values' in data) return [data.values];
  return data.slices;
}
