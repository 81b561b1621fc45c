/**
 * Graphs made smaller without being made different: what is constant is worked out, what nothing reads is dropped.
 * @module
 */
import { halfToFloat } from '../safetensors.js';
import { DataType, type OnnxModel, type OnnxNode, type OnnxTensor } from './model.js';

/** Replaces constants and copies by what they stand for and drops what the outputs do not need. */
export function simplify(model: OnnxModel): OnnxModel {
  const weights = new Map(model.weights.map((weight) => [weight.name, weight]));
  const standsFor = new Map<string, string>();
  const outputs = new Set(model.outputs.map(({ name }) => name));
  const nodes: OnnxNode[] = [];
  for (const node of model.nodes) {
    const inputs = node.inputs.map((name) => standsFor.get(name) ?? name);
    const [output = ''] = node.outputs;
    const folded = foldNode({ ...node, inputs }, weights);
    if (folded !== undefined && !outputs.has(output)) {
      weights.set(output, { ...folded, name: output });
    } else if (node.opType === 'Identity' && !outputs.has(output)) {
      standsFor.set(output, inputs[0] ?? '');
    } else {
      nodes.push({ ...node, inputs });
    }
  }
  return dropUnused({ ...model, nodes, weights: [...weights.values()] });
}

/** What a node makes of constants, where that is easily said. */
function foldNode(
  { opType, inputs, attributes }: OnnxNode,
  weights: ReadonlyMap<string, OnnxTensor>,
): OnnxTensor | undefined {
  if (opType === 'Constant') {
    const value = attributes.get('value');
    return value?.kind === 'tensor' ? value.tensor : undefined;
  }
  const input = weights.get(inputs[0] ?? '');
  if (input === undefined) return undefined;
  if (opType === 'Identity') return input;
  const to = attributes.get('to');
  const isWidened = opType === 'Cast' && to?.kind === 'int' && Number(to.int) === DataType.float;
  if (isWidened && input.dataType === DataType.float16) {
    const halves = new Uint16Array(Uint8Array.from(input.bytes).buffer);
    const floats = Float32Array.from(halves, halfToFloat);
    return { ...input, dataType: DataType.float, bytes: new Uint8Array(floats.buffer) };
  }
  return undefined;
}

/** Nodes and weights that no output depends on. */
export function dropUnused(model: OnnxModel): OnnxModel {
  const needed = new Set(model.outputs.map(({ name }) => name));
  const nodes: OnnxNode[] = [];
  // Nodes come in the order of their work, so one pass from the end sees every reader before what it reads.
  for (const node of [...model.nodes].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    nodes.unshift(node);
    for (const name of node.inputs) needed.add(name);
  }
  return { ...model, nodes, weights: model.weights.filter(({ name }) => needed.has(name)) };
}
