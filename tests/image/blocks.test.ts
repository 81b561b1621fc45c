import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BLOCKS_MAX, BLOCKS_MAX_BYTES, noteOfLostBlocks } from '#src/image/blocks.js';
import { readJpeg, writeJpeg } from '#src/image/jpeg.js';
import { isSoundBlock, type MetadataBlock, type Pixels } from '#src/image/pixels.js';
import { readPng, writePng } from '#src/image/png.js';
import { defaultLimits } from '#src/limits.js';
import { jpegOf, segment } from './jpeg-craft.js';
import { chunk, idat, ihdr, pixelsOf, png, SCANLINES } from './png-craft.js';

const LIMITS = defaultLimits();

const TEXT = Buffer.from('Comment\0caf\u00e9', 'latin1');
const PACKED = Buffer.concat([Buffer.from('Title\0\0', 'latin1'), deflateSync('a long title')]);
const INTERNATIONAL = Buffer.from('Author\0\0\0fr\0Auteur\0\u00e9crivain', 'utf8');
const XMP = Buffer.from('XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta/>', 'latin1');

/** Chunks of a file by name and data, read apart from src/image. */
function chunksOf(file: Uint8Array): [name: string, data: string][] {
  const bytes = Buffer.from(file);
  const chunks: [string, string][] = [];
  for (let at = 8; at < bytes.length; at += bytes.readUInt32BE(at) + 12) {
    const data = bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at));
    chunks.push([bytes.toString('latin1', at + 4, at + 8), data.toString('latin1')]);
  }
  return chunks;
}

describe('texts of a PNG', () => {
  test('come back byte for byte and in their order, from before and behind the picture', () => {
    const file = png(
      ihdr(),
      chunk('tEXt', TEXT),
      chunk('iTXt', XMP),
      chunk('zTXt', PACKED),
      idat(SCANLINES),
      chunk('iTXt', INTERNATIONAL),
    );
    const pixels = readPng(file, LIMITS, {});
    const kinds = pixels.metadata?.blocks?.map(({ kind }) => kind);
    expect(kinds).toEqual(['tEXt', 'zTXt', 'iTXt']);
    const texts = (bytes: Uint8Array) =>
      chunksOf(bytes).filter(
        ([name, data]) => /^(tEXt|zTXt|iTXt)$/.test(name) && !data.includes('xmp\0'),
      );
    expect(texts(writePng(pixels, LIMITS))).toEqual(texts(file));
    expect(texts(file)).toHaveLength(3);
    expect(readPng(writePng(pixels, LIMITS), LIMITS, {})).toEqual(pixels);
  });

  test('are all but the first international one with the keyword of XMP', () => {
    const file = png(
      ihdr(),
      chunk('tEXt', XMP),
      chunk('iTXt', INTERNATIONAL),
      chunk('iTXt', XMP),
      idat(SCANLINES),
    );
    const { metadata } = readPng(file, LIMITS, {});
    expect(metadata?.blocks?.map(({ kind }) => kind)).toEqual(['tEXt', 'iTXt']);
    expect(metadata?.xmp).toEqual(new Uint8Array(Buffer.from('<x:xmpmeta/>')));
  });

  test('that lack a keyword are left out, with a note', () => {
    const notes: string[] = [];
    const onNote = (note: string) => notes.push(note);
    const bad = [Buffer.alloc(0), Buffer.from('\0empty'), Buffer.alloc(200, 65)];
    const chunks = bad.map((data) => chunk('tEXt', data));
    const file = png(ihdr(), ...chunks, chunk('tEXt', TEXT), idat(SCANLINES));
    const { metadata } = readPng(file, LIMITS, { onNote });
    expect(metadata?.blocks).toEqual([{ kind: 'tEXt', bytes: new Uint8Array(TEXT) }]);
    expect(notes).toEqual([expect.stringContaining('3 texts or segments left out')]);
  });

  test('are bounded in number and in bytes together, and nothing of them is inflated', () => {
    const many = Array.from({ length: BLOCKS_MAX + 5 }, () => chunk('tEXt', Buffer.from('k\0')));
    const large = chunk(
      'zTXt',
      Buffer.concat([Buffer.from('k\0'), Buffer.alloc(BLOCKS_MAX_BYTES)]),
    );
    for (const [chunks, kept] of [
      [many, BLOCKS_MAX],
      [[large, chunk('tEXt', TEXT)], 1],
    ] as const) {
      const notes: string[] = [];
      const file = png(ihdr(), ...chunks, idat(SCANLINES));
      const { metadata } = readPng(file, LIMITS, { onNote: (note) => notes.push(note) });
      expect(metadata?.blocks).toHaveLength(kept);
      expect(notes).toHaveLength(1);
    }
  });
});

