/**
 * Where a user's models lie: one folder a name, and the versions that were replaced, so that files made with them still
 * decode.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AbortedError, IoError, ModelError, UsageError, VaeransError } from '../errors.js';
import { makeFolder, reasonOf, temporaryIn } from '../files.js';
import { parseManifest } from '../models/manifest.js';
import {
  checkFiles,
  EMBEDDED_NAMES,
  type FileHealth,
  findModel,
  type Model,
  type ModelSearch,
  RESERVED_NAMES,
  readModel,
  VERSIONS_FOLDER,
} from '../models/registry.js';
import type { Manifest, ModelFile } from '../models/schemas.js';
import type { Tune } from '../models/tunes.js';
import type { InstallOptions } from './options.js';

/** Everything a model folder holds but its manifest. */
export type ModelFiles = ReadonlyMap<string, Uint8Array>;

/** The folder that models are installed in. @throws UsageError when none is configured */
export function modelsFolderOf({ modelsFolder }: ModelSearch): string {
  if (modelsFolder === undefined) {
    throw new UsageError('models: expected a folder to keep models in, got none');
  }
  return modelsFolder;
}

/** A file of a model folder as the manifest names it. */
export function fileEntry(file: string, bytes: Uint8Array): ModelFile {
  return { file, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/**
 * Installs a model under its manifest's name, whole or not at all.
 * @param replace whether a model of that name may be there; it is kept as a version
 * @throws UsageError when the name is taken, ModelError when the manifest does not hold, IoError, AbortedError
 */
export async function installModel(
  options: InstallOptions,
  manifest: Manifest,
  files: ModelFiles,
  replace: boolean,
): Promise<Model> {
  const { name } = manifest;
  checkName(name);
  const root = modelsFolderOf(options);
  const folder = join(root, name);
  if (!replace && (await isThere(folder))) {
    throw new UsageError(
      `models: expected a new name, got '${name}', which is taken by '${folder}'; --force replaces it`,
    );
  }
  await makeFolder(root);
  const { uninterrupted = (install) => install() } = options;
  await uninterrupted((signal) => writeModel(root, manifest, files, signal));
  const model = await readModel(folder);
  if (model === undefined)
    throw new ModelError(`models: expected a model in '${folder}', got none`);
  return model;
}

async function writeModel(
  root: string,
  manifest: Manifest,
  files: ModelFiles,
  signal: AbortSignal | undefined,
): Promise<void> {
  const folder = join(root, manifest.name);
  const part = await temporaryIn(root);
  const options = signal && { signal };
  try {
    await mkdir(part);
    for (const [file, bytes] of files) await writeFile(join(part, file), bytes, options);
    const text = `${JSON.stringify(manifest, undefined, 1)}\n`;
    parseManifest(text, join(folder, 'manifest.json'));
    await writeFile(join(part, 'manifest.json'), text, options);
    signal?.throwIfAborted();
    if (await isThere(folder)) await replaceModel(root, manifest.name, part);
    else await rename(part, folder);
  } catch (cause) {
    await rm(part, { recursive: true, force: true }).catch(() => {});
    if (signal?.aborted) throw new AbortedError();
    if (cause instanceof VaeransError) throw cause;
    throw new IoError(`models: expected to write '${folder}', got ${reasonOf(cause)}`, { cause });
  }
}

/** Keeps what is there as a version, a folder that holds no model too: somebody may mend it. */
async function replaceModel(root: string, name: string, part: string): Promise<void> {
  const folder = join(root, name);
  const old = await readModel(folder).catch(() => undefined);
  const versions = join(root, VERSIONS_FOLDER, name);
  await makeFolder(versions);
  const kept = join(versions, old?.modelId ?? `broken-${randomBytes(6).toString('hex')}`);
  await rm(kept, { recursive: true, force: true });
  await rename(folder, kept);
  try {
    await rename(part, folder);
  } catch (cause) {
    await rename(kept, folder).catch(() => {});
    throw cause;
  }
}

/** Of a link, whether it is there itself: it may lead nowhere. */
async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

/** @throws UsageError unless the name can be a model's: plain, and none that ships with the program */
export function checkName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(name)) {
    throw new UsageError(
      `models: expected a name of 1 to 32 letters, digits, '.', '_' and '-', got '${name}'`,
    );
  }
  if (RESERVED_NAMES.includes(name)) {
    throw new UsageError(
      `models: expected a name of your own, got '${name}', which ships with vaerans; --name or --as gives another`,
    );
  }
}

