/**
 * Standard input, output and error.
 * @module
 */
import { IoError, LimitError, UsageError } from '../index.js';

export function stdinIsTerminal(): boolean {
  return process.stdin.isTTY === true;
}

export function stdoutIsTerminal(): boolean {
  return process.stdout.isTTY === true;
}

/** The reader of our output has gone; nobody is left to be told. */
export class BrokenPipeError extends Error {}

/**
 * Standard input piece by piece.
 * @throws IoError from the iteration when it cannot be read
 */
export async function* stdinChunks(): AsyncGenerator<Uint8Array> {
  try {
    yield* process.stdin as AsyncIterable<Buffer>;
  } catch (cause) {
    throw new IoError(`read: expected bytes on standard input, got ${String(cause)}`, { cause });
  }
}

/**
 * Reads standard input to its end.
 * @param remedy end of the message about more: what to do then
 * @throws LimitError beyond `maxByteLength`, IoError when it cannot be read
 */
export async function readStdin(maxByteLength: number, remedy = ''): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  for await (const chunk of stdinChunks()) {
    byteLength += chunk.length;
    if (byteLength > maxByteLength) {
      throw new LimitError(
        `read: expected at most ${maxByteLength} bytes on standard input, got more${remedy}`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Writes to standard output and waits until the system has taken it all: an exit before that would cut it off.
 * @throws BrokenPipeError when the reader has gone, IoError when it cannot be written
 */
export async function writeStdout(bytes: Uint8Array | string): Promise<void> {
  const failure = await new Promise<Error | null | undefined>((resolve) => {
    process.stdout.write(bytes, resolve);
  });
  if (!failure) return;
  if (isBrokenPipe(failure)) throw new BrokenPipeError();
  throw new IoError(`write: expected to write standard output, got ${failure.message}`, {
    cause: failure,
  });
}

export async function printLines(text: string): Promise<void> {
  await writeStdout(`${text}\n`);
}

/** One line, or NDJSON when called again. */
export async function printJson(value: object): Promise<void> {
  await writeStdout(`${JSON.stringify(value)}\n`);
}

/**
 * Tells a person something, beside the output, in one line. Names of files are hostile: a terminal would obey what they
 * may hold, so control characters are written out.
 */
export function note(line: string): void {
  noteLines(visible(line));
}

/** As `note`, in several lines and as they are: nothing of a file may be in them. */
export function noteLines(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Control characters, and marks that turn the direction of writing, as `\\x1b` and `\\u202e`. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 256
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

export function isBrokenPipe(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'EPIPE';
}

/** @throws UsageError when a report and a picture both want standard output */
export function checkJsonHasStdout(
  { json }: { readonly json?: boolean },
  jobs: readonly { readonly output: string }[],
): void {
  if (json && jobs.some(({ output }) => output === '-')) {
    throw new UsageError("usage: expected --json or the output '-', got both for standard output");
  }
}

/** @throws UsageError when standard input is named again: nothing of it would be left */
export function checkStdinOnce(inputs: readonly (string | undefined)[]): void {
  const times = inputs.filter((input) => input === '-').length;
  if (times > 1) {
    throw new UsageError(`usage: expected standard input once, got '-' ${times} times`);
  }
}
