/**
 * Quantisation and Huffman tables of a hostile JPEG: lengths, numbers and codes, so that no decoder runs off them.
 * @module
 */
import { FormatError } from '../errors.js';

const TABLES_MAX = 4;
const BLOCK_SAMPLES = 64;

/** Which tables a JPEG has defined so far, and the quantisation tables themselves. */
export interface JpegTables {
  /** `dc0` to `dc3` and `ac0` to `ac3`. */
  readonly huffman: Set<string>;
  /** As bytes of the file, the precision in front, to tell whether one changes. */
  readonly quant: Map<number, Uint8Array>;
}

/**
 * Reads the tables of a DQT segment into `tables`.
 * @returns the numbers of those that were there before with other values
 * @throws FormatError when a table is cut off or numbered beyond 3
 */
export function readQuantTables(
  data: Uint8Array,
  byteOffset: number,
  tables: JpegTables,
): readonly number[] {
  const changed: number[] = [];
  for (let at = 0; at < data.length; ) {
    const head = data[at] ?? 0;
    const end = at + 1 + BLOCK_SAMPLES * (head >> 4 === 0 ? 1 : 2);
    if (head >> 4 > 1 || (head & 15) >= TABLES_MAX || end > data.length) {
      throw new FormatError(
        'jpeg: expected whole quantisation tables numbered 0 to 3, got others',
        byteOffset + at,
      );
    }
    const table = data.subarray(at, end);
    const before = tables.quant.get(head & 15);
    if (before !== undefined && Buffer.compare(before, table) !== 0) {
      changed.push(head & 15);
    }
    tables.quant.set(head & 15, table);
    at = end;
  }
  return changed;
}

/**
 * Reads which tables a DHT segment defines into `tables`.
 * @throws FormatError when a table is cut off, numbered beyond 3, or has more codes than bits can tell apart
 */
export function readHuffmanTables(data: Uint8Array, byteOffset: number, tables: JpegTables): void {
  for (let at = 0; at < data.length; ) {
    const head = data[at] ?? 0;
    const lengths = data.subarray(at + 1, at + 17);
    const codes = lengths.reduce((sum, count) => sum + count, 0);
    const end = at + 17 + codes;
    if (head >> 4 > 1 || (head & 15) >= TABLES_MAX || end > data.length) {
      throw new FormatError(
        'jpeg: expected whole Huffman tables numbered 0 to 3, got others',
        byteOffset + at,
      );
    }
    // In units of the longest code; the code of ones alone is reserved.
    const used = lengths.reduce((sum, count, index) => sum + count * 2 ** (15 - index), 0);
    const isDc = head >> 4 === 0;
    const isDcTooLong = isDc && data.subarray(at + 17, end).some((bits) => bits > 15);
    if (used >= 2 ** 16 || isDcTooLong) {
      throw new FormatError(
        'jpeg: expected a Huffman table that can be, got another',
        byteOffset + at,
      );
    }
    tables.huffman.add(`${isDc ? 'dc' : 'ac'}${head & 15}`);
    at = end;
  }
}
