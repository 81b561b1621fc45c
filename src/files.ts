/**
 * Files, written so that a reader never sees half of one.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { kill, pid } from 'node:process';
import { AbortedError, IoError, LimitError, VaeransError } from './errors.js';

/**
 * Reads a file, a device or a pipe to its end.
 * @param remedy end of the message about a longer one: what to do then
 * @throws LimitError beyond `maxByteLength`, IoError when it cannot be read
 */
export async function readBytes(
  path: string,
  maxByteLength = Number.POSITIVE_INFINITY,
  remedy = '',
): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  try {
    const { size } = await stat(path);
    if (size <= maxByteLength) bytes = await collect(createReadStream(path), maxByteLength);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (bytes === undefined) throw tooLong(path, maxByteLength, remedy);
  return bytes;
}

/** @returns all that the stream has, or nothing when that is more than `maxByteLength` */
async function collect(
  stream: AsyncIterable<unknown>,
  maxByteLength: number,
): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let byteLength = 0;
  for await (const chunk of stream) {
    byteLength += (chunk as Buffer).length;
    if (byteLength > maxByteLength) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function tooLong(path: string, maxByteLength: number, remedy = ''): LimitError {
  return new LimitError(
    `read: expected at most ${maxByteLength} bytes, got more in '${path}'${remedy}`,
  );
}

/** The error to throw for what went wrong while a file was read. */
function unreadable(path: string, cause: unknown): Error {
  if (cause instanceof LimitError) return cause;
  const reason = reasonOf(cause);
  return new IoError(`read: expected a readable file, got ${reason} for '${path}'`, { cause });
}

/** Most bytes that are taken from a pipe of which parts are wanted. */
const PIPE_BYTES_MAX = 2 ** 28;

/** All of a pipe, which has no length to ask for and no other order than its own. */
async function collectPipe(file: FileHandle, path: string): Promise<Uint8Array> {
  const bytes = await collect(file.createReadStream({ autoClose: false }), PIPE_BYTES_MAX);
  if (bytes === undefined) throw tooLong(path, PIPE_BYTES_MAX, '; save it as a file first');
  return bytes;
}

/**
 * The pieces of a file, a device or a pipe, in order.
 * @throws IoError from the iteration when it cannot be read
 */
export async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 1 << 20 });
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Bytes that can be read in any order, such as those of a file on a disk. */
export interface RandomAccess {
  readonly byteLength: number;
  /** @returns fewer bytes than asked for only at the end */
  read(byteOffset: number, byteLength: number): Promise<Uint8Array>;
}

/**
 * Lends a file to be read in any order. A pipe, which cannot be, is read to its end first.
 * @throws LimitError for a pipe of over 256 MiB, IoError when it cannot be read, and what `work` throws
 */
export async function withOpenFile<T>(
  path: string,
  work: (file: RandomAccess) => Promise<T>,
): Promise<T> {
  const failed = (cause: unknown): never => {
    throw unreadable(path, cause);
  };
  const file = await open(path).catch(failed);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) {
      const bytes = await collectPipe(file, path).catch(failed);
      return await work({
        byteLength: bytes.length,
        read: async (byteOffset, byteLength) => bytes.subarray(byteOffset, byteOffset + byteLength),
      });
    }
    return await work({
      byteLength: stats.size,
      async read(byteOffset, byteLength) {
        const bytes = new Uint8Array(byteLength);
        const { bytesRead } = await file.read(bytes, 0, byteLength, byteOffset).catch(failed);
        return bytes.subarray(0, bytesRead);
      },
    });
  } finally {
    await file.close();
  }
}

/**
 * Reads no more of a file than its beginning.
 * @returns at most `maxByteLength` bytes, and how many the whole file has
 * @throws LimitError for a pipe of over 256 MiB, IoError when the file cannot be read
 */
