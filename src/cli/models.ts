/**
 * `vaerans models ...`: calls the library and tells what it did.
 * @module
 */
import {
  type CheckReport,
  checkModel,
  describeModel,
  exportModel,
  importModel,
  isPicturePath,
  listModels,
  pullModel,
  removeModel,
  type TuneReport,
  tuneModel,
} from '../index.js';
import { EXIT } from './exit.js';
import { checkNewFile, findSources, writeOutput } from './files.js';
import { defined, modelSearch } from './flags.js';
import type { JsonFlags } from './models-program.js';
import { Progress } from './progress.js';
import { formatBytes, formatFacts, formatTable } from './report.js';
import { finishBeforeSignals } from './signals.js';
import { note, printJson, printLines } from './streams.js';

export interface ImportFlags extends JsonFlags {
  readonly name: string;
  readonly licence?: string;
  readonly force?: boolean;
  readonly inputRange?: readonly [number, number];
}

export async function importCommand(files: readonly string[], flags: ImportFlags): Promise<number> {
  const { name, licence, force, inputRange } = flags;
  const report = await importModel(files, {
    ...modelSearch(process.env),
    uninterrupted: finishBeforeSignals,
    name,
    ...defined({ licence, force, inputRange }),
  });
  if (flags.json) await printJson({ schema: 'vaerans.models.import/1', ...report });
  else {
    await printLines(
      formatFacts([
        ['model', `${report.name}, id ${report.modelId}`],
        ['family', report.family],
        [
          'latent',
          `${report.latentChannels} channels, one sample for ${report.stridePx}x${report.stridePx} px`,
        ],
        [
          'graphs',
          `encoder ${formatBytes(report.encoderByteLength)}, decoder ${formatBytes(report.decoderByteLength)}`,
        ],
        ['tiles', report.blended ? 'blended, as the network sees its whole window' : 'exact'],
        ['folder', report.folder],
        ['next', `vaerans models tune ${report.name} --images FOLDER`],
      ]),
    );
  }
  return EXIT.ok;
}

export interface TuneFlags extends JsonFlags {
  readonly images: string;
  readonly as?: string;
  readonly crop: number;
  readonly steps: number;
  readonly tablesOnly?: boolean;
  readonly threads?: number;
}

export async function tuneCommand(model: string, flags: TuneFlags): Promise<number> {
  const sources = await findSources([flags.images], 'deep', isPicturePath);
  const report = await tuneModel(model, {
    ...modelSearch(process.env),
    uninterrupted: finishBeforeSignals,
    images: sources.map(({ path }) => path),
    cropPx: flags.crop,
    steps: flags.steps,
    ...defined({ as: flags.as, threads: flags.threads, tablesOnly: flags.tablesOnly }),
    onProgress: (what) => note(what),
  });
  if (flags.json) await printJson({ schema: 'vaerans.models.tune/1', ...report });
  else await printLines(describeTuning(report));
  return EXIT.ok;
}

function describeTuning(report: TuneReport): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const { channel, waveletLevels } = report;
  const trials = report.trials.map(
    ({ setting, relativeBits }) =>
      [`tried ${setting}`, `${percent(relativeBits - 1)} bits for the same PSNR`] as const,
  );
  const facts = formatFacts([
    ['model', `${report.name}, id ${report.modelId}`],
    ['pictures', `${report.pictures} to fit to, ${report.heldOut} held out to measure on`],
    ...trials,
    ['chosen', `${channel}, ${waveletLevels === 0 ? 'no wavelet' : `cdf53 of ${waveletLevels}`}`],
    ['tables', formatBytes(report.contextByteLength)],
    ['folder', report.folder],
  ]);
  const rows = report.rates.map((point) => [
    String(point.rate),
    point.psnrDb.toFixed(2),
    point.orderZeroBitsPerPixel.toFixed(4),
    point.bitsPerPixel.toFixed(4),
    percent(point.savedShare),
  ]);
  const table = formatTable(['rate', 'PSNR dB', 'order-0 bpp', 'context bpp', 'saved'], rows);
  return `${facts}\n\n${table}`;
}

export interface CheckFlags extends JsonFlags {
  readonly images?: string;
  readonly against?: string;
  readonly threads?: number;
}

/** @returns the exit code: 7 when a check does not hold */
export async function checkCommand(model: string, flags: CheckFlags): Promise<number> {
  const { images, against, threads } = flags;
  const sources = images === undefined ? [] : await findSources([images], 'deep', isPicturePath);
  const report = await checkModel(model, {
    ...modelSearch(process.env),
    images: sources.map(({ path }) => path),
    ...defined({ against, threads }),
  });
  if (flags.json) await printJson({ schema: 'vaerans.models.check/1', ...report });
  else {
    const rows = report.checks.map(
      ({ name, holds, found }) => [name, `${holds ? 'holds' : 'DOES NOT HOLD'}: ${found}`] as const,
    );
    await printLines(
      formatFacts([
        ['model', `${report.name}, id ${report.modelId}`],
        ...rows,
        ...comparisonFacts(report.comparison),
      ]),
    );
  }
  return report.holds ? EXIT.ok : EXIT.model;
}

