/**
 * The thread of `MetricThread`.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorCode, VaeransError } from '../errors.js';
import type { Pixels } from '../image/pixels.js';
import type { Comparison, MetricChoice } from './metric-names.js';
import { Comparer } from './metrics.js';

export interface MetricRequest {
  readonly original: Pixels;
  readonly other: Pixels;
}

export type MetricReply =
  | { readonly comparison: Comparison }
  | { readonly code: ErrorCode; readonly message: string };

const comparer = Comparer.open(workerData as readonly MetricChoice[]);
// Told with the first answer.
comparer.catch(() => {});

async function answer({ original, other }: MetricRequest): Promise<MetricReply> {
  try {
    return { comparison: await (await comparer).compare(original, other) };
  } catch (error) {
    const code = error instanceof VaeransError ? error.code : 'backend';
    return { code, message: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', async (request: MetricRequest) => {
  parentPort?.postMessage(await answer(request));
});
