/**
 * A `.vae` file to read from, in memory or elsewhere, so that a part of the picture needs only a part of the bytes.
 * @module
 */
import { FormatError, UsageError } from '../errors.js';
import type { RandomAccess } from '../files.js';
import type { Limits } from '../limits.js';
import { HEADER_MAX_BYTES } from './layout.js';
import { type CutOptions, checkPart, type ParsedHeader, readHeader } from './read.js';
import type { StreamPart } from './read-directory.js';

/** Enough for the header of any picture with fewer than a thousand slices. */
const BEGINNING_BYTES = 8192;

export class VaeFile {
  readonly #bytes: Uint8Array | RandomAccess;
  readonly #cut: CutOptions;

  /** @throws UsageError for anything else, as callers without types may give it */
  constructor(bytes: Uint8Array | RandomAccess, cut: CutOptions = {}) {
    if (!(bytes instanceof Uint8Array) && typeof bytes?.read !== 'function') {
      throw new UsageError(`container: expected bytes or a file to read, got ${typeof bytes}`);
    }
    this.#bytes = bytes;
    this.#cut = cut;
  }

  /** @throws FormatError, LimitError as `readHeader` */
  async readHeader(limits: Limits): Promise<ParsedHeader> {
    const { byteLength } = this.#bytes;
    if (this.#bytes instanceof Uint8Array) {
      return readHeader(this.#bytes, limits, byteLength, this.#cut);
    }
    const beginning = await this.#bytes.read(0, Math.min(byteLength, BEGINNING_BYTES));
    try {
      return readHeader(beginning, limits, byteLength, this.#cut);
    } catch (error) {
      // Perhaps it is only longer than that.
      if (!(error instanceof FormatError) || byteLength <= BEGINNING_BYTES) throw error;
    }
    const more = await this.#bytes.read(0, Math.min(byteLength, HEADER_MAX_BYTES));
    return readHeader(more, limits, byteLength, this.#cut);
  }

  /** @throws FormatError when any byte of any stream is not as it was written */
  async checkAll({ directory }: ParsedHeader): Promise<void> {
    for (const { type, typeCode, parts } of directory) {
      for (const part of parts) await this.readPart(part, `stream ${type ?? typeCode}`);
    }
  }

  /** @returns the parts of streams that are not as they were written, or not there, with what is wrong */
  async findDamage({ directory }: ParsedHeader): Promise<ReadonlyMap<StreamPart, FormatError>> {
    const damage = new Map<StreamPart, FormatError>();
    for (const { type, typeCode, parts } of directory) {
      for (const part of parts) {
        try {
          await this.readPart(part, `stream ${type ?? typeCode}`);
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          damage.set(part, error);
        }
      }
    }
    return damage;
  }

  /**
   * @param what names the part in the message
   * @returns its bytes, checked; a view where the file lies in memory
   * @throws FormatError when they are not as they were written
   */
  async readPart(part: StreamPart, what: string): Promise<Uint8Array> {
    const { byteOffset, byteLength } = part;
    if (byteOffset + byteLength > this.#bytes.byteLength) {
      throw new FormatError(
        `container: expected ${what} to end at byte ${byteOffset + byteLength}, got a file of ${this.#bytes.byteLength} (truncated)`,
        this.#bytes.byteLength,
      );
    }
    const bytes =
      this.#bytes instanceof Uint8Array
        ? // A plain view, as `subarray` of a Buffer would be a Buffer.
          new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + byteOffset, byteLength)
        : await this.#bytes.read(byteOffset, byteLength);
    checkPart(bytes, part, what);
    return bytes;
  }
}
