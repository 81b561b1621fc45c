/**
 * The `.vae` file, format version 1, as prose and constants: a reader can be written from this file alone.
 *
 * A file is one header followed by one or more streams, with nothing between them and nothing after the last.
 * All integers are little-endian. `varint` is unsigned LEB128: 7 bits a byte, lowest first, bit 7 set on every byte
 * but the last; 1 to 5 bytes, 0 to 2^32 - 1, always in the fewest bytes (a last byte of 0 is legal only alone).
 * CRC-32 is that of zlib and PNG (reflected polynomial 0xEDB88320).
 *
 * ```
 * HEADER
 * bytes   field             range and meaning
 * 4       magic             56 41 45 00 ("VAE\0")
 * 1       major             1. A reader refuses any other
 * 1       minor             0. A reader of major 1 reads any minor
 * varint  restByteLength    bytes after this field to the header's end, its CRC included: 26 to 1,048,576
 * varint  widthPx           1 to 2^32 - 1; a reader applies its limits before it allocates
 * varint  heightPx          1 to 2^32 - 1
 * 8       modelId           first 8 bytes of the SHA-256 over what decoding depends on; zero in mode planes
 * 2       rateAndMode       bits 0-11 rate, 0 to 4095
 *                           bits 12-13 mode: 0 model, 1 model+residual, 2 planes (3 is refused)
 *                           bits 14-15 zero
 * 1       colourAndCoder    bits 0-3 colour: 0 sRGB, 1 Display P3, 2 Adobe RGB, 3 see the icc stream
 *                           bits 4-7 entropy coder of the latent stream: 0 static, 1 context
 * 1       flags             bit 0 the source was grey (one channel comes back)
 *                           bit 1 there is an alpha stream
 *                           bit 2 the source had 16 bits a sample
 *                           bit 3 a model name follows
 *                           bits 4-7 zero
 * varint  sliceRows         rows of the coarsest latent grid in each slice, the last may have fewer;
 *                           0 = the latent stream is one slice
 * 1 + n   modelName         only with flag bit 3: n, 1 to 32, then n bytes of printable ASCII (20 to 7E)
 * 1       streamCount       1 to 16, then so many directory entries, types strictly rising:
 *   1       type            bits 0-6 type, 1 to 127; bit 7 required
 *   varint  byteLength      of the stream
 *   4       crc             CRC-32 of the stream; of its first slice where it has a sliceCount
 *   varint  sliceCount      only in the latent entry, and only where sliceRows > 0: 1 to 65,536
 *   varint  sliceByteLength sliceCount - 1 times: all slices but the last, which has what remains of byteLength
 *   4       sliceCrc        sliceCount - 1 times: CRC-32 of every slice but the first
 * k       later fields      only where minor > 0: what a later minor appended; skipped
 * 4       crc               CRC-32 of every byte before it, from the magic on
 *
 * STREAMS
 * in the directory's order, each exactly byteLength bytes; the file ends with the last one
 *
 * type  name    required  what
 * 1     latent  yes       entropy-coded latent symbols, slice after slice from the top
 * 2     planes  yes       residual to the decoded picture (model+residual), or the picture itself (planes)
 * 3     alpha   yes       alpha plane
 * 4     icc     no        colour profile, deflated
 * 5     exif    no        EXIF, from its byte-order mark on
 * 6     xmp     no        XMP packet
 * 7     note    no        JSON, UTF-8
 * 8     blocks  no        metadata of one kind of source, deflated: records as below
 * 9     filter  yes       23 bytes, i8: what the model's restoration filter is adjusted by, see
 *                         crates/vaerans-core/src/restoration; may be left out
 * ```
 *
 * A record of `blocks` is 1 byte kind, 4 bytes byteLength, then so many bytes; kinds: 1 tEXt, 2 zTXt, 3 iTXt (data of a
 * PNG chunk), 4 extended XMP (of a JPEG's APP1, what follows the mark), 5 a JPEG's APP13 segment (IPTC). At most 1,000
 * records, of 8,388,608 bytes together. A reader that makes another kind of picture leaves out what has no place there.
 *
 * Which streams there are follows from the header: `latent` unless mode is `planes`, and only then `filter` may be there;
 * `planes` unless mode is `model`;
 * `alpha` exactly with flag bit 1; `icc` exactly with colour 3; `sliceRows` is 0 where there is no `latent`. A known
 * type carries the required bit as the table says. An unknown type with the bit is refused, without it skipped
 * (its CRC is still checked).
 *
 * A slice is one run of bytes whatever the number of the model's latent grids: the symbols of the coarsest grid first, then
 * those of the finer one, in the rows that lie in the slice's rows of the coarsest; see crates/vaerans-core/src/context.
 *
 * A reader gives nothing out of a file in which a checksum is wrong. One that wants a part of the picture only may leave
 * slices unread that this part does not depend on; it checks the header, every other stream it reads, and the slices it
 * reads, before it gives anything out, and says nothing of the rest. Where it is asked for what is left of a damaged file,
 * it takes the slices and streams whose checksums hold, marks the rows of the others, and says which they are.
 *
 * A later minor may add optional stream types and append header fields, nothing else; what an older reader could not
 * ignore safely takes a required stream type or a higher major. So reserved bits that are set are always refused.
 *
 * A plain file (one slice, no name, one stream under 2^28 bytes, sides under 2^21 px) spends at most 40 bytes here.
 * @module
 */

