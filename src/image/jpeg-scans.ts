/**
 * The scans of a hostile JPEG: what their headers may say after those before, and that the coded data behind them has
 * its restart markers and is not shorter than it can be. Whether the codes themselves hold is found out by decoding.
 * @module
 */
import { FormatError, UnsupportedError } from '../errors.js';
import type { JpegComponent, JpegFrame } from './jpeg-frame.js';
import type { JpegTables } from './jpeg-tables.js';

/** Encoders write about ten; hundreds cost time out of all proportion to the file. */
const SCANS_MAX = 100;

const NOT_CODED = -1;
const POINT_TRANSFORM_MAX = 13;

export interface ScanHeader {
  readonly components: readonly JpegComponent[];
  /** Blocks that it codes at the least. */
  readonly blockCount: number;
  /** The fewest bits that can code them. */
  readonly bitsMin: number;
  /** MCUs, or blocks of a single component, between restarts; 0 where there are none. */
  readonly restartInterval: number;
  readonly restarts: number;
}

/** Which bits of which coefficients the scans so far have coded. */
export class ScanLedger {
  private scans = 0;
  private readonly lowestBits: ReadonlyMap<number, Int8Array>;
  private readonly frame: JpegFrame;

  constructor(frame: JpegFrame) {
    this.frame = frame;
    this.lowestBits = new Map(
      frame.components.map(({ id }) => [id, new Int8Array(64).fill(NOT_CODED)]),
    );
  }

  /** Tables that a scan has used may not change after it: decoders differ in which they then take. */
  usesQuantTable(table: number): boolean {
    return this.frame.components.some(
      ({ id, quantTable }) => quantTable === table && this.lowestBits.get(id)?.[0] !== NOT_CODED,
    );
  }

  /**
   * @param data of the SOS segment, after its length
   * @throws FormatError when it does not fit what came before, UnsupportedError for restarts that jpeg-js cannot follow
   */
  readScan(
    data: Uint8Array,
    byteOffset: number,
    tables: JpegTables,
    restartInterval: number,
  ): ScanHeader {
    const demand = (isRight: boolean, expectation: string): void => {
      if (!isRight) throw new FormatError(`jpeg: expected ${expectation}`, byteOffset);
    };
    const count = data[0] ?? 0;
    demand(
      count >= 1 && count <= this.frame.components.length && data.length === 4 + 2 * count,
      'a scan of the components that the frame has, got another number',
    );
    this.scans++;
    demand(this.scans <= SCANS_MAX, `at most ${SCANS_MAX} scans, got more`);
    const [start = 0, end = 0, bits = 0] = data.subarray(1 + 2 * count);
    const isDc = start === 0;
    const isFirst = bits >> 4 === 0;
    const components = Array.from({ length: count }, (_, index) => {
      const [id = 0, selector = 0] = data.subarray(1 + 2 * index);
      const component = this.frame.components.find((known) => known.id === id);
      if (component === undefined) {
        throw new FormatError(
          `jpeg: expected a scan of components of the frame, got ${id}`,
          byteOffset,
        );
      }
      const needsDc = this.frame.isProgressive ? isDc && isFirst : true;
      const needsAc = this.frame.isProgressive ? !isDc : true;
      demand(
        (!needsDc || tables.huffman.has(`dc${selector >> 4}`)) &&
          (!needsAc || tables.huffman.has(`ac${selector & 15}`)),
        'the Huffman tables of a scan before it, got none',
      );
      demand(
        tables.quant.has(component.quantTable),
        'a quantisation table before the scan, got none',
      );
      if (this.frame.isProgressive) {
        this.enterProgressive(component, start, end, bits, count, byteOffset);
      } else {
        this.enterSequential(component, byteOffset);
      }
      return component;
    });
    return this.measure(components, isDc, restartInterval);
  }

  /** @throws FormatError when a component has no scan */
  checkComplete(byteOffset: number): void {
    for (const [id, lowest] of this.lowestBits) {
      if (lowest[0] === NOT_CODED) {
        throw new FormatError(
          `jpeg: expected a scan of component ${id}, got none (truncated)`,
          byteOffset,
        );
      }
    }
  }

