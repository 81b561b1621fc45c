/**
 * What a model costs: parameters, multiply-adds, bytes, time by layer from onnxruntime's own profile, memory; and how
 * its time spreads over runs, sizes, threads and batches.
 * @module
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryUsage } from 'node:process';
import { checkInteger, defaultThreads } from '../limits.js';
import { findModel, readModelFile } from '../models/registry.js';
import type { Manifest } from '../models/schemas.js';
import { Graph, type GraphTensor } from '../vae/graph.js';
import { DataType, elementsOf, type OnnxModel } from './onnx/model.js';
import { decodeModel } from './onnx/read.js';
import {
  MODEL_BENCH_DEFAULTS,
  type ModelBenchOptions,
  PROFILE_DEFAULTS,
  type ProfileOptions,
} from './options.js';
import type { NetworkName } from './reach.js';

export interface NetworkProfile {
  readonly network: NetworkName;
  readonly byteLength: number;
  readonly parameters: number;
  readonly nodes: number;
  /** Multiply-adds for a pixel of the picture, of convolutions and matrix products. */
  readonly macsPerPixel: number;
  readonly millisecondsPerMegapixel: number;
  /** Resident memory that opening and running it added. */
  readonly memoryByteLength: number;
  /** Most time first. */
  readonly layers: readonly LayerProfile[];
}

export interface LayerProfile {
  readonly name: string;
  readonly kind: string;
  readonly milliseconds: number;
  /** Of the whole run. */
  readonly share: number;
  readonly output: string;
}

const WARM_UPS = 1;
const PROFILED_RUNS = 3;
/** Small, as multiply-adds a pixel are the same everywhere but in attention. */
const COUNTED_SIDE_PX = 64;

/** @throws ModelError when the model is not found, BackendError when onnxruntime does not take it */
export async function profileModel(
  wanted: string,
  options: ProfileOptions = {},
): Promise<NetworkProfile[]> {
  const { sidePx } = { ...PROFILE_DEFAULTS, ...options };
  const threads = options.threads ?? defaultThreads();
  checkInteger('profile: sidePx', sidePx, 64, 8192);
  const model = await findModel(wanted, options);
  const profiles: NetworkProfile[] = [];
  for (const network of ['encoder', 'decoder'] as const) {
    const bytes = await readModelFile(model, model.manifest[network]);
    const graph = decodeModel(bytes);
    const input = inputOf(model.manifest, network, sidePx, 1);
    const counted = inputOf(model.manifest, network, COUNTED_SIDE_PX, 1);
    const before = memoryUsage().rss;
    const { events, milliseconds } = await record(bytes, input, threads, false);
    const memoryByteLength = Math.max(0, memoryUsage().rss - before);
    const written = await record(bytes, counted, 1, true);
    profiles.push({
      network,
      byteLength: bytes.length,
      parameters: parametersOf(graph),
      nodes: graph.nodes.length,
      macsPerPixel: macsOf(graph, written.events) / COUNTED_SIDE_PX ** 2,
      millisecondsPerMegapixel: milliseconds / (sidePx ** 2 / 1e6),
      memoryByteLength,
      layers: layersOf(events),
    });
  }
  return profiles;
}

/** A square of `sidePx` rounded up to what the model pads to, or its latent. */
function inputOf(
  { grids, padToPx, inputRange }: Manifest,
  network: NetworkName,
  sidePx: number,
  batch: number,
): GraphTensor {
  const { channels, stridePx } = grids[0] ?? { channels: 0, stridePx: 1 };
  const side = Math.ceil(sidePx / padToPx) * padToPx;
  const shape =
    network === 'encoder'
      ? [batch, 3, side, side]
      : [batch, channels, side / stridePx, side / stridePx];
  const [low, high] = network === 'encoder' ? inputRange : ([-1, 1] as const);
  const middle = (low + high) / 2;
  const values = Float32Array.from({ length: elementsOf(shape) }, (_, i) => {
    return middle + ((high - low) / 3) * Math.sin(i * 0.37);
  });
  return { values, shape };
}

function parametersOf({ weights }: OnnxModel): number {
  const stored = weights.filter(({ dataType }) => dataType !== DataType.int64);
  return stored.reduce((sum, { dims }) => sum + elementsOf(dims), 0);
}

/** One line of onnxruntime's profile that stands for a layer's work. */
interface LayerEvent {
  readonly node: string;
  readonly kind: string;
  readonly microseconds: number;
  readonly output: readonly number[];
  readonly inputs: readonly (readonly number[])[];
}

