import { describe, expect, it } from 'vitest';
import {
  planeBandRows,
  planeStreamDirectory,
  readPlaneStream,
  writePlaneStream,
} from '#src/container/plane-stream.js';

const bands = [Uint8Array.of(1, 2, 3), new Uint8Array(200).fill(4), Uint8Array.of(5)];

describe('a stream of bands', () => {
  it('gives back the bands that it was made of', () => {
    const stream = writePlaneStream(4, 10, bands);
    expect(readPlaneStream(stream, 10)).toEqual({
      bandRows: 4,
      bands: bands.map((band) => Uint8Array.from(band)),
    });
  });

  it('spends one byte on a single band', () => {
    const stream = writePlaneStream(10, 10, [Uint8Array.of(7, 8)]);
    expect([...stream]).toEqual([0, 7, 8]);
    expect(readPlaneStream(stream, 10).bandRows).toBe(10);
  });

  it('is found its way in by its first bytes alone', () => {
    const stream = writePlaneStream(4, 10, bands);
    const directory = planeStreamDirectory(stream.subarray(0, 4), stream.length, 10);
    expect(directory).toEqual({
      bandRows: 4,
      bandByteOffsets: [4, 7, 207],
      bandByteLengths: [3, 200, 1],
    });
  });

  it('is refused where its lengths do not add up', () => {
    const stream = writePlaneStream(4, 10, bands);
    expect(() => readPlaneStream(stream.subarray(0, 207), 10)).toThrow(/planes: expected bands/);
    expect(() => readPlaneStream(stream.subarray(0, 2), 10)).toThrow(/truncated/);
    expect(() => readPlaneStream(Uint8Array.of(10, 1), 10)).toThrow(/fewer rows than 10/);
    expect(() => readPlaneStream(Uint8Array.of(1, 1), 100_000)).toThrow(/65536 bands/);
    expect(() => readPlaneStream(new Uint8Array(0), 10)).toThrow(/truncated/);
    expect(() => writePlaneStream(4, 10, bands.slice(1))).toThrow(/planes: bands/);
    expect(() => writePlaneStream(4, 10, [...bands, Uint8Array.of(1)])).toThrow(/planes: bands/);
  });

  it('has 65,536 bands at most', () => {
    const rows = Array.from({ length: 65_537 }, () => Uint8Array.of(7));
    const stream = writePlaneStream(1, 65_536, rows.slice(1));
    expect(readPlaneStream(stream, 65_536).bands).toHaveLength(65_536);
    expect(() => writePlaneStream(1, 65_537, rows)).toThrow(/planes: bands/);
  });
});

it('bands are whole where the picture is small, and about a megapixel of whole rows where not', () => {
  expect(planeBandRows(768, 512)).toBe(512);
  expect(planeBandRows(4000, 3000)).toBe(256);
  expect(planeBandRows(30_000, 30_000)).toBe(64);
  expect(planeBandRows(3, 5)).toBe(5);
});
