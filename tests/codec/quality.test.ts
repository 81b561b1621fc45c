import { expect, it } from 'vitest';
import { psnr } from '#src/codec/quality.js';
import type { Pixels } from '#src/image/pixels.js';

const grey = (widthPx: number, ...data: number[]): Pixels => ({
  widthPx,
  heightPx: data.length / widthPx,
  channels: 1,
  data: Uint8Array.from(data),
});

it('psnr is that of the mean square over all samples', () => {
  expect(psnr(grey(2, 0, 0), grey(2, 255, 255))).toBe(0);
  expect(psnr(grey(2, 10, 20), grey(2, 11, 19))).toBeCloseTo(48.1308, 4);
  expect(psnr(grey(2, 10, 20), grey(2, 10, 20))).toBe(Number.POSITIVE_INFINITY);
});

it('psnr of pictures of other sizes or channels is refused by both sizes', () => {
  expect(() => psnr(grey(2, 0, 0), grey(1, 0, 0))).toThrow(/equal size, got 2x1x1 and 1x2x1$/);
  const rgb: Pixels = { ...grey(2, 0, 0), channels: 3, data: new Uint8Array(6) };
  expect(() => psnr(rgb, grey(2, 0, 0))).toThrow(/got 2x1x3 and 2x1x1$/);
});