export const MAGIC = Uint8Array.of(0x56, 0x41, 0x45, 0x00);
export const VERSION_MAJOR = 1;
export const VERSION_MINOR = 0;

export const REST_MIN_BYTES = 26;
export const REST_MAX_BYTES = 1_048_576;
/** Most bytes of a whole header, whose `restByteLength` then takes 3; `readHeader` never needs more of a file. */
export const HEADER_MAX_BYTES = 9 + REST_MAX_BYTES;

export const MODEL_ID_BYTES = 8;
export const NO_MODEL_ID = '0000000000000000';
export const MODEL_NAME_MAX_BYTES = 32;
export const RATE_MAX = 4095;
export const STREAMS_MAX = 16;
export const SLICES_MAX = 65_536;
export const VARINT_MAX = 0xffff_ffff;

/** Index = code in the file. */
export const MODES = ['model', 'model+residual', 'planes'] as const;
export const COLOURS = ['srgb', 'display-p3', 'adobe-rgb', 'icc'] as const;
export const CODERS = ['static', 'context'] as const;

export const FLAG_GREY = 1;
export const FLAG_ALPHA = 2;
export const FLAG_SIXTEEN_BIT = 4;
export const FLAG_MODEL_NAME = 8;

export const REQUIRED_BIT = 0x80;

/** Index + 1 = type code in the file. */
export const STREAM_TYPES = [
  'latent',
  'planes',
  'alpha',
  'icc',
  'exif',
  'xmp',
  'note',
  'blocks',
  'filter',
] as const;

export type CodingMode = (typeof MODES)[number];
export type ColourSpace = (typeof COLOURS)[number];
export type EntropyCoder = (typeof CODERS)[number];
export type StreamType = (typeof STREAM_TYPES)[number];

/** Types without which a picture cannot be shown as it was; they carry the required bit. */
export const REQUIRED_STREAM_TYPES: ReadonlySet<StreamType> = new Set([
  'latent',
  'planes',
  'alpha',
  'filter',
]);

/** What a file says about its picture and how that was coded. */
export interface ContainerHeader {
  /** 1 to 2^32 - 1. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** 16 lower-case hex digits; all zero where mode is `planes`, which needs no model. */
  readonly modelId: string;
  /** 1 to 32 printable ASCII characters; left out for the default model. */
  readonly modelName?: string;
  /** 0 to 4095. */
  readonly rate: number;
  readonly mode: CodingMode;
  readonly colour: ColourSpace;
  readonly coder: EntropyCoder;
  /** The source had one channel, and one comes back. */
  readonly grey: boolean;
  readonly alpha: boolean;
  readonly sixteenBit: boolean;
  /** Rows of the coarsest latent grid in each slice; 0 = one slice. */
  readonly sliceRows: number;
}

/** One stream with its bytes, which the reader gives as a view of the file. */
export interface ContainerStream {
  readonly type: StreamType;
  readonly bytes: Uint8Array;
  /** All slice lengths in bytes, their sum is `bytes.length`: of `latent` where `sliceRows` > 0, else left out. */
  readonly sliceByteLengths?: readonly number[];
}

/** Which streams a header calls for: with `true` it must be there, with `false` it must not; others may be. */
export function expectedStreams(
  header: ContainerHeader,
): readonly (readonly [type: StreamType, isPresent: boolean])[] {
  return [
    ['latent', header.mode !== 'planes'],
    ['planes', header.mode !== 'model'],
    ['alpha', header.alpha],
    ['icc', header.colour === 'icc'],
    ...(header.mode === 'planes' ? ([['filter', false]] as const) : []),
  ];
}
