/**
 * A picture that comes in pieces, from a file or a pipe: by rows where its kind has them as they are, from the file in
 * memory where they have to be inflated, else read whole.
 * @module
 */
import { LimitError } from '../errors.js';
import { defaultLimits } from '../limits.js';
import { ByteReader } from './byte-reader.js';
import { type ReadOptions, readImage } from './file.js';
import type { PixelSource } from './pixel-rows.js';
import type { Pixels } from './pixels.js';
import { isPng } from './png-chunks.js';
import { isPnm, PNM_HEAD_MAX_BYTES, readPnmHead } from './pnm.js';
import { pngSource } from './rows-png-read.js';
import { canStreamPnm, pnmSource } from './rows-pnm.js';

/** Smaller pictures are wanted whole by every coding. */
const PNG_WHOLE_MAX_PIXELS = 2 ** 24;

/**
 * @param chunks closed when this throws; whoever drops a source before its last row closes them
 * @throws LimitError when a file that must be read whole is longer than the memory that is granted; and as `readImage`,
 * for rows as they are read
 */
export async function openImage(
  chunks: AsyncIterable<Uint8Array>,
  options: ReadOptions = {},
): Promise<Pixels | PixelSource> {
  const bytes = new ByteReader(chunks);
  try {
    return await openBytes(bytes, options);
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

async function openBytes(bytes: ByteReader, options: ReadOptions): Promise<Pixels | PixelSource> {
  const limits = { ...defaultLimits(), ...options.limits };
  const beginning = await bytes.peek(PNM_HEAD_MAX_BYTES);
  if (isPnm(beginning)) {
    const head = readPnmHead(beginning, limits);
    if (canStreamPnm(head)) return pnmSource(bytes, head);
  }
  const whole = await bytes.rest(limits.maxMemoryBytes);
  if (whole === undefined) {
    throw new LimitError(
      `read: expected at most ${limits.maxMemoryBytes} bytes, got more; raise it with --max-memory`,
    );
  }
  const source = isPng(whole) ? pngSource(whole, limits, options, PNG_WHOLE_MAX_PIXELS) : undefined;
  return source ?? readImage(whole, options);
}
