/**
 * Pictures with alpha, until alpha is coded: dropped where it says nothing, put over a background, or refused.
 * @module
 */
import { UnsupportedError, UsageError } from '../errors.js';
import type { Pixels } from './pixels.js';
import type { ReadChoices, Rgb } from './read-choices.js';

/**
 * @param rgba four samples a pixel, alpha not multiplied in
 * @param isGrey whether red, green and blue are equal throughout
 * @throws UnsupportedError when a pixel is not opaque and there is no background
 * @throws UsageError when the background is none
 */
export function withoutAlpha(
  stage: string,
  { widthPx, heightPx }: Pick<Pixels, 'widthPx' | 'heightPx'>,
  rgba: Uint8Array,
  isGrey: boolean,
  { background }: ReadChoices,
): Pixels {
  const isOpaque = isAllOpaque(rgba);
  if (!isOpaque && background === undefined) {
    throw new UnsupportedError(
      `${stage}: expected opaque pixels, got some that are not; put a colour under them with --background`,
    );
  }
  const under = isOpaque ? ([0, 0, 0] as const) : checkBackground(background);
  const channels = isGrey && under[0] === under[1] && under[1] === under[2] ? 1 : 3;
  const data = new Uint8Array(widthPx * heightPx * channels);
  for (let channel = 0; channel < channels; channel++) {
    const below = under[channel] ?? 0;
    for (let at = channel, from = 0; at < data.length; at += channels, from += 4) {
      const alpha = rgba[from + 3] ?? 0;
      const above = rgba[from + channel] ?? 0;
      data[at] = alpha === 255 ? above : Math.round((above * alpha + below * (255 - alpha)) / 255);
    }
  }
  return { widthPx, heightPx, channels, data };
}

function isAllOpaque(rgba: Uint8Array): boolean {
  for (let at = 3; at < rgba.length; at += 4) {
    if (rgba[at] !== 255) return false;
  }
  return true;
}

function checkBackground(background: Rgb | undefined): Rgb {
  const isColour =
    background?.length === 3 &&
    background.every((value) => Number.isInteger(value) && value >= 0 && value <= 255);
  if (!isColour) {
    throw new UsageError(
      `background: expected three whole numbers from 0 to 255, got ${String(background)}`,
    );
  }
  return background;
}
