/**
 * A picture taken apart before its colour is coded: alpha by itself, what travels with it, and colour as samples that a
 * network or the plane coder takes.
 * @module
 */
import type { ContainerStream } from '../container/layout.js';
import { PixelCollector, type PixelSource } from '../image/pixel-rows.js';
import { hasAlpha, type Pixels } from '../image/pixels.js';
import { checkRange } from '../limits.js';
import type { Aim } from './aim.js';
import { coarserAlpha, fillUnseen, splitAlpha } from './alpha.js';
import { metadataStreams } from './metadata.js';
import { needsWhole } from './modes.js';
import type { CompressOptions } from './options.js';
import { codePlanes, type Job } from './planes.js';
import type { Frame } from './to-file.js';

/** A reader of rows keeps no more than it is asked for. */
const ROWS_AT_ONCE = 256;

export interface SettledPicture {
  readonly frame: Frame;
  /** One or three channels; rows only where nothing needs the whole, and then of 8 bits. */
  readonly colour: Pixels | PixelSource;
  /** As it came, where it is here whole. */
  readonly original?: Pixels;
}

/** @throws UsageError when the quality of alpha is out of range */
export async function settle(
  job: Job,
  input: Pixels | PixelSource,
  aim: Aim,
  { alphaQuality = 100, strip = false, verify = false, onNote }: CompressOptions,
): Promise<SettledPicture> {
  checkRange('compress: alphaQuality', alphaQuality, 1, 100);
  const { widthPx, heightPx, channels } = input;
  const metadata = metadataStreams(input, strip);
  if (strip && input.colour === 'icc') {
    onNote?.('compress: the colour profile is left out; samples will be read as sRGB');
  }
  const frame = {
    widthPx,
    heightPx,
    grey: channels < 3,
    sixteenBit: 'data' in input ? input.data.BYTES_PER_ELEMENT === 2 : input.bitsPerSample === 16,
    colour: metadata.colour,
  };
  const isWhole = needsWhole(aim, job.opened.model.manifest, widthPx * heightPx) || verify;
  if (!('data' in input) && !isWhole && !hasAlpha(input) && !frame.sixteenBit) {
    return { frame: { ...frame, streams: metadata.streams }, colour: input };
  }
  const original = 'data' in input ? input : await collected(input);
  const { colour, alpha } = splitAlpha(original);
  if (alpha === undefined) {
    return { frame: { ...frame, streams: metadata.streams }, colour, original };
  }
  // What is not seen is part of the picture where every sample is to come back.
  const seen = aim.kind === 'lossless' ? colour : fillUnseen(colour, alpha);
  const shape = {
    widthPx,
    heightPx,
    components: 1,
    dtype: frame.sixteenBit ? 'u16' : 'u8',
  } as const;
  const held = { ...job, heldByteLength: job.heldByteLength + colour.data.byteLength };
  const code = (samples: typeof alpha) => codePlanes(held, samples, shape, { maxError: 0 });
  const exact = await code(alpha);
  const isExact = aim.kind === 'lossless' || alphaQuality >= 100;
  const coarse = isExact ? exact : await code(coarserAlpha(alpha, alphaQuality));
  // Fewer levels of a smooth ramp can cost more than all of them.
  const bytes = coarse.length < exact.length ? coarse : exact;
  const streams: readonly ContainerStream[] = [{ type: 'alpha', bytes }, ...metadata.streams];
  return { frame: { ...frame, streams }, colour: seen, original };
}

async function collected(source: PixelSource): Promise<Pixels> {
  const { readRows: _, ...format } = source;
  const collector = new PixelCollector();
  collector.begin(format);
  for (let row = 0; row < format.heightPx; row += ROWS_AT_ONCE) {
    collector.writeRows(await source.readRows(Math.min(ROWS_AT_ONCE, format.heightPx - row)));
  }
  return collector.pixels;
}
