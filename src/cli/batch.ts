/**
 * One input or many. One alone fails with its own code; of many, one failure does not stop the rest.
 * @module
 */
import { type ErrorCode, VaeransError } from '../index.js';
import { EXIT, exitCodeOf } from './exit.js';
import type { ReportFlags } from './flags.js';
import { STREAM } from './grammar.js';
import { note, printJson } from './streams.js';

export interface BatchItem {
  readonly input: string;
  readonly skip?: string;
}

export interface Batch<Item extends BatchItem, Report extends object> {
  readonly items: readonly Item[];
  /** Names the JSON that is printed for each input. */
  readonly schema: string;
  readonly run: (item: Item) => Promise<Report>;
  /** The report for people. */
  readonly tell: (report: Report) => Promise<void> | void;
  /** Whether an input counts as failed though there is an output. */
  readonly isFailure?: (report: Report) => boolean;
}

/** What would fail all inputs. Flags were checked before: what is wrong with a call then is so for this input. */
const OF_ALL_INPUTS: ReadonlySet<ErrorCode> = new Set(['provider', 'aborted']);

export interface BatchFlags extends ReportFlags {
  /** Inputs in flight at once. */
  readonly jobs?: number;
}

export const BATCH_DEFAULTS = { jobs: 1 } as const satisfies Partial<BatchFlags>;

/** @returns 0, 3 when some inputs were skipped, 4 when some failed; a single input's error is thrown */
export async function runBatch<Item extends BatchItem, Report extends object>(
  { items, schema, run, tell, isFailure }: Batch<Item, Report>,
  { json, quiet, jobs = BATCH_DEFAULTS.jobs }: BatchFlags,
): Promise<number> {
  const isBatch = items.length > 1;
  let skipped = 0;
  let failed = 0;
  let isOver = false;

  const runOne = async (item: Item): Promise<void> => {
    const { input, skip } = item;
    if (skip !== undefined) {
      skipped++;
      if (json) await printJson({ schema, input, skipped: skip });
      else if (!quiet) note(`vaerans: ${input}: skipped, as its output exists`);
      return;
    }
    try {
      const report = await run(item);
      if (isFailure?.(report)) failed++;
      if (json) await printJson({ schema, ...report });
      else if (!quiet) await tell(report);
    } catch (error) {
      if (!(error instanceof VaeransError) || OF_ALL_INPUTS.has(error.code)) {
        isOver = true;
        throw error;
      }
      const told = withInput(input, error.message);
      if (!isBatch) {
        error.message = told;
        throw error;
      }
      const { code, message } = error;
      if (code === 'unsupported') skipped++;
      else failed++;
      note(`vaerans: ${told}`);
      if (json) {
        await printJson({ schema, input, error: { code, message, exitCode: exitCodeOf(error) } });
      }
    }
  };

  // The lanes share one iterator, so each input is taken once, in order.
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) {
      if (isOver) return;
      await runOne(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, lane));

  if (isBatch) {
    const done = items.length - skipped - failed;
    if (json) await printJson({ schema: 'vaerans.summary/1', done, skipped, failed });
    else if (!quiet) note(`${done} done, ${skipped} skipped, ${failed} failed`);
  }
  if (failed > 0) return EXIT.someFailed;
  return skipped > 0 ? EXIT.someSkipped : EXIT.ok;
}

/** A message that says which input it is of, unless it does already. */
function withInput(input: string, message: string): string {
  return input === STREAM || message.includes(`'${input}'`) ? message : `${input}: ${message}`;
}
