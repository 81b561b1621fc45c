/**
 * Where models live and how one is found: by path, by name, or by the identity that a file asks for.
 * @module
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LimitError, ModelError } from '../errors.js';
import { readBytes } from '../files.js';
import { readConfig } from './config.js';
import { modelIdOf, parseManifest } from './manifest.js';
import type { Config, Manifest, ModelFile } from './schemas.js';
import { DEFAULT_TUNE, TUNES } from './tunes.js';

/** Places to look in besides the models that ship with the package. */
export interface ModelSearch {
  /** A `vaerans.toml`; its relative paths are taken from its own folder. */
  readonly configPath?: string;
  /** A folder with one folder per model. */
  readonly modelsFolder?: string;
}

/** A model whose manifest was read and checked; its files are read and verified when they are needed. */
export interface Model {
  readonly manifest: Manifest;
  /** 16 hexadecimal digits; see `modelIdOf`. */
  readonly modelId: string;
  readonly folder: string;
}

/** Another name of the embedded model that is used where none is asked for. */
const DEFAULT_MODEL_NAME = 'default';

/** Models that ship with the program. */
export const EMBEDDED_NAMES: readonly string[] = [...TUNES, 'fixture'];

/** Nothing may be installed under these. */
export const RESERVED_NAMES: readonly string[] = [...EMBEDDED_NAMES, DEFAULT_MODEL_NAME];

/** Below the models' folder: NAME/ID of models that were replaced, for the files that were made with them. */
export const VERSIONS_FOLDER = '.versions';

/** Gains of a thousand channels at 64 knots, with much room. */
export const MANIFEST_MAX_BYTES = 8 * 2 ** 20;

const EMBEDDED_FOLDER = fileURLToPath(new URL('../../models/', import.meta.url));

/**
 * Finds the model to compress with.
 * @param wanted a folder, a name, or nothing for the configured or embedded default
 * @throws ModelError when it is not found or its manifest does not hold
 */
export async function findModel(wanted: string | undefined, search: ModelSearch): Promise<Model> {
  const config = await readConfig(search);
  const name = wanted ?? config.model ?? DEFAULT_MODEL_NAME;
  const candidates = foldersOf(name, config, search);
  for (const folder of candidates) {
    const model = await readModel(folder);
    if (model !== undefined) return model;
  }
  throw new ModelError(
    `model: expected '${name}' to be a model folder or an installed name, got none in ${candidates.map((folder) => `'${folder}'`).join(', ')}`,
  );
}

/**
 * Finds the model that a file was made with, among the default, the configured and the installed ones.
 * @param storedName the name that the file carries, for the message
 * @throws ModelError when no installed model has this identity
 */
export async function findModelById(
  modelId: string,
  storedName: string | undefined,
  search: ModelSearch,
): Promise<Model> {
  const config = await readConfig(search);
  const configured = Object.keys(config.models ?? {});
  const names = [...TUNES, ...(config.model ? [config.model] : []), ...configured];
  const folders = names.flatMap((name) => foldersOf(name, config, search));
  for (const root of [search.modelsFolder, EMBEDDED_FOLDER]) {
    if (root !== undefined) folders.push(...(await subfolders(root)));
  }
  if (search.modelsFolder !== undefined) {
    for (const name of await subfolders(join(search.modelsFolder, VERSIONS_FOLDER))) {
      folders.push(...(await subfolders(name)));
    }
  }
  for (const folder of new Set(folders)) {
    // A broken neighbour must not hide the model that is asked for.
    const model = await readModel(folder).catch(() => undefined);
    if (model?.modelId === modelId) return model;
  }
  const named = storedName === undefined ? '' : ` '${storedName}'`;
  throw new ModelError(
    `model: expected the model${named} with id ${modelId}, got none installed with it; get it with 'vaerans models pull URL' or 'vaerans models import FILE', or give its folder with --model`,
  );
}

/**
 * Reads one of the model's files and compares its hash.
 * @throws ModelError when it is missing or not the file that the manifest names
 */
