/**
 * `vaerans metrics`: how far a picture is from its original.
 * @module
 */
import { compareImages, describeMetric, parseMetrics, type Rgb, readImage } from '../index.js';
import { EXIT } from './exit.js';
import { readInput } from './files.js';
import { type LimitFlags, limitsOf } from './flags.js';
import { formatFacts } from './report.js';
import { checkStdinOnce, note, printJson, printLines } from './streams.js';

export interface MetricsFlags extends LimitFlags {
  readonly metric: readonly string[];
  readonly background?: Rgb;
  readonly json?: boolean;
}

/** @returns the exit code */
export async function metricsCommand(
  original: string,
  other: string,
  { metric, background, json, ...flags }: MetricsFlags,
): Promise<number> {
  checkStdinOnce([original, other]);
  const choices = parseMetrics(metric);
  const limits = limitsOf(flags);
  const read = async (input: string) =>
    readImage(await readInput(input, limits), {
      limits,
      ...(background && { background }),
      onNote: (text) => note(`vaerans: ${input}: note: ${text}`),
    });
  const [a, b] = [await read(original), await read(other)];
  const values = await compareImages(a, b, metric);
  if (json) {
    // JSON has no infinity: PSNR of equal pictures is null there, beside an MSE of 0.
    await printJson({ schema: 'vaerans.metrics/1', original, other, metrics: values });
  } else {
    const facts = choices.map((choice) => {
      const value = values[choice.name] ?? null;
      return [describeMetric(choice).label, formatValue(value)] as const;
    });
    await printLines(formatFacts(facts));
  }
  return EXIT.ok;
}

function formatValue(value: number | null): string {
  if (value === null) return 'not defined for pictures this small';
  return Number.isFinite(value) ? value.toFixed(6) : 'infinity, the pictures are equal';
}