async function record(
  bytes: Uint8Array,
  input: GraphTensor,
  threads: number,
  asWritten: boolean,
): Promise<{ readonly events: readonly LayerEvent[]; readonly milliseconds: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'vaerans-profile-'));
  try {
    const profilePrefix = join(folder, 'run');
    const graph = await Graph.open(bytes, { threads, profilePrefix, asWritten });
    const runs = asWritten ? 1 : WARM_UPS + PROFILED_RUNS;
    let milliseconds = Number.POSITIVE_INFINITY;
    for (let run = 0; run < runs; run++) {
      const startMs = performance.now();
      await graph.run(input);
      milliseconds = Math.min(milliseconds, performance.now() - startMs);
    }
    graph.endProfile();
    await graph.release();
    const [name = ''] = await readdir(folder);
    const events = parseProfile(await readFile(join(folder, name), 'utf8'));
    // The runs before the last warm up; each leaves as many lines.
    return { events: events.slice(-Math.ceil(events.length / runs)), milliseconds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function parseProfile(text: string): LayerEvent[] {
  const lines = JSON.parse(text) as readonly {
    readonly cat?: string;
    readonly name?: string;
    readonly dur?: number;
    readonly args?: Record<string, unknown>;
  }[];
  return lines.flatMap(({ cat, name = '', dur = 0, args = {} }) => {
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) return [];
    return [
      {
        node: name.replace(/_kernel_time$/, ''),
        kind: String(args.op_name ?? ''),
        microseconds: dur,
        output: shapesOf(args.output_type_shape)[0] ?? [],
        inputs: shapesOf(args.input_type_shape),
      },
    ];
  });
}

/** `[{"float": [1, 2]}, ...]` */
function shapesOf(value: unknown): (readonly number[])[] {
  if (!Array.isArray(value)) return [];
  return value.map((entry: unknown) => {
    const [shape] = Object.values((entry ?? {}) as Record<string, unknown>);
    return Array.isArray(shape) ? shape.map(Number) : [];
  });
}

/** Multiply-adds of the layers that have them: a product for each output and each weight that makes one. */
function macsOf({ nodes }: OnnxModel, events: readonly LayerEvent[]): number {
  const kinds = new Map(nodes.map(({ name, opType }) => [name, opType]));
  return events.reduce((sum, { node, kind, output, inputs }) => {
    const opType = kinds.get(node) ?? kind;
    const [first = [], second = []] = inputs;
    if (opType === 'Conv') return sum + elementsOf(output) * elementsOf(second.slice(1));
    if (opType === 'ConvTranspose') return sum + elementsOf(first) * elementsOf(second.slice(1));
    if (opType === 'MatMul' || opType === 'Gemm') {
      return sum + elementsOf(output) * (first.at(-1) ?? 0);
    }
    return sum;
  }, 0);
}

function layersOf(events: readonly LayerEvent[]): LayerProfile[] {
  const total = events.reduce((sum, { microseconds }) => sum + microseconds, 0);
  return events
    .map(({ node, kind, microseconds, output }) => ({
      name: node,
      kind,
      milliseconds: microseconds / 1000,
      share: microseconds / (total || 1),
      output: output.join('x'),
    }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

export interface ModelBenchRow {
  readonly network: NetworkName;
  readonly sidePx: number;
  readonly threads: number;
  readonly batch: number;
  /** Milliseconds of a run that half, 95 and 99 of 100 runs stay within. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly millisecondsPerMegapixel: number;
}

/** Times both networks on the CPU. @throws as `profileModel` */
export async function benchModel(
  wanted: string,
  options: ModelBenchOptions = {},
): Promise<ModelBenchRow[]> {
  const { sidesPx, batches, runs } = { ...MODEL_BENCH_DEFAULTS, ...options };
  const threadCounts = options.threads ?? [defaultThreads()];
  checkInteger('bench: runs', runs, 1, 100_000);
  const model = await findModel(wanted, options);
  const rows: ModelBenchRow[] = [];
  for (const network of ['encoder', 'decoder'] as const) {
    const bytes = await readModelFile(model, model.manifest[network]);
    for (const threads of threadCounts) {
      const graph = await Graph.open(bytes, { threads });
      for (const sidePx of sidesPx) {
        for (const batch of batches) {
          const input = inputOf(model.manifest, network, sidePx, batch);
          const times: number[] = [];
          for (let run = 0; run <= runs; run++) {
            const startMs = performance.now();
            await graph.run(input);
            if (run > 0) times.push(performance.now() - startMs);
          }
          times.sort((a, b) => a - b);
          const at = (share: number) => times[Math.ceil(share * times.length) - 1] ?? 0;
          const megapixels = (batch * sidePx ** 2) / 1e6;
          rows.push({
            network,
            sidePx,
            threads,
            batch,
            p50: at(0.5),
            p95: at(0.95),
            p99: at(0.99),
            millisecondsPerMegapixel: at(0.5) / megapixels,
          });
        }
      }
      await graph.release();
    }
  }
  return rows;
}
