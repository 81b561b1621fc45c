/**
 * One picture after the other through all codecs, with a folder, programs and metrics of its own. Several lanes work
 * side by side.
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Codec } from '../codec/open.js';
import { BackendError, VaeransError } from '../errors.js';
import { readBytes } from '../files.js';
import { readImage } from '../image/file.js';
import { checkPlainPixels, type Pixels } from '../image/pixels.js';
import { encodeImage } from '../image/write.js';
import type { BenchInput, Contestant, Decoded, Entry } from './contestant.js';
import type { MetricChoice } from './metric-names.js';
import { MetricThread } from './metric-thread.js';
import { BENCH_DEFAULTS, type BenchOptions, isOurs, tuneOfCodec } from './options.js';
import { OurCodec } from './ours.js';
import { openPeer } from './peers/program-codec.js';
import { ProgramRunner } from './peers/programs.js';
import { openSharpPeer, SHARP_PEERS } from './peers/sharp-codec.js';
import { PEERS } from './peers/table.js';
import type { RowFile } from './row-file.js';
import type { BenchFailure, BenchPicture, BenchRow } from './rows.js';
import { dialForBytes } from './target.js';

/** A picture to measure on. */
export interface BenchImage {
  readonly path: string;
  /** How the rows call it. */
  readonly name: string;
}

/** A position of a codec's dial, or the bits per pixel that it is to be turned to. */
export type PlannedSetting = {
  readonly codec: string;
  /** How the rows call it. */
  readonly label: string;
} & ({ readonly dial: number } | { readonly target: number });

type KeptPaths = Required<Pick<BenchRow, 'codedPath' | 'decodedPath'>>;

/** What comes of a picture, one at a time. */
export type Outcome =
  | { readonly picture: BenchPicture }
  | { readonly row: BenchRow }
  | { readonly failure: BenchFailure };

export class Lane {
  readonly entries: readonly Entry[];
  readonly #folder: string;
  readonly #runner: ProgramRunner;
  readonly #metrics: MetricThread;
  readonly #options: BenchOptions;
  readonly #warm = new Set<string>();

  private constructor(
    folder: string,
    entries: readonly Entry[],
    runner: ProgramRunner,
    metrics: MetricThread,
    options: BenchOptions,
  ) {
    this.#folder = folder;
    this.entries = entries;
    this.#runner = runner;
    this.#metrics = metrics;
    this.#options = options;
  }

  /**
   * @param folder is made, and belongs to the lane
   * @param codecOf ours, for a name of it; all lanes share them
   */
  static async open(
    folder: string,
    names: readonly string[],
    metrics: readonly MetricChoice[],
    codecOf: (name: string) => Codec | undefined,
    options: BenchOptions,
  ): Promise<Lane> {
    await mkdir(folder, { recursive: true });
    const { programPath = '', jobs = BENCH_DEFAULTS.jobs, signal } = options;
    const runner = await ProgramRunner.open(programPath, folder, signal);
    const entries: Entry[] = [];
    for (const name of names) {
      const ours = codecOf(name);
      const peer = PEERS[name];
      if (peer !== undefined) {
        const entry = await openPeer(name, peer, programPath, runner);
        const isThere = 'encode' in entry || !(name in SHARP_PEERS);
        entries.push(isThere ? entry : await openSharpPeer(name, entry.codec.missing ?? undefined));
      } else if (name in SHARP_PEERS) {
        entries.push(await openSharpPeer(name));
      } else if (ours !== undefined) {
        // What the process takes is ours alone only while one picture is in flight.
        const { resources: _, ...shared } = options;
        const own = jobs === 1 ? options : shared;
        entries.push(await OurCodec.open(ours, tuneOfCodec(name), own));
      }
    }
    return new Lane(folder, entries, runner, new MetricThread(metrics), options);
  }

  async close(): Promise<void> {
    this.#runner.close();
    await this.#metrics.close();
  }

