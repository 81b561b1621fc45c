/**
 * Whether a file keeps the promise that it was made under.
 * @module
 */
import { BackendError } from '../errors.js';
import { largestSample, type Pixels } from '../image/pixels.js';
import type { Aim } from './aim.js';
import { splitAlpha } from './alpha.js';
import { measure } from './judge.js';
import { packBlocks } from './metadata-blocks.js';
import type { CompressOptions } from './options.js';

/** A search compares colour alone and stops at its promise: so much may be lost where other pixels are compared. */
const PSNR_SLACK_DB = 0.01;
const SSIM_SLACK = 1e-4;

/**
 * Compares what was decoded with what was coded: sizes, depth, what travels along and alpha exactly, colour within what
 * its aim promises: sizes were counted already, and a metric's promise is for pictures without alpha. Colour that alpha hides is
 * not looked at, unless every sample is to come back.
 * @throws BackendError naming the first promise that is broken
 */
export async function checkKept(
  original: Pixels,
  decoded: Pixels,
  aim: Aim,
  { strip = false, alphaQuality = 100 }: CompressOptions,
): Promise<void> {
  for (const name of ['widthPx', 'heightPx', 'channels'] as const) {
    expectSame(name, original[name], decoded[name]);
  }
  expectSame('largest sample', largestSample(original), largestSample(decoded));
  if (!strip) {
    expectSame('colour', original.colour ?? 'srgb', decoded.colour ?? 'srgb');
    for (const name of ['icc', 'exif', 'xmp'] as const) {
      const [had, has] = [original, decoded].map((pixels) =>
        Buffer.from(pixels.metadata?.[name] ?? []).toString('base64'),
      );
      expectSame(name, had, has, true);
    }
    const [had, has] = [original, decoded].map(({ metadata }) =>
      Buffer.from(packBlocks(metadata?.blocks ?? [])).toString('base64'),
    );
    expectSame('texts', had, has, true);
  }
  const [before, after] = [splitAlpha(original), splitAlpha(decoded)];
  const isExact = aim.kind === 'lossless';
  if (isExact || alphaQuality >= 100) {
    expectSame('alpha', largestDifference(before.alpha, after.alpha), 0);
  }
  const error = colourError(before.colour, after.colour, isExact ? undefined : before.alpha);
  const level = largestSample(original) / 255;
  if (isExact) expectAtMost('largest error', error.largest, 0);
  if (aim.kind === 'quality' && aim.quality >= 100) {
    expectAtMost('largest error', error.largest, 2 * level);
  }
  if (aim.kind === 'psnr' && before.alpha === undefined) {
    const most =
      (largestSample(original) ** 2 / 10 ** (aim.least / 10)) * 10 ** (PSNR_SLACK_DB / 10);
    expectAtMost('mean squared error', error.meanSquare, most);
  }
  if (aim.kind === 'ssim' && before.alpha === undefined) {
    const lost = 1 - (await measure('ssim', before.colour, after.colour));
    expectAtMost('loss of SSIM', lost, 1 - aim.least + SSIM_SLACK);
  }
  // Whatever the rate: nearer to the picture than a flat one would be, with room for noise that nothing codes well.
  expectAtMost('mean squared error', error.meanSquare, 2 * error.variance + 64 * level ** 2);
}

function largestDifference(a?: Pixels['data'], b?: Pixels['data']): number {
  let largest = 0;
  for (let i = 0; i < (a?.length ?? 0); i++) {
    largest = Math.max(largest, Math.abs((a?.[i] ?? 0) - (b?.[i] ?? 0)));
  }
  return largest;
}

/** Over all samples, or over those that alpha shows. */
function colourError(a: Pixels, b: Pixels, alpha: Pixels['data'] | undefined) {
  let [count, largest, squares, sum, sumSquares] = [0, 0, 0, 0, 0];
  for (let i = 0; i < a.data.length; i++) {
    if (alpha !== undefined && alpha[Math.floor(i / a.channels)] === 0) continue;
    const value = a.data[i] ?? 0;
    const difference = Math.abs(value - (b.data[i] ?? 0));
    largest = Math.max(largest, difference);
    squares += difference ** 2;
    sum += value;
    sumSquares += value ** 2;
    count++;
  }
  const n = Math.max(1, count);
  return { largest, meanSquare: squares / n, variance: sumSquares / n - (sum / n) ** 2 };
}

function expectSame(what: string, expected: unknown, got: unknown, isLong = false): void {
  if (expected === got) return;
  const told = isLong ? 'other bytes' : String(got);
  throw new BackendError(
    `verify: expected the decoded picture to keep its ${what}, got ${told}; the file was not kept`,
  );
}

function expectAtMost(what: string, got: number, most: number): void {
  if (got <= most) return;
  throw new BackendError(
    `verify: expected a ${what} of at most ${most} in the decoded picture, got ${got}; the file was not kept`,
  );
}
