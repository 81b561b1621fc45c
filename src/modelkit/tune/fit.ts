/**
 * Fits the context coder's tables in a thread of its own.
 * @module
 */
import { Worker } from 'node:worker_threads';
import { AbortedError, BackendError } from '../../errors.js';
import type { FitJob } from '../../wasm/fit.js';
import { loadFitModule } from '../../wasm/load.js';

/**
 * @returns the bytes of a context model's file
 * @throws BackendError when the fitter refuses, AbortedError as soon as the signal fires
 */
export async function fitTables(job: FitJob, signal?: AbortSignal): Promise<Uint8Array> {
  if (signal?.aborted) throw new AbortedError();
  const module = await loadFitModule();
  const worker = new Worker(new URL('./fit-worker.js', import.meta.url), {
    workerData: { module, job },
    execArgv: [],
  });
  const onAbort = () => void worker.terminate();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      worker.once('message', (file: Uint8Array) => resolve(file));
      worker.once('error', (cause) => {
        reject(new BackendError(`fit: expected tables, got: ${cause.message}`, { cause }));
      });
      worker.once('exit', () => reject(new AbortedError()));
    });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await worker.terminate();
  }
}