function comparisonFacts(
  comparison: CheckReport['comparison'],
): (readonly [name: string, value: string])[] {
  if (comparison === undefined) return [];
  const { latentCosine, latentRmse, latentLargestError, picturePsnrDb, psnrDifferenceDb } =
    comparison;
  return [
    ['against', comparison.against],
    [
      'latents',
      `cosine ${latentCosine.toFixed(6)}, RMSE ${latentRmse.toPrecision(3)}, largest error ${latentLargestError.toPrecision(3)}`,
    ],
    [
      'pictures',
      `${picturePsnrDb.toFixed(2)} dB between the two, ${psnrDifferenceDb.toFixed(3)} dB nearer to the originals`,
    ],
  ];
}

export interface ExportFlags extends JsonFlags {
  readonly output: string;
  readonly force?: boolean;
}

export async function exportCommand(model: string, flags: ExportFlags): Promise<number> {
  await checkNewFile(flags.output, flags.force);
  const { bytes, sha256 } = await exportModel(model, modelSearch(process.env));
  await writeOutput(flags.output, bytes);
  const report = { output: flags.output, byteLength: bytes.length, sha256 };
  if (flags.json) await printJson({ schema: 'vaerans.models.export/1', ...report });
  else await printLines(`${flags.output}: ${formatBytes(bytes.length)}, sha256 ${sha256}`);
  return EXIT.ok;
}

export interface PullFlags extends JsonFlags {
  readonly sha256: string;
  readonly as?: string;
  readonly force?: boolean;
  readonly quiet?: boolean;
}

export async function pullCommand(url: string, flags: PullFlags): Promise<number> {
  const progress = await Progress.open({ quiet: flags.quiet ?? false });
  const { as, force, sha256 } = flags;
  const report = await pullModel(url, {
    ...modelSearch(process.env),
    uninterrupted: finishBeforeSignals,
    sha256,
    ...defined({ as, force }),
    onProgress: (done, total) => progress.update(url, 'bytes', done, total ?? done),
  }).finally(() => progress.stop());
  if (flags.json) await printJson({ schema: 'vaerans.models.pull/1', ...report });
  else {
    await printLines(
      formatFacts([
        ['model', `${report.name}, id ${report.modelId}`],
        [
          'bytes',
          `${formatBytes(report.byteLength)}, ${formatBytes(report.resumedFrom)} of them from before`,
        ],
        ['folder', report.folder],
      ]),
    );
  }
  return EXIT.ok;
}

export async function listCommand(flags: JsonFlags): Promise<number> {
  const models = await listModels(modelSearch(process.env));
  if (flags.json) await printJson({ schema: 'vaerans.models.list/1', models });
  else {
    const rows = models.map((model) => [
      model.name,
      model.version,
      model.modelId,
      model.grids.map(({ channels, stridePx }) => `${channels} at 1/${stridePx}`).join(' + '),
      model.tune ?? '-',
      model.kind,
    ]);
    await printLines(formatTable(['model', 'version', 'id', 'latent', 'tune', 'kind'], rows));
  }
  return EXIT.ok;
}

export async function modelInfoCommand(model: string, flags: JsonFlags): Promise<number> {
  const info = await describeModel(model, modelSearch(process.env));
  if (flags.json) await printJson({ schema: 'vaerans.models.info/1', ...info });
  else {
    const { manifest, files } = info;
    await printLines(
      formatFacts([
        ['model', `${manifest.name} ${manifest.version}, id ${info.modelId}`],
        ['card', manifest.card ?? 'none'],
        ['tune', manifest.tune ?? 'not said'],
        ['licence', manifest.licence],
        [
          'latent',
          info.grids
            .map(
              ({ channels, stridePx }) =>
                `${channels} channels, one sample for ${stridePx}x${stridePx} px`,
            )
            .join('; '),
        ],
        [
          'tiles',
          `${manifest.tilePx} px, ${manifest.decoder.blend ? 'blended' : 'with a margin'} of ${manifest.encoder.marginPx} and ${manifest.decoder.marginPx} px`,
        ],
        ['transform', transformOf(manifest.transform)],
        ['coder', manifest.context ? 'context, tuned' : 'static, not tuned'],
        ['filter', manifest.restoration ? 'behind the decoder network' : 'none'],
        ['folder', info.folder],
        ...files.map(
          ({ file, byteLength, sha256, holds }) =>
            [
              file,
              `${formatBytes(byteLength)}, sha256 ${sha256}${holds ? '' : ', but the file has another'}`,
            ] as const,
        ),
      ]),
    );
  }
  return info.files.every(({ holds }) => holds) ? EXIT.ok : EXIT.model;
}

function transformOf(
  transform: Awaited<ReturnType<typeof describeModel>>['manifest']['transform'],
): string {
  const wavelet = transform?.wavelet;
  const parts: string[] = [transform?.channel ?? 'none'];
  if (wavelet) parts.push(`${wavelet.kind} of ${wavelet.levels} levels`);
  return parts.join(', ');
}

export async function removeCommand(
  name: string,
  flags: JsonFlags & { readonly version?: string },
): Promise<number> {
  const removed = await removeModel(name, flags.version, modelSearch(process.env));
  if (flags.json) await printJson({ schema: 'vaerans.models.remove/1', removed });
  else await printLines(removed.map((folder) => `removed ${folder}`).join('\n'));
  return EXIT.ok;
}
