/**
 * A thread that fits tables: it is busy for minutes and hears nothing meanwhile, so whoever has enough of it ends it.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type FitJob, fitContext } from '../../wasm/fit.js';

const { module, job } = workerData as { module: WebAssembly.Module; job: FitJob };
parentPort?.postMessage(fitContext(module, job));
