/**
 * Names what is not read here, by first bytes, so that a refusal can say what it refuses.
 * @module
 */

export interface ForeignFormat {
  /** With its article, for the end of a message. */
  readonly name: string;
  /** A sound kind of image that is not handled, as against bytes that are no image. */
  readonly isImage: boolean;
  /** What to do about it; empty where there is nothing to advise. */
  readonly advice: string;
}

const CONVERT = 'convert it to PNG first';

/** Magic bytes as latin-1 text at byte 0; the first that fits wins. */
const MAGICS: readonly (readonly [magic: string, name: string])[] = [
  ['\xff\xd8', 'a JPEG'],
  ['GIF87a', 'a GIF'],
  ['GIF89a', 'a GIF'],
  ['BM', 'a BMP'],
  ['II*\0', 'a TIFF'],
  ['MM\0*', 'a TIFF'],
  ['II+\0', 'a BigTIFF'],
  ['MM\0+', 'a BigTIFF'],
  ['\xff\x0a', 'a JPEG XL'],
  ['\0\0\0\x0cJXL \r\n\x87\n', 'a JPEG XL'],
  ['\0\0\0\x0cjP  \r\n\x87\n', 'a JPEG 2000'],
  ['\xff\x4f\xff\x51', 'a JPEG 2000'],
  ['\x8aMNG\r\n\x1a\n', 'an MNG'],
  ['\x8bJNG\r\n\x1a\n', 'a JNG'],
  ['8BPS', 'a Photoshop file'],
  ['qoif', 'a QOI'],
  ['\x76\x2f\x31\x01', 'an OpenEXR'],
  ['#?RADIANCE', 'a Radiance HDR'],
  ['\0\0\x01\0', 'a Windows icon'],
  ['DDS ', 'a DDS'],
  ['PF', 'a PFM with floating-point samples'],
  ['Pf', 'a PFM with floating-point samples'],
  ['<svg', 'an SVG'],
];

/** `ftyp` brands of the ISO base media formats, at byte 8. */
const BRANDS: readonly (readonly [brand: string, name: string])[] = [
  ['avif', 'an AVIF'],
  ['avis', 'an AVIF sequence'],
  ['hei', 'a HEIC'],
  ['hev', 'a HEIC'],
  ['mif1', 'a HEIF'],
  ['msf1', 'a HEIF sequence'],
];

/** Names anything that is neither a PNG nor a PNM with binary samples. @param bytes at least one */
export function nameForeignFormat(bytes: Uint8Array): ForeignFormat {
  const head = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
  if (head.startsWith('VAE\0')) {
    return image('a .vae file', 'decompress it');
  }
  if (head.startsWith('RIFF') && head.startsWith('WEBP', 8)) {
    return image('a WebP', CONVERT);
  }
  if (head.startsWith('ftyp', 4)) {
    const brand = BRANDS.find(([magic]) => head.startsWith(magic, 8));
    return brand ? image(brand[1], CONVERT) : other('a video or other ISO media file');
  }
  const known = MAGICS.find(([magic]) => head.startsWith(magic));
  if (known) {
    return image(known[1], CONVERT);
  }
  if (head.startsWith('PNG', 1)) {
    return other('a PNG whose first 8 bytes are damaged, as by a transfer in text mode');
  }
  if (/^[\t\n\r\x20-\x7e\x80-\xff]*$/.test(head) && /^[\t\n\r\x20-\x7e]/.test(head)) {
    return other('text');
  }
  return other(`unknown bytes beginning ${hexBytes(bytes.subarray(0, 4))}`);
}

function image(name: string, advice: string): ForeignFormat {
  return { name, isImage: true, advice };
}

function other(name: string): ForeignFormat {
  return { name, isImage: false, advice: '' };
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
