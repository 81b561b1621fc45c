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

interface Seat {
  readonly worker: Worker;
  readonly loaded: Set<NetworkKind>;
  /** Settles the request that the worker is busy with. */
  settle: ((reply: Reply) => void) | undefined;
}

export class VaePool {
  /** Take the buffers of requests from here, and give those of results back once they are read. */
  readonly buffers = new TravelBuffers();
  readonly #model: Model;
  readonly #options: PoolOptions;
  readonly #maxWorkers: number;
  readonly #seats = new Set<Seat>();
  readonly #idle: Seat[] = [];
  readonly #waiting: { resolve: (seat: Seat) => void; reject: (error: unknown) => void }[] = [];
  readonly #graphs = new Map<NetworkKind, Promise<Uint8Array>>();
  #starting = 0;
  #closed = false;
  #opened: LoadReply | undefined;

  constructor(model: Model, options: PoolOptions) {
    this.#model = model;
    this.#options = options;
    this.#maxWorkers = Math.max(1, Math.floor(options.threads / MAX_THREADS_PER_SESSION));
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
    const { sources, windowWidthPx, windowHeightPx } = request;
    const latentLength = this.#model.manifest.grids.reduce(
      (sum, { channels, stridePx }) =>
        sum + (channels * windowWidthPx * windowHeightPx) / stridePx ** 2,
      0,
    );
    const job = this.#job(request, sources.length, 4 * latentLength);
    const buffers = [...buffersOf(sources), ...job.outputs];
    return this.#run('encoder', job, buffers, signal) as Promise<EncodeReply>;
  }

  /** Runs the decoder on a batch of equal tiles; the latents' buffers are transferred away. Throws as `encode`. */
  decode(request: DecodeRequest, signal: AbortSignal | undefined): Promise<DecodeReply> {
    const { latents, cropWidthPx, cropHeightPx } = request;
    const job = this.#job(request, latents.length, 3 * cropWidthPx * cropHeightPx);
    const buffers = [...buffersOf(latents), ...job.outputs];
    return this.#run('decoder', job, buffers, signal) as Promise<DecodeReply>;
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
   * Ends all workers. Requests that wait fail at once; what runs is let run to its end, a tile at most, since a thread
   * that is torn down inside onnxruntime takes the whole process with it.
   */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(closedError());
    await Promise.all([...this.#seats].map(endOf));
    this.#idle.length = 0;
  }

  async #run(
    network: NetworkKind,
    request: Request,
    buffers: ArrayBuffer[],
    signal: AbortSignal | undefined,
  ): Promise<Reply> {
    const seat = await this.#take(signal);
    const work = this.#work(seat, network, request, buffers, signal);
    // The seat is free when the work ends, also when the caller has stopped waiting for it.
    const release = () => this.#release(seat);
    work.then(release, release);
    const reply = await untilAborted(work, signal);
    if ('inputs' in reply) this.buffers.give(reply.inputs);
    return reply;
  }

  async #work(
    seat: Seat,
    network: NetworkKind,
    request: Request,
    buffers: ArrayBuffer[],
    signal: AbortSignal | undefined,
  ): Promise<Reply> {
    if (!seat.loaded.has(network)) {
      const graph = await this.#graph(network);
      const { manifest } = this.#model;
      const { input, output } = manifest[network];
      const isEncoder = network === 'encoder';
      const latents = manifest.grids.map(
        ({ name }, index) => name ?? (index === 0 ? (isEncoder ? output : input) : undefined),
      );
      const load: LoadRequest = {
        kind: 'load',
        network,
        graph,
        inputNames: isEncoder ? [input] : latents,
        outputNames: isEncoder ? latents : [output],
      };
      this.#opened = (await this.#ask(seat, load, [])) as LoadReply;
      seat.loaded.add(network);
    }
    if (signal?.aborted) throw new AbortedError();
    return await this.#ask(seat, request, buffers);
  }

  #graph(network: NetworkKind): Promise<Uint8Array> {
    let graph = this.#graphs.get(network);
    if (graph === undefined) {
      graph = readModelFile(this.#model, this.#model.manifest[network]);
      this.#graphs.set(network, graph);
      // A file that could not be read may be there the next time.
      graph.catch(() => this.#graphs.delete(network));
    }
    return graph;
  }

  #ask(seat: Seat, request: Request, buffers: ArrayBuffer[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(closedError());
        return;
      }
      if (!this.#seats.has(seat)) {
        reject(new BackendError('vae: expected a living inference worker, got one that ended'));
        return;
      }
      seat.settle = (reply) => {
        seat.settle = undefined;
        if (reply.kind === 'error') reject(errorOf(reply));
        else resolve(reply);
      };
      seat.worker.postMessage(request, buffers);
    });
  }

  async #take(signal: AbortSignal | undefined): Promise<Seat> {
    if (signal?.aborted) throw new AbortedError();
    if (this.#closed) throw closedError();
    let seat = this.#idle.pop();
    if (seat === undefined) {
      const turn = new Promise<Seat>((resolve, reject) => this.#waiting.push({ resolve, reject }));
      this.#serveWaiting();
      seat = await untilAborted(turn, signal).catch((error: unknown) => {
        // The turn may still come: hand it on.
        turn.then((late) => this.#release(late)).catch(() => {});
        throw error;
      });
    }
    seat.worker.ref();
    return seat;
  }

  #release(seat: Seat): void {
    // Once closed, its thread is waited for: it must keep the process alive until it has ended.
    if (!this.#seats.has(seat) || this.#closed) return;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.resolve(seat);
      return;
    }
    seat.worker.unref();
    this.#idle.push(seat);
  }

  /** Starts workers for those who wait, as many as may still be had. */
  #serveWaiting(): void {
    while (this.#seats.size + this.#starting < this.#maxWorkers) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#starting++;
      this.#spawn()
        .finally(() => this.#starting--)
        .then(next.resolve, (error: unknown) => {
          next.reject(error);
          this.#serveWaiting();
        });
    }
  }

  async #spawn(): Promise<Seat> {
    const { manifest } = this.#model;
    const coreModule = await loadCoreModule();
    if (this.#closed) throw closedError();
    const setup: WorkerSetup = {
      coreModule,
      ladder: this.#options.ladder,
      threads: Math.min(this.#options.threads, MAX_THREADS_PER_SESSION),
      inputRange: manifest.inputRange,
      grids: manifest.grids,
    };
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: setup,
      // The runtime's switches are read from the real environment, not from a thread's copy.
      env: SHARE_ENV,
      // Flags of the host program (a loader, a test runner) are not for this thread.
      execArgv: [],
    });
    const seat: Seat = { worker, loaded: new Set(), settle: undefined };
    worker.on('message', (reply: Reply) => seat.settle?.(reply));
    worker.on('error', (error) => this.#lose(seat, error.message));
    worker.on('exit', () => this.#lose(seat, 'its thread ended'));
    this.#seats.add(seat);
    return seat;
  }

  /** A dead worker fails its request and leaves its seat; the next request gets a new one. */
  #lose(seat: Seat, reason: string): void {
    if (!this.#seats.delete(seat)) return;
    const index = this.#idle.indexOf(seat);
    if (index >= 0) this.#idle.splice(index, 1);
    seat.settle?.({
      kind: 'error',
      code: 'backend',
      message: `vae: expected the inference worker to answer, got: ${reason}`,
    });
    this.#serveWaiting();
  }
}

/** Asks a worker to end, and waits until it has. */
function endOf({ worker }: Seat): Promise<void> {
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
    worker.ref();
    worker.postMessage({ kind: 'close' } satisfies CloseRequest);
  });
}

function closedError(): BackendError {
  return new BackendError('vae: expected an open codec, got a closed one');
}

function errorOf({ code, message }: ErrorReply): VaeransError {
  const byCode: Partial<Record<ErrorCode, new (message: string) => VaeransError>> = {
    provider: ProviderError,
    limit: LimitError,
    model: ModelError,
  };
  return new (byCode[code] ?? BackendError)(message);
}

/** Stops waiting as soon as the signal fires; the work itself goes on to its end. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new AbortedError());
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  });
}
