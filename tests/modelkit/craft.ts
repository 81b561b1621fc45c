/** Safetensors files with random weights in the published architectures' names and shapes, at small width. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Planes, Weights, WeightsByName } from './reference.js';

/** Uniform in -1 to 1, the same for a seed. */
export function noise(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

export function randomPlanes(channels: number, height: number, width: number, seed = 1): Planes {
  const next = noise(seed);
  const values = Float64Array.from({ length: channels * height * width }, next).map(Math.fround);
  return { channels, height, width, values };
}

/** Collects layers with weights that keep signals of about unit size. */
export class Crafted {
  readonly weights = new Map<string, Weights>();
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = noise(seed);
  }

  conv(name: string, out: number, into: number, side: number, bias = true): void {
    const reach = Math.sqrt(3 / (into * side * side));
    this.#add(`${name}.weight`, [out, into, side, side], () => this.#next() * reach);
    if (bias) this.#add(`${name}.bias`, [out], () => this.#next() * 0.1);
  }

  linear(name: string, out: number, into: number): void {
    this.#add(`${name}.weight`, [out, into], () => this.#next() * Math.sqrt(3 / into));
    this.#add(`${name}.bias`, [out], () => this.#next() * 0.1);
  }

  norm(name: string, channels: number): void {
    this.#add(`${name}.weight`, [channels], () => 1 + this.#next() * 0.2);
    this.#add(`${name}.bias`, [channels], () => this.#next() * 0.2);
  }

  #add(name: string, shape: number[], value: () => number): void {
    const length = shape.reduce((a, b) => a * b, 1);
    this.weights.set(name, { shape, values: Float32Array.from({ length }, value) });
  }

  tinyBlock(name: string, width: number, pooled: boolean): void {
    for (const layer of [0, 2, 4]) this.conv(`${name}.conv.${layer}`, width, width, 3);
    if (!pooled) return;
    this.conv(`${name}.pool.0`, 4 * width, width, 1, false);
    this.norm(`${name}.pool.1`, 4 * width);
    this.conv(`${name}.pool.3`, width, 4 * width, 1, false);
  }

  resnet(name: string, out: number, into: number): void {
    this.norm(`${name}.norm1`, into);
    this.conv(`${name}.conv1`, out, into, 3);
    this.norm(`${name}.norm2`, out);
    this.conv(`${name}.conv2`, out, out, 3);
    if (out !== into) this.conv(`${name}.conv_shortcut`, out, into, 1);
  }
}

export function craftTinyEncoder(width: number, latent: number, pooled = false): WeightsByName {
  const made = new Crafted(7);
  made.conv('0', width, 3, 3);
  made.tinyBlock('1', width, false);
  for (const down of [2, 6, 10]) {
    made.conv(`${down}`, width, width, 3, false);
    for (const i of [1, 2, 3]) made.tinyBlock(`${down + i}`, width, pooled && down === 10);
  }
  made.conv('14', latent, width, 3);
  return made.weights;
}

export function craftTinyDecoder(width: number, latent: number, pooled = false): WeightsByName {
  const made = new Crafted(8);
  made.conv('1', width, latent, 3);
  for (const first of [3, 8, 13]) {
    for (const i of [0, 1, 2]) made.tinyBlock(`${first + i}`, width, pooled && first === 3);
    made.conv(`${first + 4}`, width, width, 3, false);
  }
  made.tinyBlock('18', width, false);
  made.conv('19', 3, width, 3);
  return made.weights;
}

/** AutoencoderKL of the given widths, one a level, with attention in the middle. */
export function craftKl(
  widths: readonly number[],
  latent: number,
  hasQuant: boolean,
): WeightsByName {
  const made = new Crafted(9);
  const [first = 0] = widths;
  const last = widths.at(-1) ?? 0;
  const middle = (side: string) => {
    made.resnet(`${side}.mid_block.resnets.0`, last, last);
    made.norm(`${side}.mid_block.attentions.0.group_norm`, last);
    for (const part of ['to_q', 'to_k', 'to_v', 'to_out.0']) {
      made.linear(`${side}.mid_block.attentions.0.${part}`, last, last);
    }
    made.resnet(`${side}.mid_block.resnets.1`, last, last);
  };
  made.conv('encoder.conv_in', first, 3, 3);
  let channels = first;
  for (const [level, width] of widths.entries()) {
    const name = `encoder.down_blocks.${level}`;
    for (const index of [0, 1]) {
      made.resnet(`${name}.resnets.${index}`, width, channels);
      channels = width;
    }
    if (level < widths.length - 1) made.conv(`${name}.downsamplers.0.conv`, width, width, 3);
  }
  middle('encoder');
  made.norm('encoder.conv_norm_out', last);
  made.conv('encoder.conv_out', 2 * latent, last, 3);
  if (hasQuant) made.conv('quant_conv', 2 * latent, 2 * latent, 1);
  if (hasQuant) made.conv('post_quant_conv', latent, latent, 1);
  made.conv('decoder.conv_in', last, latent, 3);
  middle('decoder');
  for (const [level, width] of [...widths].reverse().entries()) {
    const name = `decoder.up_blocks.${level}`;
    for (const index of [0, 1, 2]) {
      made.resnet(`${name}.resnets.${index}`, width, channels);
      channels = width;
    }
    if (level < widths.length - 1) made.conv(`${name}.upsamplers.0.conv`, width, width, 3);
  }
  made.norm('decoder.conv_norm_out', first);
  made.conv('decoder.conv_out', 3, first, 3);
  return made.weights;
}

/** A file as the library of that name writes it, all in F32. */
export function safetensors(weights: WeightsByName): Buffer {
  let offset = 0;
  const header: Record<string, object> = { __metadata__: { format: 'pt' } };
  for (const [name, { shape, values }] of weights) {
    const end = offset + values.byteLength;
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const data = [...weights.values()].map(({ values }) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  );
  return Buffer.concat([length, text, ...data]);
}

export async function writeSafetensors(path: string, weights: WeightsByName): Promise<string> {
  await writeFile(path, safetensors(weights));
  return path;
}

/** Reads F16 and F32 files of our own trust, without the product's reader. */
export async function readWeights(path: string): Promise<WeightsByName> {
  const bytes = await readFile(path);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, start).toString('utf8'));
  const weights = new Map<string, Weights>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const {
      dtype,
      shape,
      data_offsets: offsets,
    } = entry as {
      dtype: string;
      shape: number[];
      data_offsets: [number, number];
    };
    const data = bytes.subarray(start + offsets[0], start + offsets[1]);
    const width = dtype === 'F16' ? 2 : 4;
    const values = Float32Array.from({ length: data.length / width }, (_, i) =>
      width === 4 ? data.readFloatLE(4 * i) : readHalf(data.readUInt16LE(2 * i)),
    );
    weights.set(name, { shape, values });
  }
  return weights;
}

function readHalf(half: number): number {
  const exponent = (half >> 10) & 31;
  const fraction = (half & 1023) / 1024;
  const size = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
  return half & 0x8000 ? -size : size;
}
