/**
 * Fetches a package of a model: in parts that survive a broken connection, and used only once its hash is the one that
 * was asked for.
 * @module
 */
import { createHash } from 'node:crypto';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AbortedError, IoError, LimitError, ModelError, UsageError } from '../errors.js';
import { makeFolder, readBytes, readChunks } from '../files.js';
import type { InstallOptions } from './options.js';
import { PACKAGE_MAX_BYTES, unpackModel } from './package.js';
import { installModel, modelsFolderOf } from './store.js';

export interface PullOptions extends InstallOptions {
  /** Of the package, as 64 hexadecimal digits. */
  readonly sha256: string;
  /** Installs it under another name than its manifest's. */
  readonly as?: string;
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (bytesDone: number, bytesTotal: number | undefined) => void;
}

export interface PullReport {
  readonly name: string;
  readonly modelId: string;
  readonly folder: string;
  readonly byteLength: number;
  /** Bytes that were there already from a call before. */
  readonly resumedFrom: number;
}

/**
 * @param url http or https
 * @throws UsageError for another scheme or hash, IoError when the connection breaks (the next call goes on from there),
 * ModelError when what came is not what was asked for, LimitError, AbortedError
 */
export async function pullModel(url: string, options: PullOptions): Promise<PullReport> {
  const { sha256, signal, onProgress } = options;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new UsageError(`pull: expected an http or https address, got '${url}'`);
  }
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw new UsageError(`pull: expected a sha256 of 64 hexadecimal digits, got '${sha256}'`);
  }
  const folder = join(modelsFolderOf(options), '.pulled');
  await makeFolder(folder);
  // Named by its hash: a part of another file is never gone on with.
  const part = join(folder, `${sha256}.part`);
  const resumedFrom = await fetchInto(part, url, signal, onProgress);
  const found = await hashOf(part);
  if (found !== sha256) {
    await rm(part, { force: true }).catch(() => {});
    throw new ModelError(
      `pull: expected a package with sha256 ${sha256}, got ${found}; nothing was kept`,
    );
  }
  const bytes = await readBytes(part, PACKAGE_MAX_BYTES);
  const { manifest, files } = unpackModel(bytes);
  const named = { ...manifest, name: options.as ?? manifest.name };
  const model = await installModel(options, named, files, options.force ?? false);
  // The model is installed: what is left of the package harms nobody.
  await rm(part, { force: true }).catch(() => {});
  return {
    name: named.name,
    modelId: model.modelId,
    folder: model.folder,
    byteLength: bytes.length,
    resumedFrom,
  };
}

/** @returns how many bytes were there before */
async function fetchInto(
  part: string,
  url: string,
  signal: AbortSignal | undefined,
  onProgress: PullOptions['onProgress'],
): Promise<number> {
  const had = await stat(part).then(
    ({ size }) => size,
    () => 0,
  );
  try {
    const headers = had > 0 ? { range: `bytes=${had}-` } : {};
    const response = await fetch(url, { headers, ...(signal && { signal }) });
    // 416: all of it is there already.
    if (response.status === 416 && had > 0) return had;
    if (!response.ok || response.body === null) {
      throw new IoError(`pull: expected the package, got status ${response.status} of '${url}'`);
    }
    // A server that knows no ranges begins again, and so do we.
    const start = response.status === 206 ? had : 0;
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    const total = Number.isFinite(length) ? start + length : undefined;
    await append(part, start, response.body, total, onProgress);
    return start;
  } catch (cause) {
    if (signal?.aborted) throw new AbortedError();
    if (cause instanceof IoError || cause instanceof LimitError) throw cause;
    throw new IoError(
      `pull: expected the package of '${url}', got ${cause instanceof Error ? cause.message : String(cause)}; the same command goes on from here`,
      { cause },
    );
  }
}

async function append(
  part: string,
  start: number,
  body: ReadableStream<Uint8Array>,
  total: number | undefined,
  onProgress: PullOptions['onProgress'],
): Promise<void> {
  const file = await open(part, start > 0 ? 'a' : 'w');
  try {
    let done = start;
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      done += chunk.length;
      if (done > PACKAGE_MAX_BYTES) {
        throw new LimitError(`pull: expected at most ${PACKAGE_MAX_BYTES} bytes, got more`);
      }
      await file.write(chunk);
      onProgress?.(done, total);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of readChunks(path)) hash.update(chunk);
  return hash.digest('hex');
}
