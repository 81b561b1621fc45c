/**
 * Inputs found and outputs checked before any work starts: what exists is not overwritten unasked, and nothing is
 * ever written over what it was made from.
 * @module
 */
import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import {
  defaultLimits,
  IoError,
  type Limits,
  makeFolder,
  readBytes,
  readChunks,
  UsageError,
  writeFileAtomic,
} from '../index.js';
import {
  type Direction,
  type Job,
  type OutputFlags,
  parseOperands,
  planJobs,
  type Source,
  STREAM,
} from './grammar.js';
import { finishBeforeSignals } from './signals.js';
import {
  readStdin,
  stdinChunks,
  stdinIsTerminal,
  stdoutIsTerminal,
  writeStdout,
} from './streams.js';

export interface OverwriteFlags {
  readonly force?: boolean;
  readonly skipExisting?: boolean;
}

/** Inputs named by a list rather than by operands. */
export interface ListFlags {
  /** A file or `-`: one path a line. */
  readonly filesFrom?: string;
  /** Paths of the list end with a zero byte. */
  readonly null?: boolean;
}

/** A job that may start; `skip` says why it is passed over. */
export interface CheckedJob extends Job {
  readonly skip?: 'exists';
}

/**
 * Replaces folders by the files in them.
 * @param folders `deep` takes their trees, `flat` their own files, `refused` does not take them
 * @param accepts which files of a folder are taken; a file that is named is always taken
 * @throws UsageError for a folder that is refused
 */
export async function findSources(
  inputs: readonly string[],
  folders: 'deep' | 'flat' | 'refused',
  accepts: (path: string) => boolean,
): Promise<Source[]> {
  const sources: Source[] = [];
  for (const input of inputs) {
    const isFolder = input !== STREAM && (await statOf(input))?.isDirectory();
    if (!isFolder) {
      sources.push({ path: input, relativePath: basename(input) });
      continue;
    }
    if (folders === 'refused') {
      throw new UsageError(
        `usage: expected a file, got the folder '${input}'; -r with --output-dir takes what is in it`,
      );
    }
    const paths = (await listFiles(input, folders === 'deep')).filter(accepts);
    sources.push(...paths.map((path) => ({ path, relativePath: relative(input, path) })));
  }
  return sources;
}

/**
 * The inputs of a list. A path below the working folder keeps its folders below the output folder too.
 * @throws UsageError as `findSources` and for `null` without a list, IoError when the list cannot be read
 */
export async function listSources(
  { filesFrom, null: isZeroed }: ListFlags,
  folders: 'deep' | 'flat' | 'refused',
  accepts: (path: string) => boolean,
): Promise<Source[]> {
  if (filesFrom === undefined) {
    if (isZeroed) throw new UsageError('usage: expected --files-from with -0, got none');
    return [];
  }
  const text = Buffer.from(await readInput(filesFrom)).toString('utf8');
  const paths = text.split(isZeroed ? '\0' : /\r?\n/).filter((path) => path !== '');
  if (paths.includes(STREAM)) throw new UsageError("usage: expected paths in the list, got '-'");
  const sources = await findSources(paths, folders, accepts);
  return sources.map((source) => {
    const path = relative('.', source.path);
    const isBelow = !isAbsolute(source.path) && !path.startsWith('..');
    return isBelow ? { ...source, relativePath: path } : source;
  });
}

/**
 * Looks at every output before the first job starts.
 * @throws UsageError when an output exists and nothing says what to do, when two jobs have one output, when an output
 * is an input, or when bytes would go to or come from a terminal
 */
async function checkJobs(
  jobs: readonly Job[],
  { force, skipExisting }: OverwriteFlags,
): Promise<CheckedJob[]> {
  const inputs = new Set<string>();
  for (const { input } of jobs) {
    const stats = input === STREAM ? undefined : await statOf(input);
    if (stats !== undefined) inputs.add(identityOf(stats));
  }
  const inputOfOutput = new Map<string, string>();
  const checked: CheckedJob[] = [];
  for (const job of jobs) {
    const { input, output } = job;
    if (input === STREAM && stdinIsTerminal()) {
      throw new UsageError('read: expected a file or a pipe as standard input, got a terminal');
    }
    if (output === STREAM) {
      if (stdoutIsTerminal()) {
        throw new UsageError(
          'write: expected a file or a pipe for binary output, got a terminal; name an output with -o',
        );
      }
      checked.push(job);
      continue;
    }
    const other = inputOfOutput.get(resolve(output));
    if (other !== undefined) {
      throw new UsageError(
        `write: expected an output for each input, got '${output}' for '${other}' and '${input}'`,
      );
    }
    inputOfOutput.set(resolve(output), input);
    const stats = await statOf(output);
    if (stats !== undefined && inputs.has(identityOf(stats))) {
      throw new UsageError(`write: expected an output that is no input, got '${output}' for both`);
    }
    if (stats !== undefined && skipExisting && stats.isFile()) {
      checked.push({ ...job, skip: 'exists' });
      continue;
    }
    checkReplaceable(output, stats, force, '-f overwrites it, --skip-existing passes over it');
    checked.push(job);
  }
  return checked;
}

/**
 * Operands to jobs that may start.
 * @param accepts which files of a folder are taken
 * @throws UsageError as `parseOperands`, `findSources` and `checkJobs` do, and when there is nothing to do
 */
