/**
 * A codec that is open: a model, the threads that run it, and a core that is kept for the next call.
 * @module
 */
import { platform } from 'node:os';
import { BackendError, UsageError } from '../errors.js';
import type { RandomAccess } from '../files.js';
import type { PixelSink, PixelSource } from '../image/pixel-rows.js';
import type { Pixels } from '../image/pixels.js';
import { checkRange, defaultLimits, defaultThreads, type Limits } from '../limits.js';
import { readConfig } from '../models/config.js';
import {
  findModel,
  findModelById,
  type Model,
  type ModelTables,
  readModelTables,
} from '../models/registry.js';
import type { Config } from '../models/schemas.js';
import type { Tune } from '../models/tunes.js';
import { Slots } from '../pipeline/slots.js';
import { World } from '../pipeline/world.js';
import { SlicePool } from '../slices/pool.js';
import { VaePool } from '../vae/pool.js';
import { type Provider, type ProviderChoice, providerLadder } from '../vae/providers.js';
import { Core, coreOfSize } from '../wasm/core.js';
import { loadCoreModule } from '../wasm/load.js';
import { compressPixels } from './compress.js';
import { decompressBytes, decompressTo } from './decompress.js';
import {
  type CallOptions,
  CODEC_DEFAULTS,
  type CodecOptions,
  type CompressOptions,
  type DecompressOptions,
} from './options.js';
import type { MemoryPlan } from './plan.js';

/** A model with its tables and its threads. */
export interface OpenModel {
  readonly model: Model;
  readonly tables: ModelTables;
  /** One pool for each ladder of providers. */
  readonly pools: Map<string, VaePool>;
  readonly slices: SlicePool;
}

/** More slices at once would wait for the networks, and each takes memory. */
const MAX_SLICE_THREADS = 4;

/** What inference ran on, and what was tried before it. */
export interface ProviderReport {
  readonly provider: Provider;
  readonly failed: readonly { readonly provider: Provider; readonly reason: string }[];
}

/** Arena of a world that is opened without a plan: pages that are never touched cost nothing. */
const WORLD_ARENA_BYTES = 512 * 2 ** 20;

/**
 * Opens a codec. Nothing is loaded yet but the model's manifest.
 * @throws ModelError when the model is not found or does not hold, UsageError for options out of range
 */
export async function openCodec(given: CodecOptions = {}): Promise<Codec> {
  const options = withConfig(given, await readConfig(given));
  const threads = options.threads ?? defaultThreads();
  checkRange('codec: threads', threads, 1, 1024);
  const codec = new Codec({ ...options, threads });
  await codec.openModel();
  return codec;
}

/** What is given goes before what the configuration says. */
function withConfig(given: CodecOptions, config: Config): CodecOptions {
  const { provider, deterministic, threads, max_memory: maxMemoryBytes } = config;
  return {
    ...(provider !== undefined && { provider }),
    ...(deterministic !== undefined && { deterministic }),
    ...(threads !== undefined && { threads }),
    ...given,
    limits: { ...(maxMemoryBytes !== undefined && { maxMemoryBytes }), ...given.limits },
  };
}

export class Codec {
  readonly limits: Limits;
  readonly threads: number;
  readonly #options: CodecOptions;
  readonly #provider: ProviderChoice;
  /** By the tune that was asked for, none, or the identity in a file: more than one may lead to a model. */
  readonly #found = new Map<string, Promise<Model>>();
  /** By folder. */
  readonly #models = new Map<string, Promise<OpenModel>>();
  /** Kept for the next call of the same model, whose tables they have parsed. */
  #idle: { readonly core: Core; readonly opened: OpenModel }[] = [];
  #closed = false;

  /** Use `openCodec`. */
  constructor(options: CodecOptions & { readonly threads: number }) {
    this.#options = options;
    this.#provider = options.provider ?? CODEC_DEFAULTS.provider;
    this.limits = { ...defaultLimits(), ...options.limits };
    this.threads = options.threads;
  }

