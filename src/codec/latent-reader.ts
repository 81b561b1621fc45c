/**
 * The latent stream of a file to symbols, band by band. A band needs a few latent rows of the bands beside it, so slices
 * are decoded ahead of the networks, and forgotten as soon as no band needs them any more.
 * @module
 */
import { setImmediate } from 'node:timers/promises';
import type { VaeFile } from '../container/file.js';
import type { EntropyCoder } from '../container/layout.js';
import type { ParsedHeader } from '../container/read.js';
import type { DirectoryEntry, StreamPart } from '../container/read-directory.js';
import { FormatError } from '../errors.js';
import type { Manifest } from '../models/schemas.js';
import type { GridShape, QuantParams } from '../pipeline/components.js';
import type { Entity } from '../pipeline/entity.js';
import type { Trace } from '../pipeline/trace.js';
import type { World } from '../pipeline/world.js';
import { SlicePool } from '../slices/pool.js';
import { bandsOf, entropyDecode } from '../stages/entropy.js';
import { latentShapes } from '../stages/vae-encode.js';
import { elementCount } from '../wasm/arena.js';
import { ADJUSTMENT_BYTES } from '../wasm/restoration.js';
import { areWhole, type PictureBand } from './bands.js';
import { marginRows } from './plan.js';

/** The latent stream of a file, its slices known to be as many as there must be. */
export interface CodedLatent {
  /** Empty where none of the bands needs it. */
  readonly slices: readonly Uint8Array[];
  /** Slices that are damaged, which a call that takes what is left decodes to zeros. */
  readonly lost: ReadonlySet<number>;
  /** Latent rows of a slice, of the coarsest grid; the last may have fewer. */
  readonly sliceRows: number;
  /** Of the whole latent, grid by grid from the coarsest. */
  readonly shapes: readonly GridShape[];
  /** Of the coarsest grid. */
  readonly gridRows: number;
  readonly coder: EntropyCoder;
  readonly quant: QuantParams;
  readonly widthPx: number;
  readonly heightPx: number;
}

/**
 * Takes the slices that these bands need, and checks those.
 * @param damaged parts of the file that are not to be looked at
 * @throws FormatError when there are not as many slices as the picture must have, or one is not as it was written
 */
export async function readLatent(
  file: VaeFile,
  { sliceRows, rate, widthPx, heightPx, coder, directory }: ParsedHeader,
  { parts }: DirectoryEntry,
  bands: readonly PictureBand[],
  manifest: Manifest,
  damaged: ReadonlySet<StreamPart> = new Set(),
): Promise<CodedLatent> {
  const shapes = latentShapes(manifest, widthPx, heightPx);
  const gridRows = shapes[0]?.[1] ?? 0;
  const rows = sliceRows === 0 ? gridRows : sliceRows;
  const expected = bandsOf(gridRows, rows).length;
  if (parts.length !== expected) {
    throw new FormatError(
      `decompress: expected ${expected} slices of ${rows} latent rows, got ${parts.length}`,
      0,
    );
  }
  const [first] = bands;
  const last = bands.at(-1);
  const around = areWhole(bands, gridRows) ? 0 : marginRows(manifest);
  const firstRow = (first?.firstRow ?? 0) - around;
  const endRow = (last?.firstRow ?? 0) + (last?.rows ?? 0) + around;
  const slices: Uint8Array[] = [];
  const lost = new Set<number>();
  for (const [index, part] of parts.entries()) {
    const isLost = damaged.has(part);
    if (isLost) lost.add(index);
    const isNeeded = !isLost && (index + 1) * rows > firstRow && index * rows < endRow;
    slices.push(isNeeded ? await file.readPart(part, `slice ${index}`) : new Uint8Array(0));
  }
  const quant = { rate, adjustment: await readAdjustment(file, directory, manifest) };
  return { slices, lost, sliceRows: rows, shapes, gridRows, coder, quant, widthPx, heightPx };
}

/** What the file says of its picture's filter. @throws FormatError where it is of another length, or the model has no filter */
async function readAdjustment(
  file: VaeFile,
  directory: readonly DirectoryEntry[],
  { restoration, name }: Manifest,
): Promise<Uint8Array | undefined> {
  const [part] = directory.find(({ type }) => type === 'filter')?.parts ?? [];
  if (part === undefined) return undefined;
  if (part.byteLength !== ADJUSTMENT_BYTES || restoration === undefined) {
    throw new FormatError(
      restoration === undefined
        ? `decompress: expected no filter stream, as model '${name}' has no filter`
        : `decompress: expected a filter stream of ${ADJUSTMENT_BYTES} bytes, got ${part.byteLength}`,
      part.byteOffset,
    );
  }
  return await file.readPart(part, 'filter stream');
}

/** Where the slices of a picture of several bands are decoded: on this thread, in a world that nothing else uses, or on others. */
export type SliceDecoder = World | SlicePool;

/**
 * Gives the symbols of bands, which are asked for from the top. Entropy decoding runs in a memory of its own, so that the
 * bands' own worlds hold no more than a band.
 */
export class LatentReader {
  readonly #latent: CodedLatent;
  readonly #decoder: SliceDecoder | undefined;
  /** Symbols of slices that may still be needed: [channels, rows, width] of every grid. */
  readonly #decoded = new Map<number, Promise<readonly Int16Array[]>>();
  #last: Promise<unknown> = Promise.resolve();

  /** @param decoder none for a picture of one band, which is decoded in its own world */
  constructor(latent: CodedLatent, decoder: SliceDecoder | undefined) {
    this.#latent = latent;
    this.#decoder = decoder;
  }