describe("a JPEG's extended XMP and IPTC", () => {
  const extension = Buffer.from(`http://ns.adobe.com/xmp/extension/\0${'G'.repeat(40)}more`);
  const full = Buffer.concat([extension, Buffer.alloc(65_533 - extension.length, 1)]);
  const iptc = Buffer.from('Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x04name', 'latin1');
  const before = [
    segment(0xe1, extension),
    segment(0xe1, full),
    segment(0xed, iptc),
    segment(0xed, Buffer.from('Adobe_Other')),
  ];
  const layout = { width: 16, height: 8 };

  test('come back byte for byte, in segments as they were', () => {
    const notes: string[] = [];
    const pixels = readJpeg(jpegOf({ ...layout, before }), LIMITS, {
      onNote: (note) => notes.push(note),
    });
    expect(notes).toEqual([]);
    const file = Buffer.from(writeJpeg(pixels, LIMITS));
    for (const part of before.slice(0, 3)) expect(file.includes(part)).toBe(true);
    expect(file.includes('Adobe_Other')).toBe(false);
    expect(readJpeg(file, LIMITS, {}).metadata).toEqual(pixels.metadata);
  });

  test('are told of where another kind of file is written, and texts in a JPEG', () => {
    const { metadata } = readJpeg(jpegOf({ ...layout, before }), LIMITS, {});
    expect(noteOfLostBlocks('jpg', metadata?.blocks)).toBeUndefined();
    expect(noteOfLostBlocks('ppm', metadata?.blocks)).toBeUndefined();
    expect(noteOfLostBlocks('png', metadata?.blocks)).toBe(
      "write: JPEG's extended XMP and IPTC (Photoshop resources of a JPEG) left out, as png has no place for it",
    );
    const texts: MetadataBlock[] = [{ kind: 'tEXt', bytes: TEXT }];
    expect(noteOfLostBlocks('jpg', texts)).toContain('PNG text left out');
    const pixels: Pixels = { ...pixelsOf(3, 2, 3), metadata: { blocks: texts } };
    expect(readJpeg(writeJpeg(pixels, LIMITS), LIMITS, {}).metadata).toBeUndefined();
    const other: Pixels = { ...pixelsOf(3, 2, 3), metadata: metadata ?? {} };
    expect(readPng(writePng(other, LIMITS), LIMITS, {}).metadata).toBeUndefined();
  });
});

test('a block is sound only where a file of its kind can hold it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 90 }), (bytes) => {
      const end = bytes.indexOf(0);
      expect(isSoundBlock({ kind: 'tEXt', bytes })).toBe(end >= 1 && end <= 79);
    }),
  );
  expect(isSoundBlock({ kind: 'photoshop', bytes: new Uint8Array(65_533) })).toBe(true);
  expect(isSoundBlock({ kind: 'photoshop', bytes: new Uint8Array(65_534) })).toBe(false);
  expect(isSoundBlock({ kind: 'xmp-extension', bytes: new Uint8Array(65_499) })).toBe(false);
  expect(isSoundBlock({ kind: 'photoshop', bytes: new Uint8Array(0) })).toBe(false);
});
