/**
 * Threads that decode slices side by side.
 * @module
 */
import { Worker } from 'node:worker_threads';
import { BackendError, FormatError, LimitError, ModelError } from '../errors.js';
import { Threads } from '../threads.js';
import { loadCoreModule } from '../wasm/load.js';
import type { SliceJob, SliceReply, SliceThreadSetup } from './protocol.js';

export class SlicePool {
  /** Slices that are worked on at once. */
  readonly threads: number;
  readonly #threads: Threads<SliceJob, SliceReply>;

  /** @param contextFile of the model whose slices these are */
  constructor(contextFile: Uint8Array | undefined, threads: number) {
    this.threads = threads;
    this.#threads = new Threads({
      stage: 'slices',
      most: threads,
      start: () => spawn(contextFile),
      end: (worker) => worker.terminate(),
    });
  }

  /**
   * The symbols of every grid, coarse to fine.
   * @throws FormatError when the bytes cannot be such a slice, LimitError, ModelError, BackendError
   */
  async decode(job: SliceJob): Promise<readonly Int16Array[]> {
    const reply = await this.#threads.run((seat) => seat.ask(job, []));
    if (reply.kind === 'error') throw errorOf(reply);
    return reply.grids;
  }

  /** Ends the threads; jobs that wait or run fail. */
  close(): Promise<void> {
    return this.#threads.close();
  }
}

async function spawn(contextFile: Uint8Array | undefined): Promise<Worker> {
  const setup: SliceThreadSetup = { coreModule: await loadCoreModule(), contextFile };
  return new Worker(new URL('./thread.js', import.meta.url), {
    workerData: setup,
    // Flags of the host program (a loader, a test runner) are not for this thread.
    execArgv: [],
  });
}

function errorOf({ code, message }: Extract<SliceReply, { kind: 'error' }>): Error {
  if (code === 'format') {
    return new FormatError('slices: expected a slice that this coder wrote, got a corrupt one', 0);
  }
  if (code === 'limit') return new LimitError(message);
  return code === 'model' ? new ModelError(message) : new BackendError(message);
}
