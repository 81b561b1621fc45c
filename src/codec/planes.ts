/**
 * Samples of a picture to a stream of the plane coder and back, band by band.
 * @module
 */
import { planeBandRows, readPlaneStream, writePlaneStream } from '../container/plane-stream.js';
import { checkPlannedMemory } from '../limits.js';
import type { Entity } from '../pipeline/entity.js';
import type { World } from '../pipeline/world.js';
import { bandsOf } from '../stages/entropy.js';
import { planesDecode, planesEncode, planesRoundTrip } from '../stages/planes.js';
import { tensorByteLength } from '../wasm/arena.js';
import type { PlaneCoding, PlaneDtype } from '../wasm/planes.js';
import type { Codec, OpenModel } from './open.js';
import type { CallOptions } from './options.js';
import type { MemoryPlan } from './plan.js';

/** A call that needs a world to work in. */
export interface Job {
  readonly codec: Codec;
  readonly opened: OpenModel;
  readonly options: CallOptions;
  /** Bytes that the caller holds meanwhile. */
  readonly heldByteLength: number;
}

/** Interleaved samples of a picture or of some of its rows. */
export interface PlaneShape {
  readonly widthPx: number;
  readonly heightPx: number;
  /** 1 to 4. */
  readonly components: number;
  readonly dtype: PlaneDtype;
}

export type PlaneSamples = Uint8Array | Uint16Array | Int16Array;

/** What the plane coder's tables take outside the arena; it is the method for drawn pictures that has so many. */
const TABLE_BYTES = 6 * 2 ** 20;
/** Samples around a plane of the core, on every side (crates/vaerans-core/src/planes/plane.rs). */
const BORDER = 4;
const SLACK_BYTES = 1 << 20;

/** @returns a `planes` or `alpha` stream */
export async function codePlanes(
  job: Job,
  samples: PlaneSamples,
  shape: PlaneShape,
  coding: PlaneCoding,
): Promise<Uint8Array> {
  const { widthPx, heightPx } = shape;
  const bandRows = planeBandRows(widthPx, heightPx);
  const coded: Uint8Array[] = [];
  await eachBand(job, samples, shape, async (world, entity, rows) => {
    const { bands } = await world
      .pipe(entity)
      .to(planesEncode({ from: 'Samples', coding, bandRows: rows }))
      .out('PlaneStream');
    for (const bytes of bands) coded.push(world.arena.view(bytes).slice());
  });
  return writePlaneStream(bandRows, heightPx, coded);
}

/** @returns what a stream of the samples would decode to, without one being made */
export async function planesAtStep<S extends PlaneSamples>(
  job: Job,
  samples: S,
  shape: PlaneShape,
  stepSize: number,
): Promise<S> {
  const decoded = samples.slice() as S;
  await eachBand(job, samples, shape, async (world, entity, rows, at) => {
    const { values } = await world
      .pipe(entity)
      .to(planesRoundTrip({ stepSize, bandRows: rows }))
      .out('Samples');
    decoded.set(world.arena.view(values), at);
  });
  return decoded;
}

/** Works on the bands of a stream, one after the other. @param work gets where the band begins among the samples, too */
async function eachBand(
  job: Job,
  samples: PlaneSamples,
  shape: PlaneShape,
  work: (world: World, entity: Entity<'Samples'>, rows: number, at: number) => Promise<void>,
): Promise<void> {
  const { widthPx, heightPx, components, dtype } = shape;
  const bandRows = planeBandRows(widthPx, heightPx);
  const rowLength = widthPx * components;
  await inOneWorld(job, shape, bandRows, samples.byteLength, async (world) => {
    for (const { firstRow, rows } of bandsOf(heightPx, bandRows)) {
      const at = firstRow * rowLength;
      const values = world.arena.allocate(dtype, [rows, widthPx, components]);
      world.arena.view(values).set(samples.subarray(at, at + rows * rowLength));
      await work(world, world.newEntity().add('Samples', { values }), rows, at);
      world.clear();
    }
  });
}

