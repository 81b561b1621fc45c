import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Codec, openCodec } from '#src/codec/open.js';
import type { ContainerHeader, ContainerStream } from '#src/container/layout.js';
import { writeContainer } from '#src/container/write.js';
import { defaultLimits } from '#src/limits.js';
import { takeApart } from '../../scripts/take-apart.mjs';

let codec: Codec;
/** A sound file of 8x6 px, taken apart. */
let header: ContainerHeader;
let latent: ContainerStream;

beforeAll(async () => {
  codec = await openCodec({ model: 'fixture', threads: 1 });
  const data = Uint8Array.from({ length: 8 * 6 }, (_, i) => i * 5);
  const file = await codec.compress({ widthPx: 8, heightPx: 6, channels: 1, data });
  const read = await takeApart(file, defaultLimits());
  header = read.header;
  latent = read.streams[0] as ContainerStream;
});
afterAll(() => codec.close());

describe('decompress', () => {
  const NONE = Uint8Array.of();

  it.each<[string, Partial<ContainerHeader>, ContainerStream]>([
    ['alpha', { alpha: true }, { type: 'alpha', bytes: NONE }],
    ['residual', { mode: 'model+residual' }, { type: 'planes', bytes: NONE }],
  ])('refuses a stream for the %s that has no bands', async (_, change, stream) => {
    const file = writeContainer({ ...header, ...change }, [latent, stream]);
    await expect(codec.decompress(file)).rejects.toMatchObject({ code: 'format' });
  });

  it('refuses slices of another number than the rows call for', async () => {
    // 6 rows of pixels are 2 rows of the fixture's latent.
    const sliceByteLengths = [1, 1, latent.bytes.length - 2];
    const file = writeContainer({ ...header, sliceRows: 1 }, [{ ...latent, sliceByteLengths }]);
    await expect(codec.decompress(file)).rejects.toMatchObject({
      code: 'format',
      message: expect.stringContaining('expected 2 slices of 1 latent rows, got 3'),
    });
  });
});
