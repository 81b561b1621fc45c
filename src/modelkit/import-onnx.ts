/**
 * Two ONNX graphs from elsewhere, an encoder and a decoder, read with bounds and measured: channels, stride and reach are
 * found by running them, once they are known to be plain networks.
 * @module
 */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { FormatError, ModelError, UnsupportedError } from '../errors.js';
import { readBytes } from '../files.js';
import { Graph } from '../vae/graph.js';
import type { BuiltModel, BuiltNetwork } from './families/family.js';
import { DataType, encodeModel, type OnnxModel } from './onnx/model.js';
import { decodeModel, type ExternalData } from './onnx/read.js';
import { filled, measureReach, type NetworkName } from './reach.js';

const GRAPH_MAX_BYTES = 2 ** 31;
/** A side that every stride divides. */
const PROBE_PX = 64;
/** A network that sees further than this is taken to see everything. */
const REACH_MAX_PX = 320;

/**
 * @param paths an encoder and a decoder, in any order
 * @throws UnsupportedError for graphs that are no plain pair, FormatError for damaged ones, LimitError
 */
export async function importGraphs(
  paths: readonly string[],
  inputRange: readonly [number, number],
): Promise<BuiltModel> {
  const graphs: OnnxModel[] = [];
  for (const path of paths) {
    const bytes = await readBytes(path, GRAPH_MAX_BYTES);
    graphs.push(decodeModel(bytes, (data, name) => readBeside(path, data, name)));
  }
  const encoder = graphs.find((graph) => channelsOf(graph, 'inputs') === 3);
  const decoder = graphs.find((graph) => graph !== encoder && channelsOf(graph, 'outputs') === 3);
  if (graphs.length !== 2 || encoder === undefined || decoder === undefined) {
    throw new UnsupportedError(
      `import: expected two graphs, one from three channels and one to three, got ${graphs.length === 1 ? 'one' : `${graphs.length} others`}; name both files`,
    );
  }
  const { channels, stridePx } = await probe(encodeModel(encoder));
  const shape = {
    grids: [{ channels, stridePx }],
    padToPx: stridePx,
    inputRange: [inputRange[0], inputRange[1]] as [number, number],
  };
  const measured = async (graph: OnnxModel, network: NetworkName): Promise<BuiltNetwork> => {
    const reachPx = await measureReach(encodeModel(graph), network, shape, 2 * REACH_MAX_PX);
    return { graph, reachPx, isGlobal: reachPx > REACH_MAX_PX, widestPlanes: widestOf(graph) };
  };
  return {
    family: 'ONNX pair',
    encoder: await measured(encoder, 'encoder'),
    decoder: await measured(decoder, 'decoder'),
    latentChannels: channels,
    stridePx,
    inputRange,
    tilePx: 512,
  };
}

/** Weights beside the graph's own file, and nowhere else. */
function readBeside(
  graphPath: string,
  { location, byteOffset, byteLength }: ExternalData,
  name: string,
): Uint8Array {
  const outside = new UnsupportedError(
    `onnx: expected weights in the graph's own folder, got '${name}' in '${location.slice(0, 80)}'`,
  );
  if (!/^[^/\\]+$/.test(location) || /^\.+$/.test(location)) throw outside;
  const folder = realpathSync(dirname(graphPath));
  let path: string;
  try {
    path = realpathSync(join(folder, location));
  } catch (cause) {
    throw new FormatError(
      `onnx: expected the weights '${name}' in '${location.slice(0, 80)}', got no such file`,
      0,
      { cause },
    );
  }
  // Links were followed: what they lead to has to lie here too.
  if (!path.startsWith(folder + sep)) throw outside;
  const { size } = statSync(path);
  const length = byteLength ?? size - byteOffset;
  const isWithin = byteOffset >= 0 && length >= 0 && byteOffset + length <= size;
  if (!isWithin || size > GRAPH_MAX_BYTES) {
    throw new FormatError(
      `onnx: expected '${name}' within ${size} bytes of '${location}'`,
      byteOffset,
    );
  }
  return readFileSync(path).subarray(byteOffset, byteOffset + length);
}

function channelsOf(graph: OnnxModel, side: 'inputs' | 'outputs'): number | undefined {
  const [value, ...others] = graph[side];
  if (value === undefined || others.length > 0 || value.dataType !== DataType.float) {
    throw new UnsupportedError(
      `import: expected one f32 tensor as ${side === 'inputs' ? 'input' : 'output'} of '${graph.name}', got ${graph[side].length} values`,
    );
  }
  const channels = value.dims[1];
  return value.dims.length === 4 && typeof channels === 'number' ? channels : undefined;
}

async function probe(encoder: Uint8Array): Promise<{ channels: number; stridePx: number }> {
  const graph = await Graph.open(encoder, { threads: 1 });
  try {
    const { shape } = await graph.run(filled([1, 3, PROBE_PX, 2 * PROBE_PX], () => 0.5));
    const [, channels = 0, rows = 1, columns = 1] = shape;
    const stridePx = PROBE_PX / rows;
    if (shape.length !== 4 || columns !== 2 * rows || !Number.isInteger(stridePx)) {
      throw new ModelError(
        `import: expected latents of a whole stride for ${2 * PROBE_PX}x${PROBE_PX} px, got [${shape}]`,
      );
    }
    return { channels, stridePx };
  } finally {
    await graph.release();
  }
}

/** Channels of the widest layer, as if it worked at the picture's full size. */
function widestOf({ weights }: OnnxModel): number {
  return weights.reduce(
    (most, { dims }) => (dims.length === 4 ? Math.max(most, dims[0] ?? 0) : most),
    8,
  );
}