export async function prepareJobs(
  operands: readonly string[],
  flags: OutputFlags & OverwriteFlags & ListFlags,
  direction: Direction,
  accepts: (path: string) => boolean,
): Promise<CheckedJob[]> {
  if (flags.filesFrom !== undefined && flags.outputDir === undefined) {
    throw new UsageError('usage: expected --output-dir with --files-from, got none');
  }
  const { inputs, ...target } = parseOperands(operands, flags, direction);
  const folders = flags.recursive ? 'deep' : 'refused';
  const sources = [
    ...(await findSources(inputs, folders, accepts)),
    ...(await listSources(flags, folders, accepts)),
  ];
  if (sources.length === 0) {
    const places = [...inputs, flags.filesFrom].filter((place) => place !== undefined);
    throw new UsageError(
      `usage: expected at least one input, got none${places.length > 0 ? ` in '${places.join("', '")}'` : ''}`,
    );
  }
  const jobs = await checkJobs(planJobs(sources, target, direction), flags);
  if (target.outputDir !== undefined) {
    const folders = new Set(jobs.filter(({ skip }) => !skip).map(({ output }) => dirname(output)));
    for (const folder of folders) await makeFolder(folder);
  }
  return jobs;
}

/** A path of a call, where it has one, and what messages call it: the flag that names it, or `an input`. */
export type NamedPath = readonly [name: string, path: string | undefined];

/**
 * Whether reports go where the call reads and writes nothing else; -f does not change that.
 * @param others inputs and outputs
 * @throws UsageError naming both
 */
export async function checkApart(
  reports: readonly NamedPath[],
  others: readonly NamedPath[],
): Promise<void> {
  const nameOfPlace = new Map<string, string>();
  for (const [name, path] of others) {
    // No report goes to standard input.
    if (path !== undefined && path !== STREAM) nameOfPlace.set(await placeOf(path), name);
  }
  for (const [name, path] of reports) {
    if (path === undefined) continue;
    const place = await placeOf(path);
    const other = nameOfPlace.get(place);
    if (other !== undefined) {
      throw new UsageError(
        `write: expected different places for ${name} and ${other}, got '${path}' for both`,
      );
    }
    nameOfPlace.set(place, name);
  }
}

/**
 * Whether a report may be written there; its folder is made if it is not there yet.
 * @throws UsageError when something exists there and `force` is not given, or when it is a pipe
 */
export async function checkNewFile(path: string, force: boolean | undefined): Promise<void> {
  if (path === STREAM) throw new UsageError("write: expected a file for the report, got '-'");
  checkReplaceable(path, await statOf(path), force, '-f overwrites it');
  await makeFolder(dirname(path));
}

/**
 * Reads a file or standard input, which may not be longer than the memory that is granted.
 * @param limits of commands that have flags for them
 */
export function readInput(path: string, limits?: Partial<Limits>): Promise<Uint8Array> {
  const { maxMemoryBytes } = { ...defaultLimits(), ...limits };
  const remedy = limits && '; raise it with --max-memory';
  return path === STREAM
    ? readStdin(maxMemoryBytes, remedy)
    : readBytes(path, maxMemoryBytes, remedy);
}

/** Lends a file or standard input piece by piece, and closes it, whether all of it was taken or not. */
export async function withInputChunks<T>(
  path: string,
  work: (chunks: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  const chunks = path === STREAM ? stdinChunks() : readChunks(path);
  try {
    return await work(chunks);
  } finally {
    await chunks.return(undefined);
  }
}

/** Writes to a file, whole or not at all, or to standard output. */
export async function writeOutput(path: string, bytes: Uint8Array): Promise<void> {
  if (path === STREAM) await writeStdout(bytes);
  else await finishBeforeSignals((signal) => writeFileAtomic(path, bytes, signal));
}

/**
 * As `writeOutput`, piece by piece.
 * @param work writes; ends early when its signal fires
 */
export async function writeOutputBy(
  path: string,
  work: (write: (bytes: Uint8Array) => Promise<void>, signal?: AbortSignal) => Promise<void>,
): Promise<void> {
  if (path === STREAM) return work(writeStdout);
  await finishBeforeSignals((signal) =>
    writeFileAtomic(path, (write) => work(write, signal), signal),
  );
}

function checkReplaceable(
  path: string,
  stats: BigIntStats | undefined,
  force: boolean | undefined,
  wayOut: string,
): void {
  if (stats === undefined) return;
  if (!stats.isFile()) {
    const kind = stats.isDirectory() ? 'a folder' : 'a device or pipe';
    throw new UsageError(`write: expected a file to write, got ${kind}: '${path}'`);
  }
  if (!force) {
    throw new UsageError(`write: expected no file yet, got '${path}'; ${wayOut}`);
  }
}

/** Files below a folder in the order of their names. Links to folders are not followed: they may form rings. */
async function listFiles(folder: string, deep: boolean): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: Error) => {
    throw new IoError(`read: expected a folder to list, got ${cause.message}`, { cause });
  });
  const files: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (deep) files.push(...(await listFiles(path, deep)));
    } else if (entry.isFile() || (entry.isSymbolicLink() && (await statOf(path))?.isFile())) {
      files.push(path);
    }
  }
  return files;
}

/** Follows links, so that one file under two names is known for what it is. */
async function statOf(path: string): Promise<BigIntStats | undefined> {
  return await stat(path, { bigint: true }).catch(() => undefined);
}

/** The same for all names of a file, and of one that is not there yet as far as its folder is. */
async function placeOf(path: string): Promise<string> {
  const stats = await statOf(path);
  if (stats !== undefined) return identityOf(stats);
  const folder = await statOf(dirname(path));
  return folder === undefined ? resolve(path) : join(identityOf(folder), basename(path));
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