  /**
   * Codes a picture, or rows as a source gives them.
   * @returns the bytes of a `.vae` file
   * @throws UsageError, LimitError, ModelError, ProviderError, BackendError; AbortedError when the signal fires
   */
  compress(picture: Pixels | PixelSource, options: CompressOptions = {}): Promise<Uint8Array> {
    return compressPixels(this, picture, options);
  }

  /**
   * Decodes a `.vae` file; every checksum is verified before any model is loaded.
   * @throws FormatError for damaged bytes, ModelError when the file's model is not installed, and as `compress`
   */
  decompress(bytes: Uint8Array | RandomAccess, options: DecompressOptions = {}): Promise<Pixels> {
    return decompressBytes(this, bytes, options);
  }

  /**
   * As `decompress`, but gives the rows out as they come. Nothing is given out before all checksums are verified; what
   * only shows later (a forged checksum, a provider that fails) leaves the sink with some rows and no more.
   */
  decompressTo(
    bytes: Uint8Array | RandomAccess,
    sink: PixelSink,
    options: DecompressOptions = {},
  ): Promise<void> {
    return decompressTo(this, bytes, sink, options);
  }

  /**
   * A world of this codec's model and threads, for pipes of one's own. Close it by leaving it to the garbage
   * collector; `clear()` makes it ready for other images.
   * @param options `arenaByteLength` is the room for all tensors that are held at once; 512 MiB where left out
   */
  async world(options: CallOptions & { readonly arenaByteLength?: number } = {}): Promise<World> {
    const arenaByteLength = Math.min(
      options.arenaByteLength ?? WORLD_ARENA_BYTES,
      this.limits.maxMemoryBytes,
    );
    const opened = await this.openModel();
    const core = new Core(await loadCoreModule(), arenaByteLength);
    return this.#makeWorld(core, opened, options);
  }

  /** Which provider the model's threads ended up on; undefined before the first inference. */
  get providerReport(): Promise<ProviderReport | undefined> {
    return this.#report();
  }

  /** Ends the threads; calls in flight fail. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#idle = [];
    const models = await Promise.allSettled(this.#models.values());
    const pools = models.flatMap((model) =>
      model.status === 'fulfilled' ? [...model.value.pools.values(), model.value.slices] : [],
    );
    await Promise.all(pools.map((pool) => pool.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * The model to compress with, opened once.
   * @param tune an embedded model instead of the one that is configured
   * @throws ModelError when it is not found, UsageError when the codec was opened with a model of another tune
   */
  async openModel(tune?: Tune): Promise<OpenModel> {
    return this.#open(await this.#find(tune));
  }

  /**
   * The model that a file asks for: ours if it is that one, else whichever installed one has the identity.
   * @throws ModelError when none has
   */
  async openModelById(modelId: string, storedName: string | undefined): Promise<OpenModel> {
    const own = await this.#find();
    if (own.modelId === modelId) return this.#open(own);
    return this.#open(
      await once(this.#found, modelId, () => findModelById(modelId, storedName, this.#options)),
    );
  }

  async #find(tune?: Tune): Promise<Model> {
    const { model: wanted } = this.#options;
    if (tune === undefined || wanted === undefined) {
      return once(this.#found, tune ?? '', () => findModel(tune ?? wanted, this.#options));
    }
    const { manifest } = await this.#find();
    if (manifest.tune === tune) return this.#find();
    throw new UsageError(
      `compress: expected a model of tune ${tune}, got '${manifest.name}' of ${manifest.tune ? `tune ${manifest.tune}` : 'none'}; leave out the model or the tune`,
    );
  }

