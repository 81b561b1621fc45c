/**
 * Hostile bytes to an ONNX graph. Everything is counted before it is kept, and nothing is run.
 * @module
 */
import { FormatError, LimitError, UnsupportedError } from '../../errors.js';
import {
  type AttributeValue,
  BITS_OF_TYPE,
  byteLengthOf,
  DataType,
  elementsOf,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from './model.js';
import { bytesOf, type Field, fieldsOf, floatsOf, integerOf, integersOf } from './protobuf.js';

/** Far above any autoencoder (FLUX's has 600 nodes), far below what would make a session slow to build. */
const NODES_MAX = 20_000;
const WEIGHTS_MAX = 20_000;
const NAMES_MAX = 4096;
const DIMS_MAX = 8;

/** Whose operators may be used: those that onnxruntime carries. */
const DOMAINS = new Set(['', 'ai.onnx', 'com.microsoft']);

/** A tensor whose bytes lie in another file. */
export interface ExternalData {
  readonly location: string;
  readonly byteOffset: number;
  readonly byteLength: number | undefined;
}

/**
 * Gives the bytes of a tensor that lies outside the graph's file.
 * @throws UnsupportedError, FormatError when it may not be had
 */
export type ExternalReader = (data: ExternalData, tensorName: string) => Uint8Array;

/** @throws UnsupportedError always: for graphs that have to stand alone */
export const refuseExternal: ExternalReader = ({ location }, name) => {
  throw new UnsupportedError(
    `onnx: expected the weights inside the graph's file, got '${name}' in '${location.slice(0, 80)}'`,
  );
};

/**
 * @param external gives the bytes of tensors that lie in other files
 * @throws FormatError for bytes that are no ONNX graph, LimitError for too large a one, UnsupportedError for control
 * flow, functions, sparse tensors and operators that onnxruntime does not carry
 */
export function decodeModel(
  bytes: Uint8Array,
  external: ExternalReader = refuseExternal,
): OnnxModel {
  let irVersion = 0;
  let producer = '';
  const opsets = new Map<string, number>();
  let graph: Field | undefined;
  for (const field of fieldsOf(bytes, 0)) {
    if (field.number === 1) irVersion = integerOf(field);
    else if (field.number === 2) producer = textOf(field);
    else if (field.number === 7) graph = field;
    else if (field.number === 8) {
      const { domain, version } = readOpset(field);
      opsets.set(domain, version);
    } else if (field.number === 25) throw unsupported('functions of its own');
  }
  if (graph === undefined || irVersion < 3 || opsets.size === 0) {
    throw new FormatError(
      'onnx: expected a model with a version, an operator set and a graph, got one without',
      0,
    );
  }
  return { irVersion, producer, opsets, ...readGraph(graph, external) };
}

function readOpset(message: Field): { readonly domain: string; readonly version: number } {
  let domain = '';
  let version = 0;
  for (const field of fieldsOf(bytesOf(message), message.byteOffset)) {
    if (field.number === 1) domain = textOf(field);
    else if (field.number === 2) version = integerOf(field);
  }
  checkDomain(domain);
  return { domain, version };
}

function readGraph(
  message: Field,
  external: ExternalReader,
): Pick<OnnxModel, 'name' | 'nodes' | 'weights' | 'inputs' | 'outputs'> {
  let name = '';
  const nodes: OnnxNode[] = [];
  const weights: OnnxTensor[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  for (const field of fieldsOf(bytesOf(message), message.byteOffset)) {
    if (field.number === 1) pushWithin(nodes, readNode(field, external), NODES_MAX, 'nodes');
    else if (field.number === 2) name = textOf(field);
    else if (field.number === 5) {
      pushWithin(weights, readTensor(field, external), WEIGHTS_MAX, 'weights');
    } else if (field.number === 11) pushWithin(inputs, readValue(field), WEIGHTS_MAX, 'inputs');
    else if (field.number === 12) pushWithin(outputs, readValue(field), WEIGHTS_MAX, 'outputs');
    else if (field.number === 15) throw unsupported('sparse weights');
  }
  const known = new Set(weights.map((weight) => weight.name));
  return {
    name,
    nodes,
    weights,
    inputs: inputs.filter((input) => !known.has(input.name)),
    outputs,
  };
}

function pushWithin<T>(list: T[], item: T, most: number, what: string): void {
  if (list.length >= most) {
    throw new LimitError(`onnx: expected at most ${most} ${what} in a graph, got more`);
  }
  list.push(item);
}

function readNode(message: Field, external: ExternalReader): OnnxNode {
  let opType = '';
  let domain = '';
  let name = '';
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, AttributeValue>();
  for (const field of fieldsOf(bytesOf(message), message.byteOffset)) {
    if (field.number === 1) pushWithin(inputs, textOf(field), NAMES_MAX, 'inputs of a node');
    else if (field.number === 2) pushWithin(outputs, textOf(field), NAMES_MAX, 'outputs of a node');
    else if (field.number === 3) name = textOf(field);
    else if (field.number === 4) opType = textOf(field);
    else if (field.number === 7) domain = textOf(field);
    else if (field.number === 5) {
      const [key, value] = readAttribute(field, external);
      if (value !== undefined) attributes.set(key, value);
    }
  }
  checkDomain(domain);
  return { opType, domain, name, inputs, outputs, attributes };
}

function readAttribute(
  message: Field,
  external: ExternalReader,
): [name: string, value: AttributeValue | undefined] {
  let name = '';
  let value: AttributeValue | undefined;
  const floats: number[] = [];
  const ints: bigint[] = [];
  const strings: Uint8Array[] = [];
  let type = 0;
  for (const field of fieldsOf(bytesOf(message), message.byteOffset)) {
    switch (field.number) {
      case 1:
        name = textOf(field);
        break;
      case 2:
        value = { kind: 'float', float: floatsOf(field)[0] ?? 0 };
        break;
      case 3:
        value = { kind: 'int', int: [...integersOf(field)][0] ?? 0n };
        break;
      case 4:
        value = { kind: 'string', string: bytesOf(field) };
        break;
      case 5:
        value = { kind: 'tensor', tensor: readTensor(field, external) };
        break;
      case 7:
        for (const float of floatsOf(field)) floats.push(float);
        break;
      case 8:
        for (const int of integersOf(field)) ints.push(int);
        break;
      case 9:
        strings.push(bytesOf(field));
        break;
      case 20:
        type = integerOf(field);
        break;
      case 6:
      case 11:
        throw unsupported('control flow');
      case 10:
      case 14:
      case 21:
      case 22:
      case 23:
        throw unsupported(`the attribute '${name}' of a kind that weights and layers do not use`);
    }
  }
  // An empty list has no field of its own and is told by the type alone.
  if (type === 6 || floats.length > 0) value ??= { kind: 'floats', floats };
  if (type === 7 || ints.length > 0) value ??= { kind: 'ints', ints };
  if (type === 8 || strings.length > 0) value ??= { kind: 'strings', strings };
  return [name, value];
}

function readTensor(message: Field, external: ExternalReader): OnnxTensor {
  const dims: number[] = [];
  let dataType = 0;
  let name = '';
  let bytes: Uint8Array | undefined;
  const pieces: Uint8Array[] = [];
  const outside = new Map<string, string>();
  let isOutside = false;
  for (const field of fieldsOf(bytesOf(message), message.byteOffset)) {
    switch (field.number) {
      case 1:
        for (const side of integersOf(field))
          pushWithin(dims, Number(side), DIMS_MAX, 'dimensions');
        break;
      case 2:
        dataType = integerOf(field);
        break;
      case 4:
        pieces.push(bytesOfNumbers([...floatsOf(field)], DataType.float));
        break;
      case 5:
      case 7:
        pieces.push(bytesOfNumbers([...integersOf(field)].map(Number), dataType));
        break;
      case 8:
        name = textOf(field);
        break;
      case 9:
        bytes = bytesOf(field);
        break;
      case 13: {
        const [key, value] = readEntry(field);
        outside.set(key, value);
        break;
      }
      case 14:
        isOutside = integerOf(field) === 1;
        break;
      case 6:
      case 10:
      case 11:
        throw unsupported(`the tensor '${name}' of a kind that networks do not use`);
    }
  }
  if (!BITS_OF_TYPE.has(dataType)) throw unsupported(`a tensor of data type ${dataType}`);
  if (dims.some((side) => !(side >= 0)) || !Number.isSafeInteger(elementsOf(dims))) {
    throw new FormatError(
      `onnx: expected a shape for '${name}', got [${dims}]`,
      message.byteOffset,
    );
  }
  const expected = byteLengthOf(dataType, dims);
  if (isOutside || outside.size > 0) {
    bytes = external(
      {
        location: outside.get('location') ?? '',
        byteOffset: Number(outside.get('offset') ?? 0),
        byteLength: outside.has('length') ? Number(outside.get('length')) : expected,
      },
      name,
    );
  }
  bytes ??= pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  if (bytes?.length !== expected) {
    throw new FormatError(
      `onnx: expected ${expected} bytes for '${name}' [${dims}], got ${bytes?.length ?? 0}`,
      message.byteOffset,
    );
  }
  return { name, dims, dataType, bytes };
}

/** Numbers of the typed fields as the raw bytes that everything else works with. */
function bytesOfNumbers(numbers: readonly number[], dataType: number): Uint8Array {
  switch (dataType) {
    case DataType.float:
      return new Uint8Array(Float32Array.from(numbers).buffer);
    case DataType.int64:
      return new Uint8Array(BigInt64Array.from(numbers.map(BigInt)).buffer);
    case DataType.int32:
      return new Uint8Array(Int32Array.from(numbers).buffer);
    case DataType.float16:
    case DataType.bfloat16:
    case DataType.uint16:
    case DataType.int16:
      return new Uint8Array(Uint16Array.from(numbers).buffer);
    default:
      return Uint8Array.from(numbers);
  }
}

function readEntry(message: Field): [key: string, value: string] {
  let key = '';
  let value = '';
  for (const field of fieldsOf(bytesOf(message), message.byteOffset)) {
    if (field.number === 1) key = textOf(field);
    else if (field.number === 2) value = textOf(field);
  }
  return [key, value];
}

function readValue(message: Field): OnnxValue {
  let name = '';
  let dataType = 0;
  const dims: (number | string | undefined)[] = [];
  for (const field of fieldsOf(bytesOf(message), message.byteOffset)) {
    if (field.number === 1) name = textOf(field);
    if (field.number !== 2) continue;
    for (const type of fieldsOf(bytesOf(field), field.byteOffset)) {
      if (type.number !== 1) throw unsupported(`'${name}', which is no tensor`);
      for (const part of fieldsOf(bytesOf(type), type.byteOffset)) {
        if (part.number === 1) dataType = integerOf(part);
        else if (part.number === 2) {
          for (const side of fieldsOf(bytesOf(part), part.byteOffset)) {
            pushWithin(dims, readSide(side), DIMS_MAX, 'dimensions');
          }
        }
      }
    }
  }
  return { name, dataType, dims };
}

function readSide(message: Field): number | string | undefined {
  for (const field of fieldsOf(bytesOf(message), message.byteOffset)) {
    if (field.number === 1) return integerOf(field);
    if (field.number === 2) return textOf(field);
  }
  return undefined;
}

function textOf(field: Field): string {
  return Buffer.from(bytesOf(field)).toString('utf8');
}

function checkDomain(domain: string): void {
  if (!DOMAINS.has(domain)) throw unsupported(`operators of '${domain.slice(0, 40)}'`);
}

function unsupported(what: string): UnsupportedError {
  return new UnsupportedError(
    `onnx: expected a graph of ONNX's own operators and plain tensors, got ${what}`,
  );
}
