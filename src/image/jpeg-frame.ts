/**
 * The frame header (SOF) of a hostile JPEG: which kind of JPEG it is, how large, and how its components are sampled.
 * @module
 */
import { FormatError, UnsupportedError } from '../errors.js';
import { checkDimensions, type Limits } from '../limits.js';

/** Blocks of one MCU, by the standard. */
const MCU_MAX_BLOCKS = 10;

/** Kinds that no decoder here takes, by their marker. */
const REFUSED_KINDS: ReadonlyMap<number, string> = new Map([
  [0xc3, 'a lossless JPEG (SOF3)'],
  [0xc5, 'a hierarchical JPEG (SOF5)'],
  [0xc6, 'a hierarchical JPEG (SOF6)'],
  [0xc7, 'a hierarchical lossless JPEG (SOF7)'],
  [0xc9, 'an arithmetic-coded JPEG (SOF9)'],
  [0xca, 'an arithmetic-coded progressive JPEG (SOF10)'],
  [0xcb, 'an arithmetic-coded lossless JPEG (SOF11)'],
  [0xcc, 'an arithmetic-coded JPEG (DAC)'],
  [0xcd, 'a hierarchical arithmetic-coded JPEG (SOF13)'],
  [0xce, 'a hierarchical arithmetic-coded JPEG (SOF14)'],
  [0xcf, 'a hierarchical arithmetic-coded lossless JPEG (SOF15)'],
  [0xde, 'a hierarchical JPEG (DHP)'],
  [0xf7, 'a JPEG-LS (SOF55)'],
]);

export interface JpegComponent {
  readonly id: number;
  /** Samples across and down in one MCU, in blocks: 1 to 4. */
  readonly acrossMcu: number;
  readonly downMcu: number;
  readonly quantTable: number;
  /** Blocks that hold samples of the picture. */
  readonly blockColumns: number;
  readonly blockRows: number;
  /** Rows with those that only fill up the last MCU. */
  readonly paddedBlockRows: number;
}

export interface JpegFrame {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly isProgressive: boolean;
  /** One (grey), three, or four (CMYK). */
  readonly components: readonly JpegComponent[];
  readonly mcuCount: number;
  /** Blocks of all components, those that fill up MCUs included. */
  readonly blockCount: number;
}

/** Refuses a marker that stands for a JPEG of a kind not handled. @throws UnsupportedError naming it */
export function checkKind(marker: number): void {
  const kind = REFUSED_KINDS.get(marker);
  if (kind !== undefined) {
    refuse('baseline, extended or progressive Huffman coding', kind);
  }
}

/**
 * @param marker 0xc0, 0xc1 or 0xc2
 * @param data of the SOF segment, after its length
 * @param byteOffset of `data` in the file
 * @throws FormatError, UnsupportedError; LimitError before anything of the picture's size is allocated
 */
export function readFrame(
  marker: number,
  data: Uint8Array,
  byteOffset: number,
  limits: Limits,
): JpegFrame {
  const [precision = 0, h1 = 0, h0 = 0, w1 = 0, w0 = 0, count = 0] = data;
  if (data.length < 6 || data.length !== 6 + 3 * count) {
    throw new FormatError(
      `jpeg: expected a frame header of ${6 + 3 * count} bytes, got ${data.length}`,
      byteOffset,
    );
  }
  const widthPx = (w1 << 8) | w0;
  const heightPx = (h1 << 8) | h0;
  if (widthPx === 0) {
    throw new FormatError(
      `jpeg: expected sides of at least 1 px, got ${widthPx}x${heightPx}`,
      byteOffset + 3,
    );
  }
  if (heightPx === 0) {
    refuse('a height in the frame header', 'one that is given after the scan (DNL)');
  }
  if (precision !== 8) {
    refuse('8-bit samples', `${precision}-bit ones`);
  }
  if (count !== 1 && count !== 3 && count !== 4) {
    refuse('one, three or four components', `${count}`);
  }
  checkDimensions('jpeg', widthPx, heightPx, limits);
  return {
    widthPx,
    heightPx,
    isProgressive: marker === 0xc2,
    ...layOut(widthPx, heightPx, data.subarray(6), byteOffset + 6),
  };
}

/** @param table three bytes a component: id, sampling, quantisation table */
function layOut(
  widthPx: number,
  heightPx: number,
  table: Uint8Array,
  byteOffset: number,
): Pick<JpegFrame, 'components' | 'mcuCount' | 'blockCount'> {
  // The sampling of a single component means nothing: its scan is block by block.
  const isSingle = table.length === 3;
  const specs = Array.from({ length: table.length / 3 }, (_, index) => {
    const [id = 0, sampling = 0, quantTable = 0] = table.subarray(3 * index);
    return { id, quantTable, acrossMcu: sampling >> 4, downMcu: sampling & 15 };
  });
  for (const { acrossMcu, downMcu, quantTable } of specs) {
    if (acrossMcu < 1 || acrossMcu > 4 || downMcu < 1 || downMcu > 4 || quantTable > 3) {
      throw new FormatError(
        `jpeg: expected sampling of 1 to 4 and quantisation table 0 to 3, got ${acrossMcu}x${downMcu} and ${quantTable}`,
        byteOffset,
      );
    }
  }
  if (new Set(specs.map(({ id }) => id)).size !== specs.length) {
    throw new FormatError(
      'jpeg: expected components with ids of their own, got one twice',
      byteOffset,
    );
  }
  const acrossMax = isSingle ? 1 : Math.max(...specs.map(({ acrossMcu }) => acrossMcu));
  const downMax = isSingle ? 1 : Math.max(...specs.map(({ downMcu }) => downMcu));
  const mcuColumns = Math.ceil(widthPx / (8 * acrossMax));
  const mcuRows = Math.ceil(heightPx / (8 * downMax));
  let blockCount = 0;
  const components = specs.map((spec) => {
    const acrossMcu = isSingle ? 1 : spec.acrossMcu;
    const downMcu = isSingle ? 1 : spec.downMcu;
    if (acrossMax % acrossMcu !== 0 || downMax % downMcu !== 0) {
      refuse('subsampling by a whole number', `${acrossMcu}x${downMcu} of ${acrossMax}x${downMax}`);
    }
    const paddedBlockRows = mcuRows * downMcu;
    blockCount += paddedBlockRows * mcuColumns * acrossMcu;
    return {
      ...spec,
      acrossMcu,
      downMcu,
      blockColumns: Math.ceil((widthPx * acrossMcu) / acrossMax / 8),
      blockRows: Math.ceil((heightPx * downMcu) / downMax / 8),
      paddedBlockRows,
    };
  });
  if (blockCount > MCU_MAX_BLOCKS * mcuColumns * mcuRows) {
    throw new FormatError(
      `jpeg: expected at most ${MCU_MAX_BLOCKS} blocks an MCU, got more`,
      byteOffset,
    );
  }
  return { components, mcuCount: mcuColumns * mcuRows, blockCount };
}

function refuse(wanted: string, got: string): never {
  throw new UnsupportedError(`jpeg: expected ${wanted}, got ${got}; convert it to PNG first`);
}
