import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inspect } from '#src/codec/inspect.js';
import { mapLatent } from '#src/codec/latent-map.js';
import { openCodec } from '#src/codec/open.js';
import { readImage } from '#src/image/file.js';
import { ROOT } from '../cli/command.js';

it.each([
  ['within half a percent, with the context coder', 'default', 'photo.png', 0.005],
  ['within a tenth, with the static coder, which is estimated', 'fixture', 'odd-191x127.png', 0.1],
])('the bits of a file’s symbols sum to its latent stream %s', async (_, model, name, share) => {
  await using codec = await openCodec({ model, provider: 'cpu' });
  const pixels = await readImage(join(ROOT, 'fixtures', name));
  const bytes = await codec.compress(pixels, { quality: 50 });
  const map = await mapLatent(bytes, { model });
  const coded = inspect(bytes).streams.find(({ type }) => type === 'latent')?.byteLength ?? 0;
  const sum = (map?.bits.reduce((a, b) => a + b, 0) ?? 0) / 8;
  expect(Math.abs(coded - sum) / coded).toBeLessThan(share);
  expect(map?.symbols.some((symbol) => symbol !== 0)).toBe(true);
  expect(map?.bits).toHaveLength((map?.channels ?? 0) * (map?.width ?? 0) * (map?.height ?? 0));
});

it('finds the model of a file by what the file says', async () => {
  await using codec = await openCodec({ model: 'fixture', provider: 'cpu' });
  const bytes = await codec.compress(
    await readImage(join(ROOT, 'fixtures/odd-grey-61x43.png')),
    {},
  );
  expect(await mapLatent(bytes)).toMatchObject({ channels: 8, stridePx: 4, width: 16, height: 11 });
});

it('spends its bits where the picture is not flat', async () => {
  await using codec = await openCodec({ model: 'fixture', provider: 'cpu' });
  const data = new Uint8Array(64 * 64 * 3).fill(90);
  for (let y = 0; y < 64; y++) {
    for (let x = 32; x < 64; x++) data[3 * (64 * y + x)] = (x * y * 31) % 256;
  }
  const bytes = await codec.compress({ widthPx: 64, heightPx: 64, channels: 3, data });
  const map = await mapLatent(bytes);
  const halves = [0, 0];
  for (const [at, bits] of map?.bits.entries() ?? []) {
    const half = at % 16 < 8 ? 0 : 1;
    halves[half] = (halves[half] ?? 0) + bits;
  }
  expect(halves[1]).toBeGreaterThan(3 * (halves[0] ?? 0));
});

it('is nothing for a drawn picture, which is coded without the model', async () => {
  await using codec = await openCodec({ model: 'fixture', provider: 'cpu' });
  const pixels = await readImage(join(ROOT, 'fixtures/interface.png'));
  expect(await mapLatent(await codec.compress(pixels))).toBeUndefined();
});