export async function readBeginning(
  path: string,
  maxByteLength: number,
): Promise<{ readonly bytes: Uint8Array; readonly fileByteLength: number }> {
  try {
    const file = await open(path);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) {
        const bytes = await collectPipe(file, path);
        return { bytes, fileByteLength: bytes.length };
      }
      const buffer = new Uint8Array(Math.min(maxByteLength, stats.size));
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return { bytes: buffer.subarray(0, filled), fileByteLength: stats.size };
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/**
 * Makes a folder and those above it; one that is there already is fine.
 * @throws IoError when it cannot be made
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new IoError(
      `write: expected a folder to write to, got ${reasonOf(cause)} for '${path}'`,
      {
        cause,
      },
    );
  }
}

/** What goes into a file: its bytes, or what writes them piece by piece. */
export type FileContent =
  | Uint8Array
  | ((write: (bytes: Uint8Array) => Promise<void>) => Promise<void>);

/**
 * Writes a file whole or not at all: a temporary file in the same folder, synced, renamed over the target, the folder
 * synced. What a killed process of this machine left in that folder goes first.
 * @throws IoError when any step fails, AbortedError when the signal fires, what `content` throws; nothing is left behind
 * then
 */
export async function writeFileAtomic(
  path: string,
  content: FileContent,
  signal?: AbortSignal,
): Promise<void> {
  const folder = dirname(path);
  const temporary = await temporaryIn(folder);
  try {
    const file = await open(temporary, 'wx');
    try {
      if (content instanceof Uint8Array) await file.writeFile(content, signal && { signal });
      else await content((bytes) => writeAll(file, bytes));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await unlink(temporary).catch(() => {});
    if (signal?.aborted) throw new AbortedError();
    if (cause instanceof VaeransError) throw cause;
    throw new IoError(`write: expected a writable file, got ${reasonOf(cause)} for '${path}'`, {
      cause,
    });
  }
  await syncFolder(folder);
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written);
    written += bytesWritten;
  }
}

/**
 * A path for what is not whole yet, a file or a folder. What a killed process of this machine left in that folder goes
 * first.
 *
 * The name says which machine and process writes, so that another can tell whether it still does. It is without the
 * target's own, as with that it might be longer than names may be.
 */
export async function temporaryIn(folder: string): Promise<string> {
  await removeStale(folder);
  const random = randomBytes(6).toString('hex');
  return join(folder, `.vaerans-${MACHINE}-${pid}-${random}.tmp`);
}

/** A folder may be shared over a network: process numbers mean nothing on another machine. */
const MACHINE = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const TEMPORARY = /^\.vaerans-(?<machine>[0-9a-f]{8})-(?<writer>\d+)-[0-9a-f]{12}\.tmp$/;

/** Looked through already by this process. */
const cleanFolders = new Set<string>();

/** Removes what is temporary and whose process has ended without removing it: killed, or the power failed. */
async function removeStale(folder: string): Promise<void> {
  if (cleanFolders.has(folder)) return;
  cleanFolders.add(folder);
  // A folder that cannot be listed can still be written to; if it cannot, the write says so.
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const { machine, writer } = TEMPORARY.exec(name)?.groups ?? {};
    if (machine === MACHINE && !isRunning(Number(writer))) {
      await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
    }
  }
}

function isRunning(writer: number): boolean {
  try {
    return kill(writer, 0);
  } catch (cause) {
    // Somebody else's process may not be signalled, and runs.
    return (cause as { code?: unknown }).code === 'EPERM';
  }
}

/** Makes the new name last through a power failure, where the system can do that (Windows cannot open a folder). */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {
    // The file is whole under its new name either way.
  }
}

/** @throws IoError when it cannot be removed */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (cause) {
    throw new IoError(`remove: expected a removable file, got ${reasonOf(cause)} for '${path}'`, {
      cause,
    });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'a folder',
  ENOTDIR: 'a file where a folder should be',
  EEXIST: 'a file where a folder should be',
  ENOSPC: 'a full disk',
  EROFS: 'a read-only file system',
  ENAMETOOLONG: 'a name that is too long',
  EMFILE: 'too many open files',
};

/** What went wrong, in words where there are some for the system's code. */
export function reasonOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? (REASONS[code] ?? code) : String(cause);
}
