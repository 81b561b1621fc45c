/**
 * PNG by pngjs, which never sees a file as it came: the guard hands it plain chunks whose every byte is vouched for.
 * pngjs alone gives out uninitialised memory for short files and can be kept busy for a minute by 68 bytes.
 * @module
 */
import { PNG } from 'pngjs';
import { FormatError } from '../errors.js';
import { checkPlannedMemory, type Limits } from '../limits.js';
import { settleAlpha } from './alpha.js';
import { withColour } from './colour.js';
import { readOrientation } from './exif.js';
import { turnUpright } from './orient.js';
import { type ChannelCount, hasAlpha, type Pixels } from './pixels.js';
import type { PngKind } from './png-chunks.js';
import { guardPng } from './png-guard.js';
import { bareExif, pngNotes, readPngMetadata } from './png-metadata.js';
import { withMetadataChunks } from './png-write-chunks.js';
import type { ReadChoices } from './read-choices.js';

const COLOUR_PALETTE = 3;

/** PNG's colour type, by channels. */
const COLOUR_TYPES: Readonly<Record<ChannelCount, 0 | 2 | 4 | 6>> = { 1: 0, 2: 4, 3: 2, 4: 6 };

/**
 * Reads every kind of PNG, with 16 bits as 16 and fewer as 8, and turns it upright.
 * @throws FormatError when any chunk, checksum or length is wrong
 * @throws LimitError when the picture is larger than the limits allow
 */
export function readPng(bytes: Uint8Array, limits: Limits, choices: ReadChoices): Pixels {
  const { survey, plainFile } = guardPng(bytes, limits);
  const { kind, noted } = survey;
  const rgba = decodePlainFile(plainFile, survey.idatOffset);
  const samples = pickChannels(rgba, kind, noted.get('tRNS'));
  const isGrey = samples.channels <= 2;
  const { colour, ...carried } = readPngMetadata(survey, isGrey);
  for (const note of pngNotes(survey)) choices.onNote?.(note);
  if (colour.note !== undefined) choices.onNote?.(colour.note);
  const pixels = withColour(settleAlpha(samples, choices), colour, carried);
  return turnUpright(pixels, readOrientation(bareExif(noted.get('eXIf'))));
}

/**
 * @param rgba four samples a pixel at the file's own depth, the alpha of a colour key not yet among them
 * @returns the channels that the file has, spread to 8 bits where it has fewer
 */
function pickChannels(
  rgba: Uint8Array | Uint16Array,
  { widthPx, heightPx, bitDepth, colourType }: PngKind,
  transparency: Uint8Array | undefined,
): Pixels {
  const isGrey = colourType === 0 || colourType === 4;
  const hasKey = transparency !== undefined && colourType !== COLOUR_PALETTE;
  const isTransparent = transparency !== undefined || colourType >= 4;
  const colours = isGrey ? 1 : 3;
  const channels = (colours + (isTransparent ? 1 : 0)) as ChannelCount;
  const byteLength = widthPx * heightPx * channels;
  const data = bitDepth === 16 ? new Uint16Array(byteLength) : new Uint8Array(byteLength);
  const scale = bitDepth < 8 && colourType !== COLOUR_PALETTE ? 255 / (2 ** bitDepth - 1) : 1;
  const peak = bitDepth === 16 ? 65_535 : 255;
  const [red, green, blue] = hasKey ? keyOf(transparency, colours) : [-1, -1, -1];
  for (let from = 0, to = 0; to < data.length; from += 4, to += channels) {
    const [r = 0, g = 0, b = 0] = [rgba[from], rgba[from + 1], rgba[from + 2]];
    data[to] = r * scale;
    if (!isGrey) {
      data[to + 1] = g;
      data[to + 2] = b;
    }
    if (!isTransparent) continue;
    const isKey = hasKey && r === red && g === green && b === blue;
    data[to + colours] = hasKey ? (isKey ? 0 : peak) : (rgba[from + 3] ?? 0);
  }
  return { widthPx, heightPx, channels, data };
}

/** The transparent colour, in samples of the file's depth; grey as three of its kind. */
function keyOf(transparency: Uint8Array, colours: number): readonly number[] {
  const view = new DataView(transparency.buffer, transparency.byteOffset);
  return [0, 2, 4].map((at) => view.getUint16(colours === 1 ? 0 : at));
}

/**
 * Grey, grey and alpha, RGB, and RGB and alpha of 8 or 16 bits, with what the picture carries.
 * @param pixels checked by the caller
 * @throws LimitError when the limits do not allow the memory
 */
export function writePng(pixels: Pixels, limits: Limits): Uint8Array {
  const { widthPx, heightPx, channels, data } = pixels;
  // At once: samples as the file has them, filtered, compressed (at worst no shorter), and the file twice.
  checkPlannedMemory('png', 5 * (data.byteLength + heightPx), limits);
  const colorType = COLOUR_TYPES[channels];
  const png = new PNG();
  png.width = widthPx;
  png.height = heightPx;
  png.data =
    data instanceof Uint16Array
      ? Buffer.from(data.slice().buffer)
      : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const file = PNG.sync.write(png, {
    colorType,
    inputColorType: colorType,
    inputHasAlpha: hasAlpha(pixels),
    bitDepth: data instanceof Uint16Array ? 16 : 8,
    // Paeth in every row: on photographs 1 % larger than a choice by row, in 60 % of its time.
    filterType: 4,
  });
  return withMetadataChunks(file, pixels);
}

/** @returns RGBA, its samples as the file has them: none of fewer bits is spread */
function decodePlainFile(plainFile: Buffer, idatOffset: number): Uint8Array | Uint16Array {
  try {
    return PNG.sync.read(plainFile, { checkCRC: false, skipRescale: true }).data;
  } catch (cause) {
    // The guard vouches for all else; and whatever it is, no pixel may come of it.
    throw new FormatError('png: expected samples that the palette has, got others', idatOffset, {
      cause,
    });
  }
}
