/**
 * Metadata that only one kind of file has a place for: PNG's texts, and what a JPEG has of XMP and IPTC in segments of
 * their own. Kept as it is, so that the same kind of file gets it back.
 * @module
 */
import type { ImageFormat } from './formats.js';
import { type BlockKind, isSoundBlock, type MetadataBlock } from './pixels.js';

/** All of a picture's together: room for a depth map in XMP, far from what would hurt. */
export const BLOCKS_MAX_BYTES = 8 * 2 ** 20;
export const BLOCKS_MAX = 1000;

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
