/**
 * Writes a graph layer by layer. Every method appends nodes and gives the name of what they make; the pixels that a
 * layer sees are added up along the way, because the margin of a tile is made of them.
 * @module
 */
import {
  type AttributeValue,
  DataType,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from './model.js';

/** Resize and the others here are as they are since this operator set, which onnxruntime has carried for years. */
const OPSET = 17;
const IR_VERSION = 8;

export interface ConvWeights {
  /** [out, in, side, side] */
  readonly shape: readonly number[];
  readonly weight: Float32Array;
  readonly bias?: Float32Array | undefined;
}

/** Scale and shift of a norm, one a channel. */
export interface NormWeights {
  readonly groups: number;
  readonly epsilon: number;
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

export class GraphBuilder {
  readonly #nodes: OnnxNode[] = [];
  readonly #weights: OnnxTensor[] = [];
  readonly #constants = new Map<string, string>();
  #next = 0;
  /** Pixels of the picture along a side of one sample here. */
  #pxPerSample: number;
  #reachPx = 0;
  #widestPlanes = 0;
  #isGlobal = false;

  /** @param pxPerSample pixels of the picture along a side of one sample of the input */
  constructor(pxPerSample: number) {
    this.#pxPerSample = pxPerSample;
  }

  /** Pixels beyond a window's edge that could change what lies within, where nothing sees the whole window. */
  get reachPx(): number {
    return Math.ceil(this.#reachPx);
  }

  /** Whether a layer works over the whole window at once. */
  get isGlobal(): boolean {
    return this.#isGlobal;
  }

  /** f32 planes of the window's size that the widest layer makes. */
  get widestPlanes(): number {
    return Math.ceil(this.#widestPlanes);
  }

  get pxPerSample(): number {
    return this.#pxPerSample;
  }

  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    const output = `${opType.toLowerCase()}_${this.#next++}`;
    this.#nodes.push({
      opType,
      domain: '',
      name: output,
      inputs,
      outputs: [output],
      attributes: new Map(Object.entries(attributes)),
    });
    return output;
  }

  floats(dims: readonly number[], values: Float32Array): string {
    const name = `weight_${this.#weights.length}`;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#weights.push({ name, dims, dataType: DataType.float, bytes });
    return name;
  }

  integers(values: readonly number[]): string {
    const key = values.join();
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = `weight_${this.#weights.length}`;
      const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
      this.#weights.push({ name, dims: [values.length], dataType: DataType.int64, bytes });
      this.#constants.set(key, name);
    }
    return name;
  }

  /** A convolution that keeps the size, or halves it with `stride` 2 and the given padding. */
  conv(
    input: string,
    { shape, weight, bias }: ConvWeights,
    { stride = 1, pads }: { stride?: number; pads?: readonly number[] } = {},
  ): string {
    const [out = 0, , height = 1, width = 1] = shape;
    const same = Math.floor(height / 2);
    const inputs = [input, this.floats(shape, weight)];
    if (bias !== undefined) inputs.push(this.floats([out], bias));
    this.#reachPx += ((height - 1) / 2) * this.#pxPerSample * (pads === undefined ? 1 : 2);
    this.#pxPerSample *= stride;
    this.#note(out);
    return this.node('Conv', inputs, {
      kernel_shape: ints([height, width]),
      strides: ints([stride, stride]),
      pads: ints(pads ?? [same, same, same, same]),
    });
  }

  relu(input: string): string {
    return this.node('Relu', [input]);
  }

  /** x * sigmoid(x) */
  silu(input: string): string {
    return this.node('Mul', [input, this.node('Sigmoid', [input])]);
  }

  add(a: string, b: string): string {
    return this.node('Add', [a, b]);
  }

  scalar(value: number): string {
    return this.floats([], Float32Array.of(value));
  }

  /** Group norm over the whole window: an instance norm over groups laid out as channels, then scale and shift. */
  groupNorm(input: string, { groups, epsilon, scale, shift }: NormWeights): string {
    this.#isGlobal = true;
    const one = this.floats([groups], new Float32Array(groups).fill(1));
    const zero = this.floats([groups], new Float32Array(groups));
    const grouped = this.node('Reshape', [input, this.integers([0, groups, -1])]);
    const even = this.node('InstanceNormalization', [grouped, one, zero], {
      epsilon: { kind: 'float', float: epsilon },
    });
    const back = this.node('Reshape', [even, this.node('Shape', [input])]);
    const dims = [scale.length, 1, 1];
    const scaled = this.node('Mul', [back, this.floats(dims, scale)]);
    return this.add(scaled, this.floats(dims, shift));
  }

  /** Every sample becomes two by two. */
  upsample(input: string): string {
    this.#pxPerSample /= 2;
    const scales = this.floats([4], Float32Array.of(1, 1, 2, 2));
    return this.node('Resize', [input, '', scales], {
      mode: text('nearest'),
      coordinate_transformation_mode: text('asymmetric'),
      nearest_mode: text('floor'),
    });
  }

  /** One head of attention over all places of the window; q, k and v are [n, channels, height, width]. */
  attention(q: string, k: string, v: string, channels: number, like: string): string {
    this.#isGlobal = true;
    const rows = this.integers([0, channels, -1]);
    const flat = (input: string) => this.node('Reshape', [input, rows]);
    const turned = (input: string) => this.node('Transpose', [input], { perm: ints([0, 2, 1]) });
    const scaled = this.node('Mul', [turned(flat(q)), this.scalar(1 / Math.sqrt(channels))]);
    const weights = this.node('Softmax', [this.node('MatMul', [scaled, flat(k)])], {
      axis: { kind: 'int', int: -1n },
    });
    const mixed = turned(this.node('MatMul', [weights, turned(flat(v))]));
    return this.node('Reshape', [mixed, this.node('Shape', [like])]);
  }

  /** The graph from `inputName` to `outputName`; both have dynamic batch, height and width. */
  finish(
    name: string,
    input: { readonly name: string; readonly channels: number },
    output: { readonly name: string; readonly from: string; readonly channels: number },
  ): OnnxModel {
    const nodes = [
      ...this.#nodes,
      {
        opType: 'Identity',
        domain: '',
        name: 'result',
        inputs: [output.from],
        outputs: [output.name],
        attributes: new Map(),
      },
    ];
    return {
      irVersion: IR_VERSION,
      producer: 'vaerans',
      opsets: new Map([['', OPSET]]),
      name,
      nodes,
      weights: this.#weights,
      inputs: [
        { name: input.name, dataType: DataType.float, dims: ['n', input.channels, 'h', 'w'] },
      ],
      outputs: [
        { name: output.name, dataType: DataType.float, dims: ['n', output.channels, 'oh', 'ow'] },
      ],
    };
  }

  #note(channels: number): void {
    this.#widestPlanes = Math.max(this.#widestPlanes, channels / this.#pxPerSample ** 2);
  }
}

export function ints(values: readonly number[]): AttributeValue {
  return { kind: 'ints', ints: values.map(BigInt) };
}

export function text(value: string): AttributeValue {
  return { kind: 'string', string: Buffer.from(value) };
}
