import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ModelError } from 'vaerans';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importModel } from '#src/modelkit/import.js';
import { DataType, elementsOf, encodeModel, type OnnxModel } from '#src/modelkit/onnx/model.js';
import { simplify } from '#src/modelkit/onnx/optimise.js';
import { floatToHalf, quantiseWeights } from '#src/modelkit/onnx/quantise.js';
import { decodeModel } from '#src/modelkit/onnx/read.js';
import { WEIGHT_FORMATS } from '#src/modelkit/options.js';
import { benchModel, profileModel } from '#src/modelkit/profile.js';
import { halfToFloat } from '#src/modelkit/safetensors.js';
import { shrinkModel } from '#src/modelkit/shrink.js';
import { listModels } from '#src/modelkit/store.js';
import { Graph } from '#src/vae/graph.js';
import { craftTinyDecoder, craftTinyEncoder, writeSafetensors } from './craft.js';

let modelsFolder: string;
beforeAll(async () => {
  modelsFolder = await mkdtemp(join(tmpdir(), 'vaerans-shrink-test-'));
  const files = [
    await writeSafetensors(join(modelsFolder, 'e.safetensors'), craftTinyEncoder(16, 4)),
    await writeSafetensors(join(modelsFolder, 'd.safetensors'), craftTinyDecoder(16, 4)),
  ];
  await importModel(files, { name: 'tiny', modelsFolder });
});
afterAll(() => rm(modelsFolder, { recursive: true }));

async function graphOf(name: string): Promise<OnnxModel> {
  return decodeModel(await readFile(join(modelsFolder, name, 'encoder.onnx')));
}

async function run(model: OnnxModel): Promise<Float32Array> {
  const graph = await Graph.open(encodeModel(model), { threads: 1 });
  const values = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => 0.5 + 0.5 * Math.sin(i / 7));
  const output = await graph.run({ values, shape: [1, 3, 32, 32] });
  await graph.release();
  return output.values;
}

function relativeError(a: Float32Array, b: Float32Array): number {
  let [squared, size] = [0, 0];
  for (const [i, value] of a.entries()) {
    squared += (value - (b[i] ?? 0)) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(squared / size);
}

describe('weights in fewer bits', () => {
  it.each([
    ['fp16', 1e-3, 0.52],
    ['int8', 0.03, 0.32],
    ['int4', 0.35, 0.25],
  ] as const)('in %s come near the graph and are smaller', async (format, error, size) => {
    const graph = await graphOf('tiny');
    const small = quantiseWeights(graph, format);
    const before = await run(graph);
    const off = relativeError(before, await run(small));
    expect(off).toBeGreaterThan(0);
    expect(off).toBeLessThan(error);
    expect(encodeModel(small).length).toBeLessThan(size * encodeModel(graph).length + 20_000);
    const stored = small.weights.filter(({ dataType }) => dataType === DataType.float);
    const most = Math.max(...stored.map(({ dims }) => elementsOf(dims)));
    expect(most).toBeLessThan(256);
  });

  it('as halves are the nearest that there are', () => {
    fc.assert(
      fc.property(
        fc.float({ min: Math.fround(-70_000), max: Math.fround(70_000), noNaN: true }),
        (value) => {
          const half = floatToHalf(value);
          const off = Math.abs(halfToFloat(half) - value);
          if (Math.abs(value) >= 65_504) {
            expect(halfToFloat(half)).toBe(Math.sign(value) * 65_504);
            return;
          }
          for (const other of [half - 1, half + 1]) {
            if ((other & 0x7fff) > 0x7bff || other < 0) continue;
            expect(off).toBeLessThanOrEqual(Math.abs(halfToFloat(other) - value));
          }
        },
      ),
    );
    for (let half = 0; half < 0x7c00; half += 13) expect(floatToHalf(halfToFloat(half))).toBe(half);
  });
});

describe('a smaller copy', () => {
  it.each(WEIGHT_FORMATS)('in %s is a model of its own, with its loss measured', async (format) => {
    const options = { format, as: `tiny-${format}`, modelsFolder, threads: 1, maxLossDb: 100 };
    const report = await shrinkModel('tiny', options);
    expect(report.byteLengthAfter).toBeLessThan(0.7 * report.byteLengthBefore);
    expect(Number.isFinite(report.psnrDbAfter)).toBe(true);
    const ids = (await listModels({ modelsFolder })).map(({ modelId }) => modelId);
    expect(ids).toContain(report.modelId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('that loses too much is not installed', async () => {
    const options = {
      format: 'int4',
      as: 'lossy',
      modelsFolder,
      threads: 1,
      maxLossDb: 0.1,
    } as const;
    await expect(shrinkModel('default', options)).rejects.toThrow(ModelError);
    await expect(shrinkModel('default', options)).rejects.toThrow(/--max-loss allows more/);
    const names = (await listModels({ modelsFolder })).map(({ name }) => name);
    expect(names).not.toContain('lossy');
  });
});

it('constants are worked out, copies and what nothing reads are dropped, and the result is the same', async () => {
  const graph = await graphOf('tiny');
  const [first] = graph.weights;
  if (first === undefined) throw new Error('no weights');
  const padded: OnnxModel = {
    ...graph,
    weights: [...graph.weights.slice(1), { ...first, name: 'unused' }],
    nodes: [
      {
        opType: 'Constant',
        domain: '',
        name: 'c',
        inputs: [],
        outputs: ['made'],
        attributes: new Map([['value', { kind: 'tensor', tensor: first }]]),
      },
      {
        opType: 'Identity',
        domain: '',
        name: 'i',
        inputs: ['made'],
        outputs: [first.name],
        attributes: new Map(),
      },
      {
        opType: 'Relu',
        domain: '',
        name: 'r',
        inputs: ['unused'],
        outputs: ['dead'],
        attributes: new Map(),
      },
      ...graph.nodes,
    ],
  };
  const simple = simplify(padded);
  expect(simple.nodes).toHaveLength(graph.nodes.length);
  expect(simple.weights.map(({ name }) => name)).not.toContain('unused');
  expect(await run(simple)).toEqual(await run(graph));
});

describe('what a model costs', () => {
  it('is counted as the architecture has it', async () => {
    const [encoder, decoder] = await profileModel('tiny', { modelsFolder, sidePx: 64, threads: 1 });
    // Per pixel: 3x3 layers of 16 channels at every size, first from 3, last to 4.
    const block = 3 * 9 * 16 * 16;
    const at = (stridePx: number, macs: number) => macs / stridePx ** 2;
    const expected =
      at(1, 9 * 3 * 16 + block) +
      [2, 4, 8].reduce((sum, stridePx) => sum + at(stridePx, 9 * 256 + 3 * block), 0) +
      at(8, 9 * 16 * 4);
    expect(encoder?.macsPerPixel).toBeCloseTo(expected, 6);
    expect(decoder?.parameters).toBeGreaterThan(10_000);
    const shares = encoder?.layers.reduce((sum, { share }) => sum + share, 0);
    expect(shares).toBeCloseTo(1, 6);
  });

  it('is timed by size, threads and batch', async () => {
    const rows = await benchModel('tiny', {
      modelsFolder,
      sidesPx: [64, 128],
      threads: [1],
      batches: [1, 2],
      runs: 3,
    });
    expect(rows).toHaveLength(8);
    for (const { p50, p95, p99 } of rows) {
      expect(p50).toBeGreaterThan(0);
      expect(p95).toBeGreaterThanOrEqual(p50);
      expect(p99).toBeGreaterThanOrEqual(p95);
    }
  });
});
