import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspect } from '#src/codec/inspect.js';
import { packBlocks, readBlocks } from '#src/codec/metadata-blocks.js';
import { type Codec, openCodec } from '#src/codec/open.js';
import { FormatError, UsageError } from '#src/errors.js';
import { BLOCKS_MAX } from '#src/image/blocks.js';
import { BLOCK_KINDS, type MetadataBlock, type Pixels } from '#src/image/pixels.js';

let codec: Codec;
beforeAll(async () => {
  codec = await openCodec({ model: 'fixture', threads: 1 });
});
afterAll(() => codec.close());

const BLOCKS: readonly MetadataBlock[] = [
  { kind: 'iTXt', bytes: new Uint8Array(Buffer.from('Author\0\0\0\0\0me')) },
  { kind: 'xmp-extension', bytes: new Uint8Array(300).fill(7) },
  { kind: 'tEXt', bytes: new Uint8Array(Buffer.from('Comment\0')) },
];
const picture: Pixels = {
  widthPx: 9,
  heightPx: 5,
  channels: 3,
  data: new Uint8Array(135).map((_, at) => at),
  metadata: { blocks: BLOCKS },
};

describe('texts and segments', () => {
  it.each([{ quality: 40 }, { lossless: true }])(
    'travel byte for byte with %o, which verify holds to, and strip leaves them out',
    async (options) => {
      const file = await codec.compress(picture, { ...options, verify: true });
      expect(inspect(file).streams.at(-1)?.type).toBe('blocks');
      expect((await codec.decompress(file)).metadata).toEqual({ blocks: BLOCKS });
      const stripped = await codec.compress(picture, { ...options, strip: true });
      expect((await codec.decompress(stripped)).metadata).toBeUndefined();
    },
  );

  it('of a kind or length that no file holds are refused', async () => {
    for (const block of [
      { kind: 'tEXt', bytes: Buffer.from('no end of the keyword') },
      { kind: 'pHYs' as 'tEXt', bytes: Buffer.from('a\0') },
      { kind: 'tEXt', bytes: 'a\0' as unknown as Uint8Array },
    ] as const) {
      const wrong = { ...picture, metadata: { blocks: [block] } };
      await expect(codec.compress(wrong)).rejects.toThrow(UsageError);
    }
  });
});

describe('the blocks stream', () => {
  const pack = (blocks: readonly MetadataBlock[]) => deflateSync(packBlocks(blocks));

  it('gives back what was put in', () => {
    const block = fc.record({
      kind: fc.constantFrom(...BLOCK_KINDS),
      bytes: fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.of(65, 0, ...bytes)),
    });
    fc.assert(
      fc.property(fc.array(block, { maxLength: 20 }), (blocks) => {
        expect(readBlocks(pack(blocks))).toEqual(blocks);
      }),
    );
  });

  it('is refused when cut anywhere, and with anything behind it', () => {
    const packed = packBlocks(BLOCKS);
    for (let end = 1; end < packed.length; end++) {
      const isWhole = end === 5 + 13 || end === 5 + 13 + 5 + 300;
      const read = () => readBlocks(deflateSync(packed.subarray(0, end)));
      if (isWhole) expect(read()).toHaveLength(end === 18 ? 1 : 2);
      else expect(read, `${end}`).toThrow(FormatError);
    }
    const longer = Buffer.concat([packed, Buffer.of(9)]);
    expect(() => readBlocks(deflateSync(longer))).toThrow(FormatError);
  });

  it('is refused for unknown kinds, no deflated bytes, too many records and bombs', () => {
    const unknown = Buffer.from(packBlocks(BLOCKS));
    unknown[0] = BLOCK_KINDS.length + 1;
    expect(() => readBlocks(deflateSync(unknown))).toThrow(FormatError);
    expect(() => readBlocks(Buffer.from('not deflated'))).toThrow(FormatError);
    const [first] = BLOCKS.slice(2);
    const many = Array.from({ length: BLOCKS_MAX + 1 }, () => first as MetadataBlock);
    expect(() => readBlocks(pack(many))).toThrow(FormatError);
    expect(readBlocks(pack(many.slice(1)))).toHaveLength(BLOCKS_MAX);
    expect(() => readBlocks(deflateSync(Buffer.alloc(2 ** 26)))).toThrow(FormatError);
  });
});
