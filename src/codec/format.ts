/**
 * What a header says of the picture that decoding gives.
 * @module
 */
import type { ContainerHeader } from '../container/layout.js';
import type { PixelFormat } from '../image/pixel-rows.js';

/** What decoding gives, before a region is cut out. */
export function formatOf({
  widthPx,
  heightPx,
  grey,
  alpha,
  sixteenBit,
}: ContainerHeader): PixelFormat {
  const colours = grey ? 1 : 3;
  const channels = (alpha ? colours + 1 : colours) as 1 | 2 | 3 | 4;
  return { widthPx, heightPx, channels, bitsPerSample: sixteenBit ? 16 : 8 };
}
