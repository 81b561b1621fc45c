/**
 * JPEG by jpeg-js, which never sees a file as it came: the guard hands it tables, frame and scans that fit each other.
 * @module
 */
import jpeg from 'jpeg-js';
import { FormatError, LimitError, UnsupportedError } from '../errors.js';
import { checkPlannedMemory, type Limits } from '../limits.js';
import { colourOfProfile, profileOfName, withColour } from './colour.js';
import { readOrientation, uprightExif } from './exif.js';
import { convertToRgb, smoothChroma } from './jpeg-colour.js';
import { type GuardedJpeg, guardJpeg } from './jpeg-guard.js';
import { withMetadataSegments } from './jpeg-write-segments.js';
import { turnUpright } from './orient.js';
import { PeerNeededError } from './peer.js';
import { hasAlpha, type Pixels } from './pixels.js';
import type { ReadChoices } from './read-choices.js';

/** What jpeg-js is trusted with: beyond, it takes seconds and close to a gigabyte. */
const JPEG_MAX_PIXELS = 24_000_000;

/** Of JPEGs that are written: near to what was decoded. */
const WRITE_QUALITY = 95;

/** Measured of jpeg-js's encoder: RGBA, its output as a list of numbers, and that as bytes. */
const WRITE_MEMORY_A_PIXEL_BYTES = 24;

/**
 * Reads baseline, extended and progressive JPEGs with 8-bit samples, grey, YCbCr or RGB, and turns them upright.
 * @throws FormatError when a marker, table or code is wrong, or the file is cut off
 * @throws UnsupportedError for other kinds of JPEG; for CMYK, YCCK and above 24 megapixels a PeerNeededError
 * @throws LimitError when the picture is larger than the limits allow
 */
export function readJpeg(bytes: Uint8Array, limits: Limits, { onNote }: ReadChoices): Pixels {
  const guarded = guardJpeg(bytes, limits);
  const { frame, metadata } = guarded;
  const { widthPx, heightPx, components } = frame;
  if (components.length === 4) {
    throw new PeerNeededError('jpeg', 'grey, YCbCr or RGB', 'jpeg', 'CMYK or YCCK');
  }
  if (widthPx * heightPx > JPEG_MAX_PIXELS) {
    const got = `${widthPx}x${heightPx} = ${((widthPx * heightPx) / 1e6).toFixed(1)}`;
    throw new PeerNeededError('jpeg', `at most ${JPEG_MAX_PIXELS / 1e6} megapixels`, 'jpeg', got);
  }
  checkPlannedMemory('jpeg', guarded.plannedBytes, limits);
  const samples = decodePlainFile(guarded, limits);
  const colour = colourOfProfile('jpeg', metadata.iccProfile, components.length === 1);
  if (colour.note !== undefined) onNote?.(colour.note);
  const { blocks } = metadata.segments;
  const segmentNote = metadata.segments.note('jpeg');
  if (segmentNote !== undefined) onNote?.(segmentNote);
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
    withColour(pixels, colour, {
      ...(exif && { exif }),
      ...(xmp && { xmp }),
      ...(blocks && { blocks }),
    }),
    readOrientation(metadata.exif),
  );
}

/**
 * A baseline JPEG of quality 95, chroma at full size, with what the picture carries. Grey is written as three components.
 * @param pixels checked by the caller
 * @throws UnsupportedError for alpha, and for metadata that does not fit; LimitError
 */
export function writeJpeg(pixels: Pixels, limits: Limits): Uint8Array {
  const { widthPx, heightPx, channels, data, colour, metadata = {} } = pixels;
  if (hasAlpha(pixels)) {
    throw new UnsupportedError(
      'jpeg: expected a picture without alpha, got one with it; write it as PNG',
    );
  }
  checkPlannedMemory('jpeg', WRITE_MEMORY_A_PIXEL_BYTES * widthPx * heightPx, limits);
  const rgba = new Uint8Array(4 * widthPx * heightPx);
  const scale = data instanceof Uint16Array ? 257 : 1;
  for (let to = 0, from = 0; to < rgba.length; to += 4, from += channels) {
    for (let channel = 0; channel < 3; channel++) {
      rgba[to + channel] = Math.round((data[channels === 3 ? from + channel : from] ?? 0) / scale);
    }
  }
  const file = jpeg.encode({ width: widthPx, height: heightPx, data: rgba }, WRITE_QUALITY).data;
  const isNamed = colour === 'display-p3' || colour === 'adobe-rgb';
  const icc = metadata.icc ?? (isNamed ? profileOfName(colour, channels === 1) : undefined);
  return withMetadataSegments(file, { ...metadata, ...(icc && { icc }) });
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
