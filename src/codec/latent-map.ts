/**
 * Where the bits of a file went, and what its latent looks like: for reports, not for decoding.
 * @module
 */
import { VaeFile } from '../container/file.js';
import type { World } from '../pipeline/world.js';
import { bandsOf } from '../stages/entropy.js';
import type { TensorRef } from '../wasm/arena.js';
import { LatentReader, readLatent } from './latent-reader.js';
import { openCodec } from './open.js';
import type { CodecOptions } from './options.js';
import { planPicture } from './plan.js';

/** The latent of a file, symbol by symbol. */
export interface LatentMap {
  readonly channels: number;
  /** Positions in each direction, padding of the picture included. */
  readonly width: number;
  readonly height: number;
  /** Pixels that a position stands for, in each direction. */
  readonly stridePx: number;
  /** [channels][height][width] */
  readonly symbols: Int16Array;
  /**
   * Bits that the coder spent on each symbol, in the same places: by the context coder's own tables; for the static
   * coder, whose tables are of few shapes, an estimate by how often the symbol stands in its plane, which is somewhat
   * less than was spent.
   */
  readonly bits: Float32Array;
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
  const [channels, height, width] = latent.shape;
  const [band] = bands;
  if (band === undefined) return undefined;
  // Symbols and their bits, the coded bytes, and what the coder holds while it works.
  const world = await codec.world({
    arenaByteLength: 12 * channels * height * width + bytes.length + 2 ** 22,
  });
  const entity = await new LatentReader(latent, undefined).spawn(band, world);
  const { values } = entity.get('Symbols');
  const costs = world.arena.allocate('f32', latent.shape);
  const symbols = world.arena.view(values).slice();
  if (latent.coder === 'context') spread(world, values, costs, latent);
  const counted = latent.coder === 'context' ? undefined : bitsByCount(symbols, channels);
  return {
    channels,
    width,
    height,
    stridePx: manifest.grids[0]?.stridePx ?? 1,
    symbols,
    bits: counted ?? world.arena.view(costs).slice(),
  };
}

/** Every slice begins anew, so its costs are its own. */
function spread(
  { core, context }: World,
  symbols: TensorRef<'i16'>,
  costs: TensorRef<'f32'>,
  { rate, shape, sliceRows }: { rate: number; shape: readonly number[]; sliceRows: number },
): void {
  const tables = context.tables.context;
  const [channels = 0, height = 0] = shape;
  if (tables === undefined) return;
  const model = core.contextModel(tables, [channels]);
  for (const band of bandsOf(height, sliceRows)) {
    core.contextCost(model, rate, [symbols], band, [costs]);
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
