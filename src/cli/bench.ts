/**
 * `vaerans bench`: our codec over pictures, in a table or as JSON.
 * @module
 */
import { cpus, platform, release, totalmem } from 'node:os';
import {
  type BenchResult,
  type BenchSummary,
  bench,
  isPicturePath,
  summarise,
  versions,
} from '../index.js';
import { EXIT } from './exit.js';
import { checkNewFile, findSources, writeOutput } from './files.js';
import { type CodecFlags, codecOptions, type ReportFlags } from './flags.js';
import { STREAM } from './grammar.js';
import { Progress } from './progress.js';
import { formatBytes, formatMs, formatTable } from './report.js';
import { note, printLines } from './streams.js';

export interface BenchFlags extends CodecFlags, Omit<ReportFlags, 'json'> {
  readonly qualities: readonly number[];
  readonly recursive?: boolean;
  readonly force?: boolean;
  /** A path, or `-` or nothing for standard output. */
  readonly json?: string | true;
}

/** @returns the exit code: 4 when some pictures could not be measured */
export async function benchCommand(inputs: readonly string[], flags: BenchFlags): Promise<number> {
  const jsonPath = flags.json === true ? STREAM : flags.json;
  if (jsonPath !== undefined && jsonPath !== STREAM) await checkNewFile(jsonPath, flags.force);
  const sources = await findSources(inputs, flags.recursive ? 'deep' : 'flat', isPicturePath);
  const progress = await Progress.open({ quiet: flags.quiet ?? false });
  const result = await bench(
    sources.map(({ path, relativePath }) => ({ path, name: relativePath })),
    {
      ...codecOptions(flags, process.env),
      qualities: flags.qualities,
      onProgress: (done, total) => progress.update('bench', 'rows', done, total),
    },
  ).finally(() => progress.stop());
  const summary = summarise(result.rows);
  for (const { image, message } of result.failures) note(`vaerans: ${image}: ${message}`);
  if (jsonPath !== undefined) {
    const json = JSON.stringify(await toReport(result, summary), undefined, 1);
    await writeOutput(jsonPath, Buffer.from(`${json}\n`));
  }
  if (jsonPath !== STREAM && !flags.quiet && result.rows.length > 0)
    await printLines(describe(result, summary, flags.verbose));
  return result.failures.length > 0 ? EXIT.someFailed : EXIT.ok;
}

async function toReport(result: BenchResult, summary: BenchSummary): Promise<object> {
  const [cpu] = cpus();
  return {
    schema: 'vaerans.bench/1',
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
    model: result.model,
    threads: result.threads,
    ...summary,
    rows: result.rows,
    failures: result.failures,
  };
}

function describe(result: BenchResult, summary: BenchSummary, verbose: number): string {
  const { rows, model, threads } = result;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const figures = (row: {
    readonly byteLength: number;
    readonly bitsPerPixel: number;
    readonly psnrDb: number | null;
    readonly encodeMs: number;
    readonly decodeMs: number;
  }) => [
    formatBytes(Math.round(row.byteLength)),
    row.bitsPerPixel.toFixed(4),
    row.psnrDb?.toFixed(3) ?? 'equal',
    formatMs(row.encodeMs),
    formatMs(row.decodeMs),
  ];
  const columns = ['bytes', 'bpp', 'PSNR dB', 'encode', 'decode'];
  const each = formatTable(
    ['image', 'quality', ...columns],
    rows.map((row) => [row.image, String(row.quality), ...figures(row)]),
  );
  const means = formatTable(
    ['mean', 'images', ...columns],
    summary.means.map((mean) => [`quality ${mean.quality}`, String(mean.images), ...figures(mean)]),
  );
  return [
    ...(verbose > 0 || rows.length <= MOST_ROWS_SHOWN ? [each, ''] : []),
    means,
    '',
    `model ${model.name} ${model.version}, id ${model.id}; ${threads} threads`,
    `time outside inference ${percent(summary.overheadShare)} (encode ${percent(summary.encodeOverheadShare)}, decode ${percent(summary.decodeOverheadShare)})`,
  ].join('\n');
}

/** Beyond a screenful the rows are shown with `-v` only. */
const MOST_ROWS_SHOWN = 40;
