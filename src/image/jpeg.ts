/**
 * JPEG by jpeg-js, which never sees a file as it came: the guard hands it tables, frame and scans that fit each other.
 * @module
 */
import jpeg from 'jpeg-js';
import { FormatError, LimitError } from '../errors.js';
import type { Limits } from '../limits.js';
import { colourOfProfile, withColour } from './colour.js';
import { readOrientation, uprightExif } from './exif.js';
import { convertToRgb, smoothChroma } from './jpeg-colour.js';
import { JPEG_MAX_PIXELS } from './jpeg-frame.js';
import { type GuardedJpeg, guardJpeg } from './jpeg-guard.js';
import { turnUpright } from './orient.js';
import type { Pixels } from './pixels.js';
import type { ReadChoices } from './read-choices.js';

/**
 * Reads baseline, extended and progressive JPEGs with 8-bit samples, grey, YCbCr or RGB, and turns them upright.
 * @throws FormatError when a marker, table or code is wrong, or the file is cut off
 * @throws UnsupportedError for other kinds of JPEG, and above 24 megapixels
 * @throws LimitError when the picture is larger than the limits allow
 */
export function readJpeg(bytes: Uint8Array, limits: Limits, { onNote }: ReadChoices): Pixels {
  const guarded = guardJpeg(bytes, limits);
  const { frame, metadata } = guarded;
  const { widthPx, heightPx, components } = frame;
  const samples = decodePlainFile(guarded, limits);
  const colour = colourOfProfile('jpeg', metadata.iccProfile, components.length === 1);
  if (colour.note !== undefined) onNote?.(colour.note);
  if (metadata.hasExtendedXmp) onNote?.('jpeg: XMP beyond its first segment left out');
  let pixels: Pixels;
  if (components.length === 1) {
    const data = new Uint8Array(widthPx * heightPx);
    for (let at = 0; at < data.length; at++) {
      data[at] = samples[3 * at] ?? 0;
    }
    pixels = { widthPx, heightPx, channels: 1, data };
  } else {
    const rgb = { widthPx, heightPx, channels: 3, data: samples } as const;
    pixels = rgb;
    smoothChroma(rgb, components);
    if (!metadata.isRgb(components)) convertToRgb(samples);
  }
  const exif = uprightExif(metadata.exif);
  const { xmp } = metadata;
  return turnUpright(
    withColour(pixels, colour, { ...(exif && { exif }), ...(xmp && { xmp }) }),
    readOrientation(metadata.exif),
  );
}

/** @returns three samples a pixel as they are coded, chroma repeated to full size */
function decodePlainFile(guarded: GuardedJpeg, limits: Limits): Uint8Array {
  const { plainFile, plannedBytes, scanOffset } = guarded;
  try {
    const { data } = jpeg.decode(plainFile, {
      useTArray: true,
      formatAsRGBA: false,
      // Its own conversion cuts fractions off, which darkens by half a level.
      colorTransform: false,
      tolerantDecoding: false,
      maxResolutionInMP: JPEG_MAX_PIXELS / 1e6,
      maxMemoryUsageInMB: limits.maxMemoryBytes / 2 ** 20,
    });
    return data;
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new LimitError(
        `jpeg: expected ${plannedBytes} bytes of memory to decode in, got a failed allocation`,
        { cause },
      );
    }
    throw new FormatError('jpeg: expected codes that its tables have, got others', scanOffset, {
      cause,
    });
  }
}
