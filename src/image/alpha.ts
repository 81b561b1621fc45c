/**
 * Pictures with alpha: it is dropped where it says nothing, and put over a background where one is asked for.
 * @module
 */
import { UsageError } from '../errors.js';
import { hasAlpha, largestSample, newSamples, type Pixels } from './pixels.js';
import type { ReadChoices, Rgb } from './read-choices.js';

/**
 * @returns the picture without its alpha where every pixel is opaque or a background is given, else as it came
 * @throws UsageError when the background is none
 */
export function settleAlpha(pixels: Pixels, { background }: ReadChoices): Pixels {
  if (!hasAlpha(pixels)) return pixels;
  if (isOpaque(pixels)) return flatten(pixels, [0, 0, 0]);
  return background === undefined ? pixels : flatten(pixels, checkBackground(background));
}

function isOpaque(pixels: Pixels): boolean {
  const { channels, data } = pixels;
  const peak = largestSample(pixels);
  for (let at = channels - 1; at < data.length; at += channels) {
    if (data[at] !== peak) return false;
  }
  return true;
}

/** Grey stays grey over grey, and becomes RGB over a colour. */
function flatten(pixels: Pixels, under: Rgb): Pixels {
  const { widthPx, heightPx, channels: from, data } = pixels;
  const peak = largestSample(pixels);
  const isGrey = from === 2 && under[0] === under[1] && under[1] === under[2];
  const channels = isGrey ? 1 : 3;
  const flat = newSamples(pixels, widthPx * heightPx * channels);
  for (let channel = 0; channel < channels; channel++) {
    const below = ((under[channel] ?? 0) * peak) / 255;
    const source = from === 2 ? 0 : channel;
    for (let to = channel, at = 0; to < flat.length; to += channels, at += from) {
      const alpha = data[at + from - 1] ?? 0;
      const above = data[at + source] ?? 0;
      flat[to] =
        alpha === peak ? above : Math.round((above * alpha + below * (peak - alpha)) / peak);
    }
  }
  return { ...pixels, channels, data: flat };
}

function checkBackground(background: Rgb): Rgb {
  const isColour =
    background.length === 3 &&
    background.every((value) => Number.isInteger(value) && value >= 0 && value <= 255);
  if (!isColour) {
    throw new UsageError(
      `background: expected three whole numbers from 0 to 255, got ${String(background)}`,
    );
  }
  return background;
}
