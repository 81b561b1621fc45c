/**
 * One picture measured against another, by our metrics and by graphs of the user's.
 * @module
 */
import { UsageError } from '../errors.js';
import { checkPlainPixels, type Pixels, type PlainPixels } from '../image/pixels.js';
import { psnrOfMse } from '../stages/metrics.js';
import type { GraphMetric } from '../vae/graph-metric.js';
import { MetricsCore } from '../wasm/metrics.js';
import { BUILT_IN, type Comparison, type MetricChoice, parseMetrics } from './metric-names.js';

/** Metrics made ready, to compare any number of pairs, one after the other. */
export class Comparer {
  readonly #choices: readonly MetricChoice[];
  readonly #core: MetricsCore;
  readonly #graphs: ReadonlyMap<string, GraphMetric>;

  private constructor(
    choices: readonly MetricChoice[],
    core: MetricsCore,
    graphs: ReadonlyMap<string, GraphMetric>,
  ) {
    this.#choices = choices;
    this.#core = core;
    this.#graphs = graphs;
  }

  /** @throws BackendError for a graph that does not load or does not take two pictures; IoError */
  static async open(choices: readonly MetricChoice[]): Promise<Comparer> {
    const graphs = new Map<string, GraphMetric>();
    for (const { name, graphPath } of choices) {
      if (graphPath === undefined) continue;
      const { GraphMetric } = await import('../vae/graph-metric.js');
      graphs.set(name, await GraphMetric.open(graphPath));
    }
    return new Comparer(choices, await MetricsCore.open(), graphs);
  }

  /**
   * Measures how far `other` is from `original`. Grey beside RGB counts as RGB.
   * @throws UsageError for pictures of different sizes, UnsupportedError for alpha and 16 bits, LimitError
   */
  async compare(original: Pixels, other: Pixels): Promise<Comparison> {
    checkPlainPixels('metrics', original);
    checkPlainPixels('metrics', other);
    const size = ({ widthPx, heightPx }: Pixels) => `${widthPx}x${heightPx}`;
    if (size(original) !== size(other)) {
      throw new UsageError(
        `metrics: expected pictures of equal size, got ${size(original)} and ${size(other)}`,
      );
    }
    const bothGrey = original.channels === 1 && other.channels === 1;
    const [a, b] = bothGrey ? [original, other] : [toRgb(original), toRgb(other)];
    const builtIn = this.#choices.flatMap(({ name }) => BUILT_IN[name]?.measure ?? []);
    const measures = [...new Set(builtIn)];
    const values = this.#core.measure(a, b, measures);
    const comparison: Record<string, number | null> = {};
    for (const { name } of this.#choices) {
      const graph = this.#graphs.get(name);
      if (graph !== undefined) {
        comparison[name] = await graph.compare(toRgb(a), toRgb(b));
        continue;
      }
      const metric = BUILT_IN[name];
      const value = metric && values[measures.indexOf(metric.measure)];
      comparison[name] = value == null || !metric?.isPsnr ? (value ?? null) : psnrOfMse(value);
    }
    return comparison;
  }

  async close(): Promise<void> {
    for (const graph of this.#graphs.values()) await graph.close();
  }
}

function toRgb(pixels: PlainPixels): PlainPixels {
  if (pixels.channels === 3) return pixels;
  const data = new Uint8Array(3 * pixels.data.length);
  for (const [at, sample] of pixels.data.entries()) data.fill(sample, 3 * at, 3 * at + 3);
  return { ...pixels, channels: 3, data };
}

/**
 * Measures one pair.
 * @param metrics as `parseMetrics` takes them
 */
export async function compareImages(
  original: Pixels,
  other: Pixels,
  metrics: readonly string[] = [],
): Promise<Comparison> {
  const comparer = await Comparer.open(parseMetrics(metrics));
  try {
    return await comparer.compare(original, other);
  } finally {
    await comparer.close();
  }
}
