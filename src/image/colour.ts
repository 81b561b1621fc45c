/**
 * What colours a picture's samples mean: named where a profile says what a name says too, carried as a profile otherwise,
 * and given sRGB's curve where a profile says that they are proportional to light: no coder for the eye can work on such.
 * @module
 */
import type { Colorants, Curve } from './icc.js';
import { readProfile } from './icc.js';
import { type CurveKind, writeProfile } from './icc-write.js';
import {
  hasAlpha,
  newSamples,
  type PixelColour,
  type PixelMetadata,
  type Pixels,
} from './pixels.js';
import { printable } from './printable.js';

/** What a file says of its colours; nothing where it says nothing. */
export interface ColourReading {
  readonly colour?: PixelColour;
  /** With colour `icc`. */
  readonly icc?: Uint8Array;
  /** For a person. */
  readonly note?: string;
  /** Of each channel: samples are to be brought to light by these, and from there by sRGB's curve. */
  readonly toLight?: readonly Curve[];
}

export type NamedColour = Exclude<PixelColour, 'icc'>;

/** Primaries under D50, as the profiles of their makers have them. */
export const NAMED_COLORANTS: Readonly<Record<NamedColour, Colorants>> = {
  srgb: [
    [0.43607, 0.22249, 0.01392],
    [0.38515, 0.71687, 0.09708],
    [0.14307, 0.06061, 0.7141],
  ],
  'display-p3': [
    [0.51512, 0.2412, -0.00105],
    [0.29198, 0.69225, 0.04189],
    [0.1571, 0.06657, 0.78407],
  ],
  'adobe-rgb': [
    [0.60974, 0.31111, 0.01947],
    [0.20528, 0.62567, 0.06087],
    [0.14919, 0.06322, 0.74457],
  ],
};

const ADOBE_EXPONENT = 563 / 256;
const NAMED_CURVES: Readonly<Record<NamedColour, CurveKind>> = {
  srgb: 'srgb',
  'display-p3': 'srgb',
  'adobe-rgb': { exponent: ADOBE_EXPONENT },
};

const NAMES: readonly NamedColour[] = ['srgb', 'display-p3', 'adobe-rgb'];
const PROFILE_NAMES: Readonly<Record<NamedColour, string>> = {
  srgb: 'sRGB',
  'display-p3': 'Display P3',
  'adobe-rgb': 'Adobe RGB (1998)',
};

/** Profiles of one space differ in the last digits, and in how finely they sample the curve. */
const COLORANT_TOLERANCE = 0.003;
const CURVE_TOLERANCE = 0.003;
const CURVE_SAMPLES = 32;

/** A curve that makes more of one half is linear for a coder's purposes: its steps in the dark are too coarse. */
const LINEAR_HALF_MIN = 0.5 ** 1.3;

/** @returns light of a sample in sRGB, both 0 to 1 */
export function srgbToLight(sample: number): number {
  return sample <= 0.04045 ? sample / 12.92 : ((sample + 0.055) / 1.055) ** 2.4;
}

/** The inverse of `srgbToLight`. */
function lightToSrgb(light: number): number {
  return light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055;
}

/** The profile of a named space, for containers that know no names. */
export function profileOfName(colour: NamedColour, isGrey: boolean): Uint8Array {
  const colorants = isGrey ? undefined : NAMED_COLORANTS[colour];
  return writeProfile(PROFILE_NAMES[colour], NAMED_CURVES[colour], colorants);
}

/** @param profile hostile bytes, or `undefined` where a picture has none */
export function colourOfProfile(
  stage: string,
  profile: Uint8Array | undefined,
  isGrey: boolean,
): ColourReading {
  if (profile === undefined) return {};
  const parsed = readProfile(profile);
  if (parsed === undefined) {
    return { note: `${stage}: damaged colour profile ignored; read as sRGB` };
  }
  const { space, name, curves, colorants } = parsed;
  const [first] = curves ?? [];
  if (isGrey && space === 'RGB ' && first !== undefined) {
    // All that grey has of such a profile is its curve.
    if (isLike(first, srgbToLight)) return { colour: 'srgb' };
  }
  if (space !== (isGrey ? 'GRAY' : 'RGB ')) {
    return {
      note: `${stage}: colour profile '${printable(name)}' for ${printable(space.trim())} ignored; read as sRGB`,
    };
  }
  if (first === undefined || curves === undefined) return { colour: 'icc', icc: profile };
  if (curves.some((curve) => curve(0.5) > LINEAR_HALF_MIN)) {
    const note = `${stage}: samples proportional to light brought to the curve of sRGB`;
    return { ...curved(colorants, name), note, toLight: curves };
  }
  const named = NAMES.find(
    (candidate) =>
      (colorants === undefined || isNear(colorants, NAMED_COLORANTS[candidate])) &&
      curves.every((curve) => isLike(curve, toLightOf(NAMED_CURVES[candidate]))),
  );
  return named !== undefined ? { colour: named } : { colour: 'icc', icc: profile };
}

