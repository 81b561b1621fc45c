/**
 * `vaerans compress`: pictures to `.vae` files.
 * @module
 */
import {
  type ChannelCount,
  COMPRESS_DEFAULTS,
  type CodingMode,
  type CompressOptions,
  inspect,
  isPicturePath,
  openImage,
  type Rgb,
  readConfig,
  removeFile,
  type Tune,
  UsageError,
} from '../index.js';
import { type BatchFlags, runBatch } from './batch.js';
import { type OverwriteFlags, prepareJobs, withInputChunks, writeOutput } from './files.js';
import { defined, modelSearch } from './flags.js';
import { COMPRESS, type Job, type OutputFlags, STREAM } from './grammar.js';
import { formatBytes, formatMs } from './report.js';
import { type Session, type SessionFlags, withSession } from './session.js';
import { checkJsonHasStdout, note } from './streams.js';
import { testOne } from './test.js';

/** What a file is to keep: one of these. */
type Asked = Pick<
  CompressOptions,
  'quality' | 'targetSize' | 'targetBpp' | 'targetPsnr' | 'targetSsim' | 'lossless'
>;

export interface CompressFlags
  extends SessionFlags,
    OutputFlags,
    OverwriteFlags,
    BatchFlags,
    Asked,
    Pick<CompressOptions, 'tune' | 'alphaQuality' | 'strip' | 'verify' | 'effort'> {
  readonly background?: Rgb;
  /** Removes each input once its output was compared with it, read back from the disk and decoded. */
  readonly rm?: boolean;
}

/** `vaerans.compress/1` */
interface CompressReport extends Asked {
  readonly input: string;
  readonly output: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly channels: ChannelCount;
  readonly bitsPerSample: 8 | 16;
  readonly mode: CodingMode;
  readonly rate: number;
  readonly bytes: number;
  readonly bitsPerPixel: number;
  /** Bytes of the raw samples divided by bytes of the file. */
  readonly ratio: number;
  /** From pixels to the bytes of the file, loading of the model included. */
  readonly encodeMs: number;
  readonly provider: string;
  readonly model: { readonly name: string; readonly id: string; readonly tune?: Tune };
}

/** @returns the exit code */
export async function compressCommand(
  operands: readonly string[],
  flags: CompressFlags,
): Promise<number> {
  const jobs = await prepareJobs(operands, flags, COMPRESS, isPicturePath);
  checkJsonHasStdout(flags, jobs);
  if (flags.rm && jobs.some(({ input, output }) => input === STREAM || output === STREAM)) {
    throw new UsageError("usage: expected named inputs and outputs with --rm, got '-'");
  }
  const wishes = await wishesOf(flags);
  return withSession(flags, jobs, async (session) => {
    // Without it nothing can be coded: told once, not for every input.
    await session.codec.openModel(wishes.tune.tune);
    return runBatch(
      {
        items: jobs,
        schema: 'vaerans.compress/1',
        run: (job) => compressOne(job, flags, wishes, session),
        tell: (report) => note(describe(report)),
      },
      flags,
    );
  });
}

async function compressOne(
  { input, output }: Job,
  flags: CompressFlags,
  { aim, tune }: Awaited<ReturnType<typeof wishesOf>>,
  session: Session,
): Promise<CompressReport> {
  const { codec, callFor, stopProgress } = session;
  const { background, quiet } = flags;
  const onNote = (text: string) => {
    if (!quiet) note(`vaerans: ${input}: note: ${text}`);
  };
  const { bytes, encodeMs } = await withInputChunks(input, async (chunks) => {
    const picture = await openImage(chunks, {
      limits: codec.limits,
      ...(background && { background }),
      onNote,
    });
    const startMs = performance.now();
    const bytes = await codec.compress(picture, {
      ...aim,
      ...extrasOf(flags),
      ...tune,
      onNote,
      ...callFor(input),
    });
    return { bytes, encodeMs: performance.now() - startMs };
  }).finally(() => stopProgress(input));
  await writeOutput(output, bytes);
  const { widthPx, heightPx, channels, bitsPerSample, mode, rate, bitsPerPixel, ratio } =
    inspect(bytes);
  const { manifest, modelId } = (await codec.openModel(tune.tune)).model;
  if (flags.rm) {
    // What is on the disk, as that is all that will be left.
    await testOne(output, session);
    await removeFile(input);
  }
  return {
    input,
    output,
    widthPx,
    heightPx,
    channels,
    bitsPerSample,
    ...aim,
    mode,
    rate,
    bytes: bytes.length,
    bitsPerPixel,
    ratio,
    encodeMs,
    provider: (await codec.providerReport)?.provider ?? 'none',
    model: { name: manifest.name, id: modelId, ...defined({ tune: manifest.tune }) },
  };
}

/** What the flags and, behind them, the configuration ask for, as the library takes it. */
async function wishesOf(flags: CompressFlags) {
  const { quality, targetSize, targetBpp, targetPsnr, targetSsim, lossless, model } = flags;
  const { compress } = await readConfig(modelSearch(process.env));
  // A model that is asked for goes before what the configuration says of tunes.
  const tune = defined({ tune: flags.tune ?? (model === undefined ? compress?.tune : undefined) });
  const given = defined({ quality, targetSize, targetBpp, targetPsnr, targetSsim, lossless });
  if (Object.keys(given).length > 0) return { aim: given, tune };
  return { aim: { quality: compress?.quality ?? COMPRESS_DEFAULTS.quality }, tune };
}

function extrasOf({ alphaQuality, strip, verify, rm, effort }: CompressFlags) {
  // Nothing is removed that was not compared with what its file gives.
  return defined({ alphaQuality, strip, verify: rm || verify, effort });
}

function describe(report: CompressReport): string {
  const { input, output, widthPx, heightPx, bytes, bitsPerPixel, encodeMs, provider } = report;
  return `${input} -> ${output}: ${widthPx}x${heightPx}, ${formatBytes(bytes)}, ${bitsPerPixel.toFixed(3)} bpp, ${formatMs(encodeMs)} encode (${provider})`;
}
