/**
 * What the chunks of a PNG say beside its samples: colours, Exif, XMP and text; and what is left aside of them.
 * @module
 */
import { inflateSync } from 'node:zlib';
import {
  type ColourReading,
  colourOfNumbers,
  colourOfProfile,
  curved,
  NAMED_COLORANTS,
} from './colour.js';
import { uprightExif } from './exif.js';
import type { Colorants } from './icc.js';
import { type Chromaticity, colorantsOf } from './icc-write.js';
import type { MetadataBlock } from './pixels.js';
import { type PngSurvey, XMP_CHUNK } from './png-chunks.js';

/** Far above any profile or packet that is embedded, far below what would hurt. */
const INFLATED_MAX_BYTES = 4 * 2 ** 20;

/** gAMA of light = sample ** 100 and of sample ** 0.1, in 1/100,000: what lies outside is no gamma. */
const GAMMA_RANGE = [1000, 1_000_000] as const;

/** cICP: primaries, transfer, matrix, range. Those of PQ and HLG have no names here. */
const CICP_COLOURS: ReadonlyMap<string, 'srgb' | 'display-p3'> = new Map([
  ['1/13/0/1', 'srgb'],
  ['12/13/0/1', 'display-p3'],
]);

export interface PngMetadata {
  readonly colour: ColourReading;
  readonly exif?: Uint8Array;
  readonly xmp?: Uint8Array;
  readonly blocks?: readonly MetadataBlock[];
}

/** @param isGrey whether the picture has one channel of colour */
export function readPngMetadata({ noted, texts }: PngSurvey, isGrey: boolean): PngMetadata {
  const exif = uprightExif(bareExif(noted.get('eXIf')));
  const xmp = readXmp(noted.get(XMP_CHUNK));
  const { blocks } = texts;
  return {
    colour: readColour(noted, isGrey),
    ...(exif && { exif }),
    ...(xmp && { xmp }),
    ...(blocks && { blocks }),
  };
}

/** A TIFF structure; some writers leave JPEG's mark in front of it. */
export function bareExif(data: Uint8Array | undefined): Uint8Array | undefined {
  const isMarked = data !== undefined && Buffer.from(data.subarray(0, 6)).equals(EXIF_MARK);
  return isMarked ? data.subarray(6) : data;
}

const EXIF_MARK = Buffer.from('Exif\0\0', 'latin1');

/** One line each, for a person. */
export function pngNotes({ noted, texts, trailingByteLength }: PngSurvey): readonly string[] {
  const notes: string[] = [];
  if (noted.has('acTL')) notes.push('png: animation read as its first picture');
  const textNote = texts.note('png');
  if (textNote !== undefined) notes.push(textNote);
  if (trailingByteLength > 0) {
    notes.push(`png: ${trailingByteLength} bytes after the picture's end ignored`);
  }
  return notes;
}

/** The chunks in the order of their precedence: one that speaks silences those after it. */
function readColour(noted: ReadonlyMap<string, Uint8Array>, isGrey: boolean): ColourReading {
  const cicp = noted.get('cICP');
  const code = cicp?.join('/') ?? '';
  const named = CICP_COLOURS.get(code);
  if (named !== undefined) return { colour: named };
  const { note, ...reading } = readOlderColour(noted, isGrey);
  if (cicp === undefined) return { ...reading, ...(note !== undefined && { note }) };
  const instead =
    reading.colour === undefined ? 'read as sRGB' : 'the profile or gamma beside it is used';
  return { ...reading, note: `png: colour space ${code} (cICP) ignored; ${instead}` };
}

function readOlderColour(noted: ReadonlyMap<string, Uint8Array>, isGrey: boolean): ColourReading {
  const iccp = noted.get('iCCP');
  if (iccp !== undefined) {
    // The name, its end, and a byte for the method.
    const profile = inflateBounded(iccp.subarray(iccp.indexOf(0) + 2));
    return colourOfProfile('png', profile ?? new Uint8Array(0), isGrey);
  }
  if (noted.has('sRGB')) return { colour: 'srgb' };
  const [gamma] = readWords(noted.get('gAMA'));
  const primaries = readWords(noted.get('cHRM'));
  const colorants = isGrey ? undefined : readColorants(primaries);
  if (primaries.length === 8 && !isGrey && colorants === undefined) {
    return { note: 'png: primaries that make no colours ignored; read as sRGB' };
  }
  if (gamma === undefined) {
    return primaries.length === 8 ? curved(colorants, 'primaries') : {};
  }
  if (gamma < GAMMA_RANGE[0] || gamma > GAMMA_RANGE[1]) {
    return { note: `png: gamma of ${gamma / 100_000} ignored; read as sRGB` };
  }
  return colourOfNumbers(100_000 / gamma, isGrey ? undefined : (colorants ?? NAMED_COLORANTS.srgb));
}

/** @param words of cHRM, in 1/100,000: x and y of white, red, green and blue */
function readColorants(words: readonly number[]): Colorants | undefined {
  const point = (index: number): Chromaticity => [
    (words[2 * index] ?? 0) / 100_000,
    (words[2 * index + 1] ?? 0) / 100_000,
  ];
  return words.length === 8 ? colorantsOf(point(0), [point(1), point(2), point(3)]) : undefined;
}

/** The packet of an iTXt: keyword, flag and method of compression, language, keyword in it, then the text. */
function readXmp(data: Uint8Array | undefined): Uint8Array | undefined {
  if (data === undefined) return undefined;
  const keywordEnd = data.indexOf(0);
  const languageEnd = data.indexOf(0, keywordEnd + 3);
  const translatedEnd = data.indexOf(0, languageEnd + 1);
  if (keywordEnd < 0 || languageEnd < 0 || translatedEnd < 0) return undefined;
  const text = data.subarray(translatedEnd + 1);
  const packet = data[keywordEnd + 1] === 1 ? inflateBounded(text) : text;
  return packet !== undefined && packet.length > 0 ? packet : undefined;
}

/** @returns nothing for what cannot be inflated, or is far too long */
function inflateBounded(data: Uint8Array): Uint8Array | undefined {
  try {
    return inflateSync(data, { maxOutputLength: INFLATED_MAX_BYTES });
  } catch {
    return undefined;
  }
}

function readWords(data: Uint8Array | undefined): readonly number[] {
  if (data === undefined) return [];
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: Math.min(8, data.length >> 2) }, (_, index) =>
    view.getUint32(4 * index),
  );
}
