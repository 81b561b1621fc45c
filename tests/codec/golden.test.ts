import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Codec, openCodec } from '#src/codec/open.js';

const FOLDER = join(import.meta.dirname, '../../fixtures/streams/v1');
const index: Record<
  string,
  { widthPx: number; heightPx: number; channels: number; byteLength: number; pixelsSha256: string }
> = JSON.parse(await readFile(join(FOLDER, 'index.json'), 'utf8'));

let codec: Codec;
beforeAll(async () => {
  codec = await openCodec({ model: 'fixture', provider: 'cpu' });
});
afterAll(() => codec.close());

describe('a file of format version 1', () => {
  it.each(Object.keys(index))('%s decodes to the pixels it always had', async (name) => {
    const golden = index[name];
    const bytes = await readFile(join(FOLDER, `${name}.vae`));
    expect(bytes).toHaveLength(golden?.byteLength ?? 0);
    const { widthPx, heightPx, channels, data } = await codec.decompress(bytes);
    expect({ widthPx, heightPx, channels }).toMatchObject({
      widthPx: golden?.widthPx,
      heightPx: golden?.heightPx,
      channels: golden?.channels,
    });
    const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    expect(createHash('sha256').update(view).digest('hex')).toBe(golden?.pixelsSha256);
  });

  it('is found by name in the folder, eighteen of them at least', () => {
    expect(Object.keys(index).length).toBeGreaterThanOrEqual(18);
  });
});
