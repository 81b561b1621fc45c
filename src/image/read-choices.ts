/**
 * What a reader of pictures is asked for and may tell, beside limits.
 * @module
 */

/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

export interface ReadChoices {
  /** Put under pixels that are not opaque; without one the picture keeps its alpha. */
  readonly background?: Rgb;
  /** Told what a reader left aside, such as a colour profile: one line each, for a person. */
  readonly onNote?: (note: string) => void;
}
