/**
 * `vaerans decompress`: `.vae` files to pictures.
 * @module
 */
import { extname } from 'node:path';
import {
  type ChannelCount,
  HEADER_MAX_BYTES,
  IMAGE_SUFFIXES,
  type ImageFormat,
  imageFormatFromPath,
  inspect,
  type LostParts,
  type PixelFormat,
  type PixelSink,
  type RandomAccess,
  type Region,
  type RowRange,
  type Tune,
  UsageError,
  withOpenFile,
  writeImageRows,
} from '../index.js';
import { type BatchFlags, runBatch } from './batch.js';
import { type OverwriteFlags, prepareJobs, readInput, writeOutputBy } from './files.js';
import { defined } from './flags.js';
import { decompressTo, type Job, type OutputFlags, STREAM } from './grammar.js';
import { formatMs } from './report.js';
import { type Session, type SessionFlags, withSession } from './session.js';
import { checkJsonHasStdout, note } from './streams.js';

export interface DecompressFlags extends SessionFlags, OutputFlags, OverwriteFlags, BatchFlags {
  readonly format?: ImageFormat;
  readonly region?: Region;
  readonly allowDrift?: boolean;
  readonly allowPartial?: boolean;
  readonly scale?: number;
}

/** `vaerans.decompress/1` */
interface DecompressReport {
  readonly input: string;
  readonly output: string;
  readonly format: ImageFormat;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly channels: ChannelCount;
  readonly inputBytes: number;
  /** Of the image file. */
  readonly bytes: number;
  /** From the bytes of the file to those of the picture, loading of the model included. */
  readonly decodeMs: number;
  readonly provider: string;
  readonly model: { readonly name?: string; readonly id: string; readonly tune?: Tune };
  /** Where the file was damaged, and --allow-partial took it all the same. */
  readonly lost?: LostParts;
}

/** @returns the exit code */
export async function decompressCommand(
  operands: readonly string[],
  flags: DecompressFlags,
): Promise<number> {
  const isVae = (path: string) => extname(path).toLowerCase() === '.vae';
  const jobs = await prepareJobs(operands, flags, decompressTo(flags.format), isVae);
  checkJsonHasStdout(flags, jobs);
  const formats = new Map(jobs.map(({ output }) => [output, formatOf(output, flags.format)]));
  return withSession(flags, jobs, (session) =>
    runBatch(
      {
        items: jobs,
        schema: 'vaerans.decompress/1',
        run: (job) => decompressOne(job, formats.get(job.output) ?? 'png', flags, session),
        tell: (report) => note(describe(report)),
        isFailure: ({ lost }) => lost !== undefined,
      },
      flags,
    ),
  );
}

/** @throws UsageError when neither the flag nor the name says it, before any work starts */
function formatOf(output: string, format: ImageFormat | undefined): ImageFormat {
  const suffix = output === STREAM ? undefined : imageFormatFromPath(output);
  if (format !== undefined && suffix !== undefined && suffix !== format) {
    throw new UsageError(`write: expected a name for ${format}, got '${output}'`);
  }
  const named = format ?? (output === STREAM ? 'png' : suffix);
  if (named === undefined) {
    throw new UsageError(
      `write: expected a name ending in ${IMAGE_SUFFIXES}, or --format, got '${output}'`,
    );
  }
  return named;
}

async function decompressOne(
  job: Job,
  format: ImageFormat,
  flags: DecompressFlags,
  session: Session,
): Promise<DecompressReport> {
  const { input } = job;
  // A part of the picture needs a part of the file only.
  if (flags.region === undefined || input === STREAM) {
    return decodeFile(await readInput(input, session.codec.limits), job, format, flags, session);
  }
  return withOpenFile(input, (file) => decodeFile(file, job, format, flags, session));
}

async function decodeFile(
  file: Uint8Array | RandomAccess,
  { input, output }: Job,
  format: ImageFormat,
  { region, scale, allowDrift, allowPartial, quiet }: DecompressFlags,
  { codec, callFor, stopProgress }: Session,
): Promise<DecompressReport> {
  const startMs = performance.now();
  let bytes = 0;
  let shown: PixelFormat | undefined;
  let lost: LostParts | undefined;
  const onLost = (parts: LostParts) => {
    lost = parts;
  };
  await writeOutputBy(output, async (write, signal) => {
    const onNote = (text: string) => {
      if (!quiet) note(`vaerans: ${input}: note: ${text}`);
    };
    const counted = (part: Uint8Array) => {
      bytes += part.length;
      return write(part);
    };
    const rows = await writeImageRows(format, counted, onNote);
    const sink: PixelSink = {
      begin: (begun) => {
        shown = begun;
        return rows.begin(begun);
      },
      writeRows: (part) => rows.writeRows(part),
    };
    await codec.decompressTo(file, sink, {
      ...callFor(input),
      ...defined({ region, scale, allowDrift, signal, onLost: allowPartial ? onLost : undefined }),
    });
    await rows.end();
  }).finally(() => stopProgress(input));
  const decodeMs = performance.now() - startMs;
  const beginning = file instanceof Uint8Array ? file : await file.read(0, HEADER_MAX_BYTES);
  const { widthPx, heightPx, channels, modelName, modelId, tune } = inspect(
    beginning,
    file.byteLength,
    // What is missing of a cut file may lie outside of the region.
    { mayBeCut: allowPartial === true },
  );
  if (lost !== undefined) note(`vaerans: ${input}: damaged, ${describeLost(lost)}`);
  return {
    input,
    output,
    format,
    widthPx: shown?.widthPx ?? widthPx,
    heightPx: shown?.heightPx ?? heightPx,
    channels: shown?.channels ?? channels,
    inputBytes: file.byteLength,
    bytes,
    decodeMs,
    provider: (await codec.providerReport)?.provider ?? 'none',
    model: { ...defined({ name: modelName, tune }), id: modelId },
    ...(lost && { lost }),
  };
}

function describe({
  input,
  output,
  widthPx,
  heightPx,
  decodeMs,
  provider,
}: DecompressReport): string {
  return `${input} -> ${output}: ${widthPx}x${heightPx}, ${formatMs(decodeMs)} decode (${provider})`;
}

/** Such as `rows 512 to 1023 lost (hatched), rows 504 to 511 inexact, without alpha`. */
function describeLost({ rows, inexactRows, streams }: LostParts): string {
  const list = (ranges: readonly RowRange[]) =>
    ranges
      .map(({ firstRow, rows }) =>
        rows === 1 ? firstRow : `${firstRow} to ${firstRow + rows - 1}`,
      )
      .join(' and ');
  return [
    ...(rows.length > 0 ? [`rows ${list(rows)} lost (hatched)`] : []),
    ...(inexactRows.length > 0 ? [`rows ${list(inexactRows)} inexact`] : []),
    ...(streams.length > 0 ? [`without ${streams.join(', ')}`] : []),
  ].join(', ');
}