/**
 * Decodes a stream and gives its rows out from the top, as many as `take` is asked for, a band at a time. Not to be
 * used after `work` has ended.
 * @param firstRow of the picture, the first that is wanted
 * @throws FormatError when the bytes cannot be such a stream, LimitError
 */
export async function withPlaneRows<T>(
  job: Job,
  stream: Uint8Array,
  shape: PlaneShape,
  firstRow: number,
  work: (take: (rows: number) => Promise<PlaneSamples>) => Promise<T>,
): Promise<T> {
  const { widthPx, heightPx, components } = shape;
  const { bandRows, bands } = readPlaneStream(stream, widthPx, heightPx);
  const longest = Math.max(...bands.map(({ length }) => length));
  return await inOneWorld(job, shape, bandRows, longest, (world) => {
    const rowLength = widthPx * components;
    let next = Math.floor(firstRow / bandRows);
    let skip = firstRow - next * bandRows;
    let ready: PlaneSamples = new Uint8Array(0);
    return work(async (rows) => {
      const parts: PlaneSamples[] = [];
      for (let missing = rows * rowLength; missing > 0; ) {
        if (ready.length === 0) {
          const bandHeight = Math.min(bandRows, heightPx - next * bandRows);
          const bytes = bands[next++] ?? new Uint8Array(0);
          const decoded = await decodeBand(bytes, { ...shape, heightPx: bandHeight }, world);
          ready = decoded.subarray(skip * rowLength);
          skip = 0;
        }
        parts.push(ready.subarray(0, missing));
        ready = ready.subarray(missing);
        missing -= parts.at(-1)?.length ?? 0;
      }
      return joined(parts);
    });
  });
}

async function decodeBand(
  bytes: Uint8Array,
  { widthPx, heightPx, components, dtype }: PlaneShape,
  world: World,
): Promise<PlaneSamples> {
  const coded = world.arena.allocate('u8', [bytes.length]);
  world.arena.view(coded).set(bytes);
  const { values } = await world
    .pipe(
      world.newEntity().add('PlaneStream', {
        bands: [coded],
        bandRows: heightPx,
        widthPx,
        heightPx,
        components,
        dtype,
      }),
    )
    .to(planesDecode({ to: 'Samples' }))
    .out('Samples');
  const samples = world.arena.view(values).slice() as PlaneSamples;
  world.clear();
  return samples;
}

function joined(parts: readonly PlaneSamples[]): PlaneSamples {
  const [first = new Uint8Array(0)] = parts;
  if (parts.length < 2) return first;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const all =
    first instanceof Uint8Array
      ? new Uint8Array(length)
      : first instanceof Uint16Array
        ? new Uint16Array(length)
        : new Int16Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** @param codedByteLength most bytes of coded bands that the caller or the arena holds */
async function inOneWorld<T>(
  { codec, opened, options, heldByteLength }: Job,
  { widthPx, heightPx, components, dtype }: PlaneShape,
  bandRows: number,
  codedByteLength: number,
  work: (world: World) => Promise<T>,
): Promise<T> {
  const rows = Math.min(bandRows, heightPx);
  const samples = tensorByteLength(dtype, [rows, widthPx, components]);
  const plane = 4 * (widthPx + 2 * BORDER) * (rows + 2 * BORDER);
  // Prediction holds four more planes than there are components, the wavelet's pyramids as many again and one.
  const working = TABLE_BYTES + plane * Math.max(components + 4, 2 * components + 1);
  // Coded or to be coded, with what the coder may write at worst.
  const arena = 3 * samples + Math.min(codedByteLength, samples + SLACK_BYTES) + SLACK_BYTES;
  const plan: MemoryPlan = {
    arenaByteLengths: [arena],
    tilesInFlight: 1,
    totalByteLength: arena + working + codedByteLength + heldByteLength,
  };
  checkPlannedMemory('codec', plan.totalByteLength, codec.limits);
  const picture = { pixels: widthPx * heightPx, tiles: 0 };
  return await codec.withWorlds(opened, plan, picture, options, async ([world]) => {
    if (world === undefined) throw new RangeError('planes: expected a world, got none');
    return await work(world);
  });
}
