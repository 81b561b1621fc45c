/**
 * Weights in fewer bits, written with standard operators: what is stored is small, what is computed stays f32.
 * @module
 */
import { UnsupportedError } from '../../errors.js';
import type { WeightFormat } from '../options.js';
import {
  type AttributeValue,
  DataType,
  elementsOf,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from './model.js';

/** Smaller ones, such as biases, are not worth a node of their own. */
const ELEMENTS_MIN = 256;
/** Weights that share a scale where four bits have to do. */
const BLOCK = 32;
/** The layers whose second input is a matrix or a kernel, its first side the outputs. */
const LAYERS = new Set(['Conv', 'Gemm', 'MatMul', 'ConvTranspose']);
/** Scales along an axis came with operator set 13, blocks and four bits with 21. */
const OPSET_OF: Readonly<Record<WeightFormat, number>> = { fp16: 13, int8: 13, int4: 21 };
const IR_OF_INT4 = 10;

/** @throws UnsupportedError for a graph of an older operator set, whose meaning a newer number might change */
export function quantiseWeights(model: OnnxModel, format: WeightFormat): OnnxModel {
  const opset = model.opsets.get('') ?? 0;
  if (opset < OPSET_OF.fp16) {
    throw new UnsupportedError(
      `shrink: expected a graph of operator set ${OPSET_OF.fp16} or newer, got ${opset}`,
    );
  }
  const layerWeights = new Set(
    model.nodes.filter(({ opType }) => LAYERS.has(opType)).map(({ inputs }) => inputs[1] ?? ''),
  );
  const weights: OnnxTensor[] = [];
  const opened: OnnxNode[] = [];
  for (const weight of model.weights) {
    const isLarge = weight.dataType === DataType.float && elementsOf(weight.dims) >= ELEMENTS_MIN;
    if (!isLarge || (format !== 'fp16' && !layerWeights.has(weight.name))) {
      weights.push(weight);
      continue;
    }
    const packed = pack(weight, formatOf(weight, format));
    weights.push(...packed.weights);
    opened.push(...packed.nodes);
  }
  return {
    ...model,
    irVersion: format === 'int4' ? Math.max(model.irVersion, IR_OF_INT4) : model.irVersion,
    opsets: new Map([...model.opsets, ['', Math.max(opset, OPSET_OF[format])]]),
    nodes: [...opened, ...model.nodes],
    weights,
  };
}

/** Layers at the picture itself are few and show every error: eight bits for them. */
function formatOf({ dims }: OnnxTensor, format: WeightFormat): WeightFormat {
  return format === 'int4' && (dims[0] === 3 || dims[1] === 3) ? 'int8' : format;
}

interface Packed {
  readonly weights: readonly OnnxTensor[];
  readonly nodes: readonly OnnxNode[];
}

function pack(weight: OnnxTensor, format: WeightFormat): Packed {
  const values = new Float32Array(Uint8Array.from(weight.bytes).buffer);
  if (format === 'fp16') return packHalves(weight, values);
  return format === 'int8' ? packBytes(weight, values) : packNibbles(weight, values);
}

function packHalves({ name, dims }: OnnxTensor, values: Float32Array): Packed {
  const stored = `${name}.f16`;
  const bytes = new Uint8Array(Uint16Array.from(values, floatToHalf).buffer);
  const to: AttributeValue = { kind: 'int', int: BigInt(DataType.float) };
  return {
    weights: [{ name: stored, dims, dataType: DataType.float16, bytes }],
    nodes: [nodeOf('Cast', [stored], name, { to })],
  };
}

/** One scale for each output, so that the largest weight of each is 127. */
function packBytes({ name, dims }: OnnxTensor, values: Float32Array): Packed {
  const [out = 1] = dims;
  const length = values.length / out;
  const scales = new Float32Array(out);
  const stored = new Int8Array(values.length);
  for (let row = 0; row < out; row++) {
    const scale = scaleOf(values.subarray(row * length, (row + 1) * length), 127);
    scales[row] = scale;
    for (let i = row * length; i < (row + 1) * length; i++) {
      stored[i] = Math.round((values[i] ?? 0) / scale);
    }
  }
  return {
    weights: [
      { name: `${name}.i8`, dims, dataType: DataType.int8, bytes: new Uint8Array(stored.buffer) },
      floatsOf(`${name}.scale`, [out], scales),
    ],
    nodes: [
      nodeOf('DequantizeLinear', [`${name}.i8`, `${name}.scale`], name, {
        axis: { kind: 'int', int: 0n },
      }),
    ],
  };
}

/** A scale for every 32 weights of an output, all of its inputs and places in one row. */
function packNibbles({ name, dims }: OnnxTensor, values: Float32Array): Packed {
  const [out = 1] = dims;
  const length = values.length / out;
  const blocks = Math.ceil(length / BLOCK);
  const scales = new Float32Array(out * blocks);
  const stored = new Uint8Array(Math.ceil(values.length / 2));
  for (let row = 0; row < out; row++) {
    for (let block = 0; block < blocks; block++) {
      const start = row * length + block * BLOCK;
      const end = Math.min(start + BLOCK, (row + 1) * length);
      const scale = scaleOf(values.subarray(start, end), 7);
      scales[row * blocks + block] = scale;
      for (let i = start; i < end; i++) {
        const nibble = Math.round((values[i] ?? 0) / scale) & 15;
        stored[i >> 1] = (stored[i >> 1] ?? 0) | (i & 1 ? nibble << 4 : nibble);
      }
    }
  }
  const shape = new BigInt64Array(dims.map(BigInt));
  return {
    weights: [
      { name: `${name}.i4`, dims: [out, length], dataType: DataType.int4, bytes: stored },
      floatsOf(`${name}.scale`, [out, blocks], scales),
      {
        name: `${name}.shape`,
        dims: [dims.length],
        dataType: DataType.int64,
        bytes: new Uint8Array(shape.buffer),
      },
    ],
    nodes: [
      nodeOf('DequantizeLinear', [`${name}.i4`, `${name}.scale`], `${name}.flat`, {
        axis: { kind: 'int', int: 1n },
        block_size: { kind: 'int', int: BigInt(BLOCK) },
      }),
      nodeOf('Reshape', [`${name}.flat`, `${name}.shape`], name, {}),
    ],
  };
}

function scaleOf(values: Float32Array, most: number): number {
  const largest = values.reduce((found, value) => Math.max(found, Math.abs(value)), 0);
  return largest > 0 ? Math.fround(largest / most) : 1;
}

function floatsOf(name: string, dims: readonly number[], values: Float32Array): OnnxTensor {
  return { name, dims, dataType: DataType.float, bytes: new Uint8Array(values.buffer) };
}

function nodeOf(
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, AttributeValue>>,
): OnnxNode {
  return {
    opType,
    domain: '',
    name: `${output}.${opType.toLowerCase()}`,
    inputs,
    outputs: [output],
    attributes: new Map(Object.entries(attributes)),
  };
}

/** Nearest IEEE binary16, ties to even; beyond its range the largest finite one. */
export function floatToHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (!(size < 65_520)) return sign | (Number.isNaN(value) ? 0x7e00 : 0x7bff);
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 1e-30)));
  const steps = size / 2 ** (exponent - 10);
  const below = Math.floor(steps);
  const rest = steps - below;
  const isUp = rest > 0.5 || (rest === 0.5 && below % 2 === 1);
  // A carry into the next exponent comes out right by itself; below 2^-14 there is no hidden one.
  return sign | (below + (isUp ? 1 : 0) + ((exponent + 14) << 10));
}
