/**
 * Metadata that only one kind of file has a place for: PNG's texts, and what a JPEG has of XMP and IPTC in segments of
 * their own. Kept as it is, so that the same kind of file gets it back.
 * @module
 */
import type { ImageFormat } from './formats.js';

/** Index + 1 = code in a `.vae` file. */
export const BLOCK_KINDS = ['tEXt', 'zTXt', 'iTXt', 'xmp-extension', 'photoshop'] as const;
export type BlockKind = (typeof BLOCK_KINDS)[number];

export interface MetadataBlock {
  readonly kind: BlockKind;
  /**
   * The data of a PNG chunk; of `xmp-extension` what follows the mark of the APP1 segment, of `photoshop` the whole
   * APP13 segment, in which IPTC lies.
   */
  readonly bytes: Uint8Array;
}

/** All of a picture's together: room for a depth map in XMP, far from what would hurt. */
export const BLOCKS_MAX_BYTES = 8 * 2 ** 20;
export const BLOCKS_MAX = 1000;

/** What a JPEG segment holds beside its length. */
export const SEGMENT_DATA_MAX_BYTES = 65_533;
export const EXTENDED_XMP_MARK = 'http://ns.adobe.com/xmp/extension/\0';

const KEYWORD_MAX_BYTES = 79;

interface Home {
  /** The kinds of file that take it. */
  readonly format: ImageFormat;
  readonly name: string;
}

const TEXT: Home = { format: 'png', name: 'PNG text' };
const HOMES: Readonly<Record<BlockKind, Home>> = {
  tEXt: TEXT,
  zTXt: TEXT,
  iTXt: TEXT,
  'xmp-extension': { format: 'jpg', name: "JPEG's extended XMP" },
  photoshop: { format: 'jpg', name: 'IPTC (Photoshop resources of a JPEG)' },
};

/** Formats without place for anything are not complained of. */
const TAKES_METADATA: ReadonlySet<ImageFormat> = new Set(['png', 'jpg', 'webp', 'avif', 'tiff']);

/** Whether a file of its kind can hold the block. A text needs its keyword; nothing else of it is looked at. */
export function isSoundBlock({ kind, bytes }: MetadataBlock): boolean {
  if (HOMES[kind].format === 'jpg') {
    const markByteLength = kind === 'xmp-extension' ? EXTENDED_XMP_MARK.length : 0;
    return bytes.length > 0 && bytes.length + markByteLength <= SEGMENT_DATA_MAX_BYTES;
  }
  const keywordEnd = bytes.subarray(0, KEYWORD_MAX_BYTES + 1).indexOf(0);
  return keywordEnd > 0;
}

/** Gathers blocks up to the bounds; what is damaged or too much is counted and left out. */
export class BlockList {
  readonly #blocks: MetadataBlock[] = [];
  #byteLength = 0;
  #leftOut = 0;

  add(block: MetadataBlock): void {
    const byteLength = this.#byteLength + block.bytes.length;
    const hasRoom = byteLength <= BLOCKS_MAX_BYTES && this.#blocks.length < BLOCKS_MAX;
    if (!hasRoom || !isSoundBlock(block)) {
      this.#leftOut++;
      return;
    }
    this.#byteLength = byteLength;
    this.#blocks.push(block);
  }

  /** In the order of the file; `undefined` where there are none. */
  get blocks(): readonly MetadataBlock[] | undefined {
    return this.#blocks.length > 0 ? this.#blocks : undefined;
  }

  /** For a person; `undefined` where all is kept. */
  note(stage: string): string | undefined {
    if (this.#leftOut === 0) return undefined;
    return `${stage}: ${this.#leftOut} texts or segments left out, damaged or beyond ${BLOCKS_MAX} and ${BLOCKS_MAX_BYTES} bytes`;
  }
}

/** @returns what a file of this format has no place for, for a person; `undefined` where nothing is lost */
export function noteOfLostBlocks(
  format: ImageFormat,
  blocks: readonly MetadataBlock[] = [],
): string | undefined {
  if (!TAKES_METADATA.has(format)) return undefined;
  const lost = blocks.map(({ kind }) => HOMES[kind]).filter((home) => home.format !== format);
  if (lost.length === 0) return undefined;
  const names = [...new Set(lost.map(({ name }) => name))].join(' and ');
  return `write: ${names} left out, as ${format} has no place for it`;
}
