/**
 * Writes ICC profiles of version 4 made of primaries and one curve: for pictures whose colours a file names in another
 * way, or whose container has no other way to name them.
 * @module
 */
import type { Colorants, Xyz } from './icc.js';

/** The curve of a profile to be written: sRGB's own, or light = sample ** exponent. */
export type CurveKind = 'srgb' | { readonly exponent: number };

/** Chromaticities x and y. */
export type Chromaticity = readonly [x: number, y: number];

/** White of the profile connection space. */
const D50: Xyz = [0.9642, 1, 0.8249];

/** sRGB's curve as a `para` tag of kind 3: exponent, then a, b, c and d. */
const SRGB_PARAMETERS = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045] as const;

/** Bradford's cone responses. */
const BRADFORD: readonly Xyz[] = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
];
const BRADFORD_INVERSE: readonly Xyz[] = [
  [0.9869929, -0.1470543, 0.1599627],
  [0.4323053, 0.5183603, 0.0492912],
  [-0.0085287, 0.0400428, 0.9684867],
];

/** @param colorants of red, green and blue under D50; left out for a profile of grey */
export function writeProfile(
  name: string,
  curve: CurveKind,
  colorants: Colorants | undefined,
): Uint8Array {
  const curveTag = curve === 'srgb' ? para(3, SRGB_PARAMETERS) : para(0, [curve.exponent]);
  const rgb = (colorants ?? []).flatMap((xyz, index) => [
    [`${'rgb'[index]}XYZ`, xyzTag(xyz)] as const,
    [`${'rgb'[index]}TRC`, curveTag] as const,
  ]);
  const tags: readonly (readonly [name: string, data: Buffer])[] = [
    ['desc', text(name)],
    ['cprt', text('No copyright, use freely')],
    ['wtpt', xyzTag(D50)],
    ...(colorants ? rgb : [['kTRC', curveTag] as const]),
  ];
  // Tags of equal data share it, as every maker of profiles has it.
  const places = new Map<Buffer, number>();
  let byteLength = 132 + 12 * tags.length;
  for (const [, data] of tags) {
    if (places.has(data)) continue;
    places.set(data, byteLength);
    byteLength += data.length;
  }
  const profile = new Uint8Array(byteLength);
  const bytes = Buffer.from(profile.buffer);
  bytes.writeUInt32BE(byteLength, 0);
  bytes.writeUInt32BE(0x0420_0000, 8);
  bytes.write(`mntr${colorants ? 'RGB ' : 'GRAY'}XYZ `, 12, 'latin1');
  // A date is asked for; the same one always, so that equal pictures make equal files.
  for (const [index, part] of [2026, 1, 1].entries()) bytes.writeUInt16BE(part, 24 + 2 * index);
  bytes.write('acsp', 36, 'latin1');
  putXyz(bytes, 68, D50);
  bytes.writeUInt32BE(tags.length, 128);
  for (const [index, [tag, data]] of tags.entries()) {
    const at = 132 + 12 * index;
    const place = places.get(data) ?? 0;
    bytes.write(tag, at, 'latin1');
    bytes.writeUInt32BE(place, at + 4);
    bytes.writeUInt32BE(data.length, at + 8);
    bytes.set(data, place);
  }
  return profile;
}

/**
 * Primaries as a profile has them: scaled so that they sum to white, then adapted to D50 by Bradford's transform.
 * @returns nothing where the four lie so that no colours come of them
 */
export function colorantsOf(
  white: Chromaticity,
  primaries: readonly [Chromaticity, Chromaticity, Chromaticity],
): Colorants | undefined {
  const [w, r, g, b] = [white, ...primaries].map(([x, y]) => [x / y, 1, (1 - x - y) / y] as const);
  if (!w || !r || !g || !b) return undefined;
  const determinant = dot(r, cross(g, b));
  const [sr, sg, sb] = [cross(g, b), cross(b, r), cross(r, g)].map(
    (normal) => dot(w, normal) / determinant,
  );
  const cones = (xyz: Xyz) => BRADFORD.map((row) => dot(row, xyz));
  const gains = cones(D50).map((response, index) => response / (cones(w)[index] ?? 0));
  const adapt = (xyz: Xyz, scale = 0): Xyz => {
    const adapted = cones(xyz).map((cone, index) => cone * (gains[index] ?? 0) * scale);
    const [x = 0, y = 0, z = 0] = BRADFORD_INVERSE.map((row) =>
      dot(row, adapted as unknown as Xyz),
    );
    return [x, y, z];
  };
  const colorants = [adapt(r, sr), adapt(g, sg), adapt(b, sb)] as const;
  // What does not fit the 16.16 bits of a profile, or is no number, are no primaries.
  return colorants.flat().every((value) => Math.abs(value) < 4) ? colorants : undefined;
}

function dot(a: Xyz, b: Xyz): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Xyz, b: Xyz): Xyz {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function text(content: string): Buffer {
  const bytes = Buffer.alloc(28 + 2 * content.length + ((2 * content.length) % 4));
  bytes.write('mluc', 0, 'latin1');
  for (const [index, word] of [1, 12, 0x656e_5553, 2 * content.length, 28].entries()) {
    bytes.writeUInt32BE(word, 8 + 4 * index);
  }
  bytes.set(Buffer.from(content, 'utf16le').swap16(), 28);
  return bytes;
}

function xyzTag(xyz: Xyz): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.write('XYZ ', 0, 'latin1');
  putXyz(bytes, 8, xyz);
  return bytes;
}

function putXyz(bytes: Buffer, byteOffset: number, xyz: Xyz): void {
  for (const [index, value] of xyz.entries()) {
    bytes.writeInt32BE(Math.round(value * 65_536), byteOffset + 4 * index);
  }
}

function para(kind: number, values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(12 + 4 * values.length);
  bytes.write('para', 0, 'latin1');
  bytes.writeUInt16BE(kind, 8);
  for (const [index, value] of values.entries()) {
    bytes.writeInt32BE(Math.round(value * 65_536), 12 + 4 * index);
  }
  return bytes;
}
