/**
 * Metrics in a thread of their own: they take longer than many a codec, and the thread that starts programs and codes
 * pictures is not to wait for them.
 * @module
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { VaeransError } from '../errors.js';
import type { Pixels } from '../image/pixels.js';
import type { Comparison, MetricChoice } from './metric-names.js';
import type { MetricReply, MetricRequest } from './metric-worker.js';

export class MetricThread {
  readonly #worker: Worker;

  /** @param choices from `parseMetrics`; what does not load is told by the first comparison */
  constructor(choices: readonly MetricChoice[]) {
    this.#worker = new Worker(new URL('./metric-worker.js', import.meta.url), {
      workerData: choices,
    });
  }

  /** One pair at a time. @throws what `Comparer` throws */
  async compare(original: Pixels, other: Pixels): Promise<Comparison> {
    const request: MetricRequest = { original, other };
    this.#worker.postMessage(request);
    const [reply] = (await once(this.#worker, 'message')) as [MetricReply];
    if ('message' in reply) throw new VaeransError(reply.code, reply.message);
    return reply.comparison;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
