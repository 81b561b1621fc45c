/**
 * Tiny autoencoders in the manner of TAESD (Ollin Boer Bohan, MIT): a plain list of 3x3 convolutions and residual
 * blocks, told from the tensors alone. 4 latent channels are TAESD and TAESDXL, 16 TAESD3 and TAEF1, 32 TAEF2.
 * @module
 */
import { ModelError } from '../../errors.js';
import { type ConvWeights, GraphBuilder } from '../onnx/build.js';
import type { TensorSource } from '../safetensors.js';
import { type BuiltModel, type BuiltNetwork, namesBelow, Tensors } from './family.js';

/** Where the two lists of layers begin, in files of the author and of diffusers; '' for a file with one network. */
const PREFIXES = ['encoder.layers.', 'decoder.layers.', 'encoder.', 'decoder.', ''];

const EPSILON = 1e-5;
const POOL_GROUPS = 4;
/** The soft clamp of the latent, 3 tanh(z / 3). */
const LATENT_LIMIT = 3;
const LAYERS_MAX = 256;

const FAMILY_OF_CHANNELS: ReadonlyMap<number, string> = new Map([
  [4, 'TAESD or TAESDXL'],
  [16, 'TAESD3 or TAEF1'],
  [32, 'TAEF2'],
]);

/** One entry of the list of layers. */
interface Layer {
  readonly index: number;
  readonly kind: 'conv' | 'block';
}

/** A list of layers that was found, and which way it goes. */
export interface TinyNetwork {
  readonly kind: 'encoder' | 'decoder';
  readonly tensors: Tensors;
  readonly layers: readonly Layer[];
}

/** Every list of layers in a file that begins or ends with a picture's three channels. */
export function findTiny(source: TensorSource): TinyNetwork[] {
  const found: TinyNetwork[] = [];
  for (const prefix of PREFIXES) {
    const tensors = new Tensors(source, namesBelow(source, prefix));
    const layers = layersOf(tensors);
    const [first] = layers;
    const last = layers.at(-1);
    if (first?.kind !== 'conv' || last?.kind !== 'conv' || layers.length > LAYERS_MAX) continue;
    if (!layers.some(({ kind }) => kind === 'block')) continue;
    if (tensors.shapeOf(`${first.index}.weight`)?.[1] === 3) {
      found.push({ kind: 'encoder', tensors, layers });
    } else if (tensors.shapeOf(`${last.index}.weight`)?.[0] === 3) {
      found.push({ kind: 'decoder', tensors, layers });
    }
  }
  return found;
}

function layersOf(tensors: Tensors): Layer[] {
  const kinds = new Map<number, Layer['kind']>();
  for (const name of tensors.names) {
    const [, index, rest] = /^(\d{1,4})\.(weight|conv\.0\.weight)$/.exec(name) ?? [];
    if (index !== undefined) kinds.set(Number(index), rest === 'weight' ? 'conv' : 'block');
  }
  return [...kinds].map(([index, kind]) => ({ index, kind })).sort((a, b) => a.index - b.index);
}

/** @throws ModelError when a layer does not fit the one before it */
export async function buildTiny(encoder: TinyNetwork, decoder: TinyNetwork): Promise<BuiltModel> {
  const down = await buildEncoder(encoder);
  const up = await buildDecoder(decoder, down.stridePx);
  if (up.latentChannels !== down.latentChannels) {
    throw new ModelError(
      `import: expected an encoder and a decoder of one model, got ${down.latentChannels} and ${up.latentChannels} latent channels`,
    );
  }
  const { latentChannels, stridePx } = down;
  return {
    family: `${FAMILY_OF_CHANNELS.get(latentChannels) ?? 'TAESD'}-type tiny autoencoder`,
    encoder: down.network,
    decoder: up.network,
    latentChannels,
    stridePx,
    inputRange: [0, 1],
    tilePx: 1024,
  };
}

