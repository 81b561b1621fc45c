/**
 * Walks a hostile JPEG marker by marker before a library sees it, and writes what decoding needs anew: tables, frame and
 * scans, without application segments, comments, fill bytes and what follows the end. jpeg-js alone fills what is
 * missing with grey or zeros, and takes the last of tables that change.
 * @module
 */
import { FormatError, UnsupportedError } from '../errors.js';
import type { Limits } from '../limits.js';
import { checkKind, type JpegFrame, readFrame } from './jpeg-frame.js';
import { JpegMetadata } from './jpeg-metadata.js';
import { findScanEnd, ScanLedger } from './jpeg-scans.js';
import { type JpegTables, readHuffmanTables, readQuantTables } from './jpeg-tables.js';

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const DQT = 0xdb;
const DNL = 0xdc;
const DRI = 0xdd;
const DHT = 0xc4;
const COM = 0xfe;

/** Measured of jpeg-js: its coefficients with what holds them, then samples. */
const MEMORY_A_BLOCK_BYTES = 640;
/** The picture as components and as the caller gets it. */
const MEMORY_A_PIXEL_BYTES = 6;

/** A DRI segment that the copy has before each scan. */
const RESTART_SEGMENT_BYTES = 6;

export interface GuardedJpeg {
  readonly frame: JpegFrame;
  readonly metadata: JpegMetadata;
  /** Sound in all but its codes. */
  readonly plainFile: Uint8Array;
  /** What decoding it by jpeg-js will hold at the peak. */
  readonly plannedBytes: number;
  /** Of the first scan in the file that was given, for messages. */
  readonly scanOffset: number;
}

/** A marker with the data of its segment. */
interface Segment {
  readonly marker: number;
  /** Of the marker. */
  readonly byteOffset: number;
  /** Of what follows the segment. */
  readonly endOffset: number;
}

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === SOI;
}

/**
 * @param bytes a file for which `isJpeg` holds
 * @throws FormatError with the offset of the marker that is wrong
 * @throws UnsupportedError for kinds of JPEG that are not handled
 * @throws LimitError before anything of the picture's size is allocated
 */
export function guardJpeg(bytes: Uint8Array, limits: Limits): GuardedJpeg {
  const tables: JpegTables = { huffman: new Set(), quant: new Map() };
  const metadata = new JpegMetadata();
  const plain = new PlainFile(bytes);
  let frame: JpegFrame | undefined;
  let ledger: ScanLedger | undefined;
  let restartInterval = 0;
  let scanOffset = 0;
  for (let at = 2; ; ) {
    const segment = readSegment(bytes, at);
    const { marker, byteOffset, endOffset } = segment;
    const data = bytes.subarray(byteOffset + 4, endOffset);
    at = endOffset;
    if (marker === EOI) break;
    if (marker >= 0xe0 && marker <= 0xef) {
      metadata.read(marker, data);
    } else if (marker === DQT) {
      const changed = readQuantTables(data, byteOffset + 4, tables);
      if (changed.some((table) => ledger?.usesQuantTable(table))) {
        throw new UnsupportedError(
          'jpeg: expected quantisation tables that stay, got one that changes after a scan; convert it to PNG first',
        );
      }
      plain.append(byteOffset, endOffset);
    } else if (marker === DHT) {
      readHuffmanTables(data, byteOffset + 4, tables);
      plain.append(byteOffset, endOffset);
    } else if (marker === DRI) {
      if (data.length !== 2) {
        throw new FormatError(
          `jpeg: expected a restart interval of 2 bytes, got ${data.length}`,
          byteOffset,
        );
      }
      restartInterval = wordAt(data, 0);
    } else if (marker >= 0xc0 && marker <= 0xc2) {
      if (frame !== undefined) {
        throw new FormatError('jpeg: expected one frame, got another', byteOffset);
      }
      frame = readFrame(marker, data, byteOffset + 4, limits);
      ledger = new ScanLedger(frame);
      plain.append(byteOffset, endOffset);
    } else if (marker === SOS) {
      if (ledger === undefined) {
        throw new FormatError('jpeg: expected a frame before its scans, got none', byteOffset);
      }
      const scan = ledger.readScan(data, byteOffset, tables, restartInterval);
      at = findScanEnd(bytes, endOffset, scan);
      scanOffset ||= endOffset;
      plain.appendScan(byteOffset, at, scan.restartInterval);
    } else if (marker !== COM && marker !== DNL) {
      checkKind(marker);
      throw new FormatError(
        `jpeg: expected a marker of JPEG's own, got ff${marker.toString(16).padStart(2, '0')}`,
        byteOffset,
      );
    }
  }
  if (frame === undefined || ledger === undefined) {
    throw new FormatError('jpeg: expected a picture before the end, got none', bytes.length);
  }
  ledger.checkComplete(bytes.length);
  const plannedBytes =
    frame.blockCount * MEMORY_A_BLOCK_BYTES +
    frame.widthPx * frame.heightPx * MEMORY_A_PIXEL_BYTES +
    4 * bytes.length;
  return { frame, metadata, plainFile: plain.finish(), plannedBytes, scanOffset };
}

