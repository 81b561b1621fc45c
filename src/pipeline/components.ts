/**
 * The records that stages hand to each other. Each is data only: a tensor in the world's arena and what is needed
 * to read it. They are checked when they are made, so a stage may trust what it is given.
 * @module
 */
import type { EntropyCoder } from '../container/layout.js';
import { BackendError, UsageError } from '../errors.js';
import { NO_MARGIN, type RowMargin } from '../image/tiles.js';
import { checkInteger } from '../limits.js';
import type { Dtype, TensorRef } from '../wasm/arena.js';
import type { WaveletKind } from '../wasm/core.js';
import type { PlaneDtype } from '../wasm/planes.js';

/**
 * A picture, or a band of one: u8 [heightPx, widthPx, 3]; a grey one has three equal samples. A band carries `margin`
 * rows of its neighbours, as far as the network sees; they do not count as its own.
 */
export interface RgbData {
  readonly pixels: TensorRef<'u8'>;
  readonly margin?: RowMargin | undefined;
}

/** A small picture of a latent, u8 [height, width, 3]: a pixel for each of its samples, padding cut off. */
export interface PreviewRgbData {
  readonly pixels: TensorRef<'u8'>;
  /** Size of the picture that it is a preview of. */
  readonly widthPx: number;
  readonly heightPx: number;
}

/** What the encoder network made of a picture or of a band. */
export interface LatentData {
  /** f32 [channels, height, width] of every latent grid of the model, coarse to fine; most models have one. */
  readonly grids: readonly TensorRef<'f32'>[];
  /** Size of the picture or band that it stands for, before padding and without margin. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** Latent rows, of the coarsest grid, of the bands beside it, for the decoder network. */
  readonly margin?: RowMargin | undefined;
  /** Where it was quantised, how: a restoration filter goes by that. */
  readonly quant?: QuantParams | undefined;
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
 * Wavelet coefficients packed in Mallat order, f32 [channels, height, width] of every grid, with the index of the
 * coarsest. With no levels, as always with several grids, it is the latent itself.
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
  /** What the file says of the filter that its decoded picture goes through. */
  readonly adjustment?: Uint8Array | undefined;
}

/** Integers ready for the coder. */
export interface SymbolsData {
  /** i16 [channels, height, width] of every latent grid, coarse to fine. */
  readonly grids: readonly TensorRef<'i16'>[];
  readonly quant: QuantParams;
  readonly widthPx: number;
  readonly heightPx: number;
  /** As that of `LatentData`. */
  readonly margin?: RowMargin | undefined;
}

/** Of the samples of one latent grid. */
export type GridShape = readonly [channels: number, height: number, width: number];

