/**
 * What travels with a picture: colour, profile, EXIF, XMP, texts, to streams of a file and back, byte for byte.
 * @module
 */
import { deflateSync, inflateSync } from 'node:zlib';
import type { VaeFile } from '../container/file.js';
import type { ColourSpace, ContainerStream, StreamType } from '../container/layout.js';
import type { ParsedHeader } from '../container/read.js';
import { FormatError } from '../errors.js';
import type { PixelFormat } from '../image/pixel-rows.js';
import type { PixelMetadata } from '../image/pixels.js';
import { packBlocks, readBlocks } from './metadata-blocks.js';

/** No profile comes near; what inflates to more is a bomb. */
const ICC_MAX_BYTES = 32 * 2 ** 20;

/** @param strip leaves all of it out, the profile too: its samples are then read as sRGB */
export function metadataStreams(
  { colour = 'srgb', metadata = {} }: Pick<PixelFormat, 'colour' | 'metadata'>,
  strip: boolean,
): { readonly colour: ColourSpace; readonly streams: readonly ContainerStream[] } {
  if (strip) return { colour: colour === 'icc' ? 'srgb' : colour, streams: [] };
  const { icc, exif, xmp, blocks = [] } = metadata;
  const packed = packBlocks(blocks);
  return {
    colour,
    streams: [
      ...(icc ? [{ type: 'icc', bytes: deflated(icc) } as const] : []),
      ...(exif ? [{ type: 'exif', bytes: exif } as const] : []),
      ...(xmp ? [{ type: 'xmp', bytes: xmp } as const] : []),
      ...(packed.length > 0 ? [{ type: 'blocks', bytes: deflated(packed) } as const] : []),
    ],
  };
}

/** @throws FormatError when a stream is damaged, or the profile is none */
export async function readMetadata(
  file: VaeFile,
  header: ParsedHeader,
): Promise<Pick<PixelFormat, 'colour' | 'metadata'>> {
  const [icc, exif, xmp, packed] = [
    await readStream(file, header, 'icc'),
    await readStream(file, header, 'exif'),
    await readStream(file, header, 'xmp'),
    await readStream(file, header, 'blocks'),
  ];
  const blocks = packed && readBlocks(packed);
  const metadata: PixelMetadata = {
    ...(icc && { icc: inflated(icc) }),
    ...(exif && exif.length > 0 && { exif: exif.slice() }),
    ...(xmp && xmp.length > 0 && { xmp: xmp.slice() }),
    ...(blocks && blocks.length > 0 && { blocks }),
  };
  return {
    // A picture of sRGB says nothing, as most files do.
    ...(header.colour !== 'srgb' && { colour: header.colour }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}

/** @returns the bytes of a stream that is one part, checked; `undefined` where the file has none */
export function readStream(
  file: VaeFile,
  { directory }: ParsedHeader,
  type: StreamType,
): Promise<Uint8Array | undefined> {
  const [part] = directory.find((entry) => entry.type === type)?.parts ?? [];
  return part ? file.readPart(part, `stream ${type}`) : Promise.resolve(undefined);
}

function deflated(bytes: Uint8Array): Uint8Array {
  return deflateSync(bytes, { level: 9 });
}

function inflated(bytes: Uint8Array): Uint8Array {
  try {
    const profile = inflateSync(bytes, { maxOutputLength: ICC_MAX_BYTES });
    if (profile.length === 0) throw new RangeError('empty');
    return new Uint8Array(profile);
  } catch (cause) {
    throw new FormatError(
      `decompress: expected a deflated profile of 1 to ${ICC_MAX_BYTES} bytes, got what does not inflate to one`,
      0,
      { cause },
    );
  }
}
