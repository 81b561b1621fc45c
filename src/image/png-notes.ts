/**
 * What a PNG says of its colours and frames that is left aside when it is read as 8-bit sRGB.
 * @module
 */
import { inflateSync } from 'node:zlib';
import { profileNote } from './icc.js';
import type { PngSurvey } from './png-chunks.js';

/** Far above any profile that is embedded, far below what would hurt. */
const PROFILE_MAX_BYTES = 4 * 2 ** 20;

/** gAMA, in 1/100,000: sRGB's 1/2.2, with what rounding makes of it. */
const SRGB_GAMMA = [44_000, 47_000] as const;

/** cHRM, in 1/100,000: x and y of white, red, green and blue. */
const SRGB_CHROMATICITIES = [31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000] as const;
const CHROMATICITY_TOLERANCE = 1000;

/** One line each, for a person. */
export function pngNotes({ kind, noted, trailingByteLength }: PngSurvey): readonly string[] {
  const notes: string[] = [];
  if (noted.has('acTL')) notes.push('png: animation read as its first picture');
  if (kind.bitDepth === 16) notes.push('png: 16-bit samples reduced to 8 bits');
  const colour = colourNote(noted);
  if (colour !== undefined) notes.push(colour);
  if (trailingByteLength > 0) {
    notes.push(`png: ${trailingByteLength} bytes after the picture's end ignored`);
  }
  return notes;
}

/** The chunks in the order of their precedence: one that speaks silences those after it. */
function colourNote(noted: ReadonlyMap<string, Uint8Array>): string | undefined {
  const cicp = noted.get('cICP');
  if (cicp !== undefined) {
    const [primaries = 0, transfer = 0, matrix = 0, isFullRange = 0] = cicp;
    const isSrgb = primaries === 1 && transfer === 13 && matrix === 0 && isFullRange === 1;
    const code = `${primaries}/${transfer}/${matrix}/${isFullRange}`;
    return isSrgb ? undefined : `png: colour space ${code} (cICP) ignored; read as sRGB`;
  }
  const iccp = noted.get('iCCP');
  if (iccp !== undefined) return profileNote('png', inflateProfile(iccp));
  if (noted.has('sRGB')) return undefined;
  const [gamma] = readWords(noted.get('gAMA'));
  if (gamma !== undefined && (gamma < SRGB_GAMMA[0] || gamma > SRGB_GAMMA[1])) {
    return `png: gamma of ${gamma / 100_000} ignored; read as sRGB`;
  }
  const isOther = readWords(noted.get('cHRM')).some(
    (value, index) =>
      Math.abs(value - (SRGB_CHROMATICITIES[index] ?? value)) > CHROMATICITY_TOLERANCE,
  );
  return isOther ? 'png: primaries other than those of sRGB ignored; read as sRGB' : undefined;
}

/** @returns nothing at all for a profile that cannot be inflated, which has no name then */
function inflateProfile(data: Uint8Array): Uint8Array {
  const nameEnd = data.indexOf(0);
  try {
    // The name, its end, and a byte for the method.
    return inflateSync(data.subarray(nameEnd + 2), { maxOutputLength: PROFILE_MAX_BYTES });
  } catch {
    return new Uint8Array(0);
  }
}

function readWords(data: Uint8Array | undefined): readonly number[] {
  if (data === undefined) return [];
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: Math.min(8, data.length >> 2) }, (_, index) =>
    view.getUint32(4 * index),
  );
}
