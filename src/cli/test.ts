/**
 * `vaerans test`: whether `.vae` files are whole. Decodes them to the last code and keeps nothing, so that all is looked
 * at that decompressing looks at: header, checksums, model, codes.
 * @module
 */
import { extname } from 'node:path';
import { HEADER_MAX_BYTES, inspect, type PixelSink, UsageError, withOpenFile } from '../index.js';
import { type BatchFlags, runBatch } from './batch.js';
import { findSources, listSources, readInput } from './files.js';
import { STREAM } from './grammar.js';
import { formatBytes, formatMs } from './report.js';
import { type Session, type SessionFlags, withSession } from './session.js';
import { checkStdinOnce, note } from './streams.js';

export interface TestFlags extends SessionFlags, BatchFlags {
  readonly recursive?: boolean;
}

/** `vaerans.test/1` */
interface TestReport {
  readonly input: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly bytes: number;
  readonly decodeMs: number;
}

const NOWHERE: PixelSink = { begin: () => {}, writeRows: () => {} };

/** @returns the exit code */
export async function testCommand(operands: readonly string[], flags: TestFlags): Promise<number> {
  const isVae = (path: string) => extname(path).toLowerCase() === '.vae';
  const folders = flags.recursive ? 'deep' : 'flat';
  checkStdinOnce([...operands, flags.filesFrom]);
  const sources = [
    ...(await findSources(operands, folders, isVae)),
    ...(await listSources(flags, folders, isVae)),
  ];
  if (sources.length === 0) {
    throw new UsageError('usage: expected at least one .vae file, got none');
  }
  const items = sources.map(({ path }) => ({ input: path }));
  return withSession(flags, items, (session) =>
    runBatch(
      {
        items,
        schema: 'vaerans.test/1',
        run: ({ input }) => testOne(input, session),
        tell: ({ input, widthPx, heightPx, bytes, decodeMs }) =>
          note(
            `${input}: sound, ${widthPx}x${heightPx}, ${formatBytes(bytes)}, ${formatMs(decodeMs)} decode`,
          ),
      },
      flags,
    ),
  );
}

/** Decodes a file to its last code. @throws as `Codec.decompress` */
export async function testOne(input: string, session: Session): Promise<TestReport> {
  const { codec, callFor, stopProgress } = session;
  const test = async (file: Parameters<typeof codec.decompressTo>[0]): Promise<TestReport> => {
    const startMs = performance.now();
    const beginning = file instanceof Uint8Array ? file : await file.read(0, HEADER_MAX_BYTES);
    await codec.decompressTo(file, NOWHERE, callFor(input)).finally(() => stopProgress(input));
    const { widthPx, heightPx } = inspect(beginning, file.byteLength);
    const decodeMs = performance.now() - startMs;
    return { input, widthPx, heightPx, bytes: file.byteLength, decodeMs };
  };
  return input === STREAM ? test(await readInput(input, codec.limits)) : withOpenFile(input, test);
}
