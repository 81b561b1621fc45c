/**
 * `vaerans doctor`: what really loads on this machine.
 * @module
 */
import { type Diagnosis, doctor } from '../index.js';
import { EXIT } from './exit.js';
import { type CodecFlags, defined, modelSearch, type ReportFlags } from './flags.js';
import { formatBytes, formatFacts } from './report.js';
import { printJson, printLines } from './streams.js';

/** @returns the exit code: 7 when a file of the model is not the one, 8 when not even the CPU runs a model */
export async function doctorCommand(flags: CodecFlags & ReportFlags): Promise<number> {
  const search = modelSearch(process.env);
  const diagnosis = await doctor({ ...search, ...defined({ model: flags.model }) });
  if (flags.json) await printJson({ schema: 'vaerans.doctor/1', ...diagnosis, search });
  else await printLines(describe(diagnosis, search.configPath));
  if (diagnosis.model.files.some(({ holds }) => !holds)) return EXIT.model;
  const cpu = diagnosis.providers.find(({ provider }) => provider === 'cpu');
  return cpu?.loads ? EXIT.ok : EXIT.provider;
}

function describe(
  { versions, model, threads, maxMemoryBytes, memory, providers }: Diagnosis,
  configPath: string | undefined,
): string {
  return formatFacts([
    ['vaerans', `${versions.vaerans}, .vae format ${versions.format}, Node ${process.version}`],
    ['core', `WASM, ${versions.core}`],
    ['onnxruntime', versions.onnxruntime],
    ['model', `${model.name}, id ${model.id}, in ${model.folder}`],
    ['tune', `${model.tune ?? 'not said'}, version ${model.version}`],
    ...model.files.map(
      ({ file, sha256, holds }) =>
        [file, holds ? `sha256 ${sha256}` : `is not what the manifest names, ${sha256}`] as const,
    ),
    ['config', configPath ?? 'none'],
    ['threads', String(threads)],
    [
      'memory',
      `at most ${formatBytes(maxMemoryBytes)} a call; ${formatBytes(memory.freeBytes)} of ${formatBytes(memory.totalBytes)} free`,
    ],
    ...providers.map(
      ({ provider, loads, reason }) =>
        [provider, loads ? 'loads' : `does not load: ${reason ?? 'no reason given'}`] as const,
    ),
  ]);
}