  private enterSequential({ id }: JpegComponent, byteOffset: number): void {
    const lowest = this.lowestBits.get(id);
    if (lowest?.[0] !== NOT_CODED) {
      throw new FormatError(`jpeg: expected one scan of component ${id}, got another`, byteOffset);
    }
    lowest.fill(0);
  }

  private enterProgressive(
    { id }: JpegComponent,
    start: number,
    end: number,
    bits: number,
    count: number,
    byteOffset: number,
  ): void {
    const high = bits >> 4;
    const low = bits & 15;
    const isBand = start === 0 ? end === 0 : start <= end && end <= 63 && count === 1;
    const isStep = low <= POINT_TRANSFORM_MAX && (high === 0 || low === high - 1);
    const lowest = this.lowestBits.get(id);
    const before = high === 0 ? NOT_CODED : high;
    const followsOn = lowest?.subarray(start, end + 1).every((bit) => bit === before) ?? false;
    if (!isBand || !isStep || !followsOn || (start > 0 && lowest?.[0] === NOT_CODED)) {
      throw new FormatError(
        `jpeg: expected a scan that refines those before it, got coefficients ${start} to ${end}, bits ${high} to ${low}`,
        byteOffset,
      );
    }
    lowest?.fill(low, start, end + 1);
  }

  private measure(
    components: readonly JpegComponent[],
    isDc: boolean,
    restartInterval: number,
  ): ScanHeader {
    const [first] = components;
    const isSingle = components.length === 1 && first !== undefined;
    const units = isSingle ? first.blockColumns * first.blockRows : this.frame.mcuCount;
    const blocksAUnit = isSingle
      ? 1
      : components.reduce((sum, { acrossMcu, downMcu }) => sum + acrossMcu * downMcu, 0);
    const interval = restartInterval < units ? restartInterval : 0;
    if (
      isSingle &&
      interval > 0 &&
      units % interval !== 0 &&
      first.paddedBlockRows > first.blockRows
    ) {
      throw new UnsupportedError(
        `jpeg: expected restarts that divide the ${units} blocks of a scan, got one each ${interval}; convert it to PNG first`,
      );
    }
    const bitsABlock = this.frame.isProgressive ? Number(isDc) : 2;
    return {
      components,
      blockCount: units * blocksAUnit,
      bitsMin: units * blocksAUnit * bitsABlock,
      restartInterval: interval,
      restarts: interval > 0 ? Math.ceil(units / interval) - 1 : 0,
    };
  }
}

/**
 * Walks the coded data of a scan.
 * @param from its first byte
 * @returns the offset of the marker behind it
 * @throws FormatError when the file ends first, restart markers are missing or out of order, or the data is too short
 */
export function findScanEnd(bytes: Uint8Array, from: number, scan: ScanHeader): number {
  let restarts = 0;
  let at = bytes.indexOf(0xff, from);
  while (at >= 0 && at + 1 < bytes.length) {
    const code = bytes[at + 1] ?? 0;
    const isRestart = code >= 0xd0 && code <= 0xd7;
    if (isRestart) {
      if (code !== 0xd0 + (restarts & 7) || restarts === scan.restarts) {
        throw new FormatError(
          `jpeg: expected ${scan.restarts} restart markers in turn, got another`,
          at,
        );
      }
      restarts++;
    } else if (code !== 0) {
      break;
    }
    at = bytes.indexOf(0xff, at + 2);
  }
  if (at < 0 || at + 1 >= bytes.length) {
    throw new FormatError(
      'jpeg: expected a marker after the scan, got the end of the file (truncated)',
      bytes.length,
    );
  }
  if (restarts !== scan.restarts) {
    throw new FormatError(
      `jpeg: expected ${scan.restarts} restart markers, got ${restarts} (truncated)`,
      at,
    );
  }
  if ((at - from) * 8 < scan.bitsMin) {
    throw new FormatError(
      `jpeg: expected at least ${Math.ceil(scan.bitsMin / 8)} bytes for ${scan.blockCount} blocks, got ${at - from} (truncated)`,
      at,
    );
  }
  return at;
}
