/**
 * Files of weights to a model folder that the codec can open: the family is told from names and shapes, and the two
 * graphs are written here, layer by layer. Nothing that an imported file holds is ever run but as a network.
 * @module
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { IoError, ModelError, UnsupportedError, UsageError } from '../errors.js';
import { readBeginning, readBytes } from '../files.js';
import type { Model } from '../models/registry.js';
import type { Manifest } from '../models/schemas.js';
import { buildKl, findKl, type KlConfig } from './families/autoencoder-kl.js';
import type { BuiltModel, BuiltNetwork } from './families/family.js';
import { buildTiny, findTiny, type TinyNetwork } from './families/taesd.js';
import { importGraphs } from './import-onnx.js';
import { encodeModel } from './onnx/model.js';
import type { InstallOptions } from './options.js';
import { isPackage, PACKAGE_MAX_BYTES, unpackModel } from './package.js';
import { openSafetensors, type TensorSource } from './safetensors.js';
import { checkName, fileEntry, installModel } from './store.js';

export interface ImportOptions extends InstallOptions {
  readonly name: string;
  /** Terms of the weights, for whoever gets the model from you. */
  readonly licence?: string;
  /** The values that samples 0 and 255 become, for ONNX graphs, which do not say; 0 to 1 where left out. */
  readonly inputRange?: readonly [number, number];
  /** Replaces a model of that name; it is kept as a version. */
  readonly force?: boolean;
}

export interface ImportReport {
  readonly name: string;
  readonly modelId: string;
  readonly folder: string;
  readonly family: string;
  readonly latentChannels: number;
  readonly stridePx: number;
  /** Whether tiles are mixed, as the network sees its whole window. */
  readonly blended: boolean;
  readonly encoderByteLength: number;
  readonly decoderByteLength: number;
}

const CONFIG_MAX_BYTES = 1 << 20;
const TAR_BLOCK = 512;
/** Half the overlap of blended tiles. */
const BLEND_MARGIN_PX = 64;
/** Steps of an untuned model, in latent units: from hopeless to finer than any latent of unit size needs. */
const STEPS = [4, 1 / 16] as const;
const LICENCE_UNKNOWN = 'unknown: see where the weights come from';
/** A run holds about a layer's input, its output and what is skipped to a later one. */
const PLANES_OF_WIDEST = 3;

/**
 * Makes a model folder of foreign weights.
 * @param paths one or two safetensors files, two ONNX graphs, a folder with either as diffusers has it, or a package of ours
 * @throws UnsupportedError for pickles and unknown networks, FormatError for damaged files, ModelError when layers do
 * not fit, UsageError when the name is taken
 */
export async function importModel(
  paths: readonly string[],
  options: ImportOptions,
): Promise<ImportReport> {
  checkName(options.name);
  const files = await findWeights(paths);
  const [first = ''] = files.weights;
  if (files.weights.length === 1 && isPackage((await readBeginning(first, TAR_BLOCK)).bytes)) {
    return await importPackage(first, options);
  }
  const isOnnx = files.weights.every((path) => extname(path).toLowerCase() === '.onnx');
  const built = isOnnx
    ? await importGraphs(files.weights, options.inputRange ?? [0, 1])
    : await buildFromSafetensors(files.weights, files.config);
  const encoder = encodeModel(built.encoder.graph);
  const decoder = encodeModel(built.decoder.graph);
  const model = await installModel(
    options,
    manifestOf(built, encoder, decoder, files.weights, options),
    new Map([
      ['encoder.onnx', encoder],
      ['decoder.onnx', decoder],
    ]),
    options.force ?? false,
  );
  return reportOf(model, built, encoder, decoder);
}

