/**
 * Where the model alone ends: its finest coding, and the coders that go on from there.
 * @module
 */
import { sourceOf } from '../image/pixel-rows.js';
import type { Pixels, PlainPixels } from '../image/pixels.js';
import { decompressBytes } from './decompress.js';
import { type CandidateCoders, type ModelCoding, planesAlone, residualOf } from './fine.js';
import { heldByJudge, judgeOf } from './judge.js';
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

/** All coders that go on from there. */
export function fineCoders(
  job: ModelJob,
  colour: Pixels,
  plain: PlainPixels,
  base: ModelCoding,
): CandidateCoders {
  const samples = plain.data.length;
  const judging = heldByJudge(judgeOf(job.opened.model.manifest, plain), plain);
  const holding = (byteLength: number) => ({
    ...job,
    heldByteLength: job.heldByteLength + samples + byteLength + judging,
  });
  // Beside what the model decodes to: the best coding, a rival and the nearly lossless one, at worst raw, and what the
  // rival decodes to.
  const alone = planesAlone(holding(4 * colour.data.byteLength), colour);
  // What the model left is known only where everybody's decoder gives the same picture.
  const isLeftKnown = colour.data instanceof Uint8Array && job.codec.isExactFor(job.picture.pixels);
  // 16 bits a sample: what was left, and what that decodes to, twice.
  return isLeftKnown ? [alone, residualOf(holding(8 * samples), plain, base)] : [alone];
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
