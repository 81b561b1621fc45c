/**
 * What the page tells its script about the pictures in it. Written by src/bench/report/viewer.ts as JSON.
 * @module
 */

/** A picture of the viewer: the original first, then what the codecs made of it. */
export interface ViewedPicture {
  readonly name: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly versions: readonly ViewedVersion[];
  readonly latent: ViewedLatent | null;
}

export interface ViewedVersion {
  /** `original`, else the codec's name. */
  readonly name: string;
  /** For people: `WebP (cwebp) 60`. */
  readonly label: string;
  /** `21,310 B, 0.433 bpp · PSNR RGB, dB 31.20`; empty for the original. */
  readonly figures: string;
  /** Of the `img` element that holds it. */
  readonly elementId: string;
}

/** What our coder tells of a file: a grid of latent positions over the picture. */
export interface ViewedLatent {
  /** Index of the version that the file decodes to. */
  readonly version: number;
  /** Pixels of the picture a position stands for, in each direction. */
  readonly stridePx: number;
  /** Positions in each direction of both images below. */
  readonly width: number;
  readonly height: number;
  /** Grey image of the grid: white is `maxBitsPerPixel`. */
  readonly bitsElementId: string;
  readonly maxBitsPerPixel: number;
  /** Grey image of planes in rows of so many; mid-grey is 0. */
  readonly planesElementId: string;
  readonly sheetColumns: number;
  readonly planes: readonly ViewedPlane[];
}

export interface ViewedPlane {
  readonly channel: number;
  /** Of the file's latent bits, 0 to 1. */
  readonly share: number;
  /** Largest magnitude in it, which is drawn black or white. */
  readonly peak: number;
}