  #open(model: Model): Promise<OpenModel> {
    return once(this.#models, model.folder, async () => {
      const tables = await readModelTables(model);
      const slices = new SlicePool(tables.context, Math.min(this.threads, MAX_SLICE_THREADS));
      return { model, tables, pools: new Map<string, VaePool>(), slices };
    });
  }

  /** Whether the networks give what files are defined by, on work of so many pixels: fp32 on a CPU. */
  isExactFor(pixels: number): boolean {
    const deterministic = this.#options.deterministic ?? CODEC_DEFAULTS.deterministic;
    return providerLadder(this.#provider, platform(), pixels, deterministic)[0] === 'cpu';
  }

  /** Tiles in flight that keep all threads busy with work of so many pixels. */
  depthFor(opened: OpenModel, pixels: number): number {
    return this.#pool(opened, pixels).depth;
  }

  /**
   * Lends the worlds of one call and takes their cores back, however the call ends. They work on one picture: its size
   * chooses the provider, and its tiles are counted together.
   * @param picture its pixels, and the tiles that the networks will be run on
   */
  async withWorlds<T>(
    opened: OpenModel,
    { arenaByteLengths, tilesInFlight }: MemoryPlan,
    picture: { readonly pixels: number; readonly tiles: number },
    options: CallOptions,
    work: (worlds: readonly World[]) => Promise<T>,
  ): Promise<T> {
    const cores = await this.#lendCores(arenaByteLengths, opened);
    let tilesDone = 0;
    const onProgress = () => options.onProgress?.(++tilesDone, picture.tiles);
    const shared = { pixels: picture.pixels, tileSlots: new Slots(tilesInFlight) };
    const worlds = cores.map((core) =>
      this.#makeWorld(core, opened, { ...options, onProgress }, shared),
    );
    try {
      return await work(worlds);
    } finally {
      for (const world of worlds) world.clear();
      if (!this.#closed) this.#idle = cores.map((core) => ({ core, opened }));
    }
  }

  #makeWorld(
    core: Core,
    opened: OpenModel,
    { signal, trace, onProgress }: CallOptions,
    shared?: { readonly pixels: number; readonly tileSlots: Slots },
  ): World {
    return new World(core, {
      model: opened.model,
      tables: opened.tables,
      vae: (pixels) => this.#pool(opened, shared?.pixels ?? pixels),
      tileSlots: shared?.tileSlots,
      provider: this.#provider,
      precision: 'fp32',
      threads: this.threads,
      maxMemoryBytes: this.limits.maxMemoryBytes,
      signal,
      trace,
      onProgress,
    });
  }

  /** Takes what lies idle, and drops what of that the call has no use for: it was not planned. */
  async #lendCores(arenaByteLengths: readonly number[], opened: OpenModel): Promise<Core[]> {
    const module = await loadCoreModule();
    const idle = this.#idle.filter((kept) => kept.opened === opened);
    this.#idle = [];
    return arenaByteLengths.map((arenaByteLength) =>
      coreOfSize(idle.shift()?.core, module, arenaByteLength),
    );
  }

  #pool({ model, pools }: OpenModel, pixels: number): VaePool {
    if (this.#closed) throw new BackendError('codec: expected an open codec, got a closed one');
    const deterministic = this.#options.deterministic ?? CODEC_DEFAULTS.deterministic;
    const ladder = providerLadder(this.#provider, platform(), pixels, deterministic);
    const key = ladder.join();
    let pool = pools.get(key);
    if (pool === undefined) {
      pool = new VaePool(model, { ladder, threads: this.threads });
      pools.set(key, pool);
    }
    return pool;
  }

  async #report(): Promise<ProviderReport | undefined> {
    const models = await Promise.allSettled(this.#models.values());
    const reports = models.flatMap((model) =>
      model.status === 'fulfilled'
        ? [...model.value.pools.values()].map((pool) => pool.opened)
        : [],
    );
    return reports.find((report) => report !== undefined);
  }
}

/** What was made for the key before, or is made now; what failed may be there the next time. */
export function once<T>(
  made: Map<string, Promise<T>>,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const there = made.get(key);
  if (there !== undefined) return there;
  const making = make();
  made.set(key, making);
  making.catch(() => made.delete(key));
  return making;
}
