/**
 * An ONNX graph as this room works with it: nodes and weights in their order, without control flow, functions or
 * sparse tensors. Field numbers are those of onnx.proto3.
 * @module
 */
import { type Chunks, MessageWriter } from './protobuf.js';

/** TensorProto.DataType. */
export const DataType = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  uint4: 21,
  int4: 22,
} as const;

/** Bits of one element; two of the 4-bit types share a byte, the earlier one in its low half. */
export const BITS_OF_TYPE: ReadonlyMap<number, number> = new Map([
  [DataType.float, 32],
  [DataType.uint8, 8],
  [DataType.int8, 8],
  [DataType.uint16, 16],
  [DataType.int16, 16],
  [DataType.int32, 32],
  [DataType.int64, 64],
  [DataType.bool, 8],
  [DataType.float16, 16],
  [DataType.double, 64],
  [DataType.uint32, 32],
  [DataType.uint64, 64],
  [DataType.bfloat16, 16],
  [DataType.uint4, 4],
  [DataType.int4, 4],
]);

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  /** Little-endian elements, row by row. */
  readonly bytes: Uint8Array;
}

export type AttributeValue =
  | { readonly kind: 'float'; readonly float: number }
  | { readonly kind: 'int'; readonly int: bigint }
  | { readonly kind: 'string'; readonly string: Uint8Array }
  | { readonly kind: 'tensor'; readonly tensor: OnnxTensor }
  | { readonly kind: 'floats'; readonly floats: readonly number[] }
  | { readonly kind: 'ints'; readonly ints: readonly bigint[] }
  | { readonly kind: 'strings'; readonly strings: readonly Uint8Array[] };

export interface OnnxNode {
  readonly opType: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  readonly name: string;
  /** An empty name is an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeValue>;
}

/** An input or output of the graph; a dimension that is no number is a name, or nothing where it is unknown. */
export interface OnnxValue {
  readonly name: string;
  readonly dataType: number;
  readonly dims: readonly (number | string | undefined)[];
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  /** Version of each operator set by its domain. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly weights: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** Elements of a tensor of these dimensions. */
export function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, side) => product * side, 1);
}

/** Bytes that so many elements take; 4-bit elements are packed in pairs. */
export function byteLengthOf(dataType: number, dims: readonly number[]): number {
  return Math.ceil((elementsOf(dims) * (BITS_OF_TYPE.get(dataType) ?? 0)) / 8);
}

/** The file's bytes. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const graph = new MessageWriter();
  for (const node of model.nodes) graph.message(1, encodeNode(node));
  graph.text(2, model.name);
  for (const weight of model.weights) graph.message(5, encodeTensor(weight));
  for (const input of model.inputs) graph.message(11, encodeValue(input));
  for (const output of model.outputs) graph.message(12, encodeValue(output));
  const file = new MessageWriter()
    .integer(1, model.irVersion)
    .text(2, model.producer)
    .message(7, graph);
  for (const [domain, version] of model.opsets) {
    const opset = new MessageWriter();
    if (domain !== '') opset.text(1, domain);
    file.message(8, opset.integer(2, version));
  }
  return Buffer.concat(file.parts, file.byteLength);
}

function encodeNode(node: OnnxNode): Chunks {
  const message = new MessageWriter();
  for (const input of node.inputs) message.text(1, input);
  for (const output of node.outputs) message.text(2, output);
  if (node.name !== '') message.text(3, node.name);
  message.text(4, node.opType);
  for (const [name, value] of node.attributes) message.message(5, encodeAttribute(name, value));
  if (node.domain !== '') message.text(7, node.domain);
  return message;
}

/** AttributeProto.AttributeType. */
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 };

function encodeAttribute(name: string, value: AttributeValue): Chunks {
  const message = new MessageWriter().text(1, name);
  switch (value.kind) {
    case 'float':
      message.float(2, value.float);
      break;
    case 'int':
      message.integer(3, value.int);
      break;
    case 'string':
      message.bytes(4, value.string);
      break;
    case 'tensor':
      message.message(5, encodeTensor(value.tensor));
      break;
    case 'floats':
      for (const float of value.floats) message.float(7, float);
      break;
    case 'ints':
      for (const int of value.ints) message.integer(8, int);
      break;
    case 'strings':
      for (const string of value.strings) message.bytes(9, string);
      break;
  }
  return message.integer(20, ATTRIBUTE_TYPE[value.kind]);
}

function encodeTensor({ name, dims, dataType, bytes }: OnnxTensor): Chunks {
  const message = new MessageWriter();
  for (const side of dims) message.integer(1, side);
  return message.integer(2, dataType).text(8, name).bytes(9, bytes);
}

function encodeValue({ name, dataType, dims }: OnnxValue): Chunks {
  const shape = new MessageWriter();
  for (const side of dims) {
    const dimension = new MessageWriter();
    if (typeof side === 'number') dimension.integer(1, side);
    else if (side !== undefined) dimension.text(2, side);
    shape.message(1, dimension);
  }
  const tensor = new MessageWriter().integer(1, dataType).message(2, shape);
  return new MessageWriter().text(1, name).message(2, new MessageWriter().message(1, tensor));
}