/** One installed or embedded model. */
export interface InstalledModel {
  readonly name: string;
  readonly version: string;
  readonly modelId: string;
  readonly licence: string;
  /** What it was trained for, where it says so. */
  readonly tune?: Tune;
  readonly folder: string;
  /** `embedded` ships with the program, `version` is kept for the files that were made with it. */
  readonly kind: 'embedded' | 'installed' | 'version';
  /** Latent grids, coarse to fine: channels, and pixels for a sample along each side. */
  readonly grids: readonly { readonly channels: number; readonly stridePx: number }[];
}

/** What can be found: installed models, their kept versions, and those that ship with the program. */
export async function listModels(search: ModelSearch): Promise<InstalledModel[]> {
  const found: InstalledModel[] = [];
  const add = async (folder: string, kind: InstalledModel['kind']) => {
    const model = await readModel(folder).catch(() => undefined);
    if (model !== undefined) found.push(summaryOf(model, kind));
  };
  for (const name of EMBEDDED_NAMES) {
    found.push(summaryOf(await findModel(name, {}), 'embedded'));
  }
  if (search.modelsFolder !== undefined) {
    for (const name of await foldersIn(search.modelsFolder)) {
      await add(join(search.modelsFolder, name), 'installed');
    }
    const versions = join(search.modelsFolder, VERSIONS_FOLDER);
    for (const name of await foldersIn(versions)) {
      for (const id of await foldersIn(join(versions, name))) {
        await add(join(versions, name, id), 'version');
      }
    }
  }
  return found;
}

function summaryOf(model: Model, kind: InstalledModel['kind']): InstalledModel {
  const { name, version, licence, grids, tune } = model.manifest;
  return {
    name,
    version,
    modelId: model.modelId,
    licence,
    ...(tune && { tune }),
    folder: model.folder,
    kind,
    grids: grids.map(({ channels, stridePx }) => ({ channels, stridePx })),
  };
}

/** A model with all that its manifest says, and whether its files are the ones that it names. */
export interface ModelInfo extends InstalledModel {
  readonly manifest: Manifest;
  readonly files: readonly FileHealth[];
}

/** @throws ModelError when the model is not found or its manifest does not hold */
export async function describeModel(wanted: string, search: ModelSearch): Promise<ModelInfo> {
  const model = await findModel(wanted, search);
  const kind = EMBEDDED_NAMES.includes(model.manifest.name) ? 'embedded' : 'installed';
  return { ...summaryOf(model, kind), manifest: model.manifest, files: await checkFiles(model) };
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  return folders.map((entry) => entry.name).sort();
}

/**
 * Removes an installed model, or one kept version of it, whether or not its manifest holds.
 * @param version the id of a kept version; the model with all its versions where left out
 * @throws ModelError when there is no such model, IoError when it cannot be removed
 */
export async function removeModel(
  name: string,
  version: string | undefined,
  search: ModelSearch,
): Promise<readonly string[]> {
  checkName(name);
  const root = modelsFolderOf(search);
  const folder = join(root, name);
  const versions = join(root, VERSIONS_FOLDER, name);
  const isAsked = (id: string) => version === undefined || id === version;
  const mine = new Set<string>();
  for (const model of await listModels(search)) {
    if (model.name === name && isAsked(model.modelId)) mine.add(model.folder);
  }
  // A folder that holds no model is in no list: it goes by its own name.
  if (version === undefined && (await isThere(folder))) mine.add(folder);
  for (const id of await foldersIn(versions)) if (isAsked(id)) mine.add(join(versions, id));
  if (mine.size === 0) {
    const asked = version === undefined ? `'${name}'` : `'${name}' with id ${version}`;
    throw new ModelError(`models: expected an installed model ${asked}, got none`);
  }
  for (const path of mine) {
    await rm(path, { recursive: true, force: true }).catch((cause: unknown) => {
      throw new IoError(`models: expected to remove '${path}', got ${reasonOf(cause)}`, { cause });
    });
  }
  return [...mine];
}