async function buildEncoder({ tensors, layers }: TinyNetwork): Promise<{
  network: BuiltNetwork;
  latentChannels: number;
  stridePx: number;
}> {
  const graph = new GraphBuilder(1);
  let at = 'image';
  let channels = 3;
  for (const { index, kind } of layers) {
    if (kind === 'block') {
      at = await block(graph, tensors, at, index, channels);
      channels = tensors.shapeOf(`${index}.conv.0.weight`)?.[0] ?? channels;
      continue;
    }
    const weights = await tensors.conv(String(index), channels, [3]);
    // What halves the size has no bias; everything else has one.
    at =
      weights.bias === undefined
        ? graph.conv(at, weights, { stride: 2, pads: [1, 1, 1, 1] })
        : graph.conv(at, weights);
    channels = weights.shape[0] ?? 0;
  }
  const model = graph.finish(
    'encoder',
    { name: 'image', channels: 3 },
    { name: 'latent', from: at, channels },
  );
  return { network: built(graph, model), latentChannels: channels, stridePx: graph.pxPerSample };
}

async function buildDecoder(
  { tensors, layers }: TinyNetwork,
  stridePx: number,
): Promise<{ network: BuiltNetwork; latentChannels: number }> {
  const graph = new GraphBuilder(stridePx);
  const [first] = layers;
  const latentChannels = tensors.shapeOf(`${first?.index}.weight`)?.[1] ?? 0;
  const limit = graph.scalar(LATENT_LIMIT);
  let at = graph.node('Mul', [graph.node('Tanh', [graph.node('Div', ['latent', limit])]), limit]);
  let channels = latentChannels;
  for (const [place, { index, kind }] of layers.entries()) {
    if (kind === 'block') {
      at = await block(graph, tensors, at, index, channels);
      channels = tensors.shapeOf(`${index}.conv.0.weight`)?.[0] ?? channels;
      continue;
    }
    const weights = await tensors.conv(String(index), channels, [3]);
    // A convolution without bias stands behind a doubling of the size.
    at = graph.conv(weights.bias === undefined ? graph.upsample(at) : at, weights);
    if (place === 0) at = graph.relu(at);
    channels = weights.shape[0] ?? 0;
  }
  if (graph.pxPerSample !== 1) {
    throw new ModelError(
      `import: expected a decoder that undoes a stride of ${stridePx} px, got one that leaves ${graph.pxPerSample} px a sample`,
    );
  }
  const model = graph.finish(
    'decoder',
    { name: 'latent', channels: latentChannels },
    { name: 'image', from: at, channels: 3 },
  );
  return { network: built(graph, model), latentChannels };
}

/** Three convolutions beside a skip; in TAEF2's coarse layers a norm over the whole picture is added before. */
async function block(
  graph: GraphBuilder,
  tensors: Tensors,
  input: string,
  index: number,
  channels: number,
): Promise<string> {
  const start = tensors.has(`${index}.pool.0.weight`)
    ? graph.add(input, await pool(graph, tensors, input, index, channels))
    : input;
  let at = start;
  let width = channels;
  for (const layer of [0, 2, 4]) {
    const weights: ConvWeights = await tensors.conv(`${index}.conv.${layer}`, width, [3]);
    at = graph.conv(at, weights);
    if (layer < 4) at = graph.relu(at);
    width = weights.shape[0] ?? 0;
  }
  const skip = tensors.has(`${index}.skip.weight`)
    ? graph.conv(start, await tensors.conv(`${index}.skip`, channels, [1]))
    : start;
  return graph.relu(graph.add(at, skip));
}

async function pool(
  graph: GraphBuilder,
  tensors: Tensors,
  input: string,
  index: number,
  channels: number,
): Promise<string> {
  const widen = await tensors.conv(`${index}.pool.0`, channels, [1]);
  const width = widen.shape[0] ?? 0;
  const norm = await tensors.norm(`${index}.pool.1`, width, POOL_GROUPS, EPSILON);
  const even = graph.relu(graph.groupNorm(graph.conv(input, widen), norm));
  return graph.conv(even, await tensors.conv(`${index}.pool.3`, width, [1]));
}

function built(graph: GraphBuilder, model: BuiltNetwork['graph']): BuiltNetwork {
  const { isGlobal, reachPx, widestPlanes } = graph;
  return { graph: model, isGlobal, reachPx, widestPlanes };
}