/** What the segments before the picture say, of a file that passed the guard. */
export function readJpegMetadata(bytes: Uint8Array): JpegMetadata {
  const metadata = new JpegMetadata();
  for (let at = 2; ; ) {
    const { marker, byteOffset, endOffset } = readSegment(bytes, at);
    if (marker === SOS || marker === EOI) return metadata;
    if (marker >= 0xe0 && marker <= 0xef) {
      metadata.read(marker, bytes.subarray(byteOffset + 4, endOffset));
    }
    at = endOffset;
  }
}

/** The segment at `at`, or the marker alone where it has none. Fill bytes before it are passed over. */
function readSegment(bytes: Uint8Array, at: number): Segment {
  let byteOffset = at;
  while (bytes[byteOffset] === 0xff && bytes[byteOffset + 1] === 0xff) byteOffset++;
  const marker = bytes[byteOffset + 1];
  if (marker === undefined) {
    throw new FormatError(
      'jpeg: expected markers up to EOI, got the end (truncated)',
      bytes.length,
    );
  }
  if (bytes[byteOffset] !== 0xff || marker === 0) {
    throw new FormatError('jpeg: expected a marker, got other bytes', byteOffset);
  }
  if (marker === EOI) {
    return { marker, byteOffset, endOffset: byteOffset + 2 };
  }
  if (marker === SOI || marker === 1 || (marker >= 0xd0 && marker <= 0xd7)) {
    throw new FormatError(
      `jpeg: expected a segment, got a stray marker ff${marker.toString(16).padStart(2, '0')}`,
      byteOffset,
    );
  }
  const left = bytes.length - byteOffset - 2;
  const byteLength = left < 2 ? 2 : wordAt(bytes, byteOffset + 2);
  if (byteLength < 2 || byteLength > left) {
    throw new FormatError(
      `jpeg: expected a segment of ${byteLength} bytes, got ${left} (truncated)`,
      byteOffset,
    );
  }
  return { marker, byteOffset, endOffset: byteOffset + 2 + byteLength };
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** The JPEG as it is handed on. */
class PlainFile {
  private readonly source: Uint8Array;
  private bytes: Uint8Array;
  private byteLength = 2;

  constructor(source: Uint8Array) {
    this.source = source;
    this.bytes = new Uint8Array(Math.min(source.length, 4096));
    this.bytes.set([0xff, SOI]);
  }

  append(from: number, to: number): void {
    this.reserve(to - from);
    this.bytes.set(this.source.subarray(from, to), this.byteLength);
    this.byteLength += to - from;
  }

  /** @param interval 0 turns restarts off, also where the file asks for more than the scan has */
  appendScan(from: number, to: number, interval: number): void {
    this.reserve(RESTART_SEGMENT_BYTES);
    this.bytes.set([0xff, DRI, 0, 4, interval >> 8, interval & 255], this.byteLength);
    this.byteLength += RESTART_SEGMENT_BYTES;
    this.append(from, to);
  }

  finish(): Uint8Array {
    this.reserve(2);
    this.bytes.set([0xff, EOI], this.byteLength);
    return this.bytes.subarray(0, this.byteLength + 2);
  }

  private reserve(byteLength: number): void {
    const needed = this.byteLength + byteLength;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.byteLength));
    this.bytes = larger;
  }
}
