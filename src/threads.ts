/**
 * Threads that answer one request at a time: started when there is work, kept warm, out of the way of the process's exit
 * when idle. Requests beyond them wait in order.
 * @module
 */
import type { Worker } from 'node:worker_threads';
import { AbortedError, BackendError } from './errors.js';

/** A thread, for as long as a piece of work has it. */
export interface Seat<Request, Reply> {
  readonly worker: Worker;
  /**
   * @param buffers are transferred away
   * @throws BackendError when the thread has ended or ends meanwhile
   */
  ask(request: Request, buffers: readonly ArrayBuffer[]): Promise<Reply>;
}

interface Place<Request, Reply> extends Seat<Request, Reply> {
  /** Fails the request that the thread is busy with. */
  fail: ((error: BackendError) => void) | undefined;
  settle: ((reply: Reply) => void) | undefined;
}

export interface ThreadsOptions {
  /** Opens the messages, such as `vae`. */
  readonly stage: string;
  /** Threads at most. */
  readonly most: number;
  /** Starts one. */
  readonly start: () => Promise<Worker>;
  /** Makes one end; it is waited for. */
  readonly end: (worker: Worker) => unknown;
}

export class Threads<Request, Reply> {
  readonly #options: ThreadsOptions;
  readonly #places = new Set<Place<Request, Reply>>();
  readonly #idle: Place<Request, Reply>[] = [];
  readonly #waiting: {
    resolve: (place: Place<Request, Reply>) => void;
    reject: (error: unknown) => void;
  }[] = [];
  readonly #starting = new Set<Promise<unknown>>();
  #closed = false;

  constructor(options: ThreadsOptions) {
    this.#options = options;
  }

  /**
   * Does a piece of work on a thread of its own.
   * @throws what `work` throws; AbortedError as soon as the signal fires, while the work itself goes on to its end
   */
  async run<T>(work: (seat: Seat<Request, Reply>) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const place = await this.#take(signal);
    const done = work(place);
    // The thread is free when the work ends, also when the caller has stopped waiting for it.
    const release = () => this.#release(place);
    done.then(release, release);
    return untilAborted(done, signal);
  }

  /** Ends all threads. Work that waits fails at once, and what runs when its thread has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(closedError());
    await Promise.allSettled(this.#starting);
    await Promise.all([...this.#places].map(({ worker }) => this.#endOf(worker)));
    this.#idle.length = 0;
  }

  #endOf(worker: Worker): Promise<void> {
    return new Promise((resolve) => {
      worker.once('exit', () => resolve());
      worker.ref();
      this.#options.end(worker);
    });
  }

  async #take(signal: AbortSignal | undefined): Promise<Place<Request, Reply>> {
    if (signal?.aborted) throw new AbortedError();
    if (this.#closed) throw closedError();
    let place = this.#idle.pop();
    if (place === undefined) {
      const turn = new Promise<Place<Request, Reply>>((resolve, reject) =>
        this.#waiting.push({ resolve, reject }),
      );
      this.#serveWaiting();
      place = await untilAborted(turn, signal).catch((error: unknown) => {
        // The turn may still come: hand it on.
        turn.then((late) => this.#release(late)).catch(() => {});
        throw error;
      });
    }
    place.worker.ref();
    return place;
  }

  #release(place: Place<Request, Reply>): void {
    // Once closed, its thread is waited for: it must keep the process alive until it has ended.
    if (!this.#places.has(place) || this.#closed) return;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.resolve(place);
      return;
    }
    place.worker.unref();
    this.#idle.push(place);
  }

  /** Starts threads for those who wait, as many as may still be had. */
  #serveWaiting(): void {
    while (this.#places.size + this.#starting.size < this.#options.most) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const starting = this.#start().finally(() => this.#starting.delete(starting));
      this.#starting.add(starting);
      starting.then(next.resolve, (error: unknown) => {
        next.reject(error);
        this.#serveWaiting();
      });
    }
  }

  async #start(): Promise<Place<Request, Reply>> {
    const worker = await this.#options.start();
    const place: Place<Request, Reply> = {
      worker,
      fail: undefined,
      settle: undefined,
      ask: (request, buffers) => this.#ask(place, request, buffers),
    };
    worker.on('message', (reply: Reply) => place.settle?.(reply));
    worker.on('error', (error) => this.#lose(place, error.message));
    worker.on('exit', () => this.#lose(place, 'its thread ended'));
    // Its errors have a listener by now: one of a thread that nobody waits for must not end the process.
    if (this.#closed) {
      await this.#endOf(worker);
      throw closedError();
    }
    this.#places.add(place);
    return place;
  }

  #ask(
    place: Place<Request, Reply>,
    request: Request,
    buffers: readonly ArrayBuffer[],
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(closedError());
        return;
      }
      if (!this.#places.has(place)) {
        reject(this.#lost('its thread ended'));
        return;
      }
      place.settle = (reply) => {
        place.settle = undefined;
        place.fail = undefined;
        resolve(reply);
      };
      place.fail = reject;
      place.worker.postMessage(request, [...buffers]);
    });
  }

  /** A dead thread fails its request and leaves its place; the next request gets a new one. */
  #lose(place: Place<Request, Reply>, reason: string): void {
    if (!this.#places.delete(place)) return;
    const index = this.#idle.indexOf(place);
    if (index >= 0) this.#idle.splice(index, 1);
    place.fail?.(this.#lost(reason));
    this.#serveWaiting();
  }

  #lost(reason: string): BackendError {
    return new BackendError(
      `${this.#options.stage}: expected the thread to answer, got: ${reason}`,
    );
  }
}

function closedError(): BackendError {
  return new BackendError('codec: expected an open codec, got a closed one');
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