  /**
   * The symbols of a band, with the rows around it that the decoder network sees, as an entity of `world`.
   * @throws FormatError when a slice is damaged in a way that its checksum does not show
   */
  async spawn(band: PictureBand, world: World): Promise<Entity<'Symbols'>> {
    const { slices, sliceRows, gridRows, quant, widthPx, heightPx } = this.#latent;
    const decoder = this.#decoder;
    if (decoder === undefined) return this.#decode(slices, sliceRows, gridRows, heightPx, world);
    const around = marginRows(world.context.model.manifest);
    const above = Math.min(around, band.firstRow);
    const below = Math.min(around, gridRows - band.firstRow - band.rows);
    const firstRow = band.firstRow - above;
    const endRow = band.firstRow + band.rows + below;
    const first = Math.floor(firstRow / sliceRows);
    const count = Math.ceil(endRow / sliceRows) - first;
    for (const index of this.#decoded.keys()) if (index < first) this.#decoded.delete(index);
    const decoded = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        this.#slice(first + index, decoder, world.context.trace),
      ),
    );
    const grids = this.#shapes(endRow - firstRow).map((shape, grid) => {
      const [channels, rows, width] = shape;
      const ratio = rows / (endRow - firstRow);
      const values = world.arena.allocate('i16', shape);
      const view = world.arena.view(values);
      for (const [index, slice] of decoded.entries()) {
        const symbols = slice[grid] ?? new Int16Array(0);
        const from = { symbols, row: (first + index) * sliceRows * ratio };
        copyRows(from, { symbols: view, row: firstRow * ratio }, channels, width);
      }
      return values;
    });
    const margin = { above, below };
    return world
      .newEntity()
      .add('Symbols', { grids, quant, widthPx, heightPx: band.rowsPx, margin });
  }

  /** Decoded once. */
  #slice(
    index: number,
    decoder: SliceDecoder,
    trace: Trace | undefined,
  ): Promise<readonly Int16Array[]> {
    let symbols = this.#decoded.get(index);
    if (symbols === undefined) {
      const { slices, lost, sliceRows, gridRows } = this.#latent;
      const bytes = slices[index] ?? new Uint8Array(0);
      const rows = Math.min(sliceRows, gridRows - index * sliceRows);
      if (lost.has(index)) {
        const blank = this.#shapes(rows).map((shape) => new Int16Array(elementCount(shape)));
        return Promise.resolve(blank);
      }
      symbols =
        decoder instanceof SlicePool
          ? this.#decodeElsewhere(bytes, rows, decoder, trace)
          : this.#decodeHere(bytes, rows, decoder);
      this.#decoded.set(index, symbols);
    }
    return symbols;
  }

  #decodeElsewhere(
    bytes: Uint8Array,
    rows: number,
    pool: SlicePool,
    trace: Trace | undefined,
  ): Promise<readonly Int16Array[]> {
    const { coder, quant } = this.#latent;
    const job = { bytes, coder, rate: quant.rate, shapes: this.#shapes(rows) };
    if (trace === undefined) return pool.decode(job);
    return trace.measure(
      'entropyDecode',
      () => pool.decode(job),
      () => ({ entities: 1, inputs: [], outputs: [], details: {} }),
    );
  }

  /** In the order in which slices are first asked for. */
  #decodeHere(bytes: Uint8Array, rows: number, world: World): Promise<readonly Int16Array[]> {
    const symbols = this.#last.then(async () => {
      // A band whose slices are there sends its tiles off first; then this one costs no time but a core's.
      await setImmediate();
      try {
        // Of whatever height in pixels: nothing of this entity becomes a picture.
        const entity = await this.#decode([bytes], rows, rows, rows, world);
        return entity.get('Symbols').grids.map((grid) => world.arena.view(grid).slice());
      } finally {
        world.clear();
      }
    });
    this.#last = symbols;
    return symbols;
  }

  /** [channels, height, width] of every grid in so many rows of the coarsest. */
  #shapes(rows: number): GridShape[] {
    const { shapes, gridRows } = this.#latent;
    return shapes.map(([channels, height, width]) => [channels, (rows * height) / gridRows, width]);
  }

  async #decode(
    coded: readonly Uint8Array[],
    sliceRows: number,
    rows: number,
    heightPx: number,
    world: World,
  ): Promise<Entity<'Symbols'>> {
    const { arena } = world;
    const { coder, quant, widthPx } = this.#latent;
    const slices = coded.map((bytes) => {
      const slice = arena.allocate('u8', [bytes.length]);
      arena.view(slice).set(bytes);
      return slice;
    });
    const entity = world.newEntity().add('Bitstream', {
      slices,
      coder,
      sliceRows,
      shapes: this.#shapes(rows),
      quant,
      widthPx,
      heightPx,
    });
    await world.pipe(entity).to(entropyDecode()).out('Symbols');
    return entity as unknown as Entity<'Symbols'>;
  }
}

/** Planes [channels, rows, width] that begin at this row of a grid. */
interface GridRows {
  readonly symbols: Int16Array;
  readonly row: number;
}

/** Copies what two runs of rows of a grid have in common. */
function copyRows(from: GridRows, to: GridRows, channels: number, width: number): void {
  const fromPlane = from.symbols.length / channels;
  const toPlane = to.symbols.length / channels;
  const first = Math.max(from.row, to.row);
  const end = Math.min(from.row + fromPlane / width, to.row + toPlane / width);
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * fromPlane + (first - from.row) * width;
    const rows = from.symbols.subarray(start, start + (end - first) * width);
    to.symbols.set(rows, channel * toPlane + (first - to.row) * width);
  }
}
