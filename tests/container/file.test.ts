import { describe, expect, test } from 'vitest';
import { VaeFile } from '#src/container/file.js';
import { HEADER_MAX_BYTES } from '#src/container/layout.js';
import { readHeader } from '#src/container/read.js';
import { writeContainer } from '#src/container/write.js';
import { FormatError, IoError, LimitError } from '#src/errors.js';
import type { RandomAccess } from '#src/files.js';
import { defaultLimits } from '#src/limits.js';
import { LATENT, PLAIN_HEADER, rawFile } from './craft.js';

const LIMITS = defaultLimits();
const LATENT_BYTES = Uint8Array.from({ length: 60 }, (_, index) => index * 37 + 11);

const SLICED = writeContainer({ ...PLAIN_HEADER, sliceRows: 8 }, [
  { type: 'latent', bytes: LATENT_BYTES, sliceByteLengths: [20, 30, 10] },
  { type: 'note', bytes: Uint8Array.of(1, 2, 3) },
]);

/** Its header takes more than the 8,192 bytes that are read at first. */
const LONG_HEADER = writeContainer({ ...PLAIN_HEADER, sliceRows: 1 }, [
  {
    type: 'latent',
    bytes: new Uint8Array(9000).fill(5),
    sliceByteLengths: new Array(3000).fill(3),
  },
]);

/** A file on a disk, as it were, and how much of it was asked for. */
function onDisk(bytes: Uint8Array) {
  const asked: [number, number][] = [];
  const access: RandomAccess = {
    byteLength: bytes.length,
    read: (byteOffset, byteLength) => {
      asked.push([byteOffset, byteLength]);
      return Promise.resolve(bytes.slice(byteOffset, byteOffset + byteLength));
    },
  };
  return { access, asked };
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ 1 : byte));
}

async function opened(bytes: Uint8Array | RandomAccess, mayBeCut = false) {
  const file = new VaeFile(bytes, { mayBeCut });
  return { file, header: await file.readHeader(LIMITS) };
}

describe('the header', () => {
  test.each([
    ['short', SLICED, [[0, SLICED.length]]],
    [
      'long',
      LONG_HEADER,
      [
        [0, 8192],
        [0, LONG_HEADER.length],
      ],
    ],
  ])('that is %s is the same from memory and from a disk', async (_, bytes, reads) => {
    const { access, asked } = onDisk(bytes);
    expect((await opened(access)).header).toEqual(readHeader(bytes));
    expect((await opened(bytes)).header).toEqual(readHeader(bytes));
    expect(asked).toEqual(reads);
  });

  test('is looked for in no more than the longest header has', async () => {
    const large = writeContainer({ ...PLAIN_HEADER, sliceRows: 1 }, [
      {
        type: 'latent',
        bytes: new Uint8Array(2 * HEADER_MAX_BYTES),
        sliceByteLengths: [...new Array(2999).fill(3), 2 * HEADER_MAX_BYTES - 3 * 2999],
      },
    ]);
    const { access, asked } = onDisk(large);
    expect((await opened(access)).header).toEqual(readHeader(large));
    expect(asked).toEqual([
      [0, 8192],
      [0, HEADER_MAX_BYTES],
    ]);
  });

  test('is not looked for again in a file of 8192 bytes that is damaged', async () => {
    const note = { type: 'note', bytes: new Uint8Array(8192) } as const;
    const latent = { type: 'latent', bytes: LATENT_BYTES } as const;
    const over = writeContainer(PLAIN_HEADER, [latent, note]).length - 8192;
    const fitting = { ...note, bytes: note.bytes.subarray(over) };
    const { access, asked } = onDisk(flipped(writeContainer(PLAIN_HEADER, [latent, fitting]), 9));
    expect(access.byteLength).toBe(8192);
    await expect(opened(access)).rejects.toThrow(FormatError);
    expect(asked).toEqual([[0, 8192]]);
  });

  test('of a picture over the limits is refused at the first look', async () => {
    const bytes = writeContainer(PLAIN_HEADER, [{ type: 'latent', bytes: new Uint8Array(9000) }]);
    const { access, asked } = onDisk(bytes);
    const small = { ...LIMITS, maxPixels: 10 };
    await expect(new VaeFile(access).readHeader(small)).rejects.toThrow(LimitError);
    expect(asked).toEqual([[0, 8192]]);
    await expect(new VaeFile(bytes).readHeader(small)).rejects.toThrow(LimitError);
  });

  test.each([
    ['short', SLICED],
    ['long', LONG_HEADER],
  ])('that is %s is read of a file cut behind it only where that may be', async (_, bytes) => {
    const { headerByteLength } = readHeader(bytes);
    const cut = bytes.slice(0, headerByteLength);
    for (const source of [cut, onDisk(cut).access]) {
      await expect(opened(source)).rejects.toThrow(/truncated/);
      const { header } = await opened(source, true);
      expect(header).toEqual({ ...readHeader(bytes), fileByteLength: headerByteLength });
    }
    const longer = Uint8Array.of(...bytes, 0);
    for (const source of [longer, onDisk(longer).access]) {
      await expect(opened(source, true)).rejects.toThrow(/trailing bytes/);
    }
  });
});

