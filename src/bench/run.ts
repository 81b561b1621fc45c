/**
 * The judge: every picture through every codec at every setting, with what it cost and how near it came. Bytes are
 * those of a file on disk, the picture compared is the one that the codec's own decoder made of that file.
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCodec } from '../codec/open.js';
import { AbortedError, UsageError } from '../errors.js';
import { checkInteger, checkRange } from '../limits.js';
import type { Entry } from './contestant.js';
import { type BenchImage, Lane, type PlannedSetting } from './lane.js';
import { describeMetric, parseMetrics } from './metric-names.js';
import { BENCH_DEFAULTS, type BenchOptions, CODEC_NAMES, isOurs, tuneOfCodec } from './options.js';
import { RowFile } from './row-file.js';
import type { BenchFailure, BenchPicture, BenchReport, BenchRow } from './rows.js';
import { summarise } from './summary.js';

/** A report without what only the caller knows: when, where and by which command it ran. */
export type BenchResult = Omit<BenchReport, 'schema' | 'date' | 'command' | 'machine' | 'versions'>;

/**
 * Measures, after one run of every codec that is thrown away: it loads what later runs find loaded.
 * @throws UsageError for no pictures, an unknown codec or settings out of range, ModelError, ProviderError, IoError;
 *   AbortedError
 */
export async function bench(
  images: readonly BenchImage[],
  options: BenchOptions = {},
): Promise<BenchResult> {
  checkOptions(images, options);
  const { codecs: names = BENCH_DEFAULTS.codecs, jobs = BENCH_DEFAULTS.jobs, signal } = options;
  const metrics = parseMetrics(options.metrics ?? []);
  const first = names.find(isOurs);
  // A model that is asked for is that of `ours`; the tunes beside it are the embedded ones.
  const { model: _, ...embedded } = options;
  await using codec = first === undefined ? undefined : await openCodec(options);
  await using tuned = first === undefined ? undefined : await openCodec(embedded);
  const codecOf = (name: string) => (tuneOfCodec(name) === undefined ? codec : tuned);
  const model = (await codecOf(first ?? '')?.openModel(tuneOfCodec(first ?? '')))?.model;
  const folder = await mkdtemp(join(tmpdir(), 'vaerans-bench-'));
  const lanes: Lane[] = [];
  try {
    for (let at = 0; at < Math.min(jobs, images.length); at++) {
      lanes.push(await Lane.open(join(folder, String(at)), names, metrics, codecOf, options));
    }
    const entries: readonly Entry[] = lanes[0]?.entries ?? [];
    const plan = planOf(entries, options);
    const modelFacts =
      model === undefined
        ? null
        : { name: model.manifest.name, version: model.manifest.version, id: model.modelId };
    const key = { codecs: entries.map((entry) => entry.codec), model: modelFacts, metrics };
    const done = await RowFile.open(options.rowsPath, key, options.resume ?? false);

    const rowsOf = new Map<string, readonly BenchRow[]>();
    const pictureOf = new Map<string, BenchPicture>();
    const failures: BenchFailure[] = [];
    const rowsTotal = images.length * plan.length;
    let rowsDone = 0;
    const queue = images.values();
    const work = async (lane: Lane) => {
      for (const image of queue) {
        const rows: BenchRow[] = [];
        let told = 0;
        const tell = (count: number) => {
          told += count;
          rowsDone += count;
          options.onProgress?.(rowsDone, rowsTotal);
        };
        for await (const outcome of lane.measure(image, plan, done)) {
          if ('picture' in outcome) {
            pictureOf.set(image.name, outcome.picture);
            continue;
          }
          if ('row' in outcome) rows.push(outcome.row);
          else failures.push(outcome.failure);
          tell(1);
        }
        rowsOf.set(image.name, rows);
        // A picture that could not be read counts for all of its rows.
        tell(plan.length - told);
      }
    };
    await Promise.all(lanes.map(work));
    if (signal?.aborted) throw new AbortedError();
    const rows = images.flatMap(({ name }) => rowsOf.get(name) ?? []);
    const described = metrics.map(describeMetric);
    return {
      model: modelFacts,
      threads: codec?.threads ?? 0,
      jobs,
      codecs: entries.map((entry) => entry.codec),
      metrics: described,
      images: images.flatMap(({ name }) => pictureOf.get(name) ?? []),
      rows,
      failures,
      summary: summarise({ rows, failures, metrics: described }, options),
    };
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
    await rm(folder, { recursive: true, force: true });
  }
}

function checkOptions(images: readonly BenchImage[], options: BenchOptions): void {
  const { codecs = BENCH_DEFAULTS.codecs, settings = {}, targets = [], anchor } = options;
  if (images.length === 0) throw new UsageError('bench: expected at least one picture, got none');
  const named = [...codecs, ...Object.keys(settings)];
  const unknown = named.find((name) => !CODEC_NAMES.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`bench: expected codecs of ${CODEC_NAMES.join(', ')}, got '${unknown}'`);
  }
  if (codecs.length === 0) throw new UsageError('bench: expected at least one codec, got none');
  if (anchor !== undefined && !codecs.includes(anchor)) {
    throw new UsageError(`bench: expected an anchor of ${codecs.join(', ')}, got '${anchor}'`);
  }
  const twice = images.find(
    ({ name }, at) => images.findIndex((other) => other.name === name) < at,
  );
  if (twice !== undefined) {
    throw new UsageError(`bench: expected a name for each picture, got '${twice.name}' twice`);
  }
  const [least, most] = options.bdSpan ?? [0, 1];
  if (!(least >= 0 && least < most)) {
    throw new UsageError(
      `bench: expected bits per pixel as least and most for BD-rates, got ${least} and ${most}`,
    );
  }
  for (const target of targets) checkRange('bench: target in bits per pixel', target, 0.001, 96);
  checkRange('bench: jobs', options.jobs ?? 1, 1, 64);
  if (options.effort !== undefined) checkInteger('bench: effort', options.effort, 1, 9);
}

/** @throws UsageError for settings out of range, and where no codec is there */
function planOf(
  entries: readonly Entry[],
  { settings = {}, targets = [] }: BenchOptions,
): readonly PlannedSetting[] {
  const there = entries.flatMap((entry) => ('encode' in entry ? entry : []));
  if (there.length === 0) {
    const missing = entries.map(({ codec }) => `${codec.name} (${codec.missing})`).join(', ');
    throw new UsageError(`bench: expected a codec that is there, got ${missing}`);
  }
  return there.flatMap(({ codec: { name }, defaultDials, dialRange }): PlannedSetting[] => {
    if (targets.length > 0) {
      return targets.map((target) => ({ codec: name, label: `${target} bpp`, target }));
    }
    return (settings[name] ?? defaultDials).map((dial) => {
      const [low, high] = [Math.min(...dialRange), Math.max(...dialRange)];
      const what = isOurs(name) ? 'quality' : `setting of ${name}`;
      checkRange(`bench: ${what}`, dial, low, high);
      return { codec: name, label: String(dial), dial };
    });
  });
}
