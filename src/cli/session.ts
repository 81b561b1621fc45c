/**
 * What compress and decompress share while they run: an open codec, a trace if one is wanted, a progress bar.
 * @module
 */
import {
  type CallOptions,
  type Codec,
  defaultLimits,
  type Limits,
  openCodec,
  readConfig,
  Trace,
} from '../index.js';
import { checkApart, checkNewFile, type ListFlags, type NamedPath, writeOutput } from './files.js';
import { type CodecFlags, codecOptions, limitsOf, modelSearch, type ReportFlags } from './flags.js';
import { Progress } from './progress.js';
import { note, noteLines } from './streams.js';

export interface SessionFlags extends CodecFlags, ReportFlags, ListFlags {
  /** Path for Chrome's trace format. */
  readonly trace?: string;
  readonly force?: boolean;
  /** Inputs in flight at once; 1 where left out. */
  readonly jobs?: number;
}

export interface Session {
  readonly codec: Codec;
  /** Options for the call that works on this input. */
  readonly callFor: (input: string) => CallOptions;
  /** Takes the bar away, before something is told of this input. */
  readonly stopProgress: (input: string) => void;
}

/**
 * Opens a session, lends it, closes it; tells the trace at the end.
 * @param jobs what is read and written, which the trace is kept off
 */
export async function withSession<T>(
  flags: SessionFlags,
  jobs: readonly { readonly input: string; readonly output?: string }[],
  work: (session: Session) => Promise<T>,
): Promise<T> {
  if (flags.trace !== undefined) {
    const others = jobs.flatMap(({ input, output }): NamedPath[] => [
      ['an input', input],
      ['an output', output],
    ]);
    await checkApart([['--trace', flags.trace]], [...others, ['--files-from', flags.filesFrom]]);
    await checkNewFile(flags.trace, flags.force);
  }
  const isTraced = flags.verbose > 0 || flags.trace !== undefined;
  const trace = isTraced ? new Trace({ entropy: flags.verbose > 1, cpuClockMs }) : undefined;
  const progress = await Progress.open(flags);
  const limits = await limitsOfEach(flags);
  await using codec = await openCodec({ ...codecOptions(flags, process.env), limits });
  try {
    const result = await work({
      codec,
      callFor: (input) => ({
        ...(trace && { trace }),
        onProgress: (done, total) => progress.update(input, 'tiles', done, total),
      }),
      stopProgress: (input) => progress.stop(input),
    });
    if (flags.verbose > 0 && trace !== undefined) await tellTrace(codec, trace);
    if (flags.trace !== undefined && trace !== undefined) {
      const events = JSON.stringify({ traceEvents: trace.toChromeEvents() });
      await writeOutput(flags.trace, Buffer.from(events));
    }
    return result;
  } finally {
    progress.stop();
  }
}

/** What inputs in flight hold together stays within the limit: the flag's, else the configuration's, else the default. */
async function limitsOfEach(flags: SessionFlags): Promise<Partial<Limits>> {
  const limits = limitsOf(flags);
  const { max_memory: configured } = await readConfig(modelSearch(process.env));
  const together = limits.maxMemoryBytes ?? configured ?? defaultLimits().maxMemoryBytes;
  return { ...limits, maxMemoryBytes: Math.floor(together / (flags.jobs ?? 1)) };
}

async function tellTrace(codec: Codec, trace: Trace): Promise<void> {
  const report = await codec.providerReport;
  for (const { provider, reason } of report?.failed ?? []) {
    note(`provider ${provider} did not load: ${reason}`);
  }
  noteLines(trace.toTable());
}

function cpuClockMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
