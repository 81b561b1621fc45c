/**
 * The `blocks` stream: metadata of one kind of source, as records (`container/layout.ts`).
 * @module
 */
import { inflateSync } from 'node:zlib';
import { FormatError } from '../errors.js';
import { BLOCKS_MAX, BLOCKS_MAX_BYTES } from '../image/blocks.js';
import { BLOCK_KINDS, isSoundBlock, type MetadataBlock } from '../image/pixels.js';

const HEAD_BYTES = 5;

/** @returns the records one after another; empty where there are none */
export function packBlocks(blocks: readonly MetadataBlock[]): Uint8Array {
  return Buffer.concat(
    blocks.flatMap(({ kind, bytes }) => {
      const head = Buffer.alloc(HEAD_BYTES);
      head[0] = BLOCK_KINDS.indexOf(kind) + 1;
      head.writeUInt32LE(bytes.length, 1);
      return [head, bytes];
    }),
  );
}

/**
 * @param stream deflated records, hostile
 * @throws FormatError for what does not inflate, does not end with a record, or is no block of its kind
 */
export function readBlocks(stream: Uint8Array): readonly MetadataBlock[] {
  const packed = inflated(stream);
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const blocks: MetadataBlock[] = [];
  for (let at = 0; at < packed.length; ) {
    const isHead = packed.length - at >= HEAD_BYTES && blocks.length < BLOCKS_MAX;
    const kind = BLOCK_KINDS[(packed[at] ?? 0) - 1];
    const end = isHead ? at + HEAD_BYTES + view.getUint32(at + 1, true) : Number.POSITIVE_INFINITY;
    // Memory of its own, as a view of what was inflated may not be handed to other threads.
    const bytes = new Uint8Array(packed.subarray(at + HEAD_BYTES, Math.min(end, packed.length)));
    if (kind === undefined || end > packed.length || !isSoundBlock({ kind, bytes })) {
      throw damaged(`one at byte ${at} that is none`);
    }
    blocks.push({ kind, bytes });
    at = end;
  }
  return blocks;
}

function inflated(stream: Uint8Array): Uint8Array {
  try {
    const maxOutputLength = BLOCKS_MAX_BYTES + BLOCKS_MAX * HEAD_BYTES;
    return inflateSync(stream, { maxOutputLength });
  } catch (cause) {
    throw damaged('what does not inflate to them', cause);
  }
}

function damaged(got: string, cause?: unknown): FormatError {
  return new FormatError(
    `decompress: expected deflated records of metadata, at most ${BLOCKS_MAX} and ${BLOCKS_MAX_BYTES} bytes, got ${got}`,
    0,
    { cause },
  );
}
