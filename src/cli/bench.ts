/**
 * `vaerans bench`: codecs over pictures, as tables, JSON, CSV and a page.
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, platform, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import {
  BENCH_SCHEMA,
  type BenchReport,
  type BenchResult,
  type BenchRow,
  bench,
  type CodecOptions,
  compareWithBaseline,
  isOurs,
  isPicturePath,
  readBaseline,
  renderBenchPage,
  toCsv,
  versions,
} from '../index.js';
import { describeBench } from './bench-tables.js';
import { EXIT } from './exit.js';
import {
  checkApart,
  checkNewFile,
  findSources,
  type NamedPath,
  readInput,
  writeOutput,
} from './files.js';
import { type CodecFlags, codecOptions, defined, type ReportFlags } from './flags.js';
import { type Source, STREAM } from './grammar.js';
import { Progress } from './progress.js';
import { finishBeforeSignals } from './signals.js';
import { note, printLines } from './streams.js';

export interface BenchFlags extends CodecFlags, Omit<ReportFlags, 'json'> {
  readonly codecs: readonly string[];
  readonly qualities: Readonly<Record<string, readonly number[]>>;
  readonly targets?: readonly number[];
  readonly metric: readonly string[];
  readonly anchor?: string;
  readonly bdSpan?: readonly [least: number, most: number];
  readonly effort?: number;
  readonly jobs: number;
  readonly recursive?: boolean;
  readonly force?: boolean;
  /** A path, or `-` or nothing for standard output. */
  readonly json?: string | true;
  readonly csv?: string;
  readonly report?: string;
  readonly pictures: number;
  readonly keep?: string;
  readonly against?: string;
  readonly resume?: boolean;
}

/** @returns the exit code: 4 when something could not be measured, 10 when it is worse than its baseline */
export async function benchCommand(
  operands: readonly string[],
  flags: BenchFlags,
): Promise<number> {
  const { csv, report, force, against } = flags;
  const options = codecOptions(flags, process.env);
  const inputs = await findSources(operands, flags.recursive ? 'deep' : 'flat', isPicturePath);
  const json = flags.json === true ? STREAM : flags.json;
  const rowsPath = json === undefined || json === STREAM ? undefined : `${json}.rows`;
  await checkApart(
    [
      ['--json', json],
      ['the rows of --json', rowsPath],
      ['--csv', csv],
      ['--report', report],
    ],
    [...inputs.map(({ path }): NamedPath => ['an input', path]), ['--against', against]],
  );
  // Before the work, which takes long, and not after it.
  const baseline = against === undefined ? undefined : await readBaseline(await readInput(against));
  for (const path of [json, csv, report]) {
    if (path !== undefined && path !== STREAM) await checkNewFile(path, force);
  }
  const { record, page } = await finishBeforeSignals((signal) =>
    measureAndDraw(inputs, flags, options, rowsPath, signal),
  );
  const text = `${JSON.stringify(record, undefined, 1)}\n`;
  if (json !== undefined) await writeOutput(json, Buffer.from(text));
  if (csv !== undefined) await writeOutput(csv, Buffer.from(toCsv(record)));
  if (report !== undefined) await writeOutput(report, Buffer.from(page));
  if (rowsPath !== undefined) await rm(rowsPath, { force: true });
  const isQuiet = flags.quiet || [json, csv, report].includes(STREAM);
  if (!isQuiet && record.rows.length > 0) await printLines(describeBench(record, flags.verbose));
  if (baseline !== undefined) {
    const { faults, notes } = await compareWithBaseline(record, baseline, options);
    if (faults.length > 0) {
      note(`vaerans: against ${against}: worse: ${faults.join('; ')}`);
      return EXIT.worse;
    }
    if (!isQuiet) await printLines(`against ${against}: ${notes.join('; ')}`);
  }
  return record.failures.length > 0 ? EXIT.someFailed : EXIT.ok;
}

