/**
 * What really loads on this machine: every execution provider is tried on a real, tiny model.
 * @module
 */
import { freemem, totalmem } from 'node:os';
import { VaeransError } from '../errors.js';
import { checkFiles, type FileHealth, type ModelSearch } from '../models/registry.js';
import type { Tune } from '../models/tunes.js';
import { PROVIDERS, type Provider } from '../vae/providers.js';
import { openCodec } from './open.js';
import { type Versions, versions } from './versions.js';

export interface ProviderHealth {
  readonly provider: Provider;
  readonly loads: boolean;
  /** The runtime's complaint, where it does not load. */
  readonly reason?: string;
}

export interface Diagnosis {
  readonly versions: Versions;
  readonly threads: number;
  /** What one call may plan to hold, in bytes. */
  readonly maxMemoryBytes: number;
  /** Of the machine, in bytes. */
  readonly memory: { readonly totalBytes: number; readonly freeBytes: number };
  readonly model: {
    readonly name: string;
    readonly version: string;
    readonly id: string;
    /** What it was trained for, where it says so. */
    readonly tune?: Tune;
    readonly folder: string;
    /** Each file that the manifest names, and whether it is the one. */
    readonly files: readonly FileHealth[];
  };
  readonly providers: readonly ProviderHealth[];
}

const TINY = { widthPx: 8, heightPx: 8, channels: 3, data: new Uint8Array(192) } as const;

/** @throws ModelError when the model to compress with does not hold */
export async function doctor(
  search: ModelSearch & { readonly model?: string } = {},
): Promise<Diagnosis> {
  await using codec = await openCodec(search);
  const { model } = await codec.openModel();
  const { name, version, tune } = model.manifest;
  const providers: ProviderHealth[] = [];
  for (const provider of PROVIDERS) providers.push(await tryProvider(provider));
  return {
    versions: await versions(),
    threads: codec.threads,
    maxMemoryBytes: codec.limits.maxMemoryBytes,
    memory: { totalBytes: totalmem(), freeBytes: freemem() },
    model: {
      name,
      version,
      ...(tune && { tune }),
      id: model.modelId,
      folder: model.folder,
      files: await checkFiles(model),
    },
    providers,
  };
}

async function tryProvider(provider: Provider): Promise<ProviderHealth> {
  await using codec = await openCodec({ model: 'fixture', provider, threads: 1 });
  try {
    await codec.compress(TINY);
    return { provider, loads: true };
  } catch (error) {
    if (!(error instanceof VaeransError)) throw error;
    return { provider, loads: false, reason: error.message };
  }
}
