/**
 * PNG by pngjs, which never sees a file as it came: the guard hands it plain chunks whose every byte is vouched for.
 * pngjs alone gives out uninitialised memory for short files and can be kept busy for a minute by 68 bytes.
 * @module
 */
import { PNG } from 'pngjs';
import { FormatError } from '../errors.js';
import type { Limits } from '../limits.js';
import { withoutAlpha } from './alpha.js';
import { readOrientation } from './exif.js';
import { turnUpright } from './orient.js';
import type { Pixels, PlainPixels } from './pixels.js';
import { guardPng } from './png-guard.js';
import { pngNotes } from './png-notes.js';
import type { ReadChoices } from './read-choices.js';

const COLOUR_GREY = 0;
const COLOUR_RGB = 2;
const COLOUR_GREY_ALPHA = 4;

/**
 * Reads every kind of PNG as 8-bit samples, and turns it upright.
 * @throws FormatError when any chunk, checksum or length is wrong
 * @throws UnsupportedError when a pixel is not opaque and no background is given
 * @throws LimitError when the picture is larger than the limits allow
 */
export function readPng(bytes: Uint8Array, limits: Limits, choices: ReadChoices): Pixels {
  const { survey, plainFile } = guardPng(bytes, limits);
  const { kind, noted } = survey;
  // Rounds 16 bits to 8, spreads fewer, and looks palettes up.
  const { data: rgba } = decodePlainFile(plainFile, survey.idatOffset);
  const isGrey = kind.colourType === COLOUR_GREY || kind.colourType === COLOUR_GREY_ALPHA;
  const pixels = withoutAlpha('png', kind, rgba, isGrey, choices);
  for (const note of pngNotes(survey)) choices.onNote?.(note);
  return turnUpright(pixels, readOrientation(noted.get('eXIf')));
}

/** @param pixels checked by the caller */
export function writePng({ widthPx, heightPx, channels, data }: PlainPixels): Uint8Array {
  const colorType = channels === 1 ? COLOUR_GREY : COLOUR_RGB;
  const png = new PNG();
  png.width = widthPx;
  png.height = heightPx;
  png.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const file = PNG.sync.write(png, {
    colorType,
    inputColorType: colorType,
    inputHasAlpha: false,
    // Paeth in every row: on photographs 1 % larger than a choice by row, in 60 % of its time.
    filterType: 4,
  });
  // Small Buffers lie in a pool that others share; what leaves here has memory of its own.
  return new Uint8Array(file);
}

function decodePlainFile(plainFile: Buffer, idatOffset: number): { readonly data: Uint8Array } {
  try {
    return PNG.sync.read(plainFile, { checkCRC: false });
  } catch (cause) {
    // The guard vouches for all else; and whatever it is, no pixel may come of it.
    throw new FormatError('png: expected samples that the palette has, got others', idatOffset, {
      cause,
    });
  }
}