describe('parts', () => {
  test('are views of what lies in memory, and what was read of a disk', async () => {
    const within = Buffer.concat([Buffer.alloc(7), SLICED]).subarray(7);
    const { file, header } = await opened(within);
    const disk = onDisk(SLICED);
    const [, second] = header.directory[0]?.parts ?? [];
    if (second === undefined) throw new Error('expected a second slice');
    const view = await file.readPart(second, 'slice');
    expect(view.buffer).toBe(within.buffer);
    expect(view.constructor).toBe(Uint8Array);
    expect(view).toEqual(LATENT_BYTES.subarray(20, 50));
    expect(await new VaeFile(disk.access).readPart(second, 'slice')).toEqual(view);
    expect(disk.asked).toEqual([[second.byteOffset, 30]]);
  });

  test('that the file no longer has are refused at its end, and nothing is read', async () => {
    const { header } = await opened(SLICED);
    const [, second] = header.directory[0]?.parts ?? [];
    if (second === undefined) throw new Error('expected a second slice');
    const end = second.byteOffset + second.byteLength;
    const whole = onDisk(SLICED.slice(0, end));
    expect(await new VaeFile(whole.access).readPart(second, 'slice')).toHaveLength(30);
    const cut = onDisk(SLICED.slice(0, end - 1));
    await expect(new VaeFile(cut.access).readPart(second, 'slice 2')).rejects.toMatchObject({
      name: 'FormatError',
      byteOffset: end - 1,
      message: expect.stringContaining(
        `expected slice 2 to end at byte ${end}, got a file of ${end - 1} (truncated)`,
      ),
    });
    expect(cut.asked).toEqual([]);
  });

  test('are all checked, and a wrong one refused by its place and its stream', async () => {
    const sound = await opened(SLICED);
    await expect(sound.file.checkAll(sound.header)).resolves.toBeUndefined();
    const note = sound.header.directory[1];
    const { file, header } = await opened(flipped(SLICED, SLICED.length - 1));
    await expect(file.checkAll(header)).rejects.toMatchObject({
      byteOffset: note?.byteOffset,
      message: expect.stringContaining('of stream note, got'),
    });
    const unknown = rawFile({ streams: [LATENT, { typeByte: 0x50, bytes: [5], crc: 1 }] });
    const strange = await opened(unknown);
    await expect(strange.file.checkAll(strange.header)).rejects.toThrow(/of stream 80, got/);
  });
});

describe('damage', () => {
  test('is nothing in a sound file', async () => {
    const { file, header } = await opened(SLICED);
    expect(await file.findDamage(header)).toEqual(new Map());
  });

  test('is just the parts that are not as they were, with what is wrong', async () => {
    const { directory } = (await opened(SLICED)).header;
    const [, second, third] = directory[0]?.parts ?? [];
    const cut = flipped(SLICED, second?.byteOffset ?? 0).slice(0, SLICED.length - 4);
    const { file, header } = await opened(cut, true);
    const damage = await file.findDamage(header);
    expect([...damage.keys()]).toEqual([second, third, directory[1]?.parts[0]]);
    expect([...damage.values()].map(({ byteOffset }) => byteOffset)).toEqual([
      second?.byteOffset,
      cut.length,
      cut.length,
    ]);
    expect([...damage.values()].map(({ message }) => message)).toEqual([
      expect.stringContaining('of stream latent, got'),
      expect.stringContaining('expected stream latent to end'),
      expect.stringContaining('expected stream note to end'),
    ]);
    const strange = rawFile({ streams: [LATENT, { typeByte: 0x50, bytes: [5], crc: 1 }] });
    const later = await opened(strange);
    const [error] = (await later.file.findDamage(later.header)).values();
    expect(error?.message).toContain('of stream 80, got');
  });

  test('is not what a disk that cannot be read has', async () => {
    const { header } = await opened(SLICED);
    const failing: RandomAccess = {
      byteLength: SLICED.length,
      read: () => Promise.reject(new IoError('read: expected a readable file, got EIO')),
    };
    await expect(new VaeFile(failing).findDamage(header)).rejects.toThrow(IoError);
    await expect(new VaeFile(failing).readHeader(LIMITS)).rejects.toThrow(IoError);
  });
});
