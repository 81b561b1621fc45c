/**
 * Reads by sharp what is left to it. Sizes and memory are checked on the header, before anything of the picture's size is
 * allocated; what libvips only warns of is an error here.
 * @module
 */
import { FormatError, LimitError, UnsupportedError } from '../errors.js';
import { checkDimensions, checkPlannedMemory, type Limits } from '../limits.js';
import { settleAlpha } from './alpha.js';
import { BlockList } from './blocks.js';
import { type ColourReading, colourOfProfile, withColour } from './colour.js';
import { type Orientation, uprightExif } from './exif.js';
import { readJpegMetadata } from './jpeg-guard.js';
import { turnUpright } from './orient.js';
import { loadSharp, type PeerNeededError, type Sharp } from './peer.js';
import type { ChannelCount, Pixels } from './pixels.js';
import { bareExif } from './png-metadata.js';
import { printable } from './printable.js';
import type { ReadChoices } from './read-choices.js';

/** libvips's names of spaces whose samples are taken as they are; all others are converted. */
const OWN_SPACES: ReadonlySet<string> = new Set(['b-w', 'grey16', 'srgb', 'rgb', 'rgb16']);
const GREY_SPACES: ReadonlySet<string> = new Set(['b-w', 'grey16']);

/** libvips holds its own copy, sharp the raw samples, and we them upright. */
const COPIES = 4;

type Metadata = Awaited<ReturnType<Sharp['metadata']>>;

/**
 * @param needed what the readers of this room said of the file
 * @throws FormatError for damaged bytes, UnsupportedError where sharp is absent or its build lacks the kind, LimitError
 */
export async function readByPeer(
  needed: PeerNeededError,
  bytes: Uint8Array,
  limits: Limits,
  choices: ReadChoices,
): Promise<Pixels> {
  const sharp = await loadSharp(needed);
  const stage = needed.kind;
  const format = (sharp.format as unknown as Record<string, { input: { buffer: boolean } }>)[
    needed.kind
  ];
  if (format?.input.buffer !== true) {
    throw new UnsupportedError(
      `${stage}: expected a kind that this build of sharp reads, got ${needed.what}; convert it to PNG first`,
    );
  }
  const image = sharp(bytes, { limitInputPixels: limits.maxPixels, failOn: 'warning' });
  const metadata = await guarded(needed, () => image.metadata());
  const { width, height } = metadata;
  checkDimensions(stage, width, height, limits);
  const channels = metadata.hasAlpha ? 4 : 3;
  const sampleBytes = metadata.depth === 'uchar' ? 1 : 2;
  checkPlannedMemory(
    stage,
    bytes.length + COPIES * channels * sampleBytes * width * height,
    limits,
  );
  if ((metadata.pages ?? 1) > 1) {
    choices.onNote?.(`${stage}: ${metadata.pages} pictures read as the first of them`);
  }
  const samples = await guarded(needed, () => readSamples(image, metadata));
  const colour = colourOf(stage, metadata, samples.channels <= 2);
  if (colour.note !== undefined) choices.onNote?.(colour.note);
  const exif = uprightExif(bareExif(metadata.exif));
  const { xmp } = metadata;
  const segments = stage === 'jpeg' ? readJpegMetadata(bytes).segments : new BlockList();
  const segmentNote = segments.note(stage);
  if (segmentNote !== undefined) choices.onNote?.(segmentNote);
  const pixels = withColour(settleAlpha(samples, choices), colour, {
    ...(exif && { exif }),
    ...(xmp && xmp.length > 0 && { xmp }),
    ...(segments.blocks && { blocks: segments.blocks }),
  });
  return turnUpright(pixels, (metadata.orientation ?? 1) as Orientation);
}

function isOwnSpace({ space, depth }: Metadata): boolean {
  return OWN_SPACES.has(space) && (depth === 'uchar' || depth === 'ushort');
}

function colourOf(stage: string, metadata: Metadata, isGrey: boolean): ColourReading {
  if (isOwnSpace(metadata)) return colourOfProfile(stage, metadata.icc, isGrey);
  const by = metadata.icc === undefined ? 'without a profile of its own' : 'by its profile';
  return {
    colour: 'srgb',
    note: `${stage}: ${printable(metadata.space)} samples converted to sRGB ${by}`,
  };
}

async function readSamples(image: Sharp, metadata: Metadata): Promise<Pixels> {
  const is16 = metadata.depth === 'ushort' && isOwnSpace(metadata);
  const isGrey = GREY_SPACES.has(metadata.space) && isOwnSpace(metadata);
  // Its 8-bit grey has no alpha, so such a picture is fetched as RGB and alpha.
  const isFetchedGrey = isGrey && (is16 || !metadata.hasAlpha);
  const own = isOwnSpace(metadata) ? image.keepIccProfile() : image;
  const space = isFetchedGrey ? (is16 ? 'grey16' : 'b-w') : is16 ? 'rgb16' : 'srgb';
  const { data, info } = await own
    .toColourspace(space)
    .raw({ depth: is16 ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const samples = is16
    ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const size = { widthPx: info.width, heightPx: info.height };
  if (isGrey && info.channels === 4) {
    const pairs = samples.filter((_, at) => at % 4 === 0 || at % 4 === 3);
    return { ...size, channels: 2, data: pairs };
  }
  return { ...size, channels: info.channels as ChannelCount, data: samples };
}

/** What sharp throws, told in our words. */
async function guarded<T>(needed: PeerNeededError, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    const message = line.slice(0, 120).replace(/[^\x20-\x7e]/g, '?');
    if (/pixel limit/i.test(message)) {
      throw new LimitError(`${needed.kind}: ${message}; raise it with --max-pixels`, { cause });
    }
    if (/unsupported|plugin|codec/i.test(message)) {
      throw new UnsupportedError(
        `${needed.kind}: expected a kind that this build of sharp reads, got ${needed.what} (${message}); convert it to PNG first`,
        { cause },
      );
    }
    throw new FormatError(`${needed.kind}: expected a sound file, got ${message}`, 0, { cause });
  }
}
