/**
 * A decoded picture in memory: what every reader makes and every writer takes.
 * @module
 */
import { UnsupportedError, UsageError } from '../errors.js';

/** 1 = grey, 2 = grey and alpha, 3 = RGB, 4 = RGB and alpha. */
export type ChannelCount = 1 | 2 | 3 | 4;

/**
 * What colour the samples mean, all of them gamma-encoded. `icc` is whatever the profile among the metadata says; the
 * others are named, and no profile is carried.
 */
export type PixelColour = 'srgb' | 'display-p3' | 'adobe-rgb' | 'icc';

/** Index + 1 = code in a `.vae` file. */
export const BLOCK_KINDS = ['tEXt', 'zTXt', 'iTXt', 'xmp-extension', 'photoshop'] as const;
export type BlockKind = (typeof BLOCK_KINDS)[number];

export interface MetadataBlock {
  readonly kind: BlockKind;
  /**
   * The data of a PNG chunk; of `xmp-extension` what follows the mark of the APP1 segment, of `photoshop` the whole
   * APP13 segment, in which IPTC lies.
   */
  readonly bytes: Uint8Array;
}

/** What a JPEG segment holds beside its length. */
export const SEGMENT_DATA_MAX_BYTES = 65_533;
export const EXTENDED_XMP_MARK = 'http://ns.adobe.com/xmp/extension/\0';

const KEYWORD_MAX_BYTES = 79;

/** What travels with a picture untouched, each with bytes of its own or as a view of the file. */
export interface PixelMetadata {
  /** An ICC profile: exactly where `colour` is `icc`. */
  readonly icc?: Uint8Array;
  /** A TIFF structure from its byte-order mark on; upright, as pixels are, and without a thumbnail. */
  readonly exif?: Uint8Array;
  /** An XMP packet: XML, UTF-8. */
  readonly xmp?: Uint8Array;
  /** What only one kind of file has a place for, in the order of the file; at least one. */
  readonly blocks?: readonly MetadataBlock[];
}

/** Interleaved samples, row by row from the top, no padding between rows. */
export interface Pixels {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Alpha comes last and is not multiplied into the colour. */
  readonly channels: ChannelCount;
  /** `widthPx * heightPx * channels` samples: 0 to 255 as bytes, 0 to 65535 as words. */
  readonly data: Uint8Array | Uint16Array;
  /** `srgb` where left out. Grey has the transfer curve of the space and nothing else. */
  readonly colour?: PixelColour;
  readonly metadata?: PixelMetadata;
}

/** Opaque pictures of 8 bits. */
export interface PlainPixels extends Pixels {
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

const COLOURS: ReadonlySet<unknown> = new Set<PixelColour>([
  'srgb',
  'display-p3',
  'adobe-rgb',
  'icc',
]);

/** Whether the last channel is alpha. */
export function hasAlpha({ channels }: Pick<Pixels, 'channels'>): boolean {
  return channels === 2 || channels === 4;
}

/** What a fully opaque or white sample is: 255 or 65535. */
export function largestSample({ data }: Pick<Pixels, 'data'>): number {
  return data.BYTES_PER_ELEMENT === 2 ? 65_535 : 255;
}

/** Samples of the same depth, to be filled. A slice will not do: that of a Buffer is a view. */
export function newSamples({ data }: Pick<Pixels, 'data'>, length: number): Pixels['data'] {
  return data instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);
}

/** Whether a file of its kind can hold the block. A text needs its keyword; nothing else of it is looked at. */
export function isSoundBlock({ kind, bytes }: MetadataBlock): boolean {
  if (kind === 'xmp-extension' || kind === 'photoshop') {
    const markByteLength = kind === 'xmp-extension' ? EXTENDED_XMP_MARK.length : 0;
    return bytes.length > 0 && bytes.length + markByteLength <= SEGMENT_DATA_MAX_BYTES;
  }
  const keywordEnd = bytes.subarray(0, KEYWORD_MAX_BYTES + 1).indexOf(0);
  return keywordEnd > 0;
}

/**
 * Checks that the record is what it says, as callers outside TypeScript may hand over anything.
 * @throws UsageError when sides, channels and length do not agree, or colour and profile do not
 */
export function checkPixels(stage: string, pixels: Pixels): void {
  const { widthPx, heightPx, channels, data, colour = 'srgb', metadata = {} } = pixels;
  if (!Number.isInteger(widthPx) || !Number.isInteger(heightPx) || widthPx < 1 || heightPx < 1) {
    throw new UsageError(`${stage}: expected sides of at least 1 px, got ${widthPx}x${heightPx}`);
  }
  if (channels !== 1 && channels !== 2 && channels !== 3 && channels !== 4) {
    throw new UsageError(`${stage}: expected 1 to 4 channels, got ${String(channels)}`);
  }
  const expected = widthPx * heightPx * channels;
  const isSamples = data instanceof Uint8Array || data instanceof Uint16Array;
  if (!isSamples || data.length !== expected) {
    const unit = isSamples && data.BYTES_PER_ELEMENT === 2 ? 'words' : 'bytes';
    const got = isSamples ? `${data.length}` : typeof data;
    throw new UsageError(
      `${stage}: expected ${expected} ${unit} for ${widthPx}x${heightPx}x${channels}, got ${got}`,
    );
  }
  if (!COLOURS.has(colour)) {
    throw new UsageError(
      `${stage}: expected colour ${[...COLOURS].join(', ')}, got ${String(colour)}`,
    );
  }
  for (const name of ['icc', 'exif', 'xmp'] as const) {
    const bytes: unknown = metadata[name];
    if (bytes !== undefined && !(bytes instanceof Uint8Array && bytes.length > 0)) {
      throw new UsageError(`${stage}: expected bytes as ${name}, got ${String(bytes) || 'none'}`);
    }
  }
  for (const block of metadata.blocks ?? []) {
    const isBlock = BLOCK_KINDS.includes(block.kind) && block.bytes instanceof Uint8Array;
    if (!isBlock || !isSoundBlock(block)) {
      throw new UsageError(
        `${stage}: expected blocks of ${BLOCK_KINDS.join(', ')} as files hold them, got another`,
      );
    }
  }
  if ((colour === 'icc') !== (metadata.icc !== undefined)) {
    throw new UsageError(
      `${stage}: expected a profile with colour icc and with no other, got colour ${colour} ${metadata.icc ? 'and' : 'without'} a profile`,
    );
  }
}

/**
 * Narrows to what works on opaque 8-bit samples alone.
 * @throws UsageError as `checkPixels`, UnsupportedError for alpha and for 16 bits
 */
export function checkPlainPixels(stage: string, pixels: Pixels): asserts pixels is PlainPixels {
  checkPixels(stage, pixels);
  if (hasAlpha(pixels)) {
    throw new UnsupportedError(
      `${stage}: expected 1 or 3 channels, got ${pixels.channels}; put a colour under alpha with --background`,
    );
  }
  if (!(pixels.data instanceof Uint8Array)) {
    throw new UnsupportedError(
      `${stage}: expected samples of 8 bits, got 16; reduce them to 8 first`,
    );
  }
}
