/**
 * The core's status codes and the one place where they become errors.
 * @module
 */
import { BackendError, FormatError, LimitError, UsageError } from '../errors.js';

/** Mirrors `enum Status` in crates/vaerans-wasm. */
export const Status = {
  ok: 0,
  badArgument: -1,
  outOfMemory: -2,
  corrupt: -3,
  outputTooSmall: -4,
  outOfRange: -5,
} as const;

/**
 * @param kernel the export that was called; it opens the message
 * @throws FormatError for a corrupt stream, LimitError when memory ran out, UsageError for a value out of range,
 *   BackendError for what can only be a defect of ours
 */
export function checkStatus(kernel: string, status: number): void {
  switch (status) {
    case Status.ok:
      return;
    case Status.outOfMemory:
      throw new LimitError(
        `${kernel}: expected working memory in the WASM core, got none; raise it with --max-memory`,
      );
    case Status.corrupt:
      throw new FormatError(
        `${kernel}: expected a stream that this coder wrote, got a corrupt one`,
        0,
      );
    case Status.outOfRange:
      throw new UsageError(`${kernel}: expected values in range, got one outside it`);
    default:
      throw new BackendError(`${kernel}: expected status 0 from the core, got ${status}`);
  }
}