export async function readModelFile(model: Model, { file, sha256 }: ModelFile): Promise<Buffer> {
  const path = join(model.folder, file);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new ModelError(`model: expected the file '${path}', got none that can be read`, {
      cause,
    });
  }
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) {
    throw new ModelError(`model: expected '${path}' with sha256 ${sha256}, got ${found}`);
  }
  return bytes;
}

/** Every file that a manifest names, in its order. */
export function filesOf({
  encoder,
  decoder,
  transform,
  context,
  restoration,
  gradient,
}: Manifest): ModelFile[] {
  const files: ModelFile[] = [];
  for (const network of [encoder, decoder]) {
    files.push({ file: network.file, sha256: network.sha256 });
    const { fp16, int8 } = network.variants ?? {};
    for (const variant of [fp16, int8]) if (variant !== undefined) files.push(variant);
  }
  for (const entry of [transform?.klt, context, restoration, gradient]) {
    if (entry !== undefined) files.push({ file: entry.file, sha256: entry.sha256 });
  }
  return files;
}

/** A file that a manifest names, and whether it is the one. */
export interface FileHealth extends ModelFile {
  /** 0 where there is none. */
  readonly byteLength: number;
  readonly holds: boolean;
}

/** Reads every file that the manifest names and compares its hash. */
export async function checkFiles(model: Model): Promise<FileHealth[]> {
  const files = [];
  for (const entry of filesOf(model.manifest)) {
    const bytes = await readModelFile(model, entry).catch(() => undefined);
    const stats = await stat(join(model.folder, entry.file)).catch(() => undefined);
    files.push({ ...entry, byteLength: stats?.size ?? 0, holds: bytes !== undefined });
  }
  return files;
}

/** The tables of a model that the core works with; read once, when the model is opened. */
export interface ModelTables {
  /** Mean[channels] and orthonormal matrix[channels][channels] of the channel transform. */
  readonly klt: Float32Array | undefined;
  /** Weights and tables of the context coder. */
  readonly context: Uint8Array | undefined;
  /** The filter that decoded pictures go through, of every rate. */
  readonly restoration: Uint8Array | undefined;
}

/** @throws ModelError when a table is missing, damaged or of the wrong length */
export async function readModelTables(model: Model): Promise<ModelTables> {
  const { transform, context, restoration, grids } = model.manifest;
  const channels = grids[0]?.channels ?? 0;
  let klt: Float32Array | undefined;
  if (transform?.klt !== undefined) {
    const bytes = await readModelFile(model, transform.klt);
    const expected = (channels + channels * channels) * Float32Array.BYTES_PER_ELEMENT;
    if (bytes.length !== expected) {
      throw new ModelError(
        `model: expected '${transform.klt.file}' of ${expected} bytes for ${channels} channels, got ${bytes.length}`,
      );
    }
    klt = new Float32Array(Uint8Array.from(bytes).buffer);
  }
  return {
    klt,
    context: context && (await readModelFile(model, context)),
    restoration: restoration && (await readModelFile(model, restoration)),
  };
}

/** Folders in which `name` is looked for, nearest first. */
function foldersOf(name: string, config: Config, search: ModelSearch): string[] {
  const configured = config.models?.[name]?.path;
  const folders: string[] = [];
  if (isAbsolute(name) || /[/\\]/.test(name) || name.startsWith('.')) folders.push(resolve(name));
  if (configured !== undefined) folders.push(resolve(dirname(search.configPath ?? ''), configured));
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    if (search.modelsFolder !== undefined) folders.push(join(search.modelsFolder, name));
    folders.push(join(EMBEDDED_FOLDER, name === DEFAULT_MODEL_NAME ? DEFAULT_TUNE : name));
  }
  return folders;
}

/** @returns the model in a folder, or nothing where there is no manifest. @throws ModelError for a bad manifest, LimitError for one too long */
export async function readModel(folder: string): Promise<Model | undefined> {
  const path = join(folder, 'manifest.json');
  let text: string;
  try {
    text = Buffer.from(await readBytes(path, MANIFEST_MAX_BYTES)).toString('utf8');
  } catch (cause) {
    if (cause instanceof LimitError) throw cause;
    return undefined;
  }
  const manifest = parseManifest(text, path);
  return { manifest, modelId: modelIdOf(manifest), folder };
}

async function subfolders(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(root, entry.name));
}
