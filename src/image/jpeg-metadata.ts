/**
 * What the application segments of a JPEG say beside its samples.
 * @module
 */
import { BlockList } from './blocks.js';
import type { JpegComponent } from './jpeg-frame.js';
import { EXTENDED_XMP_MARK } from './pixels.js';

const APP0 = 0xe0;
const APP1 = 0xe1;
const APP2 = 0xe2;
const APP13 = 0xed;
const APP14 = 0xee;

const JFIF = 'JFIF\0';
export const EXIF_MARK = 'Exif\0\0';
export const XMP_MARK = 'http://ns.adobe.com/xap/1.0/\0';
export const ICC_MARK = 'ICC_PROFILE\0';
const PHOTOSHOP = 'Photoshop 3.0\0';
const ADOBE = 'Adobe';

const ADOBE_TRANSFORM_OFFSET = 11;

/** Gathers segments in the order of the file; of each kind but ICC the first one counts. */
export class JpegMetadata {
  private isJfif = false;
  private adobeTransform: number | undefined;
  private exifData: Uint8Array | undefined;
  private xmpData: Uint8Array | undefined;
  /** Extended XMP and IPTC. */
  readonly segments = new BlockList();
  /** By their number, which counts from 1. */
  private readonly iccParts = new Map<number, Uint8Array>();
  private iccCount = 0;

  /** @param data of a segment APP0 to APP15 */
  read(marker: number, data: Uint8Array): void {
    if (marker === APP0 && begins(data, JFIF)) {
      this.isJfif = true;
    } else if (marker === APP1 && begins(data, EXIF_MARK)) {
      this.exifData ??= data.subarray(EXIF_MARK.length);
    } else if (marker === APP1 && begins(data, XMP_MARK)) {
      this.xmpData ??= data.subarray(XMP_MARK.length);
    } else if (marker === APP1 && begins(data, EXTENDED_XMP_MARK)) {
      this.segments.add({ kind: 'xmp-extension', bytes: data.subarray(EXTENDED_XMP_MARK.length) });
    } else if (marker === APP2 && begins(data, ICC_MARK) && data.length > ICC_MARK.length + 2) {
      const [number = 0, count = 0] = data.subarray(ICC_MARK.length);
      this.iccCount = Math.max(this.iccCount, count, number);
      if (!this.iccParts.has(number)) {
        this.iccParts.set(number, data.subarray(ICC_MARK.length + 2));
      }
    } else if (marker === APP13 && begins(data, PHOTOSHOP)) {
      this.segments.add({ kind: 'photoshop', bytes: data });
    } else if (marker === APP14 && begins(data, ADOBE)) {
      this.adobeTransform ??= data[ADOBE_TRANSFORM_OFFSET];
    }
  }

  /** A TIFF structure. */
  get exif(): Uint8Array | undefined {
    return this.exifData;
  }

  /** The packet that lies in one segment. */
  get xmp(): Uint8Array | undefined {
    return this.xmpData?.length ? this.xmpData : undefined;
  }

  /** All parts together; empty, which is no profile, where one is missing. */
  get iccProfile(): Uint8Array | undefined {
    if (this.iccParts.size === 0) return undefined;
    const parts = Array.from({ length: this.iccCount }, (_, index) => this.iccParts.get(index + 1));
    return parts.includes(undefined) ? new Uint8Array(0) : Buffer.concat(parts as Uint8Array[]);
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
