import { describe, expect, it } from 'vitest';
import { planeBandRows, readPlaneStream, writePlaneStream } from '#src/container/plane-stream.js';

const bands = [Uint8Array.of(1, 2, 3), new Uint8Array(200).fill(4), Uint8Array.of(5)];

describe('a stream of bands', () => {
  it('gives back the bands that it was made of', () => {
    const stream = writePlaneStream(4, 10, bands);
    expect(readPlaneStream(stream, 3, 10)).toEqual({
      bandRows: 4,
      bands: bands.map((band) => Uint8Array.from(band)),
    });
  });

  it('spends one byte on a single band', () => {
    const stream = writePlaneStream(10, 10, [Uint8Array.of(7, 8)]);
    expect([...stream]).toEqual([0, 7, 8]);
    expect(readPlaneStream(stream, 3, 10).bandRows).toBe(10);
  });

  it('is refused where its lengths do not add up', () => {
    const stream = writePlaneStream(4, 10, bands);
    expect(() => readPlaneStream(stream.subarray(0, 207), 3, 10)).toThrow(/planes: expected bands/);
    expect(() => readPlaneStream(stream.subarray(0, 2), 3, 10)).toThrow(/truncated/);
    expect(() => readPlaneStream(Uint8Array.of(10, 1), 3, 10)).toThrow(/fewer rows than 10/);
    expect(() => readPlaneStream(Uint8Array.of(1, 1), 3, 100_000)).toThrow(/65536 bands/);
    expect(() => readPlaneStream(new Uint8Array(0), 3, 10)).toThrow(/truncated/);
    expect(() => writePlaneStream(4, 10, bands.slice(1))).toThrow(/planes: bands/);
    expect(() => writePlaneStream(4, 10, [...bands, Uint8Array.of(1)])).toThrow(/planes: bands/);
  });

  it('is refused where a band is more than the core takes', () => {
    const stream = Uint8Array.of(0, 7);
    expect(readPlaneStream(stream, 8192, 8192).bandRows).toBe(8192);
    for (const [widthPx, heightPx] of [
      [8192, 8193],
      [65_536, 1],
      [1, 65_536],
    ] as const) {
      expect(() => readPlaneStream(stream, widthPx, heightPx)).toThrow(/bands of at most 65535 px/);
    }
  });

  it('has 65,536 bands at most', () => {
    const rows = Array.from({ length: 65_537 }, () => Uint8Array.of(7));
    const stream = writePlaneStream(1, 65_536, rows.slice(1));
    expect(readPlaneStream(stream, 3, 65_536).bands).toHaveLength(65_536);
    expect(() => writePlaneStream(1, 65_537, rows)).toThrow(/planes: bands/);
  });
});

it('bands are whole where the picture is small, and about a megapixel of whole rows where not', () => {
  expect(planeBandRows(768, 512)).toBe(512);
  expect(planeBandRows(4000, 3000)).toBe(256);
  expect(planeBandRows(30_000, 30_000)).toBe(64);
  expect(planeBandRows(3, 5)).toBe(5);
  expect(planeBandRows(1, 65_536)).toBe(65_535);
});
