/**
 * Threads that decode slices side by side: started when there is work, kept warm, out of the way of the process's exit
 * when idle.
 * @module
 */
import { Worker } from 'node:worker_threads';
import { BackendError, FormatError, LimitError, ModelError } from '../errors.js';
import { loadCoreModule } from '../wasm/load.js';
import type { SliceJob, SliceReply, SliceThreadSetup } from './protocol.js';

interface Seat {
  readonly worker: Worker;
  /** Settles the job that the thread is busy with. */
  settle: ((reply: SliceReply) => void) | undefined;
}

interface Turn {
  readonly job: SliceJob;
  readonly resolve: (grids: readonly Int16Array[]) => void;
  readonly reject: (error: unknown) => void;
}

export class SlicePool {
  /** Slices that are worked on at once. */
  readonly threads: number;
  readonly #contextFile: Uint8Array | undefined;
  readonly #seats = new Set<Seat>();
  readonly #idle: Seat[] = [];
  readonly #waiting: Turn[] = [];
  #starting = 0;
  #closed = false;

  /** @param contextFile of the model whose slices these are */
  constructor(contextFile: Uint8Array | undefined, threads: number) {
    this.#contextFile = contextFile;
    this.threads = threads;
  }

  /**
   * The symbols of every grid, coarse to fine.
   * @throws FormatError when the bytes cannot be such a slice, LimitError, ModelError, BackendError
   */
  decode(job: SliceJob): Promise<readonly Int16Array[]> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(closedError());
        return;
      }
      this.#waiting.push({ job, resolve, reject });
      this.#serve();
    });
  }

  /** Ends the threads; jobs that wait or run fail. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(closedError());
    await Promise.all([...this.#seats].map(({ worker }) => worker.terminate()));
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const seat = this.#idle.pop();
      if (seat === undefined) break;
      this.#work(seat, this.#waiting.shift() as Turn);
    }
    const wanted = Math.min(this.threads - this.#seats.size, this.#waiting.length);
    while (this.#starting < wanted) void this.#start();
  }

  async #start(): Promise<void> {
    this.#starting++;
    try {
      const setup: SliceThreadSetup = {
        coreModule: await loadCoreModule(),
        contextFile: this.#contextFile,
      };
      if (this.#closed) return;
      const worker = new Worker(new URL('./thread.js', import.meta.url), {
        workerData: setup,
        // Flags of the host program (a loader, a test runner) are not for this thread.
        execArgv: [],
      });
      const seat: Seat = { worker, settle: undefined };
      worker.on('message', (reply: SliceReply) => seat.settle?.(reply));
      worker.on('error', (error) => this.#lose(seat, error.message));
      worker.on('exit', () => this.#lose(seat, 'its thread ended'));
      this.#seats.add(seat);
      this.#release(seat);
    } catch (error) {
      this.#waiting.shift()?.reject(error);
    } finally {
      this.#starting--;
      this.#serve();
    }
  }

  #work(seat: Seat, { job, resolve, reject }: Turn): void {
    seat.worker.ref();
    seat.settle = (reply) => {
      seat.settle = undefined;
      if (reply.kind === 'symbols') resolve(reply.grids);
      else reject(errorOf(reply));
      this.#release(seat);
      this.#serve();
    };
    seat.worker.postMessage(job);
  }

  #release(seat: Seat): void {
    if (!this.#seats.has(seat)) return;
    seat.worker.unref();
    this.#idle.push(seat);
  }

  /** A dead thread fails its job and leaves its seat; the next job gets a new one. */
  #lose(seat: Seat, reason: string): void {
    if (!this.#seats.delete(seat)) return;
    const index = this.#idle.indexOf(seat);
    if (index >= 0) this.#idle.splice(index, 1);
    seat.settle?.({
      kind: 'error',
      code: 'backend',
      message: `slices: expected the thread to answer, got: ${reason}`,
    });
    if (!this.#closed) this.#serve();
  }
}

function closedError(): BackendError {
  return new BackendError('codec: expected an open codec, got a closed one');
}

function errorOf({ code, message }: Extract<SliceReply, { kind: 'error' }>): Error {
  if (code === 'format') {
    return new FormatError('slices: expected a slice that this coder wrote, got a corrupt one', 0);
  }
  if (code === 'limit') return new LimitError(message);
  return code === 'model' ? new ModelError(message) : new BackendError(message);
}
