/**
 * How the colour of a picture is coded: by the model, by the model and what it left, or without it.
 * @module
 */
import { type PixelSource, sourceOf } from '../image/pixel-rows.js';
import type { Pixels, PlainPixels } from '../image/pixels.js';
import { rateOfQuality } from '../models/quality.js';
import type { Manifest } from '../models/schemas.js';
import type { Aim } from './aim.js';
import { decodeBare, fineCoders, finestOfModel, originalOf, unlessDrawn } from './base.js';
import { isDrawn } from './drawn.js';
import {
  byteLengthOf,
  type CandidateCoder,
  FINEST_MAX_ERROR,
  FINEST_PSNR_DB,
  finestFor,
  nearlyLossless,
  noSmallerThan,
  planesAlone,
  smaller,
} from './fine.js';
import { type Judge, judgeOf, measure } from './judge.js';
import { codeAtRate, type ModelJob } from './latents.js';
import type { CompressOptions } from './options.js';
import type { CodedColour, Frame } from './to-file.js';
import { codeToMetric, codeToSize } from './tries.js';

const NOTE_16_BITS = 'compress: 16-bit samples are reduced to 8 bits by this mode';

/** Rows are enough for none but the model; what may need the whole picture is decided before it is read. */
export function needsWhole(aim: Aim, manifest: Manifest, pixelCount: number): boolean {
  if (aim.kind === 'quality' && aim.quality < fineFrom(manifest))
    return pixelCount <= DRAWN_MAX_PIXELS;
  return true;
}

/** Larger pictures are not looked at for being drawn: they may come by rows. */
const DRAWN_MAX_PIXELS = 2 ** 24;

export async function codeColour(
  job: ModelJob,
  colour: Pixels | PixelSource,
  frame: Frame,
  aim: Aim,
  { onNote }: CompressOptions,
): Promise<CodedColour> {
  if (!('data' in colour)) return codeByModel(job, colour, aim);
  if (aim.kind === 'lossless') return planesAlone(job, colour).code({ maxError: 0 });
  const plain = reduced(colour);
  const isCopy = plain.data !== colour.data;
  const held = isCopy
    ? { ...job, heldByteLength: job.heldByteLength + plain.data.byteLength }
    : job;
  const coded = await codeWhole(held, colour, plain, frame, aim);
  if (frame.sixteenBit && coded.mode !== 'planes') onNote?.(NOTE_16_BITS);
  return coded;
}

function codeWhole(
  job: ModelJob,
  colour: Pixels,
  plain: PlainPixels,
  frame: Frame,
  aim: Exclude<Aim, { kind: 'lossless' }>,
): Promise<CodedColour> {
  switch (aim.kind) {
    case 'size':
      return codeToSize(job, colour, plain, frame, aim.maxByteLength);
    case 'psnr':
    case 'ssim':
      return codeToMetric(job, colour, plain, aim.kind, aim.least);
    case 'quality':
      return aim.quality < fineFrom(job.opened.model.manifest)
        ? codeCoarse(job, colour, plain, aim)
        : codeFine(job, colour, plain, aim.quality);
  }
}

/** By the model; a drawn picture without it where that is smaller and no worse. */
async function codeCoarse(
  job: ModelJob,
  colour: Pixels,
  plain: PlainPixels,
  aim: Extract<Aim, { kind: 'quality' }>,
): Promise<CodedColour> {
  const coded = await codeByModel(job, sourceOf(plain), aim);
  if (plain.widthPx * plain.heightPx > DRAWN_MAX_PIXELS) return coded;
  const judge = judgeOf(job.opened.model.manifest, plain);
  return unlessDrawn(job, colour, plain, coded, judge, async () =>
    measure(judge, plain, await decodeBare(job, plain, coded)),
  );
}

/** Past the model's last rate: as `fine.ts` tells. */
async function codeFine(
  job: ModelJob,
  colour: Pixels,
  plain: PlainPixels,
  quality: number,
): Promise<CodedColour> {
  const base = await finestOfModel(job, plain);
  const coders = fineCoders(job, colour, plain, base);
  const [alone] = coders;
  const drawn = isDrawn(plain);
  if (drawn) {
    // Below, such a picture went over to this as soon as the model took as many bytes, and so it stays.
    const exact = await alone.code({ maxError: 0 });
    if (byteLengthOf(exact) <= byteLengthOf(base.coded)) return exact;
  }
  const original = originalOf(colour, plain);
  const judge = judgeOf(job.opened.model.manifest, plain);
  const reached = await measure(judge, plain, base.decoded);
  const last = Math.max(reached, await finestOf(judge, alone, original));
  const floor = drawn ? 0 : byteLengthOf(base.coded);
  if (quality >= 100) return nearlyLossless(coders, original, judge, last, floor);
  const from = fineFrom(job.opened.model.manifest);
  const least = reached + ((last - reached) * (quality - from)) / (100 - from);
  const fine = await finestFor(coders, original, judge, least);
  if (byteLengthOf(fine) >= floor) return least > reached ? fine : smaller(base.coded, fine);
  // Lower qualities took the model's bytes; fewer here would be a fall, so they are spent on a better picture.
  return noSmallerThan(floor, coders);
}

/** What the scale ends at: a largest error of 2 levels. Squared errors of it are alike for all pictures, scores are not. */
async function finestOf(judge: Judge, { code, decode }: CandidateCoder, original: Pixels) {
  if (judge === 'psnr') return FINEST_PSNR_DB;
  return measure(judge, original, await decode(await code({ maxError: FINEST_MAX_ERROR })));
}

async function codeByModel(job: ModelJob, source: PixelSource, aim: Aim): Promise<CodedColour> {
  const { model } = job.opened;
  const quality = aim.kind === 'quality' ? aim.quality : 100;
  const rate = rateOfQuality(model.manifest, quality);
  return { mode: 'model', latents: await codeAtRate(job, source, rate), model };
}

/** The first quality whose rate a residual or planes serve better; 100 where that is never. */
function fineFrom({ quality, residualFrom }: Manifest): number {
  const index = quality.findIndex((rate) => rate >= residualFrom);
  return index < 0 ? 100 : index + 1;
}

/** Colour of 8 bits, as networks take it. @param colour of one or three channels */
function reduced(colour: Pixels): PlainPixels {
  const { data } = colour;
  const channels = colour.channels === 1 ? 1 : 3;
  if (data instanceof Uint8Array) return { ...colour, channels, data };
  return { ...colour, channels, data: Uint8Array.from(data, (value) => Math.round(value / 257)) };
}
