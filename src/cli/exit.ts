/**
 * Errors to exit codes and to one line each (DESIGN section 8).
 * @module
 */
import { type ErrorCode, VaeransError } from '../index.js';
import { BrokenPipeError, note, noteLines } from './streams.js';

export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  someSkipped: 3,
  someFailed: 4,
  corrupt: 5,
  limit: 6,
  model: 7,
  provider: 8,
  io: 9,
  worse: 10,
  interrupted: 130,
  brokenPipe: 141,
} as const;

const EXIT_OF_ERROR: Readonly<Record<ErrorCode, number>> = {
  usage: EXIT.usage,
  format: EXIT.corrupt,
  // A sound file of a kind that is not handled is passed over, as one of a batch would be.
  unsupported: EXIT.someSkipped,
  limit: EXIT.limit,
  model: EXIT.model,
  provider: EXIT.provider,
  backend: EXIT.internal,
  io: EXIT.io,
  aborted: EXIT.interrupted,
};

export function exitCodeOf(error: VaeransError): number {
  return EXIT_OF_ERROR[error.code];
}

/**
 * Reports what ended the program.
 * @returns the exit code
 */
export function reportFailure(error: unknown): number {
  if (error instanceof BrokenPipeError) return EXIT.brokenPipe;
  if (isCommanderError(error)) return reportCommanderError(error);
  if (process.env.VAERANS_DEBUG === '1' && error instanceof Error) noteLines(error.stack ?? '');
  if (error instanceof VaeransError) {
    note(`vaerans: ${oneLine(error.message)}`);
    return exitCodeOf(error);
  }
  const message = error instanceof Error ? error.message : String(error);
  note(`vaerans: internal: ${oneLine(message)}; VAERANS_DEBUG=1 shows where`);
  return EXIT.internal;
}

interface CommanderFailure extends Error {
  readonly code: string;
  readonly exitCode: number;
}

/** Told by its code, as one file alone imports commander. */
function isCommanderError(error: unknown): error is CommanderFailure {
  return (
    error instanceof Error && String((error as { code?: unknown }).code).startsWith('commander.')
  );
}

function reportCommanderError({ code, exitCode, message }: CommanderFailure): number {
  if (exitCode === 0) return EXIT.ok;
  // `commander.help`: the help that was asked for by giving no command stands there already.
  if (code !== 'commander.help') {
    note(`vaerans: ${oneLine(message.replace(/^error: |\.$/g, ''))}; see --help`);
  }
  return EXIT.usage;
}

function oneLine(message: string): string {
  return message.replace(/\s*\n\s*/g, ' ').trim();
}
