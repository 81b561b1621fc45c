/**
 * AutoencoderKL, the variational autoencoder of latent diffusion (Rombach et al. 2022): Stable Diffusion 1.x, 2.x,
 * SDXL, SD3 and FLUX, in diffusers' names or the original ones. The encoder's result is the mean of its distribution.
 * @module
 */
import { ModelError } from '../../errors.js';
import { GraphBuilder } from '../onnx/build.js';
import type { TensorSource } from '../safetensors.js';
import { type BuiltModel, type BuiltNetwork, namesBelow, Tensors } from './family.js';

const EPSILON = 1e-6;
const LEVELS_MAX = 8;
const BLOCKS_MAX = 16;

/** What config.json may say; the published models' values where there is none. */
export interface KlConfig {
  readonly norm_num_groups?: number;
  readonly scaling_factor?: number;
  readonly shift_factor?: number | null;
}

/** Names of a whole checkpoint that hold the autoencoder. */
const PREFIXES = ['', 'first_stage_model.', 'vae.'];

/** The tensors of an AutoencoderKL under diffusers' names, if the file has one. */
export function findKl(source: TensorSource): Tensors | undefined {
  for (const prefix of PREFIXES) {
    const below = [...namesBelow(source, prefix)];
    const levels = levelsOf(below.map(([name]) => name));
    const names = new Map(below.map(([name, own]) => [diffusersName(name, levels), own]));
    const tensors = new Tensors(source, names);
    if (
      tensors.has('encoder.conv_in.weight') &&
      tensors.has('decoder.conv_out.weight') &&
      tensors.has('encoder.down_blocks.0.resnets.0.conv1.weight')
    ) {
      return tensors;
    }
  }
  return undefined;
}

/** Levels of a decoder under its original names, which count from the finest. */
function levelsOf(names: readonly string[]): number {
  const levels = names.map((name) => Number(/^decoder\.up\.(\d)\./.exec(name)?.[1] ?? -1) + 1);
  return levels.reduce((most, level) => Math.max(most, level), 0);
}

/** The original names of latent diffusion, turned into diffusers'. */
function diffusersName(name: string, levels: number): string {
  return name
    .replace(/^encoder\.down\.(\d+)\.block\.(\d+)\./, 'encoder.down_blocks.$1.resnets.$2.')
    .replace(/^encoder\.down\.(\d+)\.downsample\./, 'encoder.down_blocks.$1.downsamplers.0.')
    .replace(/^decoder\.up\.(\d+)\.block\.(\d+)\./, (_, level: string, index: string) => {
      return `decoder.up_blocks.${levels - 1 - Number(level)}.resnets.${index}.`;
    })
    .replace(/^decoder\.up\.(\d+)\.upsample\./, (_, level: string) => {
      return `decoder.up_blocks.${levels - 1 - Number(level)}.upsamplers.0.`;
    })
    .replace(/^(encoder|decoder)\.mid\.block_1\./, '$1.mid_block.resnets.0.')
    .replace(/^(encoder|decoder)\.mid\.block_2\./, '$1.mid_block.resnets.1.')
    .replace(/^(encoder|decoder)\.mid\.attn_1\.norm\./, '$1.mid_block.attentions.0.group_norm.')
    .replace(/^(encoder|decoder)\.mid\.attn_1\./, '$1.mid_block.attentions.0.')
    .replace(/^(encoder|decoder)\.norm_out\./, '$1.conv_norm_out.')
    .replace(/\.nin_shortcut\./, '.conv_shortcut.')
    .replace(/\.attentions\.0\.(q|query)\./, '.attentions.0.to_q.')
    .replace(/\.attentions\.0\.(k|key)\./, '.attentions.0.to_k.')
    .replace(/\.attentions\.0\.(v|value)\./, '.attentions.0.to_v.')
    .replace(/\.attentions\.0\.(proj_out|proj_attn)\./, '.attentions.0.to_out.0.');
}

