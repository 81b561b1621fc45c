/**
 * Pixels to the bytes of a `.vae` file.
 * @module
 */
import { UsageError } from '../errors.js';
import type { PixelSource } from '../image/pixel-rows.js';
import { checkPixels, type Pixels } from '../image/pixels.js';
import { checkDimensions } from '../limits.js';
import { aimOf } from './aim.js';
import { settle } from './frame.js';
import { codeColour } from './modes.js';
import type { Codec } from './open.js';
import { type CompressOptions, checkCompressOptions } from './options.js';
import { planPicture } from './plan.js';
import type { Job } from './planes.js';
import { toFile } from './to-file.js';
import { checkKept } from './verify.js';

/** See `Codec.compress`. */
export async function compressPixels(
  codec: Codec,
  input: Pixels | PixelSource,
  options: CompressOptions,
): Promise<Uint8Array> {
  checkCompressOptions(options);
  if (typeof input !== 'object' || input === null) {
    throw new UsageError(`compress: expected pixels or a source of them, got ${typeof input}`);
  }
  if ('data' in input) checkPixels('compress', input);
  const { widthPx, heightPx } = input;
  checkDimensions('compress', widthPx, heightPx, codec.limits);
  const aim = aimOf(options, widthPx * heightPx);
  const opened = await codec.openModel(options.tune);
  const picture = planPicture(opened.model.manifest, widthPx, heightPx);
  const heldByteLength = 'data' in input ? input.data.byteLength : (input.heldByteLength ?? 0);
  const job = { codec, opened, picture, options, heldByteLength };
  const { frame, colour, original } = await settle(job, input, aim, options);
  const file = toFile(
    frame,
    await codeColour(holding(job, colour, original), colour, frame, aim, options),
  );
  if (options.verify && original !== undefined) {
    const { signal } = options;
    await checkKept(
      original,
      await codec.decompress(file, { ...(signal && { signal }) }),
      aim,
      options,
    );
  }
  return file;
}

/** The picture is here whole where it came so, or was gathered; without its alpha it is another. */
function holding<J extends Job>(job: J, colour: Pixels | PixelSource, original?: Pixels): J {
  if (original === undefined) return job;
  const own = 'data' in colour && colour.data !== original.data ? colour.data.byteLength : 0;
  return { ...job, heldByteLength: original.data.byteLength + own };
}
