/**
 * `vaerans models shrink|profile|bench`: what a model costs, and a cheaper copy.
 * @module
 */
import {
  benchModel,
  isPicturePath,
  type NetworkProfile,
  profileModel,
  shrinkModel,
  UsageError,
  WEIGHT_FORMATS,
} from '../index.js';
import { EXIT } from './exit.js';
import { findSources } from './files.js';
import { defined, modelSearch } from './flags.js';
import type { JsonFlags } from './models-program.js';
import { formatBytes, formatFacts, formatMs, formatTable } from './report.js';
import { finishBeforeSignals } from './signals.js';
import { printJson, printLines } from './streams.js';

export interface ShrinkFlags extends JsonFlags {
  readonly as: string;
  readonly fp16?: boolean;
  readonly int8?: boolean;
  readonly int4?: boolean;
  readonly images?: string;
  readonly maxLoss: number;
  readonly threads?: number;
  readonly force?: boolean;
}

export async function shrinkCommand(model: string, flags: ShrinkFlags): Promise<number> {
  const format = WEIGHT_FORMATS.find((name) => flags[name]);
  if (format === undefined) {
    throw new UsageError('usage: expected one of --fp16, --int8 and --int4, got none');
  }
  const { as, images, maxLoss, threads, force } = flags;
  const sources = images === undefined ? [] : await findSources([images], 'deep', isPicturePath);
  const report = await shrinkModel(model, {
    ...modelSearch(process.env),
    uninterrupted: finishBeforeSignals,
    format,
    as,
    images: sources.map(({ path }) => path),
    maxLossDb: maxLoss,
    ...defined({ threads, force }),
  });
  if (flags.json) await printJson({ schema: 'vaerans.models.shrink/1', ...report });
  else {
    const loss = report.psnrDbBefore - report.psnrDbAfter;
    await printLines(
      formatFacts([
        ['model', `${report.name}, id ${report.modelId}`],
        [
          'bytes',
          `${formatBytes(report.byteLengthBefore)} to ${formatBytes(report.byteLengthAfter)}`,
        ],
        [
          'PSNR',
          `${report.psnrDbBefore.toFixed(3)} to ${report.psnrDbAfter.toFixed(3)} dB, a loss of ${loss.toFixed(3)} dB`,
        ],
        [
          'time',
          `${formatMs(report.millisecondsBefore)} to ${formatMs(report.millisecondsAfter)} there and back`,
        ],
        ['folder', report.folder],
      ]),
    );
  }
  return EXIT.ok;
}

export interface ProfileFlags extends JsonFlags {
  readonly side: number;
  readonly threads?: number;
}

/** Layers beyond these are shown with `--json` only. */
const LAYERS_SHOWN = 12;

export async function profileCommand(model: string, flags: ProfileFlags): Promise<number> {
  const networks = await profileModel(model, {
    ...modelSearch(process.env),
    sidePx: flags.side,
    ...defined({ threads: flags.threads }),
  });
  if (flags.json) await printJson({ schema: 'vaerans.models.profile/1', networks });
  else await printLines(networks.map(describeNetwork).join('\n\n'));
  return EXIT.ok;
}

function describeNetwork(profile: NetworkProfile): string {
  const facts = formatFacts([
    ['network', profile.network],
    [
      'parameters',
      `${profile.parameters} in ${profile.nodes} nodes, ${formatBytes(profile.byteLength)}`,
    ],
    ['work', `${(profile.macsPerPixel / 1000).toFixed(2)} kMAC a pixel`],
    ['time', `${formatMs(profile.millisecondsPerMegapixel)} a megapixel`],
    ['memory', `${formatBytes(profile.memoryByteLength)} more than before`],
  ]);
  const rows = profile.layers
    .slice(0, LAYERS_SHOWN)
    .map((layer) => [
      layer.name,
      layer.kind,
      layer.output,
      formatMs(layer.milliseconds),
      `${(100 * layer.share).toFixed(1)} %`,
    ]);
  return `${facts}\n${formatTable(['layer', 'kind', 'output', 'time', 'share'], rows)}`;
}

export interface ModelBenchFlags extends JsonFlags {
  readonly sides: readonly number[];
  readonly threads?: readonly number[];
  readonly batches: readonly number[];
  readonly runs: number;
}

export async function modelBenchCommand(model: string, flags: ModelBenchFlags): Promise<number> {
  const { sides, threads, batches, runs } = flags;
  const rows = await benchModel(model, {
    ...modelSearch(process.env),
    sidesPx: sides,
    batches,
    runs,
    ...defined({ threads }),
  });
  if (flags.json) await printJson({ schema: 'vaerans.models.bench/1', provider: 'cpu', rows });
  else {
    const cells = rows.map((row) => [
      row.network,
      `${row.sidePx}x${row.sidePx}`,
      String(row.threads),
      String(row.batch),
      formatMs(row.p50),
      formatMs(row.p95),
      formatMs(row.p99),
      formatMs(row.millisecondsPerMegapixel),
    ]);
    const header = ['network', 'size', 'threads', 'batch', 'p50', 'p95', 'p99', 'a megapixel'];
    await printLines(formatTable(header, cells));
  }
  return EXIT.ok;
}
