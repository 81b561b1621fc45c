/**
 * A model in one file, to be passed on: a plain tar archive (POSIX ustar) of a model folder's own files. Reading one
 * trusts nothing: names are plain, sizes are counted, and every hash is the manifest's before anything is written.
 * @module
 */
import { FormatError, LimitError, ModelError } from '../errors.js';
import { parseManifest } from '../models/manifest.js';
import {
  filesOf,
  findModel,
  MANIFEST_MAX_BYTES,
  type Model,
  type ModelSearch,
  readModelFile,
} from '../models/registry.js';
import type { Manifest } from '../models/schemas.js';
import { fileEntry, type ModelFiles } from './store.js';

/** FLUX's autoencoder as a package has 340 MB. */
export const PACKAGE_MAX_BYTES = 4 * 2 ** 30;
/** The longest that Node hashes and reads at once, as an installed model's files are. */
const FILE_MAX_BYTES = 2 ** 31 - 1;
const BLOCK = 512;
const MANIFEST = 'manifest.json';
/** A manifest names two networks with two variants each, a transform and tables. */
const FILES_MAX = 32;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** The package's bytes, the same for the same model. */
export async function packModel(model: Model): Promise<Uint8Array> {
  const text = Buffer.from(`${JSON.stringify(model.manifest, undefined, 1)}\n`);
  const parts: Uint8Array[] = [...entry(MANIFEST, text)];
  for (const file of filesOf(model.manifest)) {
    parts.push(...entry(file.file, await readModelFile(model, file)));
  }
  return Buffer.concat([...parts, new Uint8Array(2 * BLOCK)]);
}

/** @throws ModelError when the model is not found or one of its files is not the one that it names */
export async function exportModel(
  wanted: string,
  search: ModelSearch,
): Promise<{ readonly bytes: Uint8Array; readonly sha256: string }> {
  const bytes = await packModel(await findModel(wanted, search));
  return { bytes, sha256: fileEntry('package', bytes).sha256 };
}

function entry(name: string, bytes: Uint8Array): Uint8Array[] {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100, 'utf8');
  for (const [at, value, digits] of [
    [100, 0o644, 7],
    [108, 0, 7],
    [116, 0, 7],
    [124, bytes.length, 11],
    [136, 0, 11],
  ] as const) {
    header.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  }
  header.write('0', 156, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  header.write(`${checksumOf(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return [header, bytes, new Uint8Array(-bytes.length & (BLOCK - 1))];
}

/** Sum of the header's bytes, its own field taken as spaces. */
function checksumOf(header: Uint8Array): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
}

/** Whether bytes begin as a tar archive does. */
export function isPackage(beginning: Uint8Array): boolean {
  return Buffer.from(beginning.subarray(257, 262)).toString('latin1') === 'ustar';
}

/**
 * @throws FormatError for an archive that is damaged or holds anything but plain files with plain names, ModelError when
 * the manifest does not hold or a file is not the one that it names, LimitError for a file of 2 GiB
 */
export function unpackModel(bytes: Uint8Array): {
  readonly manifest: Manifest;
  readonly files: ModelFiles;
} {
  const entries = readEntries(bytes);
  const manifestBytes = entries.get(MANIFEST);
  if (manifestBytes === undefined || manifestBytes.length > MANIFEST_MAX_BYTES) {
    throw new FormatError(`package: expected a ${MANIFEST} of at most 8 MiB, got none`, 0);
  }
  const manifest = parseManifest(Buffer.from(manifestBytes).toString('utf8'), MANIFEST);
  const files = new Map<string, Uint8Array>();
  for (const { file, sha256 } of filesOf(manifest)) {
    const content = entries.get(file);
    const found = content && fileEntry(file, content).sha256;
    if (content === undefined || found !== sha256) {
      throw new ModelError(
        `package: expected '${file}' with sha256 ${sha256}, got ${found ?? 'no such file'}`,
      );
    }
    files.set(file, content);
  }
  if (entries.size !== files.size + 1) {
    throw new FormatError('package: expected the files that its manifest names, got others too', 0);
  }
  return { manifest, files };
}

function readEntries(bytes: Uint8Array): Map<string, Uint8Array> {
  const entries = new Map<string, Uint8Array>();
  let at = 0;
  for (;;) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.length < BLOCK) throw new FormatError('package: expected an end, got none', at);
    if (header.every((byte) => byte === 0)) break;
    const { name, byteLength } = readHeader(header, at);
    at += BLOCK;
    if (byteLength > bytes.length - at) {
      throw new FormatError(`package: expected ${byteLength} bytes of '${name}'`, at);
    }
    if (byteLength > FILE_MAX_BYTES) {
      throw new LimitError(
        `package: expected files of at most ${FILE_MAX_BYTES} bytes, got ${byteLength} of '${name}'`,
      );
    }
    if (entries.has(name) || entries.size >= FILES_MAX) {
      throw new FormatError(`package: expected up to ${FILES_MAX} files, each once`, at);
    }
    entries.set(name, bytes.subarray(at, at + byteLength));
    at += Math.ceil(byteLength / BLOCK) * BLOCK;
  }
  if (bytes.subarray(at).some((byte) => byte !== 0)) {
    throw new FormatError('package: expected nothing after its end, got more bytes', at);
  }
  return entries;
}

function readHeader(
  header: Uint8Array,
  byteOffset: number,
): { readonly name: string; readonly byteLength: number } {
  const text = (start: number, length: number) => {
    const field = Buffer.from(header.subarray(start, start + length)).toString('latin1');
    return field.split('\0')[0] ?? '';
  };
  const octal = (start: number, length: number) => {
    const digits = text(start, length).trim();
    return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
  };
  if (!isPackage(header) || octal(148, 8) !== checksumOf(header)) {
    throw new FormatError('package: expected a tar header, got other bytes', byteOffset);
  }
  const name = text(0, 100);
  const kind = text(156, 1);
  if ((kind !== '0' && kind !== '') || text(345, 155) !== '' || !NAME.test(name)) {
    throw new FormatError(
      `package: expected a plain file with a plain name, got '${name.slice(0, 80)}' of kind '${kind}'`,
      byteOffset,
    );
  }
  const byteLength = octal(124, 12);
  if (!(byteLength >= 0)) throw new FormatError('package: expected a size', byteOffset);
  return { name, byteLength };
}
