/**
 * What the application segments of a JPEG say beside its samples.
 * @module
 */
import type { JpegComponent } from './jpeg-frame.js';

const APP0 = 0xe0;
const APP1 = 0xe1;
const APP2 = 0xe2;
const APP14 = 0xee;

const JFIF = 'JFIF\0';
const EXIF = 'Exif\0\0';
const ICC_PROFILE = 'ICC_PROFILE\0';
const ADOBE = 'Adobe';

const ADOBE_TRANSFORM_OFFSET = 11;

/** Gathers segments in the order of the file; of each kind but ICC the first one counts. */
export class JpegMetadata {
  private isJfif = false;
  private adobeTransform: number | undefined;
  private exifData: Uint8Array | undefined;
  private readonly iccParts: Uint8Array[] = [];

  /** @param data of a segment APP0 to APP15 */
  read(marker: number, data: Uint8Array): void {
    if (marker === APP0 && begins(data, JFIF)) {
      this.isJfif = true;
    } else if (marker === APP1 && begins(data, EXIF)) {
      this.exifData ??= data.subarray(EXIF.length);
    } else if (
      marker === APP2 &&
      begins(data, ICC_PROFILE) &&
      data.length > ICC_PROFILE.length + 2
    ) {
      // Number and count of the parts stand first; writers put them in order.
      this.iccParts.push(data.subarray(ICC_PROFILE.length + 2));
    } else if (marker === APP14 && begins(data, ADOBE)) {
      this.adobeTransform ??= data[ADOBE_TRANSFORM_OFFSET];
    }
  }

  /** A TIFF structure. */
  get exif(): Uint8Array | undefined {
    return this.exifData;
  }

  get iccProfile(): Uint8Array | undefined {
    return this.iccParts.length > 0 ? Buffer.concat(this.iccParts) : undefined;
  }

  /** Whether three components are RGB and not luma and chroma, told as libjpeg tells it. */
  isRgb(components: readonly JpegComponent[]): boolean {
    if (components.length !== 3 || this.isJfif) return false;
    if (this.adobeTransform !== undefined) return this.adobeTransform === 0;
    return String.fromCharCode(...components.map(({ id }) => id)) === 'RGB';
  }
}

function begins(data: Uint8Array, text: string): boolean {
  return (
    data.length >= text.length &&
    Buffer.from(data.subarray(0, text.length)).toString('latin1') === text
  );
}