/** @throws FormatError, ModelError when the package does not hold what its manifest says */
async function importPackage(path: string, options: ImportOptions): Promise<ImportReport> {
  const { manifest, files } = unpackModel(await readBytes(path, PACKAGE_MAX_BYTES));
  const { name, licence = manifest.licence } = options;
  const named = { ...manifest, name, licence };
  const model = await installModel(options, named, files, options.force ?? false);
  const { channels = 0, stridePx = 0 } = manifest.grids[0] ?? {};
  return {
    name,
    modelId: model.modelId,
    folder: model.folder,
    family: manifest.card ?? 'a package',
    latentChannels: channels,
    stridePx,
    blended: (manifest.encoder.blend ?? manifest.decoder.blend) === true,
    encoderByteLength: files.get(manifest.encoder.file)?.length ?? 0,
    decoderByteLength: files.get(manifest.decoder.file)?.length ?? 0,
  };
}

function reportOf(
  { manifest, modelId, folder }: Model,
  { family, latentChannels, stridePx, encoder, decoder }: BuiltModel,
  encoderFile: Uint8Array,
  decoderFile: Uint8Array,
): ImportReport {
  return {
    name: manifest.name,
    modelId,
    folder,
    family,
    latentChannels,
    stridePx,
    blended: encoder.isGlobal || decoder.isGlobal,
    encoderByteLength: encoderFile.length,
    decoderByteLength: decoderFile.length,
  };
}

interface Weights {
  readonly weights: readonly string[];
  readonly config: KlConfig;
}

/** Which files hold the weights: those given, or what a folder of diffusers' has. */
async function findWeights(paths: readonly string[]): Promise<Weights> {
  const [first = ''] = paths;
  const isFolder = await stat(first).then(
    (stats) => stats.isDirectory(),
    (cause: unknown) => {
      throw new IoError(`import: expected a readable file, got none at '${first}'`, { cause });
    },
  );
  if (!isFolder) {
    for (const path of paths) await refusePickle(path);
    return { weights: paths, config: {} };
  }
  if (paths.length > 1) throw new UsageError('import: expected one folder, got more beside it');
  const names = (await readdir(first)).sort();
  if (names.includes('vae')) return await findWeights([join(first, 'vae')]);
  const weights = names.filter((name) => extname(name) === '.safetensors');
  // diffusers writes the same weights in half precision beside the full ones.
  const full = weights.filter((name) => !/\.fp16\./.test(name));
  const graphs = names.filter((name) => extname(name) === '.onnx');
  const chosen = full.length > 0 ? full : weights.length > 0 ? weights : graphs;
  if (chosen.length === 0) {
    for (const name of names) await refusePickle(join(first, name));
    throw new UnsupportedError(
      `import: expected .safetensors or .onnx files in '${first}', got none`,
    );
  }
  const config = names.includes('config.json') ? await readConfig(join(first, 'config.json')) : {};
  return { weights: chosen.map((name) => join(first, name)), config };
}

async function readConfig(path: string): Promise<KlConfig> {
  const { bytes } = await readBeginning(path, CONFIG_MAX_BYTES);
  try {
    const config = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
    const { norm_num_groups: groups, scaling_factor: scale, shift_factor: shift } = config;
    return {
      ...(typeof groups === 'number' && { norm_num_groups: groups }),
      ...(typeof scale === 'number' && { scaling_factor: scale }),
      ...(typeof shift === 'number' && { shift_factor: shift }),
    };
  } catch (cause) {
    throw new ModelError(`import: expected JSON in '${path}', got text that does not parse`, {
      cause,
    });
  }
}

const PICKLES = new Set(['.pth', '.pt', '.ckpt', '.bin', '.pkl']);

/** Pickles are programs: reading one is running it. Told by the name, or by how they begin. */
async function refusePickle(path: string): Promise<void> {
  const isNamed = PICKLES.has(extname(path).toLowerCase());
  const { bytes } = isNamed ? { bytes: new Uint8Array() } : await readBeginning(path, 8);
  const [a, b] = bytes;
  const isZip = a === 0x50 && b === 0x4b && bytes[2] === 3;
  const isPickle = a === 0x80 && b !== undefined && b >= 2 && b <= 5 && bytes[7] !== 0;
  if (isNamed || isZip || isPickle) {
    throw new UnsupportedError(
      `import: expected safetensors, got '${basename(path)}', a pickle, which runs code when it is read; where you trust it, convert it: python -c "import torch, safetensors.torch as s; s.save_file({k: v.contiguous() for k, v in torch.load('${basename(path)}', weights_only=True).items()}, 'weights.safetensors')"`,
    );
  }
}

