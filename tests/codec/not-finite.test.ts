import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCodec } from '#src/codec/open.js';

const FIXTURE = join(import.meta.dirname, '../../models/fixture');
const PIXELS = {
  widthPx: 8,
  heightPx: 8,
  channels: 3,
  data: Uint8Array.from({ length: 192 }, (_, at) => (at * 37) % 251),
} as const;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'vaerans-not-finite-'));
});
afterAll(() => rm(root, { recursive: true }));

/** A copy of the fixture model in which one weight of a network is not a number. */
async function poisoned(network: 'encoder' | 'decoder'): Promise<string> {
  const folder = join(root, network);
  await cp(FIXTURE, folder, { recursive: true });
  const graph = await readFile(join(folder, `${network}.onnx`));
  // A weight of the fixture that surely lies there as a float: 1/32 in the encoder, 1 in the decoder.
  const weight = Buffer.alloc(4);
  weight.writeFloatLE(network === 'encoder' ? 1 / 32 : 1);
  const at = graph.indexOf(weight);
  expect(at).toBeGreaterThan(0);
  graph.writeUInt32LE(0x7fc00000, at);
  await writeFile(join(folder, `${network}.onnx`), graph);
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  manifest[network].sha256 = createHash('sha256').update(graph).digest('hex');
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

describe('a network that gives what is no number', () => {
  it('is an error when encoding, not a file', async () => {
    await using codec = await openCodec({ model: await poisoned('encoder'), threads: 1 });
    await expect(codec.compress(PIXELS)).rejects.toMatchObject({
      code: 'backend',
      message: expect.stringContaining('finite numbers from the encoder'),
    });
  });

  it('is an error when decoding, not a picture', async () => {
    await using codec = await openCodec({ model: await poisoned('decoder'), threads: 1 });
    const bytes = await codec.compress(PIXELS);
    await expect(codec.decompress(bytes)).rejects.toMatchObject({
      code: 'backend',
      message: expect.stringContaining('finite numbers from the decoder'),
    });
  });
});
