/**
 * `vaerans decompress`: `.vae` files to pictures.
 * @module
 */
import { extname } from 'node:path';
import {
  type ChannelCount,
  encodeImage,
  type ImageFormat,
  imageFormatFromPath,
  inspect,
  UsageError,
} from '../index.js';
import { type BatchFlags, runBatch } from './batch.js';
import { type OverwriteFlags, prepareJobs, readInput, writeOutput } from './files.js';
import { decompressTo, type Job, type OutputFlags, STREAM } from './grammar.js';
import { formatMs } from './report.js';
import { type Session, type SessionFlags, withSession } from './session.js';
import { checkJsonHasStdout, note } from './streams.js';

export interface DecompressFlags extends SessionFlags, OutputFlags, OverwriteFlags, BatchFlags {
  readonly format?: ImageFormat;
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
  /** From the bytes of the file to pixels, loading of the model included. */
  readonly decodeMs: number;
  readonly provider: string;
  readonly model: { readonly name?: string; readonly id: string };
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
  return withSession(flags, (session) =>
    runBatch(
      {
        items: jobs,
        schema: 'vaerans.decompress/1',
        run: (job) => decompressOne(job, formats.get(job.output) ?? 'png', session),
        tell: (report) => note(describe(report)),
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
      `write: expected a name ending in .png, .ppm or .pam, or --format, got '${output}'`,
    );
  }
  return named;
}

async function decompressOne(
  { input, output }: Job,
  format: ImageFormat,
  { codec, limits, callFor, stopProgress }: Session,
): Promise<DecompressReport> {
  const bytes = await readInput(input, limits);
  const startMs = performance.now();
  const pixels = await codec.decompress(bytes, callFor(input));
  const decodeMs = performance.now() - startMs;
  stopProgress();
  const image = await encodeImage(pixels, format);
  await writeOutput(output, image);
  const { modelName, modelId } = inspect(bytes);
  return {
    input,
    output,
    format,
    widthPx: pixels.widthPx,
    heightPx: pixels.heightPx,
    channels: pixels.channels,
    inputBytes: bytes.length,
    bytes: image.length,
    decodeMs,
    provider: (await codec.providerReport)?.provider ?? 'none',
    model: { ...(modelName !== undefined && { name: modelName }), id: modelId },
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