/**
 * @param paths files that together hold one encoder and one decoder
 * @throws UnsupportedError when no family fits
 */
async function buildFromSafetensors(
  paths: readonly string[],
  config: KlConfig,
): Promise<BuiltModel> {
  const sources: TensorSource[] = [];
  try {
    for (const path of paths) sources.push(await openSafetensors(path));
    const kl = sources.map(findKl).find((tensors) => tensors !== undefined);
    if (kl !== undefined) return await buildKl(kl, config);
    const tiny = sources.flatMap(findTiny);
    const encoder = onlyOne(tiny, 'encoder');
    const decoder = onlyOne(tiny, 'decoder');
    if (encoder !== undefined && decoder !== undefined) return await buildTiny(encoder, decoder);
    throw unknownFamily(sources, encoder, decoder);
  } finally {
    for (const source of sources) await source.close();
  }
}

function onlyOne(
  found: readonly TinyNetwork[],
  kind: TinyNetwork['kind'],
): TinyNetwork | undefined {
  return found.find((network) => network.kind === kind);
}

function unknownFamily(
  sources: readonly TensorSource[],
  encoder: TinyNetwork | undefined,
  decoder: TinyNetwork | undefined,
): UnsupportedError {
  if (encoder !== undefined || decoder !== undefined) {
    const missing = encoder === undefined ? 'encoder' : 'decoder';
    return new UnsupportedError(
      `import: expected an encoder and a decoder, got no ${missing}; name both files`,
    );
  }
  const names = sources.flatMap((source) => source.names);
  const some = names.slice(0, 3).map((name) => `'${name.slice(0, 60)}'`);
  return new UnsupportedError(
    `import: expected a TAESD-type autoencoder or an AutoencoderKL, got ${names.length} tensors such as ${some.join(', ')}`,
  );
}

function manifestOf(
  built: BuiltModel,
  encoder: Uint8Array,
  decoder: Uint8Array,
  weights: readonly string[],
  options: ImportOptions,
): Manifest {
  const { latentChannels: channels, stridePx } = built;
  const gains = STEPS.map((step) => new Array<number>(channels).fill(rounded(-Math.log(step))));
  return {
    schemaVersion: 1,
    name: options.name,
    version: '1',
    licence: options.licence ?? LICENCE_UNKNOWN,
    encoder: {
      ...fileEntry('encoder.onnx', encoder),
      ...namesOf(built.encoder),
      ...tilingOf(built.encoder, stridePx),
    },
    decoder: {
      ...fileEntry('decoder.onnx', decoder),
      ...namesOf(built.decoder),
      ...tilingOf(built.decoder, stridePx),
    },
    grids: [{ channels, stridePx }],
    inputRange: [...built.inputRange],
    padToPx: stridePx,
    tilePx: built.tilePx,
    rate: { logGain: gains, logInverseGain: gains.map((knot) => knot.map((log) => -log)) },
    quality: Array.from({ length: 100 }, (_, index) => Math.round((index / 99) * 4095)),
    residualFrom: 4096,
    card: `${built.family}, imported from ${weights.map((path) => basename(path)).join(' and ')}; not tuned yet`,
  };
}

function namesOf({ graph }: BuiltNetwork): Pick<Manifest['encoder'], 'input' | 'output'> {
  const [input] = graph.inputs;
  const [output] = graph.outputs;
  return { ...(input && { input: input.name }), ...(output && { output: output.name }) };
}

function tilingOf(
  { isGlobal, reachPx, widestPlanes }: BuiltNetwork,
  stridePx: number,
): Pick<Manifest['encoder'], 'marginPx' | 'blend' | 'activationPlanes'> {
  const activationPlanes = Math.ceil(PLANES_OF_WIDEST * widestPlanes);
  if (isGlobal) return { marginPx: BLEND_MARGIN_PX, blend: true, activationPlanes };
  return { marginPx: Math.ceil(reachPx / stridePx) * stridePx, activationPlanes };
}

function rounded(value: number): number {
  return Number(value.toFixed(6));
}
