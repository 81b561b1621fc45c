/**
 * Reads of a hostile ICC profile what tells how its colours are to be treated: its space, name, primaries and curves.
 * @module
 */

/** From a sample to light, both 0 to 1. */
export type Curve = (sample: number) => number;

/** X, Y and Z of red, green and blue, adapted to D50 as profiles have them. */
export type Colorants = readonly [red: Xyz, green: Xyz, blue: Xyz];
export type Xyz = readonly [x: number, y: number, z: number];

export interface IccProfile {
  /** Four letters such as `RGB `, `GRAY`, `CMYK`. */
  readonly space: string;
  /** Empty where it has none. */
  readonly name: string;
  /** Of red, green and blue, or of grey; `undefined` where the profile is not made of curves alone. */
  readonly curves?: readonly Curve[];
  /** With curves of RGB. */
  readonly colorants?: Colorants;
}

const SIZE_OFFSET = 0;
const SPACE_OFFSET = 16;
const SIGNATURE_OFFSET = 36;
const TAG_COUNT_OFFSET = 128;
const TAG_BYTES = 12;
/** Profiles have about twenty. */
const TAGS_MAX = 100;
const NAME_MAX_BYTES = 256;
/** Parameters of a `para` curve, by its kind. */
const PARAMETERS = [1, 3, 4, 5, 7] as const;

/** @returns nothing for bytes that are no profile */
export function readProfile(profile: Uint8Array): IccProfile | undefined {
  const bytes = Buffer.from(profile.buffer, profile.byteOffset, profile.byteLength);
  const isProfile =
    bytes.length >= TAG_COUNT_OFFSET + 4 &&
    bytes.readUInt32BE(SIZE_OFFSET) >= TAG_COUNT_OFFSET + 4 &&
    bytes.readUInt32BE(SIZE_OFFSET) <= bytes.length &&
    bytes.toString('latin1', SIGNATURE_OFFSET, SIGNATURE_OFFSET + 4) === 'acsp';
  if (!isProfile) return undefined;
  const tags = readTags(bytes);
  const space = bytes.toString('latin1', SPACE_OFFSET, SPACE_OFFSET + 4);
  const base = { space, name: readText(tags.get('desc')) };
  // Tables say more than curves and matrix, which stand beside them for readers that cannot use them.
  if (tags.has('A2B0') || tags.has('cicp')) return base;
  const curves = (space === 'GRAY' ? ['kTRC'] : ['rTRC', 'gTRC', 'bTRC']).map((name) =>
    readCurve(tags.get(name)),
  );
  if (!isAllDefined(curves)) return base;
  if (space === 'GRAY') return { ...base, curves };
  const [red, green, blue] = ['rXYZ', 'gXYZ', 'bXYZ'].map((name) => readXyz(tags.get(name)));
  if (space !== 'RGB ' || !red || !green || !blue) return base;
  return { ...base, curves, colorants: [red, green, blue] };
}

function isAllDefined(curves: readonly (Curve | undefined)[]): curves is readonly Curve[] {
  return !curves.includes(undefined);
}

/** Views of each tag, cut where the file ends. */
function readTags(bytes: Buffer): ReadonlyMap<string, Buffer> {
  const tags = new Map<string, Buffer>();
  const count = Math.min(bytes.readUInt32BE(TAG_COUNT_OFFSET), TAGS_MAX);
  for (let index = 0; index < count; index++) {
    const at = TAG_COUNT_OFFSET + 4 + index * TAG_BYTES;
    if (at + TAG_BYTES > bytes.length) break;
    const from = bytes.readUInt32BE(at + 4);
    tags.set(
      bytes.toString('latin1', at, at + 4),
      bytes.subarray(from, from + bytes.readUInt32BE(at + 8)),
    );
  }
  return tags;
}

/** Text of version 2 (`desc`, ASCII) or the first of version 4 (`mluc`, UTF-16). */
function readText(tag: Buffer | undefined): string {
  const kind = tag?.toString('latin1', 0, 4);
  if (tag !== undefined && kind === 'desc' && tag.length >= 12) {
    const byteLength = Math.min(tag.readUInt32BE(8), NAME_MAX_BYTES);
    return tag.toString('latin1', 12, 12 + byteLength).replace(/\0.*$/s, '');
  }
  if (tag !== undefined && kind === 'mluc' && tag.length >= 28) {
    const from = tag.readUInt32BE(24);
    const byteLength = Math.min(tag.readUInt32BE(20), NAME_MAX_BYTES) & ~1;
    const text = Buffer.from(tag.subarray(from, from + byteLength));
    return text.length === byteLength ? text.swap16().toString('utf16le') : '';
  }
  return '';
}

function readXyz(tag: Buffer | undefined): Xyz | undefined {
  if (tag === undefined || tag.length < 20 || tag.toString('latin1', 0, 4) !== 'XYZ ') {
    return undefined;
  }
  const fixed = (at: number) => tag.readInt32BE(at) / 65_536;
  return [fixed(8), fixed(12), fixed(16)];
}

function readCurve(tag: Buffer | undefined): Curve | undefined {
  const kind = tag?.toString('latin1', 0, 4);
  if (tag === undefined || tag.length < 12) return undefined;
  if (kind === 'curv') return sampledCurve(tag);
  return kind === 'para' ? parametricCurve(tag) : undefined;
}

/** No sample is the identity, one an exponent, more are a table that is read with straight lines between. */
function sampledCurve(tag: Buffer): Curve | undefined {
  const count = tag.readUInt32BE(8);
  if (count === 0) return (sample) => sample;
  if (tag.length < 12 + 2 * count) return undefined;
  if (count === 1) {
    const exponent = tag.readUInt16BE(12) / 256;
    return (sample) => sample ** exponent;
  }
  return (sample) => {
    const place = sample * (count - 1);
    const below = Math.min(count - 2, Math.floor(place));
    const at = tag.readUInt16BE(12 + 2 * below);
    return (at + (tag.readUInt16BE(14 + 2 * below) - at) * (place - below)) / 65_535;
  };
}

/** ICC.1:2022, table 68, in whose letters this is written. */
function parametricCurve(tag: Buffer): Curve | undefined {
  const kind = tag.readUInt16BE(8);
  const count = PARAMETERS[kind];
  if (count === undefined || tag.length < 12 + 4 * count) return undefined;
  const value = (index: number) => (index < count ? tag.readInt32BE(12 + 4 * index) / 65_536 : 0);
  const g = value(0);
  const [a, b] = kind === 0 ? [1, 0] : [value(1), value(2)];
  // Up to kind 2 the curve begins where the power does, and is flat below.
  const d = kind === 0 ? 0 : kind < 3 ? -b / a : value(4);
  const slope = kind < 3 ? 0 : value(3);
  const e = kind === 2 ? value(3) : kind === 4 ? value(5) : 0;
  const f = kind === 2 ? value(3) : kind === 4 ? value(6) : 0;
  return (sample) => (sample >= d ? (a * sample + b) ** g + e : slope * sample + f);
}