/**
 * Colours that a PNG states by numbers. A gamma of 1 is more often a slip than meant, so samples stay as they are.
 * @param exponent light = sample ** exponent
 * @param colorants of RGB; `undefined` for grey
 */
export function colourOfNumbers(exponent: number, colorants: Colorants | undefined): ColourReading {
  // PNG has no way to state sRGB's curve but by an exponent close to it.
  const named = NAMES.find((candidate) => {
    const wanted = NAMED_CURVES[candidate];
    const near = wanted === 'srgb' ? [2.13, 2.28] : [2.18, 2.21];
    return (
      exponent >= (near[0] ?? 0) &&
      exponent <= (near[1] ?? 0) &&
      (colorants === undefined || isNear(colorants, NAMED_COLORANTS[candidate]))
    );
  });
  if (named !== undefined) return { colour: named };
  const name = `exponent ${exponent.toFixed(3)}`;
  return { colour: 'icc', icc: writeProfile(name, { exponent }, colorants) };
}

/** Primaries with sRGB's curve, by name where they have one. */
export function curved(colorants: Colorants | undefined, name: string): ColourReading {
  const named =
    colorants === undefined
      ? 'srgb'
      : NAMES.find(
          (candidate) =>
            NAMED_CURVES[candidate] === 'srgb' && isNear(colorants, NAMED_COLORANTS[candidate]),
        );
  if (named !== undefined) return { colour: named };
  const profileName = `${printable(name)} with the curve of sRGB`;
  return { colour: 'icc', icc: writeProfile(profileName, 'srgb', colorants) };
}

/** @returns the picture with its colours stated and its other metadata with it */
export function withColour(
  pixels: Pixels,
  reading: ColourReading,
  metadata: Omit<PixelMetadata, 'icc'>,
): Pixels {
  const { toLight } = reading;
  return {
    ...(toLight ? brought(pixels, toLight) : pixels),
    ...statedColour(reading, metadata),
  };
}

/** What `withColour` adds to a picture, beside changing its samples. */
export function statedColour(
  { colour, icc }: ColourReading,
  { exif, xmp, blocks }: Omit<PixelMetadata, 'icc'>,
): Pick<Pixels, 'colour' | 'metadata'> {
  // Copies, so that a few bytes do not keep a whole file in memory.
  const metadata = {
    ...(icc && { icc: new Uint8Array(icc) }),
    ...(exif && { exif: new Uint8Array(exif) }),
    ...(xmp && { xmp: new Uint8Array(xmp) }),
    ...(blocks && {
      blocks: blocks.map(({ kind, bytes }) => ({ kind, bytes: new Uint8Array(bytes) })),
    }),
  };
  return {
    ...(colour && { colour }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}

/** Alpha stays as it is: it is no colour. */
function brought(pixels: Pixels, toLight: readonly Curve[]): Pixels {
  const { channels, data } = pixels;
  const peak = data instanceof Uint16Array ? 65_535 : 255;
  const colours = hasAlpha(pixels) ? channels - 1 : channels;
  const changed = newSamples(pixels, data.length);
  changed.set(data);
  for (let channel = 0; channel < colours; channel++) {
    const curve = toLight[channel] ?? srgbToLight;
    const table = Float64Array.from({ length: peak + 1 }, (_, sample) => {
      const light = Math.min(1, Math.max(0, curve(sample / peak)));
      return Math.round(peak * lightToSrgb(light));
    });
    for (let at = channel; at < data.length; at += channels) {
      changed[at] = table[data[at] ?? 0] ?? 0;
    }
  }
  return { ...pixels, data: changed };
}

function toLightOf(kind: CurveKind): Curve {
  return kind === 'srgb' ? srgbToLight : (sample) => sample ** kind.exponent;
}

function isLike(curve: Curve, wanted: Curve): boolean {
  for (let index = 0; index <= CURVE_SAMPLES; index++) {
    const sample = index / CURVE_SAMPLES;
    // The negation also takes what is no number.
    if (!(Math.abs(curve(sample) - wanted(sample)) <= CURVE_TOLERANCE)) return false;
  }
  return true;
}

function isNear(a: Colorants, b: Colorants): boolean {
  return a.every((xyz, index) =>
    xyz.every((value, axis) => Math.abs(value - (b[index]?.[axis] ?? 0)) <= COLORANT_TOLERANCE),
  );
}
