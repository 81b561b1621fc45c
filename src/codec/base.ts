/**
 * Where the model alone ends: its finest coding, the coders that go on from there, and drawn pictures.
 * @module
 */
import { sourceOf } from '../image/pixel-rows.js';
import type { Pixels, PlainPixels } from '../image/pixels.js';
import { decompressBytes } from './decompress.js';
import { isDrawn } from './drawn.js';
import {
  byteLengthOf,
  type CandidateCoder,
  type CandidateCoders,
  finestFor,
  type ModelCoding,
  planesAlone,
  residualOf,
  smaller,
} from './fine.js';
import { heldByJudge, type Judge, judgeOf } from './judge.js';
import { codeAtRate, type ModelJob } from './latents.js';
import type { Job } from './planes.js';
import { bareFrame, type CodedColour, toFile } from './to-file.js';

/** The model's finest rate of use. */
export function finestRate({ opened }: Job): number {
  return Math.min(4095, opened.model.manifest.residualFrom);
}

/** Codes and decodes at the model's finest rate. */
export async function finestOfModel(job: ModelJob, plain: PlainPixels): Promise<ModelCoding> {
  const { model } = job.opened;
  const latents = await codeAtRate(job, sourceOf(plain), finestRate(job));
  const coded = { mode: 'model', latents, model } as const;
  return { coded, decoded: await decodeBare(job, plain, coded) };
}

/** What codings of a picture are compared with: of 16 bits where the picture is. */
export function originalOf(colour: Pixels, plain: PlainPixels): Pixels {
  return colour.data instanceof Uint16Array ? colour : plain;
}

/** A call that holds so much more beside what the model decodes to, while codings of the picture are judged. */
function holding(job: ModelJob, plain: PlainPixels, byteLength: number): ModelJob {
  const judging = heldByJudge(judgeOf(job.opened.model.manifest, plain), plain);
  return { ...job, heldByteLength: job.heldByteLength + plain.data.length + byteLength + judging };
}

/** The picture's own coder, for one that is tried beside the model. */
export function aloneBeside(job: ModelJob, colour: Pixels, plain: PlainPixels): CandidateCoder {
  // The best coding, a rival and the nearly lossless one, at worst raw, and what the rival decodes to.
  return planesAlone(holding(job, plain, 4 * colour.data.byteLength), colour);
}

/**
 * The coding of a drawn picture without the model, where that is smaller and no worse; else `coded`.
 * @param least what it has to reach by `judge`, asked for only where the picture itself is larger
 */
export async function unlessDrawn(
  job: ModelJob,
  colour: Pixels,
  plain: PlainPixels,
  coded: CodedColour,
  judge: Judge,
  least: () => number | Promise<number>,
): Promise<CodedColour> {
  if (!isDrawn(plain)) return coded;
  const alone = aloneBeside(job, colour, plain);
  const exact = await alone.code({ maxError: 0 });
  if (byteLengthOf(exact) <= byteLengthOf(coded)) return exact;
  return smaller(coded, await finestFor([alone], originalOf(colour, plain), judge, await least()));
}

/** All coders that go on from there. */
export function fineCoders(
  job: ModelJob,
  colour: Pixels,
  plain: PlainPixels,
  base: ModelCoding,
): CandidateCoders {
  const alone = aloneBeside(job, colour, plain);
  // What the model left is known only where everybody's decoder gives the same picture.
  const isLeftKnown = colour.data instanceof Uint8Array && job.codec.isExactFor(job.picture.pixels);
  // 16 bits a sample: what was left, and what that decodes to, twice.
  return isLeftKnown
    ? [alone, residualOf(holding(job, plain, 8 * plain.data.length), plain, base)]
    : [alone];
}

/** What a decoder here makes of coded colour. */
export async function decodeBare(
  job: ModelJob,
  plain: PlainPixels,
  coded: CodedColour,
): Promise<PlainPixels> {
  const { signal, trace } = job.options;
  const options = { ...(signal && { signal }), ...(trace && { trace }) };
  const file = toFile(bareFrame(plain), coded);
  return (await decompressBytes(job.codec, file, options, job.heldByteLength)) as PlainPixels;
}
