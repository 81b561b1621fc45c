/**
 * Where the model alone ends: its finest coding, and the coders that go on from there.
 * @module
 */
import { sourceOf } from '../image/pixel-rows.js';
import type { Pixels, PlainPixels } from '../image/pixels.js';
import { type CandidateCoder, type ModelCoding, planesAlone, residualOf } from './fine.js';
import { codeAtRate, type ModelJob } from './latents.js';
import { bareFrame, type CodedColour, toFile } from './to-file.js';

/** All coders past the model, and the coding of the model that they begin at. */
export async function fineCoders(
  job: ModelJob,
  colour: Pixels,
  plain: PlainPixels,
): Promise<{ readonly coders: readonly CandidateCoder[]; readonly base: ModelCoding }> {
  const { model } = job.opened;
  const rate = Math.min(4095, model.manifest.residualFrom);
  const latents = await codeAtRate(job, sourceOf(plain), rate);
  const coded = { mode: 'model', latents, model } as const;
  const base = { coded, decoded: await decodeBare(job, plain, coded) };
  const alone = planesAlone(job, colour);
  // What the model left is known only where everybody's decoder gives the same picture.
  const isLeftKnown = colour.data instanceof Uint8Array && job.codec.isExactFor(job.picture.pixels);
  return { base, coders: isLeftKnown ? [alone, residualOf(job, plain, base)] : [alone] };
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