/** Coded symbols: one run of bytes for each band of `sliceRows` latent rows. */
export interface BitstreamData {
  readonly slices: readonly TensorRef<'u8'>[];
  readonly coder: EntropyCoder;
  /** Latent rows of a slice, of the coarsest grid; the last may have fewer. */
  readonly sliceRows: number;
  /** The symbols' shapes, coarse to fine. */
  readonly shapes: readonly GridShape[];
  readonly quant: QuantParams;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Original minus reconstruction: i16 [heightPx, widthPx, 3], -255 to 255. */
export interface ResidualData {
  readonly values: TensorRef<'i16'>;
}

/** Samples of any depth and 1 to 4 components: [heightPx, widthPx, components]. */
export interface SamplesData {
  readonly values: TensorRef<PlaneDtype>;
}

/** Samples coded by the plane coder: one run of bytes for each band of `bandRows` rows. */
export interface PlaneStreamData {
  readonly bands: readonly TensorRef<'u8'>[];
  /** The last band may have fewer. */
  readonly bandRows: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly components: number;
  readonly dtype: PlaneDtype;
}

/** Every component by name. */
export interface Components {
  Rgb: RgbData;
  ReconRgb: RgbData;
  BlurRgb: RgbData;
  PreviewRgb: PreviewRgbData;
  Latent: LatentData;
  /** The latent after the channel transform that the model asks for. */
  Rotated: LatentData;
  WaveletPyramid: WaveletPyramidData;
  Symbols: SymbolsData;
  Bitstream: BitstreamData;
  Residual: ResidualData;
  Samples: SamplesData;
  PlaneStream: PlaneStreamData;
}

export type ComponentName = keyof Components;

/** What of ours makes each component, for the message to those who have left it out. */
export const COMPONENT_MAKERS: Readonly<Record<ComponentName, string>> = {
  Rgb: 'world.spawnImage or addResidual',
  ReconRgb: 'vaeDecode',
  BlurRgb: 'gaussianBlur',
  PreviewRgb: 'preview',
  Latent: 'vaeEncode or unrotate',
  Rotated: 'rotate or waveletInverse',
  WaveletPyramid: 'waveletForward or dequantise',
  Symbols: 'quantise or entropyDecode',
  Bitstream: 'entropyEncode',
  Residual: 'residual or planesDecode',
  Samples: 'planesDecode, or whoever has samples',
  PlaneStream: 'planesEncode',
};

type Axes = 'planar' | 'interleaved';

const AXES: Readonly<Record<Axes, string>> = {
  planar: '[channels, height, width]',
  interleaved: '[height, width, 3]',
};

const isCount = (value: number | undefined): boolean =>
  Number.isInteger(value) && Number(value) > 0;

function checkTensor(name: ComponentName, tensor: TensorRef, dtype: Dtype, axes: Axes): void {
  const { shape } = tensor;
  const fits =
    tensor.dtype === dtype &&
    shape.length === 3 &&
    shape.every(isCount) &&
    (axes === 'planar' || shape[2] === 3);
  if (!fits) {
    throw new BackendError(
      `${name}: expected ${dtype} ${AXES[axes]}, got ${tensor.dtype} [${shape.join(', ')}]`,
    );
  }
}

function checkSides(name: ComponentName, widthPx: number, heightPx: number): void {
  if (isCount(widthPx) && isCount(heightPx)) return;
  throw new BackendError(
    `${name}: expected a picture of at least 1x1 px, got ${widthPx}x${heightPx}`,
  );
}

/** The tensors of all grids, of which each has the rows and columns of the one before, or several for one. */
function checkGrids(name: ComponentName, grids: readonly TensorRef[], dtype: Dtype): void {
  for (const grid of grids) checkTensor(name, grid, dtype, 'planar');
  const [coarsest] = grids;
  const fits = grids.every(({ shape }) => {
    const ratio = (shape[1] ?? 0) / (coarsest?.shape[1] ?? 0);
    return Number.isInteger(ratio) && shape[2] === ratio * (coarsest?.shape[2] ?? 0);
  });
  if (coarsest === undefined || !fits) {
    throw new BackendError(
      `${name}: expected latent grids from coarse to fine, one at least, got ${grids.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ') || 'none'}`,
    );
  }
}

function checkLatent(name: ComponentName, data: LatentData): void {
  checkGrids(name, data.grids, 'f32');
  checkSides(name, data.widthPx, data.heightPx);
}

/** Rate is a number of steps, 0 to 4095, in whatever component carries it. */
function checkQuant(name: ComponentName, { rate }: QuantParams): void {
  checkInteger(`${name}: rate`, rate, 0, 4095);
}

function checkPyramid(data: WaveletPyramidData): void {
  checkLatent('WaveletPyramid', data);
  checkInteger('WaveletPyramid: levels', data.levels, 0, 10);
  const [, height = 0, width = 0] = data.grids[0]?.shape ?? [];
  const indexed = data.subbands.reduce((sum, band) => sum + band.width * band.height, 0);
  if (indexed !== width * height) {
    throw new BackendError(
      `WaveletPyramid: expected subbands of ${width}x${height} = ${width * height} samples together, got ${indexed}`,
    );
  }
}

function checkBitstream({
  slices,
  sliceRows,
  shapes,
  quant,
  widthPx,
  heightPx,
}: BitstreamData): void {
  checkQuant('Bitstream', quant);
  checkSides('Bitstream', widthPx, heightPx);
  const isShape = (shape: GridShape) => shape.length === 3 && shape.every(isCount);
  const [coarsest] = shapes;
  if (coarsest === undefined || !shapes.every(isShape) || !isCount(sliceRows)) {
    throw new BackendError(
      `Bitstream: expected ${AXES.planar} in slices of at least 1 row, got ${shapes.map((shape) => `[${shape.join(', ')}]`).join(' and ') || 'none'} in slices of ${sliceRows}`,
    );
  }
  const expected = Math.ceil(coarsest[1] / sliceRows);
  if (slices.length !== expected) {
    throw new BackendError(
      `Bitstream: expected ${expected} slices of ${sliceRows} rows for ${coarsest[1]} rows, got ${slices.length}`,
    );
  }
  const odd = slices.find((slice) => slice.dtype !== 'u8' || slice.shape.length !== 1);
  if (odd !== undefined) {
    throw new BackendError(
      `Bitstream: expected slices of u8 [byteLength], got ${odd.dtype} [${odd.shape.join(', ')}]`,
    );
  }
}

const PLANE_DTYPES: readonly Dtype[] = ['u8', 'u16', 'i16', 'i32'] satisfies PlaneDtype[];

function checkSamples({ values: { dtype, shape } }: SamplesData): void {
  const fits = shape.length === 3 && shape.every(isCount) && Number(shape[2]) <= 4;
  if (!fits || !PLANE_DTYPES.includes(dtype)) {
    throw new BackendError(
      `Samples: expected ${PLANE_DTYPES.join(', ')} [height, width, 1 to 4], got ${dtype} [${shape.join(', ')}]`,
    );
  }
}

function checkPlaneStream({ bands, bandRows, widthPx, heightPx }: PlaneStreamData): void {
  checkSides('PlaneStream', widthPx, heightPx);
  if (!isCount(bandRows) || bands.length !== Math.ceil(heightPx / bandRows)) {
    throw new BackendError(
      `PlaneStream: expected bands of ${bandRows} rows for ${heightPx} rows, got ${bands.length}`,
    );
  }
}

type Checks = { readonly [Name in ComponentName]: (data: Components[Name]) => void };

const CHECKS: Checks = {
  Rgb: ({ pixels }) => checkTensor('Rgb', pixels, 'u8', 'interleaved'),
  ReconRgb: ({ pixels }) => checkTensor('ReconRgb', pixels, 'u8', 'interleaved'),
  BlurRgb: ({ pixels }) => checkTensor('BlurRgb', pixels, 'u8', 'interleaved'),
  PreviewRgb: ({ pixels, widthPx, heightPx }) => {
    checkTensor('PreviewRgb', pixels, 'u8', 'interleaved');
    checkSides('PreviewRgb', widthPx, heightPx);
  },
  Latent: (data) => checkLatent('Latent', data),
  Rotated: (data) => checkLatent('Rotated', data),
  WaveletPyramid: checkPyramid,
  Symbols: ({ grids, quant, widthPx, heightPx }) => {
    checkGrids('Symbols', grids, 'i16');
    checkSides('Symbols', widthPx, heightPx);
    checkQuant('Symbols', quant);
  },
  Bitstream: checkBitstream,
  Residual: ({ values }) => checkTensor('Residual', values, 'i16', 'interleaved'),
  Samples: checkSamples,
  PlaneStream: checkPlaneStream,
};

/** @throws UsageError when, from plain JavaScript, there is no such component */
export function checkComponentName(who: string, name: string): void {
  if (Object.hasOwn(CHECKS, name)) return;
  throw new UsageError(
    `${who}: expected a component of ${Object.keys(CHECKS).join(', ')}, got '${name}'`,
  );
}

/** @throws BackendError or UsageError when shape, dtype or a parameter does not fit the component */
export function checkComponent<Name extends ComponentName>(
  name: Name,
  data: Components[Name],
): void {
  checkComponentName('entity', name);
  CHECKS[name](data);
}

/** The size of the picture that a component is, or stands for. */
function sizeOf(data: Components[ComponentName]): readonly [widthPx: number, heightPx: number] {
  if ('widthPx' in data) return [data.widthPx, data.heightPx];
  const [rows = 0, widthPx = 0] = ('pixels' in data ? data.pixels : data.values).shape;
  const { above, below } = ('pixels' in data && data.margin) || NO_MARGIN;
  return [widthPx, rows - above - below];
}

/**
 * An entity is one picture: what it carries agrees in size.
 * @throws BackendError when the two are of pictures of different sizes
 */
export function checkSameSize(
  name: ComponentName,
  data: Components[ComponentName],
  otherName: ComponentName,
  other: Components[ComponentName],
): void {
  const got = sizeOf(data).join('x');
  const expected = sizeOf(other).join('x');
  if (got !== expected) {
    throw new BackendError(
      `${name}: expected a picture of ${expected} px as the ${otherName} of the same entity, got ${got} px`,
    );
  }
}

/** The tensors inside a component, for traces. */
export function tensorsOf(data: Components[ComponentName]): readonly TensorRef[] {
  if ('pixels' in data) return [data.pixels];
  if ('values' in data) return [data.values];
  if ('grids' in data) return data.grids;
  return 'bands' in data ? data.bands : data.slices;
}
