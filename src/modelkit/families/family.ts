/**
 * What a family of autoencoders gives to the importer, and how its tensors are taken by name and shape.
 * @module
 */
import { ModelError } from '../../errors.js';
import type { ConvWeights, NormWeights } from '../onnx/build.js';
import type { OnnxModel } from '../onnx/model.js';
import type { TensorSource } from '../safetensors.js';

/** One of the two networks as a graph, with what its tiles need. */
export interface BuiltNetwork {
  readonly graph: OnnxModel;
  /** Pixels beyond a window's edge that the network sees; 0 where it sees the whole window. */
  readonly reachPx: number;
  /** Group norm or attention: tiles have to be blended. */
  readonly isGlobal: boolean;
  /** f32 planes of the window's size in the widest layer. */
  readonly widestPlanes: number;
}

export interface BuiltModel {
  /** For people: `TAEF2-type tiny autoencoder`. */
  readonly family: string;
  readonly encoder: BuiltNetwork;
  readonly decoder: BuiltNetwork;
  readonly latentChannels: number;
  readonly stridePx: number;
  readonly inputRange: readonly [number, number];
  /** Side of a tile that keeps the memory of one run within about 2 GB. */
  readonly tilePx: number;
}

/** Tensors under one prefix, taken with a check of their shape. */
export class Tensors {
  readonly #source: TensorSource;
  readonly #nameOf: ReadonlyMap<string, string>;

  /** @param nameOf the file's name of each tensor by the name that the family's builder uses */
  constructor(source: TensorSource, nameOf: ReadonlyMap<string, string>) {
    this.#source = source;
    this.#nameOf = nameOf;
  }

  has(name: string): boolean {
    return this.#nameOf.has(name);
  }

  shapeOf(name: string): readonly number[] | undefined {
    const own = this.#nameOf.get(name);
    return own === undefined ? undefined : this.#source.shapeOf(own);
  }

  get names(): IterableIterator<string> {
    return this.#nameOf.keys();
  }

  /** A tensor of exactly these sides. @throws ModelError when it is missing or of another shape */
  async take(name: string, dims: readonly number[]): Promise<Float32Array> {
    const found = this.shapeOf(name);
    if (found?.join() !== dims.join()) {
      throw new ModelError(
        `import: expected '${name}' of [${dims}], got ${found ? `[${found}]` : 'no such tensor'}`,
      );
    }
    return await this.#source.read(this.#nameOf.get(name) ?? name);
  }

  /**
   * A square convolution from `channels`; attention's linear layers are convolutions of one sample.
   * @throws ModelError when it is missing or takes another number of channels
   */
  async conv(name: string, channels: number, sides: readonly number[]): Promise<ConvWeights> {
    const found = this.shapeOf(`${name}.weight`) ?? [];
    const [out = 0, into, height = 1, width = 1] = found;
    if (found.length < 2 || into !== channels || height !== width || !sides.includes(height)) {
      throw new ModelError(
        `import: expected '${name}.weight' of [out,${channels},k,k] with k ${sides.join(' or ')}, got ${found.length > 0 ? `[${found}]` : 'no such tensor'}`,
      );
    }
    const weight = await this.take(`${name}.weight`, found);
    const bias = this.has(`${name}.bias`) ? await this.take(`${name}.bias`, [out]) : undefined;
    return { shape: [out, channels, height, width], weight, bias };
  }

  async norm(
    name: string,
    channels: number,
    groups: number,
    epsilon: number,
  ): Promise<NormWeights> {
    if (channels % groups !== 0) {
      throw new ModelError(
        `import: expected channels in ${groups} equal groups for '${name}', got ${channels}`,
      );
    }
    const scale = await this.take(`${name}.weight`, [channels]);
    return { groups, epsilon, scale, shift: await this.take(`${name}.bias`, [channels]) };
  }
}

/** Names of the tensors below a prefix, by what follows it. */
export function namesBelow(source: TensorSource, prefix: string): Map<string, string> {
  const below = source.names.filter((name) => name.startsWith(prefix));
  return new Map(below.map((name) => [name.slice(prefix.length), name]));
}
