/**
 * A smaller copy of a model: weights in fewer bits, with what that costs measured before it is installed. It is a model
 * of its own, since a decoder of other weights makes other pictures.
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCodec } from '../codec/open.js';
import { ModelError } from '../errors.js';
import { checkRange } from '../limits.js';
import { filesOf, findModel, type Model, readModelFile } from '../models/registry.js';
import type { Manifest } from '../models/schemas.js';
import { drawnPicture, readPictures, thereAndBack } from './check.js';
import { encodeModel } from './onnx/model.js';
import { simplify } from './onnx/optimise.js';
import { quantiseWeights } from './onnx/quantise.js';
import { decodeModel } from './onnx/read.js';
import { SHRINK_DEFAULTS, type ShrinkOptions, type WeightFormat } from './options.js';
import { checkName, fileEntry, installModel } from './store.js';

export interface ShrinkReport {
  readonly name: string;
  readonly modelId: string;
  readonly folder: string;
  readonly format: WeightFormat;
  /** Of both graphs. */
  readonly byteLengthBefore: number;
  readonly byteLengthAfter: number;
  readonly psnrDbBefore: number;
  readonly psnrDbAfter: number;
  /** Best time of several runs, both models in turn. */
  readonly millisecondsBefore: number;
  readonly millisecondsAfter: number;
}

const ROUNDS = 3;

/**
 * @throws ModelError when the loss is over `maxLossDb` (nothing is installed then), UnsupportedError for a graph of an
 * old operator set, UsageError for a name that is taken
 */
export async function shrinkModel(wanted: string, options: ShrinkOptions): Promise<ShrinkReport> {
  const { maxLossDb, format, as } = { ...SHRINK_DEFAULTS, ...options };
  checkRange('shrink: maxLossDb', maxLossDb, 0, 100);
  checkName(as);
  const model = await findModel(wanted, options);
  const { manifest, files } = await shrunk(model, format, as);
  const trialFolder = await mkdtemp(join(tmpdir(), 'vaerans-shrink-'));
  try {
    const trial = await installModel({ modelsFolder: trialFolder }, manifest, files, false);
    const measured = await measure(model, trial, options);
    const lossDb = measured.psnrDbBefore - measured.psnrDbAfter;
    if (lossDb > maxLossDb) {
      throw new ModelError(
        `shrink: expected a loss of at most ${maxLossDb} dB, got ${lossDb.toFixed(3)} dB in ${format}; --max-loss allows more`,
      );
    }
    const installed = await installModel(options, manifest, files, options.force ?? false);
    return {
      name: as,
      modelId: installed.modelId,
      folder: installed.folder,
      format,
      byteLengthBefore: await graphBytes(model),
      byteLengthAfter: await graphBytes(installed),
      ...measured,
    };
  } finally {
    await rm(trialFolder, { recursive: true, force: true });
  }
}

async function shrunk(
  model: Model,
  format: WeightFormat,
  name: string,
): Promise<{ readonly manifest: Manifest; readonly files: ReadonlyMap<string, Uint8Array> }> {
  const { manifest } = model;
  const files = new Map<string, Uint8Array>();
  const small = async (network: 'encoder' | 'decoder'): Promise<Manifest['encoder']> => {
    const { variants: _, ...entry } = manifest[network];
    const graph = simplify(decodeModel(await readModelFile(model, entry)));
    const bytes = encodeModel(quantiseWeights(graph, format));
    files.set(entry.file, bytes);
    return { ...entry, ...fileEntry(entry.file, bytes) };
  };
  const encoder = await small('encoder');
  const decoder = await small('decoder');
  for (const file of filesOf(manifest)) {
    if (![manifest.encoder.file, manifest.decoder.file].includes(file.file)) {
      files.set(file.file, await readModelFile(model, file));
    }
  }
  const card = `${manifest.card ?? manifest.name}; weights in ${format}`;
  return { manifest: { ...manifest, name, encoder, decoder, card }, files };
}

async function graphBytes(model: Model): Promise<number> {
  const { encoder, decoder } = model.manifest;
  const files = [await readModelFile(model, encoder), await readModelFile(model, decoder)];
  return files.reduce((sum, { length }) => sum + length, 0);
}

/** PSNR there and back and best time over the same pictures, the two models in turn. */
async function measure(
  before: Model,
  after: Model,
  { images = [], threads }: ShrinkOptions,
): Promise<
  Pick<ShrinkReport, 'psnrDbBefore' | 'psnrDbAfter' | 'millisecondsBefore' | 'millisecondsAfter'>
> {
  const read = await readPictures(images);
  const pictures = read.length > 0 ? read : [drawnPicture(256)];
  const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const psnrDb = [0, 0];
  const settings = { deterministic: true, ...(threads && { threads }) };
  await using first = await openCodec({ model: before.folder, ...settings });
  await using second = await openCodec({ model: after.folder, ...settings });
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, codec] of [first, second].entries()) {
      const world = await codec.world({ arenaByteLength: 64 * 2 ** 20 });
      let sum = 0;
      const startMs = performance.now();
      for (const picture of pictures) sum += (await thereAndBack(world, picture)).psnrDb;
      // The first round loads the graphs and is no measure of time.
      if (round > 0) best[index] = Math.min(best[index] ?? 0, performance.now() - startMs);
      psnrDb[index] = sum / pictures.length;
    }
  }
  return {
    psnrDbBefore: psnrDb[0] ?? 0,
    psnrDbAfter: psnrDb[1] ?? 0,
    millisecondsBefore: best[0] ?? 0,
    millisecondsAfter: best[1] ?? 0,
  };
}
