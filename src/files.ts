/**
 * Files, written so that a reader never sees half of one.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { open, readFile, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { IoError } from './errors.js';

/** @throws IoError when the file cannot be read */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new IoError(`read: expected a readable file, got ${reasonOf(cause)} for '${path}'`, {
      cause,
    });
  }
}

/**
 * Writes a file whole or not at all: a temporary file in the same folder, synced, renamed over the target.
 * @throws IoError when any step fails; nothing is left behind then
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(
    dirname(path),
    `.vaerans-${basename(path).slice(0, 80)}-${randomBytes(6).toString('hex')}.tmp`,
  );
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await unlink(temporary).catch(() => {});
    throw new IoError(`write: expected a writable file, got ${reasonOf(cause)} for '${path}'`, {
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
  ENOSPC: 'a full disk',
  EROFS: 'a read-only file system',
  ENAMETOOLONG: 'a name that is too long',
  EMFILE: 'too many open files',
};

function reasonOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? (REASONS[code] ?? code) : String(cause);
}