/** @throws ModelError when a tensor is missing or does not fit the one before it */
export async function buildKl(tensors: Tensors, config: KlConfig): Promise<BuiltModel> {
  const networks = new KlNetworks(tensors, config);
  const encoder = await networks.encoder();
  const decoder = await networks.decoder(encoder.latentChannels, encoder.stridePx);
  const { latentChannels, stridePx } = encoder;
  const kind = latentChannels === 4 ? 'Stable Diffusion 1.x, 2.x or SDXL' : 'SD3 or FLUX';
  return {
    family: `AutoencoderKL (${latentChannels === 4 || latentChannels === 16 ? `${kind}, ` : ''}${latentChannels} channels)`,
    encoder: encoder.network,
    decoder,
    latentChannels,
    stridePx,
    inputRange: [-1, 1],
    tilePx: 512,
  };
}

class KlNetworks {
  readonly #tensors: Tensors;
  readonly #groups: number;
  readonly #scale: number;
  readonly #shift: number;

  constructor(tensors: Tensors, config: KlConfig) {
    this.#tensors = tensors;
    this.#groups = config.norm_num_groups ?? 32;
    // Without a config the published factor is as good as any: what divides on the way in multiplies on the way out.
    this.#scale = config.scaling_factor ?? 0.18215;
    this.#shift = config.shift_factor ?? 0;
    const isSound = this.#scale > 0 && Number.isFinite(this.#scale) && Number.isFinite(this.#shift);
    if (!isSound || !(this.#groups >= 1 && Number.isInteger(this.#groups))) {
      throw new ModelError(
        `import: expected a positive scaling_factor, a shift_factor and norm_num_groups in config.json, got ${this.#scale}, ${this.#shift} and ${this.#groups}`,
      );
    }
  }

  async encoder(): Promise<{ network: BuiltNetwork; latentChannels: number; stridePx: number }> {
    const graph = new GraphBuilder(1);
    let [at, channels] = await this.#conv(graph, 'image', 'encoder.conv_in', 3);
    for (let level = 0; level < LEVELS_MAX; level++) {
      const name = `encoder.down_blocks.${level}`;
      if (!this.#tensors.has(`${name}.resnets.0.conv1.weight`)) break;
      [at, channels] = await this.#resnets(graph, at, name, channels);
      if (this.#tensors.has(`${name}.downsamplers.0.conv.weight`)) {
        const weights = await this.#tensors.conv(`${name}.downsamplers.0.conv`, channels, [3]);
        // One sample more on the right and below, none on the left and above, as it was trained.
        at = graph.conv(at, weights, { stride: 2, pads: [0, 0, 1, 1] });
      }
    }
    at = await this.#middle(graph, at, 'encoder', channels);
    at = graph.silu(graph.groupNorm(at, await this.#norm('encoder.conv_norm_out', channels)));
    let moments: number;
    [at, moments] = await this.#conv(graph, at, 'encoder.conv_out', channels);
    if (this.#tensors.has('quant_conv.weight')) {
      [at, moments] = await this.#conv(graph, at, 'quant_conv', moments);
    }
    const latentChannels = moments / 2;
    if (!Number.isInteger(latentChannels) || latentChannels < 1) {
      throw new ModelError(
        `import: expected means and variances in pairs, got ${moments} channels`,
      );
    }
    // The first half are the means.
    const bounds = [[0], [latentChannels], [1]].map((value) => graph.integers(value));
    at = graph.node('Slice', [at, ...bounds]);
    at = graph.node('Mul', [
      graph.node('Sub', [at, graph.scalar(this.#shift)]),
      graph.scalar(this.#scale),
    ]);
    const model = graph.finish(
      'encoder',
      { name: 'image', channels: 3 },
      { name: 'latent', from: at, channels: latentChannels },
    );
    return { network: built(graph, model), latentChannels, stridePx: graph.pxPerSample };
  }

  async decoder(latentChannels: number, stridePx: number): Promise<BuiltNetwork> {
    const graph = new GraphBuilder(stridePx);
    let at = graph.add(
      graph.node('Mul', ['latent', graph.scalar(1 / this.#scale)]),
      graph.scalar(this.#shift),
    );
    let channels = latentChannels;
    if (this.#tensors.has('post_quant_conv.weight')) {
      [at, channels] = await this.#conv(graph, at, 'post_quant_conv', channels);
    }
    [at, channels] = await this.#conv(graph, at, 'decoder.conv_in', channels);
    at = await this.#middle(graph, at, 'decoder', channels);
    for (let level = 0; level < LEVELS_MAX; level++) {
      const name = `decoder.up_blocks.${level}`;
      if (!this.#tensors.has(`${name}.resnets.0.conv1.weight`)) break;
      [at, channels] = await this.#resnets(graph, at, name, channels);
      if (this.#tensors.has(`${name}.upsamplers.0.conv.weight`)) {
        const upsampled = graph.upsample(at);
        [at, channels] = await this.#conv(graph, upsampled, `${name}.upsamplers.0.conv`, channels);
      }
    }
    at = graph.silu(graph.groupNorm(at, await this.#norm('decoder.conv_norm_out', channels)));
    let colours: number;
    [at, colours] = await this.#conv(graph, at, 'decoder.conv_out', channels);
    if (colours !== 3 || graph.pxPerSample !== 1) {
      throw new ModelError(
        `import: expected a decoder to three colours at one pixel a sample, got ${colours} at ${graph.pxPerSample} px`,
      );
    }
    const model = graph.finish(
      'decoder',
      { name: 'latent', channels: latentChannels },
      { name: 'image', from: at, channels: 3 },
    );
    return built(graph, model);
  }

  async #conv(
    graph: GraphBuilder,
    input: string,
    name: string,
    channels: number,
  ): Promise<[output: string, channels: number]> {
    const weights = await this.#tensors.conv(name, channels, [1, 3]);
    return [graph.conv(input, weights), weights.shape[0] ?? 0];
  }

  #norm(name: string, channels: number) {
    return this.#tensors.norm(name, channels, this.#groups, EPSILON);
  }

  async #resnets(
    graph: GraphBuilder,
    input: string,
    name: string,
    channels: number,
  ): Promise<[output: string, channels: number]> {
    let at = input;
    let width = channels;
    for (let index = 0; index < BLOCKS_MAX; index++) {
      const resnet = `${name}.resnets.${index}`;
      if (!this.#tensors.has(`${resnet}.conv1.weight`)) break;
      [at, width] = await this.#resnet(graph, at, resnet, width);
    }
    return [at, width];
  }

  async #resnet(
    graph: GraphBuilder,
    input: string,
    name: string,
    channels: number,
  ): Promise<[output: string, channels: number]> {
    const first = graph.silu(graph.groupNorm(input, await this.#norm(`${name}.norm1`, channels)));
    const [middle, width] = await this.#conv(graph, first, `${name}.conv1`, channels);
    const second = graph.silu(graph.groupNorm(middle, await this.#norm(`${name}.norm2`, width)));
    const [last] = await this.#conv(graph, second, `${name}.conv2`, width);
    const hasShortcut = this.#tensors.has(`${name}.conv_shortcut.weight`);
    const [skip] = hasShortcut
      ? await this.#conv(graph, input, `${name}.conv_shortcut`, channels)
      : [input];
    return [graph.add(last, skip), width];
  }

  async #middle(
    graph: GraphBuilder,
    input: string,
    network: 'encoder' | 'decoder',
    channels: number,
  ): Promise<string> {
    const name = `${network}.mid_block`;
    let [at] = await this.#resnet(graph, input, `${name}.resnets.0`, channels);
    if (this.#tensors.has(`${name}.attentions.0.to_q.weight`)) {
      at = await this.#attention(graph, at, `${name}.attentions.0`, channels);
    }
    [at] = await this.#resnet(graph, at, `${name}.resnets.1`, channels);
    return at;
  }

  async #attention(
    graph: GraphBuilder,
    input: string,
    name: string,
    channels: number,
  ): Promise<string> {
    const even = graph.groupNorm(input, await this.#norm(`${name}.group_norm`, channels));
    const [q] = await this.#conv(graph, even, `${name}.to_q`, channels);
    const [k] = await this.#conv(graph, even, `${name}.to_k`, channels);
    const [v] = await this.#conv(graph, even, `${name}.to_v`, channels);
    const mixed = graph.attention(q, k, v, channels, input);
    const [out] = await this.#conv(graph, mixed, `${name}.to_out.0`, channels);
    return graph.add(input, out);
  }
}

function built(graph: GraphBuilder, model: BuiltNetwork['graph']): BuiltNetwork {
  const { isGlobal, reachPx, widestPlanes } = graph;
  return { graph: model, isGlobal, reachPx, widestPlanes };
}
