/**
 * `vaerans models ...`: calls the library and tells what it did.
 * @module
 */
import {
  describeModel,
  importModel,
  isPicturePath,
  listModels,
  removeModel,
  type TuneReport,
  tuneModel,
} from '../index.js';
import { EXIT } from './exit.js';
import { findSources } from './files.js';
import { defined, modelSearch } from './flags.js';
import type { JsonFlags } from './models-program.js';
import { formatBytes, formatFacts, formatTable } from './report.js';
import { note, printJson, printLines } from './streams.js';

export interface ImportFlags extends JsonFlags {
  readonly name: string;
  readonly licence?: string;
  readonly force?: boolean;
}

export async function importCommand(files: readonly string[], flags: ImportFlags): Promise<number> {
  const { name, licence, force } = flags;
  const report = await importModel(files, {
    ...modelSearch(process.env),
    name,
    ...defined({ licence, force }),
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
  readonly threads?: number;
}

export async function tuneCommand(model: string, flags: TuneFlags): Promise<number> {
  const sources = await findSources([flags.images], 'deep', isPicturePath);
  const report = await tuneModel(model, {
    ...modelSearch(process.env),
    images: sources.map(({ path }) => path),
    cropPx: flags.crop,
    steps: flags.steps,
    ...defined({ as: flags.as, threads: flags.threads }),
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

export async function listCommand(flags: JsonFlags): Promise<number> {
  const models = await listModels(modelSearch(process.env));
  if (flags.json) await printJson({ schema: 'vaerans.models.list/1', models });
  else {
    const rows = models.map((model) => [
      model.name,
      model.version,
      model.modelId,
      `${model.channels} at 1/${model.stridePx}`,
      model.kind,
    ]);
    await printLines(formatTable(['model', 'version', 'id', 'latent', 'kind'], rows));
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
        ['licence', manifest.licence],
        [
          'latent',
          `${info.channels} channels, one sample for ${info.stridePx}x${info.stridePx} px`,
        ],
        [
          'tiles',
          `${manifest.tilePx} px, ${manifest.decoder.blend ? 'blended' : 'with a margin'} of ${manifest.encoder.marginPx} and ${manifest.decoder.marginPx} px`,
        ],
        ['transform', transformOf(manifest.transform)],
        ['coder', manifest.context ? 'context, tuned' : 'static, not tuned'],
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
