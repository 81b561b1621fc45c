/**
 * What every stage took and made. One wrapper measures them all; progress, `-v`, bench and reports read it.
 * @module
 */
import { type TensorRef, tensorByteLength } from '../wasm/arena.js';

/** Shape, type and size of one tensor that went into or came out of a stage. */
export interface TracedTensor {
  readonly component: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** One run of one stage. */
export interface TraceRecord {
  readonly stage: string;
  /** Milliseconds since the trace began. */
  readonly startMs: number;
  readonly wallMs: number;
  /** Processor time of the whole process, inference threads included; undefined where no clock was given. */
  readonly cpuMs: number | undefined;
  /** Entities that went through together. */
  readonly entities: number;
  readonly inputs: readonly TracedTensor[];
  readonly outputs: readonly TracedTensor[];
  /** What the stage itself has to say, for example `inferenceMs`, the time inside onnxruntime. */
  readonly details: Readonly<Record<string, number>>;
}

/** An event of Chrome's trace format, as Perfetto and chrome://tracing read it. */
export interface ChromeTraceEvent {
  readonly name: string;
  readonly ph: 'X';
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  readonly dur: number;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface TraceOptions {
  /** Estimates the order-0 entropy of symbols as they pass; costs a pass over them. */
  readonly entropy?: boolean;
  /** The processor time that the process has used so far, in milliseconds. */
  readonly cpuClockMs?: () => number;
}

/** Collects records; give one to a call or a world and read it afterwards. */
export class Trace {
  readonly records: TraceRecord[] = [];
  readonly entropy: boolean;
  readonly #cpuClockMs: (() => number) | undefined;
  readonly #originMs = performance.now();

  constructor({ entropy = false, cpuClockMs }: TraceOptions = {}) {
    this.entropy = entropy;
    this.#cpuClockMs = cpuClockMs;
  }

  /**
   * Runs `work` and records it; work that fails leaves no record.
   * @param describe called after the work, outside the measured time
   */
  async measure<T>(
    stage: string,
    work: () => T | Promise<T>,
    describe: (result: T) => Omit<TraceRecord, 'stage' | 'startMs' | 'wallMs' | 'cpuMs'>,
  ): Promise<T> {
    const cpuStartMs = this.#cpuClockMs?.() ?? 0;
    const startMs = performance.now();
    const result = await work();
    const wallMs = performance.now() - startMs;
    const cpuMs = this.#cpuClockMs && this.#cpuClockMs() - cpuStartMs;
    this.records.push({
      stage,
      startMs: startMs - this.#originMs,
      wallMs,
      cpuMs,
      ...describe(result),
    });
    return result;
  }

  /** Wall milliseconds of all stages together, or of those named. */
  wallMs(...stages: readonly string[]): number {
    return this.records
      .filter(({ stage }) => stages.length === 0 || stages.includes(stage))
      .reduce((sum, { wallMs }) => sum + wallMs, 0);
  }

  /** The sum of a detail, for example `inferenceMs`, over all records. */
  detail(name: string): number {
    return this.records.reduce((sum, { details }) => sum + (details[name] ?? 0), 0);
  }

  /** One line per record, columns aligned, for a terminal. */
  toTable(): string {
    const rows = this.records.map((record) => [
      record.stage,
      record.wallMs.toFixed(2),
      record.cpuMs?.toFixed(2) ?? '-',
      record.inputs.map(nameTensor).join(' '),
      record.outputs.map(nameTensor).join(' '),
      Object.entries(record.details)
        .map(([name, value]) => `${name}=${Number(value.toFixed(2))}`)
        .join(' '),
    ]);
    const table = [['stage', 'wall ms', 'cpu ms', 'in', 'out', ''], ...rows];
    const widths = table[0]?.map((_, column) =>
      Math.max(...table.map((row) => row[column]?.length ?? 0)),
    );
    return table
      .map((row) => row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join('  '))
      .map((line) => line.trimEnd())
      .join('\n');
  }

  /** The records as Chrome trace JSON objects; `JSON.stringify({ traceEvents })` opens in Perfetto. */
  toChromeEvents(): ChromeTraceEvent[] {
    return this.records.map((record) => ({
      name: record.stage,
      ph: 'X',
      pid: 1,
      tid: 1,
      ts: Math.round(record.startMs * 1000),
      dur: Math.round(record.wallMs * 1000),
      args: {
        cpuMs: record.cpuMs,
        entities: record.entities,
        inputs: record.inputs,
        outputs: record.outputs,
        ...record.details,
      },
    }));
  }
}

function nameTensor({ component, dtype, shape }: TracedTensor): string {
  return `${component}:${dtype}[${shape.join('x')}]`;
}

/** Describes a tensor without holding on to its memory. */
export function traceTensor(component: string, { dtype, shape }: TensorRef): TracedTensor {
  return { component, dtype, shape, byteLength: tensorByteLength(dtype, shape) };
}
