/**
 * A reading place in hostile bytes: every step is checked against the end before it is taken.
 * @module
 */
import { FormatError } from '../errors.js';

export class Cursor {
  readonly #bytes: Uint8Array;
  #offset: number;

  /** @param offset may lie past the end; the first read then fails */
  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  /** Of the next byte, counted from the start of the input. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * @returns a view, not a copy
   * @throws FormatError when fewer than `byteLength` bytes are left
   */
  take(byteLength: number): Uint8Array {
    const end = this.#offset + byteLength;
    if (end > this.#bytes.length) {
      throw new FormatError(
        `container: expected ${byteLength} more header bytes, got ${Math.max(0, this.#bytes.length - this.#offset)} (truncated)`,
        Math.min(this.#offset, this.#bytes.length),
      );
    }
    const view = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return view;
  }

  u8(): number {
    const [byte = 0] = this.take(1);
    return byte;
  }

  u16(): number {
    const [low = 0, high = 0] = this.take(2);
    return low | (high << 8);
  }

  u32(): number {
    const [b0 = 0, b1 = 0, b2 = 0, b3 = 0] = this.take(4);
    return (b0 | (b1 << 8) | (b2 << 16) | (b3 << 24)) >>> 0;
  }

  /**
   * Unsigned LEB128, 0 to 2^32 - 1.
   * @throws FormatError when longer than 5 bytes, above the range, or not in the fewest bytes
   */
  varint(): number {
    const start = this.#offset;
    let value = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 2 ** 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && scale > 1) {
          throw new FormatError('container: expected a varint in its fewest bytes', start);
        }
        if (value > 0xffff_ffff) {
          throw new FormatError(
            `container: expected a varint of at most 4294967295, got ${value}`,
            start,
          );
        }
        return value;
      }
    }
    throw new FormatError('container: expected a varint of at most 5 bytes', start);
  }
}