/** Measures, and draws the page where one is asked for: it needs pictures that may be there for its sake alone. */
async function measureAndDraw(
  inputs: readonly Source[],
  flags: BenchFlags,
  options: CodecOptions,
  rowsPath: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly record: BenchReport; readonly page: string }> {
  const { report, keep, pictures } = flags;
  if (report === undefined) {
    return { record: await measure(inputs, flags, rowsPath, keep, signal), page: '' };
  }
  const folder = keep ?? (await mkdtemp(join(tmpdir(), 'vaerans-page-')));
  try {
    const record = await measure(inputs, flags, rowsPath, folder, signal);
    const page = await renderBenchPage(record, {
      pictures,
      codec: options,
      atRate: (image, target) => codeAtRate(record, image, target, flags, folder, signal),
    });
    return { record: keep === undefined ? withoutPaths(record) : record, page };
  } finally {
    if (keep === undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** Of files in a folder that goes when the page is made. */
function withoutPaths(record: BenchReport): BenchReport {
  return {
    ...record,
    rows: record.rows.map(({ codedPath: _coded, decodedPath: _decoded, ...row }) => row),
  };
}

async function measure(
  inputs: readonly Source[],
  flags: BenchFlags,
  rowsPath: string | undefined,
  keepFolder: string | undefined,
  signal: AbortSignal,
): Promise<BenchReport> {
  const { codecs, qualities, targets, metric, anchor, bdSpan, effort, jobs, resume } = flags;
  const progress = await Progress.open({ quiet: flags.quiet ?? false });
  const result = await bench(
    inputs.map(({ path, relativePath }) => ({ path, name: relativePath })),
    {
      ...codecOptions(flags, process.env),
      codecs,
      settings: qualities,
      metrics: metric,
      jobs,
      programPath: process.env.PATH ?? '',
      resources,
      signal,
      onProgress: (done, total) => progress.update('bench', 'rows', done, total),
      ...defined({ targets, anchor, bdSpan, effort, rowsPath, keepFolder, resume }),
    },
  ).finally(() => progress.stop());
  for (const { image, codec, setting, message } of result.failures) {
    const where = codec === null ? '' : ` ${codec} ${setting}:`;
    note(`vaerans: ${image}:${where} ${message}`);
  }
  return toReport(result);
}

/** One picture through every other codec that was measured, turned to so many bits per pixel. */
async function codeAtRate(
  { images, rows }: BenchReport,
  name: string,
  bitsPerPixel: number,
  flags: BenchFlags,
  folder: string,
  signal: AbortSignal,
): Promise<readonly BenchRow[]> {
  const path = images.find((image) => image.name === name)?.path;
  const codecs = flags.codecs.filter(
    (codec) => !isOurs(codec) && rows.some((row) => row.codec === codec),
  );
  if (path === undefined || codecs.length === 0) return [];
  const { rows: turned } = await bench([{ path, name }], {
    ...codecOptions(flags, process.env),
    codecs,
    targets: [Number(bitsPerPixel.toFixed(4))],
    metrics: flags.metric,
    programPath: process.env.PATH ?? '',
    keepFolder: join(folder, 'equal-bytes'),
    signal,
  });
  return turned;
}

function resources() {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return { cpuMs: (userCPUTime + systemCPUTime) / 1000, peakMemoryBytes: maxRSS * 1024 };
}

async function toReport(result: BenchResult): Promise<BenchReport> {
  const [cpu] = cpus();
  return {
    schema: BENCH_SCHEMA,
    date: new Date().toISOString(),
    command: ['vaerans', ...process.argv.slice(2)].join(' '),
    machine: {
      cpu: cpu?.model ?? 'unknown',
      cores: cpus().length,
      memoryBytes: totalmem(),
      os: `${platform()} ${release()}`,
      node: process.version,
    },
    versions: await versions(),
    ...result,
  };
}
