/**
 * A codec that is open: a model, the threads that run it, and a core that is kept for the next call.
 * @module
 */
import { platform } from 'node:os';
import { BackendError } from '../errors.js';
import type { Pixels } from '../image/pixels.js';
import {
  checkPlannedMemory,
  checkRange,
  defaultLimits,
  defaultThreads,
  type Limits,
} from '../limits.js';
import {
  findModel,
  findModelById,
  type Model,
  type ModelTables,
  readModelTables,
} from '../models/registry.js';
import { World } from '../pipeline/world.js';
import { VaePool } from '../vae/pool.js';
import { type Provider, type ProviderChoice, providerLadder } from '../vae/providers.js';
import { Core } from '../wasm/core.js';
import { loadCoreModule } from '../wasm/load.js';
import { compressPixels } from './compress.js';
import { decompressBytes } from './decompress.js';
import {
  type CallOptions,
  CODEC_DEFAULTS,
  type CodecOptions,
  type CompressOptions,
  type DecompressOptions,
} from './options.js';
import type { MemoryPlan } from './plan.js';

/** A model with its tables and its threads, one pool for each ladder of providers. */
export interface OpenModel {
  readonly model: Model;
  readonly tables: ModelTables;
  readonly pools: Map<string, VaePool>;
}

/** What inference ran on, and what was tried before it. */
export interface ProviderReport {
  readonly provider: Provider;
  readonly failed: readonly { readonly provider: Provider; readonly reason: string }[];
}

/** An instance this many times larger than the next plan is dropped, as WASM memory never shrinks. */
const OVERSIZE_FACTOR = 4;

/** Arena of a world that is opened without a plan: pages that are never touched cost nothing. */
const WORLD_ARENA_BYTES = 512 * 2 ** 20;

/**
 * Opens a codec. Nothing is loaded yet but the model's manifest.
 * @throws ModelError when the model is not found or does not hold, UsageError for options out of range
 */
export async function openCodec(options: CodecOptions = {}): Promise<Codec> {
  const threads = options.threads ?? defaultThreads();
  checkRange('codec: threads', threads, 1, 1024);
  const codec = new Codec({ ...options, threads });
  await codec.openModel();
  return codec;
}

export class Codec {
  readonly limits: Limits;
  readonly threads: number;
  readonly #options: CodecOptions;
  readonly #provider: ProviderChoice;
  readonly #models = new Map<string, Promise<OpenModel>>();
  /** Kept for the next call of the same model, whose tables it has parsed. */
  #idle: { readonly core: Core; readonly opened: OpenModel } | undefined;
  #closed = false;

  /** Use `openCodec`. */
  constructor(options: CodecOptions & { readonly threads: number }) {
    this.#options = options;
    this.#provider = options.provider ?? CODEC_DEFAULTS.provider;
    this.limits = { ...defaultLimits(), ...options.limits };
    this.threads = options.threads;
  }

  /**
   * Codes a picture.
   * @returns the bytes of a `.vae` file
   * @throws UsageError, LimitError, ModelError, ProviderError, BackendError; AbortedError when the signal fires
   */
  compress(pixels: Pixels, options: CompressOptions = {}): Promise<Uint8Array> {
    return compressPixels(this, pixels, options);
  }

  /**
   * Decodes a `.vae` file; every checksum is verified before any model is loaded.
   * @throws FormatError for damaged bytes, ModelError when the file's model is not installed, and as `compress`
   */
  decompress(bytes: Uint8Array, options: DecompressOptions = {}): Promise<Pixels> {
    return decompressBytes(this, bytes, options);
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
    this.#idle = undefined;
    const models = await Promise.allSettled(this.#models.values());
    const pools = models.flatMap((model) =>
      model.status === 'fulfilled' ? [...model.value.pools.values()] : [],
    );
    await Promise.all(pools.map((pool) => pool.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The model to compress with, opened once. */
  openModel(): Promise<OpenModel> {
    return this.#openOnce('', () => findModel(this.#options.model, this.#options));
  }

  /**
   * The model that a file asks for: ours if it is that one, else whichever installed one has the identity.
   * @throws ModelError when none has
   */
  async openModelById(modelId: string, storedName: string | undefined): Promise<OpenModel> {
    const own = await this.openModel();
    if (own.model.modelId === modelId) return own;
    return this.#openOnce(modelId, () => findModelById(modelId, storedName, this.#options));
  }

  /**
   * Plans, lends a world for one call and takes its core back, however the call ends.
   * @throws LimitError when the plan is over `maxMemoryBytes`
   */
  async withWorld<T>(
    opened: OpenModel,
    plan: (tilesInFlight: number) => MemoryPlan,
    options: CallOptions,
    work: (world: World) => Promise<T>,
  ): Promise<T> {
    const { arenaByteLength, totalByteLength } = plan(this.#pool(opened, 0).depth);
    checkPlannedMemory('codec', totalByteLength, this.limits);
    const core = await this.#lendCore(arenaByteLength, opened);
    const world = this.#makeWorld(core, opened, options);
    try {
      return await work(world);
    } finally {
      world.clear();
      if (!this.#closed) this.#idle = { core, opened };
    }
  }

  #makeWorld(core: Core, opened: OpenModel, { signal, trace, onProgress }: CallOptions): World {
    return new World(core, {
      model: opened.model,
      tables: opened.tables,
      vae: (pixels) => this.#pool(opened, pixels),
      provider: this.#provider,
      precision: 'fp32',
      threads: this.threads,
      maxMemoryBytes: this.limits.maxMemoryBytes,
      signal,
      trace,
      onProgress,
    });
  }

  async #lendCore(arenaByteLength: number, opened: OpenModel): Promise<Core> {
    const module = await loadCoreModule();
    const idle = this.#idle;
    this.#idle = undefined;
    const isOurs = idle?.opened === opened;
    if (!isOurs || idle.core.memoryByteLength > OVERSIZE_FACTOR * arenaByteLength) {
      return new Core(module, arenaByteLength);
    }
    idle.core.resize(arenaByteLength);
    return idle.core;
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

  #openOnce(key: string, find: () => Promise<Model>): Promise<OpenModel> {
    let opened = this.#models.get(key);
    if (opened === undefined) {
      opened = find().then(async (model) => ({
        model,
        tables: await readModelTables(model),
        pools: new Map<string, VaePool>(),
      }));
      this.#models.set(key, opened);
      // A model that could not be opened may be there the next time.
      opened.catch(() => this.#models.delete(key));
    }
    return opened;
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
