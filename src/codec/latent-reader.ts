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
import type { Entity } from '../pipeline/entity.js';
import type { World } from '../pipeline/world.js';
import { bandsOf, entropyDecode } from '../stages/entropy.js';
import { latentShape } from '../stages/vae-encode.js';
import { areWhole, type PictureBand } from './bands.js';
import { marginRows } from './plan.js';

/** The latent stream of a file, its slices known to be as many as there must be. */
export interface CodedLatent {
  /** Empty where none of the bands needs it. */
  readonly slices: readonly Uint8Array[];
  /** Slices that are damaged, which a call that takes what is left decodes to zeros. */
  readonly lost: ReadonlySet<number>;
  /** Latent rows of a slice; the last may have fewer. */
  readonly sliceRows: number;
  /** Of the whole latent: [channels, height, width]. */
  readonly shape: readonly [channels: number, height: number, width: number];
  readonly coder: EntropyCoder;
  readonly rate: number;
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
  { sliceRows, rate, widthPx, heightPx, coder }: ParsedHeader,
  { parts }: DirectoryEntry,
  bands: readonly PictureBand[],
  manifest: Manifest,
  damaged: ReadonlySet<StreamPart> = new Set(),
): Promise<CodedLatent> {
  const shape = latentShape(manifest, widthPx, heightPx);
  const rows = sliceRows === 0 ? shape[1] : sliceRows;
  const expected = bandsOf(shape[1], rows).length;
  if (parts.length !== expected) {
    throw new FormatError(
      `decompress: expected ${expected} slices of ${rows} latent rows, got ${parts.length}`,
      0,
    );
  }
  const [first] = bands;
  const last = bands.at(-1);
  const around = areWhole(bands, shape[1]) ? 0 : marginRows(manifest);
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
  return { slices, lost, sliceRows: rows, shape, coder, rate, widthPx, heightPx };
}

/**
 * Gives the symbols of bands, which are asked for from the top. Entropy decoding runs in a world of its own, so that the
 * bands' own worlds hold no more than a band.
 */
export class LatentReader {
  readonly #latent: CodedLatent;
  readonly #sliceWorld: World | undefined;
  /** Symbols [channels, rows, width] of slices that may still be needed. */
  readonly #decoded = new Map<number, Promise<Int16Array>>();
  #last: Promise<unknown> = Promise.resolve();

  /** @param sliceWorld nothing else may use it; none for a picture of one band, which is decoded in its own */
  constructor(latent: CodedLatent, sliceWorld: World | undefined) {
    this.#latent = latent;
    this.#sliceWorld = sliceWorld;
  }

  /**
   * The symbols of a band, with the rows around it that the decoder network sees, as an entity of `world`.
   * @throws FormatError when a slice is damaged in a way that its checksum does not show
   */
  async spawn(band: PictureBand, world: World): Promise<Entity<'Symbols'>> {
    const { slices, sliceRows, shape, rate, widthPx, heightPx } = this.#latent;
    const [channels, height, width] = shape;
    const sliceWorld = this.#sliceWorld;
    if (sliceWorld === undefined) return this.#decode(slices, sliceRows, height, heightPx, world);
    const around = marginRows(world.context.model.manifest);
    const above = Math.min(around, band.firstRow);
    const below = Math.min(around, height - band.firstRow - band.rows);
    const firstRow = band.firstRow - above;
    const endRow = band.firstRow + band.rows + below;
    const first = Math.floor(firstRow / sliceRows);
    const count = Math.ceil(endRow / sliceRows) - first;
    for (const index of this.#decoded.keys()) if (index < first) this.#decoded.delete(index);
    const decoded = await Promise.all(
      Array.from({ length: count }, (_, index) => this.#slice(first + index, sliceWorld)),
    );
    const values = world.arena.allocate('i16', [channels, endRow - firstRow, width]);
    const view = world.arena.view(values);
    for (const [index, symbols] of decoded.entries()) {
      copyRows(symbols, (first + index) * sliceRows, view, firstRow, channels, width);
    }
    const quant = { rate };
    const margin = { above, below };
    return world
      .newEntity()
      .add('Symbols', { values, quant, widthPx, heightPx: band.rowsPx, margin });
  }

  /** Decoded once, in the order in which slices are first asked for. */
  #slice(index: number, world: World): Promise<Int16Array> {
    let symbols = this.#decoded.get(index);
    if (symbols === undefined) {
      const { slices, lost, sliceRows, shape } = this.#latent;
      const bytes = slices.slice(index, index + 1);
      const rows = Math.min(sliceRows, shape[1] - index * sliceRows);
      if (lost.has(index)) return Promise.resolve(new Int16Array(shape[0] * rows * shape[2]));
      symbols = this.#last.then(async () => {
        // A band whose slices are there sends its tiles off first; then this one costs no time but a core's.
        await setImmediate();
        try {
          // Of whatever height in pixels: nothing of this entity becomes a picture.
          const entity = await this.#decode(bytes, rows, rows, rows, world);
          return world.arena.view(entity.get('Symbols').values).slice();
        } finally {
          world.clear();
        }
      });
      this.#last = symbols;
      this.#decoded.set(index, symbols);
    }
    return symbols;
  }

  async #decode(
    coded: readonly Uint8Array[],
    sliceRows: number,
    rows: number,
    heightPx: number,
    world: World,
  ): Promise<Entity<'Symbols'>> {
    const { arena } = world;
    const { shape, coder, rate, widthPx } = this.#latent;
    const slices = coded.map((bytes) => {
      const slice = arena.allocate('u8', [bytes.length]);
      arena.view(slice).set(bytes);
      return slice;
    });
    const entity = world.newEntity().add('Bitstream', {
      slices,
      coder,
      sliceRows,
      shape: [shape[0], rows, shape[2]],
      quant: { rate },
      widthPx,
      heightPx,
    });
    await world.pipe(entity).to(entropyDecode()).out('Symbols');
    return entity as unknown as Entity<'Symbols'>;
  }
}

/** Copies what two runs of rows have in common, in planes [channels, rows, width] that begin at these latent rows. */
function copyRows(
  from: Int16Array,
  fromRow: number,
  to: Int16Array,
  toRow: number,
  channels: number,
  width: number,
): void {
  const fromPlane = from.length / channels;
  const toPlane = to.length / channels;
  const first = Math.max(fromRow, toRow);
  const end = Math.min(fromRow + fromPlane / width, toRow + toPlane / width);
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * fromPlane + (first - fromRow) * width;
    const rows = from.subarray(start, start + (end - first) * width);
    to.set(rows, channel * toPlane + (first - toRow) * width);
  }
}
