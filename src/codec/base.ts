/**
 * Where the model alone ends: its finest coding, and the coders that go on from there.
 * @module
 */
import { sourceOf } from '../image/pixel-rows.js';
import type { Pixels, PlainPixels } from '../image/pixels.js';
import { type CandidateCoder, type ModelCoding, planesAlone, residualOf } from './fine.js';
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
): readonly CandidateCoder[] {
  const alone = planesAlone(job, colour);
  // What the model left is known only where everybody's decoder gives the same picture.
  const isLeftKnown = colour.data instanceof Uint8Array && job.codec.isExactFor(job.picture.pixels);
  return isLeftKnown ? [alone, residualOf(job, plain, base)] : [alone];
}

/** What a decoder here makes of coded colour. */
export async function decodeBare(
  job: ModelJob,
  plain: PlainPixels,
  coded: CodedColour,
): Promise<PlainPixels> {
  const { signal, trace } = job.options;
  const options = { ...(signal && { signal }), ...(trace && { trace }) };
  return (await job.codec.decompress(toFile(bareFrame(plain), coded), options)) as PlainPixels;
}
