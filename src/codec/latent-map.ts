/**
 * Where the bits of a file went, and what its latent looks like: for reports, not for decoding.
 * @module
 */
import { VaeFile } from '../container/file.js';
import type { World } from '../pipeline/world.js';
import { bandsOf } from '../stages/entropy.js';
import { elementCount, type TensorRef } from '../wasm/arena.js';
import { type CodedLatent, LatentReader, readLatent } from './latent-reader.js';
import { openCodec } from './open.js';
import type { CodecOptions } from './options.js';
import { planPicture } from './plan.js';

/**
 * The latent of a file, symbol by symbol, on its finest grid: a symbol of a coarser one stands in all places of its cell,
 * which share its bits.
 */
export interface LatentMap {
  /** Of all grids, coarse to fine. */
  readonly channels: number;
  /** Positions in each direction, padding of the picture included. */
  readonly width: number;
  readonly height: number;
  /** Pixels that a position stands for, in each direction. */
  readonly stridePx: number;
  /** [channels][height][width] */
  readonly symbols: Int16Array<ArrayBuffer>;
  /**
   * Bits that the coder spent on each symbol, in the same places: by the context coder's own tables; for the static
   * coder, whose tables are of few shapes, an estimate by how often the symbol stands in its plane, which is somewhat
   * less than was spent.
   */
  readonly bits: Float32Array<ArrayBuffer>;
}

/**
 * @param options say where models are looked for; of the model in them nothing is asked but to be tried first
 * @returns nothing for a file without a latent
 * @throws FormatError for damaged bytes, ModelError when the file's model is not installed
 */
export async function mapLatent(
  bytes: Uint8Array,
  options: CodecOptions = {},
): Promise<LatentMap | undefined> {
  const file = new VaeFile(bytes);
  await using first = await openCodec(options);
  const header = await file.readHeader(first.limits);
  const entry = header.directory.find(({ type }) => type === 'latent');
  if (entry === undefined) return undefined;
  const { model } = await first.openModelById(header.modelId, header.modelName);
  await using codec = await openCodec({ ...options, model: model.folder });
  const { manifest } = model;
  const { bands } = planPicture(manifest, header.widthPx, header.heightPx).bandPlan;
  const latent = await readLatent(file, header, entry, bands, manifest);
  const [band] = bands;
  if (band === undefined) return undefined;
  // Symbols and their bits, the coded bytes, and what the coder holds while it works.
  const world = await codec.world({
    arenaByteLength: 12 * sumOf(latent.shapes.map(elementCount)) + bytes.length + 2 ** 22,
  });
  const entity = await new LatentReader(latent, undefined).spawn(band, world);
  const { grids } = entity.get('Symbols');
  const costs = latent.shapes.map((shape) => world.arena.allocate('f32', shape));
  if (latent.coder === 'context') costOf(world, grids, costs, latent);
  const [, height, width] = latent.shapes.at(-1) ?? [0, 0, 0];
  const channels = sumOf(latent.shapes.map(([count]) => count));
  const symbols = new Int16Array(channels * height * width);
  const bits = new Float32Array(symbols.length);
  let at = 0;
  for (const [index, shape] of latent.shapes.entries()) {
    const [grid, cost] = [grids[index], costs[index]];
    if (grid === undefined || cost === undefined) continue;
    const cells = world.arena.view(grid);
    const cellBits =
      latent.coder === 'context' ? world.arena.view(cost) : bitsByCount(cells, shape[0]);
    const ratio = width / shape[2];
    spread(cells, shape[2], ratio, 1, symbols, at);
    spread(cellBits, shape[2], ratio, ratio ** -2, bits, at);
    at += shape[0] * height * width;
  }
  return { channels, width, height, stridePx: manifest.grids.at(-1)?.stridePx ?? 1, symbols, bits };
}

/** Writes rows of cells, each into `ratio` rows and columns, `share` of it. */
function spread(
  cells: ArrayLike<number>,
  cellsWide: number,
  ratio: number,
  share: number,
  into: Int16Array | Float32Array,
  start: number,
): void {
  const width = cellsWide * ratio;
  for (let i = 0; i < cells.length * ratio ** 2; i++) {
    const [row, column] = [Math.floor(i / width), i % width];
    const cell = Math.floor(row / ratio) * cellsWide + Math.floor(column / ratio);
    into[start + i] = share * (cells[cell] ?? 0);
  }
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Every slice begins anew, so its costs are its own. */
function costOf(
  { core, context }: World,
  symbols: readonly TensorRef<'i16'>[],
  costs: readonly TensorRef<'f32'>[],
  { quant, shapes, gridRows, sliceRows }: CodedLatent,
): void {
  const tables = context.tables.context;
  if (tables === undefined) return;
  const model = core.context.model(
    tables,
    shapes.map(([channels]) => channels),
  );
  for (const band of bandsOf(gridRows, sliceRows)) {
    core.context.cost(model, quant.rate, symbols, band, costs);
  }
}

function bitsByCount(symbols: Int16Array, channels: number): Float32Array {
  const bits = new Float32Array(symbols.length);
  const area = symbols.length / channels;
  for (let start = 0; start < symbols.length; start += area) {
    const counts = new Map<number, number>();
    for (const symbol of symbols.subarray(start, start + area)) {
      counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
    }
    for (let at = start; at < start + area; at++) {
      bits[at] = Math.log2(area / (counts.get(symbols[at] ?? 0) ?? area));
    }
  }
  return bits;
}
