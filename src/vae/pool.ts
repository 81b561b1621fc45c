/**
 * The threads that run one model: spawned when there is work, kept warm, out of the way of the process's exit
 * when idle. One request at a time per worker; requests beyond that wait in order.
 * @module
 */
import { SHARE_ENV, Worker } from 'node:worker_threads';
import {
  AbortedError,
  BackendError,
  type ErrorCode,
  LimitError,
  ModelError,
  ProviderError,
  type VaeransError,
} from '../errors.js';
import { type Model, readModelFile } from '../models/registry.js';
import { type Seat, Threads } from '../threads.js';
import { loadCoreModule } from '../wasm/load.js';
import { buffersOf, TravelBuffers } from './buffers.js';
import type {
  CloseRequest,
  DecodeReply,
  DecodeRequest,
  EncodeReply,
  EncodeRequest,
  ErrorReply,
  Job,
  LoadReply,
  LoadRequest,
  NetworkKind,
  Reply,
  Request,
  WorkerSetup,
} from './protocol.js';
import type { Provider } from './providers.js';

/** More threads than this in one session gain little on tiles of a megapixel; further cores get sessions of their own. */
const MAX_THREADS_PER_SESSION = 4;

export interface PoolOptions {
  /** Providers to try, best first. */
  readonly ladder: readonly Provider[];
  /** Cores that all sessions together may keep busy. */
  readonly threads: number;
}

export class VaePool {
  /** Take the buffers of requests from here, and give those of results back once they are read. */
  readonly buffers = new TravelBuffers();
  readonly #model: Model;
  readonly #options: PoolOptions;
  readonly #maxWorkers: number;
  readonly #threads: Threads<Request, Reply>;
  /** What each thread has a session for. */
  readonly #loaded = new WeakMap<Worker, Set<NetworkKind>>();
  readonly #graphs = new Map<NetworkKind, Promise<Uint8Array>>();
  /** Of the searches that run. */
  readonly #stops = new Set<Int32Array>();
  #opened: LoadReply | undefined;

