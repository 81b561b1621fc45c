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
  Trace,
} from '../index.js';
import { checkNewFile, writeOutput } from './files.js';
import { type CodecFlags, codecOptions, limitsOf, type ReportFlags } from './flags.js';
import { Progress } from './progress.js';
import { note, noteLines } from './streams.js';

export interface SessionFlags extends CodecFlags, ReportFlags {
  /** Path for Chrome's trace format. */
  readonly trace?: string;
  readonly force?: boolean;
  /** Inputs in flight at once; 1 where left out. */
  readonly jobs?: number;
}

export interface Session {
  readonly codec: Codec;
  readonly limits: Partial<Limits>;
  /** Options for the call that works on this input. */
  readonly callFor: (input: string) => CallOptions;
  /** Takes the bar away, before something is told of this input. */
  readonly stopProgress: (input: string) => void;
}

/** Opens a session, lends it, closes it; tells the trace at the end. */
export async function withSession<T>(
  flags: SessionFlags,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  if (flags.trace !== undefined) await checkNewFile(flags.trace, flags.force);
  const isTraced = flags.verbose > 0 || flags.trace !== undefined;
  const trace = isTraced ? new Trace({ entropy: flags.verbose > 1, cpuClockMs }) : undefined;
  const progress = await Progress.open(flags);
  const limits = limitsOfEach(flags);
  await using codec = await openCodec({ ...codecOptions(flags, process.env), limits });
  try {
    const result = await work({
      codec,
      limits,
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

/** What inputs in flight hold together stays within the limit. */
function limitsOfEach(flags: SessionFlags): Partial<Limits> {
  const limits = limitsOf(flags);
  const { maxMemoryBytes } = { ...defaultLimits(), ...limits };
  return { ...limits, maxMemoryBytes: Math.floor(maxMemoryBytes / (flags.jobs ?? 1)) };
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
