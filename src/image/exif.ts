/**
 * The one thing that pixels need of Exif: which way up the picture is.
 * @module
 */

/** 1 as stored; 2 to 8 as TIFF numbers mirrored and turned pictures. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;
const ENTRY_BYTES = 12;

/**
 * Reads the orientation from the first directory of a TIFF structure, and no other: what hangs behind it is not followed.
 * @param exif hostile bytes; whatever does not hold is as if it were not there
 */
export function readOrientation(exif: Uint8Array | undefined): Orientation {
  if (exif === undefined || exif.length < 8) return 1;
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const order = view.getUint16(0);
  const isLittle = order === 0x4949;
  if ((!isLittle && order !== 0x4d4d) || view.getUint16(2, isLittle) !== 42) return 1;
  const directory = view.getUint32(4, isLittle);
  if (directory + 2 > exif.length) return 1;
  const entries = view.getUint16(directory, isLittle);
  for (let index = 0; index < entries; index++) {
    const at = directory + 2 + index * ENTRY_BYTES;
    if (at + ENTRY_BYTES > exif.length) return 1;
    if (view.getUint16(at, isLittle) === ORIENTATION_TAG) {
      const isOneShort =
        view.getUint16(at + 2, isLittle) === SHORT && view.getUint32(at + 4, isLittle) === 1;
      const value = view.getUint16(at + 8, isLittle);
      return isOneShort && value >= 1 && value <= 8 ? (value as Orientation) : 1;
    }
  }
  return 1;
}
