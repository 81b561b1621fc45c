/**
 * Names what is not read here, by first bytes, so that a refusal can say what it refuses.
 * @module
 */
import type { PeerKind } from './peer.js';

export interface ForeignFormat {
  /** With its article, for the end of a message. */
  readonly name: string;
  /** What to do about it; `undefined` for bytes that are no image of any kind known here. */
  readonly advice: string | undefined;
  /** Where sharp may be able to read it. */
  readonly peer?: PeerKind;
}

/** How a kind begins, its bytes as latin-1 text in which `~` is any byte; the first that fits wins. */
const IMAGES: readonly (readonly [beginning: string, name: string, peer?: PeerKind])[] = [
  ['RIFF~~~~WEBP', 'a WebP', 'webp'],
  ['GIF87a', 'a GIF', 'gif'],
  ['GIF89a', 'a GIF', 'gif'],
  ['BM~~~~\0\0\0\0', 'a BMP'],
  ['II*\0', 'a TIFF', 'tiff'],
  ['MM\0*', 'a TIFF', 'tiff'],
  ['II+\0', 'a BigTIFF', 'tiff'],
  ['MM\0+', 'a BigTIFF', 'tiff'],
  ['~~~~ftypavif', 'an AVIF', 'heif'],
  ['~~~~ftypavis', 'an AVIF sequence', 'heif'],
  ['~~~~ftyphei', 'a HEIC', 'heif'],
  ['~~~~ftyphev', 'a HEIC', 'heif'],
  ['~~~~ftypmif1', 'a HEIF', 'heif'],
  ['~~~~ftypmsf1', 'a HEIF sequence', 'heif'],
  ['\xff\x0a', 'a JPEG XL', 'jxl'],
  ['\0\0\0\x0cJXL \r\n\x87\n', 'a JPEG XL', 'jxl'],
  ['\xff\x4f\xff\x51', 'a JPEG 2000', 'jp2'],
  ['\0\0\0\x0cjP  \r\n\x87\n', 'a JPEG 2000', 'jp2'],
  ['\x8aMNG\r\n\x1a\n', 'an MNG'],
  ['\x8bJNG\r\n\x1a\n', 'a JNG'],
  ['8BPS', 'a Photoshop file'],
  ['qoif', 'a QOI'],
  ['\x76\x2f\x31\x01', 'an OpenEXR'],
  ['#?RADIANCE', 'a Radiance HDR'],
  ['\0\0\x01\0', 'a Windows icon'],
  ['DDS ', 'a DDS'],
  ['PF\n', 'a PFM with floating-point samples'],
  ['Pf\n', 'a PFM with floating-point samples'],
  ['<svg', 'an SVG'],
];

/** Names anything that is neither a PNG, a JPEG nor a PNM. @param bytes at least one */
export function nameForeignFormat(bytes: Uint8Array): ForeignFormat {
  const head = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
  if (head.startsWith('VAE\0')) {
    return { name: 'a .vae file', advice: 'decompress it first' };
  }
  const image = IMAGES.find(([beginning]) => begins(head, beginning));
  if (image !== undefined) {
    const [, name, peer] = image;
    return { name, advice: 'convert it to PNG first', ...(peer && { peer }) };
  }
  return { name: nameNoImage(head, bytes), advice: undefined };
}

function begins(head: string, beginning: string): boolean {
  return Array.from(beginning).every((wanted, at) =>
    wanted === '~' ? at < head.length : head[at] === wanted,
  );
}

function nameNoImage(head: string, bytes: Uint8Array): string {
  if (head.startsWith('PNG', 1)) {
    return 'a PNG whose first 8 bytes are damaged, as by a transfer in text mode';
  }
  if (/^[\t\n\r\x20-\x7e][\t\n\r\x20-\x7e\x80-\xff]*$/.test(head)) {
    return 'text';
  }
  const first = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0'));
  return `unknown bytes beginning ${first.join(' ')}`;
}
