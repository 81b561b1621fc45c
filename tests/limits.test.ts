import { availableParallelism, totalmem } from 'node:os';
import { describe, expect, test } from 'vitest';
import { LimitError, UsageError } from '#src/errors.js';
import {
  checkDimensions,
  checkInteger,
  checkPlannedMemory,
  checkRange,
  defaultLimits,
  defaultThreads,
  parseByteCount,
} from '#src/limits.js';

const LIMITS = { maxPixels: 1000, maxSidePx: 100, maxMemoryBytes: 5000 };

describe('the limits', () => {
  test('are 16383 squared pixels, sides of 32768 px and a quarter of the memory unless raised', () => {
    expect(defaultLimits()).toEqual({
      maxPixels: 16_383 ** 2,
      maxSidePx: 32_768,
      maxMemoryBytes: Math.floor(totalmem() / 4),
    });
  });

  test('leave as many threads as the scheduler grants cores', () => {
    expect(defaultThreads()).toBe(availableParallelism());
  });
});

describe('checkDimensions', () => {
  test.each([
    [100, 10],
    [10, 100],
    [1, 1],
  ])('lets %i x %i through, on the limit or under it', (widthPx, heightPx) => {
    expect(() => checkDimensions('png', widthPx, heightPx, LIMITS)).not.toThrow();
  });

  test.each([
    [101, 1],
    [1, 101],
  ])('refuses a side of %i x %i by the option that raises it', (widthPx, heightPx) => {
    expect(() => checkDimensions('png', widthPx, heightPx, LIMITS)).toThrow(
      new LimitError(
        `png: expected sides of at most 100 px, got ${widthPx}x${heightPx}; raise it with --max-side`,
      ),
    );
  });

  test('refuses a pixel too many by the option that raises it', () => {
    expect(() => checkDimensions('pnm', 77, 13, LIMITS)).toThrow(
      new LimitError(
        'pnm: expected at most 1000 pixels, got 77x13 = 1001; raise it with --max-pixels',
      ),
    );
  });
});

describe('checkPlannedMemory', () => {
  test('lets a plan through that is just as large as the limit, and refuses a byte more', () => {
    expect(() => checkPlannedMemory('vae', 5000, LIMITS)).not.toThrow();
    expect(() => checkPlannedMemory('vae', 5001, LIMITS)).toThrow(
      new LimitError(
        'vae: expected a plan of at most 5000 bytes, got 5001; raise it with --max-memory',
      ),
    );
  });
});

describe('checkRange', () => {
  test.each([-2, 0, 3.5])('lets %f through, from -2 to 3.5', (value) => {
    expect(() => checkRange('step', value, -2, 3.5)).not.toThrow();
  });

  test.each([-2.1, 3.6, Number.NaN, Number.POSITIVE_INFINITY])('refuses %f', (value) => {
    expect(() => checkRange('step', value, -2, 3.5)).toThrow(
      new UsageError(`step: expected a number from -2 to 3.5, got ${value}`),
    );
  });
});

describe('checkInteger', () => {
  test.each([-2, 0, 3])('lets %f through, from -2 to 3', (value) => {
    expect(() => checkInteger('rows', value, -2, 3)).not.toThrow();
  });

  test('refuses a fraction, and a whole number out of range', () => {
    expect(() => checkInteger('rows', 1.5, -2, 3)).toThrow(
      new UsageError('rows: expected a whole number, got 1.5'),
    );
    expect(() => checkInteger('rows', 4, -2, 3)).toThrow(
      new UsageError('rows: expected a number from -2 to 3, got 4'),
    );
  });
});

describe('parseByteCount', () => {
  test.each([
    ['1', 1],
    ['536870912', 536_870_912],
    ['7B', 7],
    ['2k', 2048],
    ['12KB', 12_288],
    ['512M', 2 ** 29],
    ['3MiB', 3 * 2 ** 20],
    ['1.5G', 1.5 * 2 ** 30],
    ['10.25g', 10.25 * 2 ** 30],
    ['2T', 2 ** 41],
    ['1.0009K', 1024],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('takes %s for %i bytes', (text, bytes) => {
    expect(parseByteCount(text)).toBe(bytes);
  });

  test.each([
    '',
    'M',
    '0',
    '0.9',
    '-1',
    '1 M',
    ' 1',
    '1M ',
    '1P',
    '1i',
    '1.',
    '.5',
    '1.5.5',
    '1e3',
    '0x10',
    '9007199254740992',
    '9000T',
  ])('takes "%s" for none', (text) => {
    expect(parseByteCount(text)).toBeUndefined();
  });
});