  constructor(model: Model, options: PoolOptions) {
    this.#model = model;
    this.#options = options;
    this.#maxWorkers = Math.max(1, Math.floor(options.threads / MAX_THREADS_PER_SESSION));
    this.#threads = new Threads({
      stage: 'vae',
      most: this.#maxWorkers,
      start: () => this.#spawn(),
      end: (worker) => worker.postMessage({ kind: 'close' } satisfies CloseRequest),
    });
  }

  /** The provider that won the ladder and those that failed before it; undefined until a session is open. */
  get opened(): Pick<LoadReply, 'provider' | 'failed'> | undefined {
    return this.#opened;
  }

  /** Requests worth having in flight at once: one that runs and one that waits, per worker. */
  get depth(): number {
    return 2 * this.#maxWorkers;
  }

  /**
   * Runs the encoder on a batch of equal tiles; the sources' buffers are transferred away.
   * @throws BackendError, ProviderError, ModelError, LimitError, or AbortedError as soon as the signal fires
   */
  encode(request: EncodeRequest, signal: AbortSignal | undefined): Promise<EncodeReply> {
    const { sources, windowWidthPx, windowHeightPx, search } = request;
    const latentLength = this.#model.manifest.grids.reduce(
      (sum, { channels, stridePx }) =>
        sum + (channels * windowWidthPx * windowHeightPx) / stridePx ** 2,
      0,
    );
    const job = this.#job(request, sources.length, 4 * latentLength);
    const buffers = [...buffersOf(sources), ...job.outputs];
    if (search === undefined) {
      return this.#run(['encoder'], job, buffers, signal) as Promise<EncodeReply>;
    }
    const stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    this.#stops.add(stop);
    return this.#run(['encoder', 'gradient'], { ...job, stop }, buffers, signal).finally(() => {
      this.#stops.delete(stop);
      Atomics.store(stop, 0, 1);
    }) as Promise<EncodeReply>;
  }

  /** Runs the decoder on a batch of equal tiles; the latents' buffers are transferred away. Throws as `encode`. */
  decode(request: DecodeRequest, signal: AbortSignal | undefined): Promise<DecodeReply> {
    const { latents, cropWidthPx, cropHeightPx } = request;
    const job = this.#job(request, latents.length, 3 * cropWidthPx * cropHeightPx);
    const buffers = [...buffersOf(latents), ...job.outputs];
    return this.#run(['decoder'], job, buffers, signal) as Promise<DecodeReply>;
  }

  #job<Work extends EncodeRequest | DecodeRequest>(
    request: Work,
    tiles: number,
    outputByteLength: number,
  ): Job<Work> {
    const outputs = Array.from({ length: tiles }, () => this.buffers.take(outputByteLength));
    return { ...request, outputs };
  }

  /**
   * Ends all workers. Requests that wait fail at once; what runs is let run to its end, a tile or a round of a search at
   * most, since a thread that is torn down inside onnxruntime takes the whole process with it.
   */
  close(): Promise<void> {
    for (const stop of this.#stops) Atomics.store(stop, 0, 1);
    return this.#threads.close();
  }

  async #run(
    networks: readonly NetworkKind[],
    request: Request,
    buffers: ArrayBuffer[],
    signal: AbortSignal | undefined,
  ): Promise<Reply> {
    const reply = await this.#threads.run(async (seat) => {
      for (const network of networks) await this.#load(seat, network);
      if (signal?.aborted) throw new AbortedError();
      return await ask(seat, request, buffers);
    }, signal);
    if ('inputs' in reply) this.buffers.give(reply.inputs);
    return reply;
  }

  /** Opens a session for the network on a thread that has none. */
  async #load(seat: Seat<Request, Reply>, network: NetworkKind): Promise<void> {
    const loaded = this.#loaded.get(seat.worker) ?? new Set();
    if (loaded.has(network)) return;
    const graph = await this.#graph(network);
    const names = this.#namesOf(network);
    const load: LoadRequest = { kind: 'load', network, graph, ...names };
    const opened = (await ask(seat, load, [])) as LoadReply;
    // What ran the picture's networks is what is told of.
    if (network !== 'gradient') this.#opened = opened;
    this.#loaded.set(seat.worker, loaded.add(network));
  }

  #namesOf(network: NetworkKind): Pick<LoadRequest, 'inputNames' | 'outputNames'> {
    if (network === 'gradient') {
      return { inputNames: ['symbols', 'image', 'rate'], outputNames: ['gradient'] };
    }
    const { manifest } = this.#model;
    const { input, output } = manifest[network];
    const isEncoder = network === 'encoder';
    const latents = manifest.grids.map(
      ({ name }, index) => name ?? (index === 0 ? (isEncoder ? output : input) : undefined),
    );
    return isEncoder
      ? { inputNames: [input], outputNames: latents }
      : { inputNames: latents, outputNames: [output] };
  }

  #graph(network: NetworkKind): Promise<Uint8Array> {
    let graph = this.#graphs.get(network);
    if (graph === undefined) {
      const file = this.#model.manifest[network];
      if (file === undefined) {
        const { name } = this.#model.manifest;
        throw new ModelError(`model: expected '${name}' to have a ${network} graph, got none`);
      }
      graph = readModelFile(this.#model, file);
      this.#graphs.set(network, graph);
      // A file that could not be read may be there the next time.
      graph.catch(() => this.#graphs.delete(network));
    }
    return graph;
  }

  async #spawn(): Promise<Worker> {
    const { manifest } = this.#model;
    const coreModule = await loadCoreModule();
    const setup: WorkerSetup = {
      coreModule,
      ladder: this.#options.ladder,
      threads: Math.min(this.#options.threads, MAX_THREADS_PER_SESSION),
      inputRange: manifest.inputRange,
      grids: manifest.grids,
    };
    return new Worker(new URL('./worker.js', import.meta.url), {
      workerData: setup,
      // The runtime's switches are read from the real environment, not from a thread's copy.
      env: SHARE_ENV,
      // Flags of the host program (a loader, a test runner) are not for this thread.
      execArgv: [],
    });
  }
}

async function ask(
  seat: Seat<Request, Reply>,
  request: Request,
  buffers: readonly ArrayBuffer[],
): Promise<Reply> {
  const reply = await seat.ask(request, buffers);
  if (reply.kind === 'error') throw errorOf(reply);
  return reply;
}

function errorOf({ code, message }: ErrorReply): VaeransError {
  const byCode: Partial<Record<ErrorCode, new (message: string) => VaeransError>> = {
    provider: ProviderError,
    limit: LimitError,
    model: ModelError,
  };
  return new (byCode[code] ?? BackendError)(message);
}