  /**
   * Yields the picture once it was read, then a row or a failure for every setting.
   * @param done rows that need not be measured again; new ones are added
   * @throws what is not this picture's fault: AbortedError, ModelError, ProviderError, UsageError
   */
  async *measure(
    image: BenchImage,
    plan: readonly PlannedSetting[],
    done: RowFile,
  ): AsyncGenerator<Outcome> {
    let input: BenchInput;
    try {
      input = await this.#prepare(image);
    } catch (error) {
      yield { failure: toFailure(error, image.name, null, null) };
      return;
    }
    const { widthPx, heightPx } = input.pixels;
    yield { picture: { ...image, widthPx, heightPx } };
    for (const setting of plan) {
      const { codec, label } = setting;
      try {
        const kept = this.#keptPaths(image.name, setting);
        // What an interrupted run kept for its page alone has gone with it.
        const isThere = kept === undefined || existsSync(kept.decodedPath);
        const key = { image: image.name, codec, setting: label };
        const known = isThere ? done.find(key, input.contentHash) : undefined;
        const row = known ?? (await this.#measureOne(image.name, input, setting, kept));
        if (known === undefined) await done.add(row, input.contentHash);
        yield { row: { ...row, ...kept } };
      } catch (error) {
        yield { failure: toFailure(error, image.name, codec, label) };
      }
    }
  }

  async #prepare({ path }: BenchImage): Promise<BenchInput> {
    const { limits } = this.#options;
    const bytes = await readBytes(path);
    const contentHash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    const read = await readImage(bytes, limits && { limits });
    checkPlainPixels('bench', read);
    const { widthPx, heightPx, channels, data } = read;
    // Chunks of a PNG have changed what others make of the same samples: files are bare.
    const pixels: Pixels = { widthPx, heightPx, channels, data };
    const [ppmPath, pngPath] = [join(this.#folder, 'in.ppm'), join(this.#folder, 'in.png')];
    if (this.entries.some(({ codec }) => !isOurs(codec.name))) {
      await writeFile(ppmPath, encodeImage(pixels, 'ppm'));
      await writeFile(pngPath, encodeImage(pixels, 'png'));
    }
    return { pixels, ppmPath, pngPath, contentHash };
  }

  async #measureOne(
    image: string,
    input: BenchInput,
    setting: PlannedSetting,
    kept: KeptPaths | undefined,
  ): Promise<BenchRow> {
    const contestant = this.#contestant(setting.codec);
    const codedPath = kept?.codedPath ?? join(this.#folder, `coded${contestant.suffix}`);
    await mkdir(dirname(codedPath), { recursive: true });
    const { widthPx, heightPx } = input.pixels;
    const pixelCount = widthPx * heightPx;
    const dial =
      'dial' in setting
        ? setting.dial
        : await dialForBytes(contestant, input, (setting.target * pixelCount) / 8, codedPath);
    if (!this.#warm.has(setting.codec)) {
      await contestant.encode(input, dial, codedPath);
      await contestant.decode(codedPath);
      this.#warm.add(setting.codec);
    }
    const encoded = await contestant.encode(input, dial, codedPath);
    const decoded = await contestant.decode(codedPath);
    checkSameSize(contestant, input, decoded);
    if (kept === undefined) await rm(codedPath, { force: true });
    else await writeFile(kept.decodedPath, encodeImage(decoded.pixels, 'png'));
    const values = await this.#metrics.compare(input.pixels, decoded.pixels);
    return {
      image,
      codec: setting.codec,
      setting: setting.label,
      dial,
      widthPx,
      heightPx,
      byteLength: encoded.byteLength,
      bitsPerPixel: (8 * encoded.byteLength) / pixelCount,
      metrics: Object.fromEntries(
        Object.entries(values).map(([name, value]) => [
          name,
          Number.isFinite(value) ? value : null,
        ]),
      ),
      encode: encoded.cost,
      decode: decoded.cost,
    };
  }

  #contestant(name: string): Contestant {
    const entry = this.entries.find(({ codec }) => codec.name === name);
    if (entry === undefined || !('encode' in entry)) {
      throw new BackendError(`bench: expected ${name} to be there, got nothing`);
    }
    return entry;
  }

  /** Where files of this picture stay; undefined where they do not. */
  #keptPaths(image: string, { codec, label }: PlannedSetting): KeptPaths | undefined {
    const { keepFolder } = this.#options;
    if (keepFolder === undefined) return undefined;
    // The name has the folders below the one that was given. From a root it cannot climb out.
    const path = join(keepFolder, codec, label.replaceAll(' ', '-'), join('/', image));
    return {
      codedPath: `${path}${this.#contestant(codec).suffix}`,
      decodedPath: `${path}.decoded.png`,
    };
  }
}

function checkSameSize({ codec }: Contestant, { pixels }: BenchInput, decoded: Decoded): void {
  const size = ({ widthPx, heightPx }: Pixels) => `${widthPx}x${heightPx}`;
  if (size(pixels) !== size(decoded.pixels)) {
    throw new BackendError(
      `bench: expected ${codec.name} to give back ${size(pixels)}, got ${size(decoded.pixels)}`,
    );
  }
}

/** What one picture or one codec may do wrong without the others being worse for it. */
const BELONGS_TO_IMAGE: ReadonlySet<string> = new Set([
  'format',
  'unsupported',
  'limit',
  'io',
  'backend',
]);

/** @throws `error` where it is not the picture's or the codec's own */
function toFailure(
  error: unknown,
  image: string,
  codec: string | null,
  setting: string | null,
): BenchFailure {
  if (!(error instanceof VaeransError) || !BELONGS_TO_IMAGE.has(error.code)) throw error;
  return { image, codec, setting, code: error.code, message: error.message };
}
