/**
 * All pictures of a folder, those of equal size through one pipe together, one world for all of them.
 *
 *   node examples/folder-in-batches.mjs [folder] [model]
 *
 * Prints, with the fixture model:
 *
 *   160x112 px: scene-left.png 3293 bytes, scene-right.png 3109 bytes
 *   96x144 px: scene-tall.png 2491 bytes
 * @module
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  entropyEncode,
  openCodec,
  quantise,
  readImage,
  rotate,
  vaeEncode,
  waveletForward,
} from 'vaerans';

/** @typedef {{ name: string, pixels: import('vaerans').Pixels }} Picture */

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const [folder = here('pictures'), model = here('../models/fixture')] = process.argv.slice(2);

/** @type {Map<string, Picture[]>} */
const bySize = new Map();
for (const name of (await readdir(folder)).sort()) {
  const pixels = await readImage(join(folder, name));
  const size = `${pixels.widthPx}x${pixels.heightPx}`;
  bySize.set(size, [...(bySize.get(size) ?? []), { name, pixels }]);
}

const codec = await openCodec({ model });
try {
  const world = await codec.world();
  for (const [size, pictures] of bySize) {
    const bitstreams = await world
      .pipe(world.spawnBatch(pictures.map(({ pixels }) => pixels)))
      .to(vaeEncode())
      .to(rotate())
      .to(waveletForward())
      .to(quantise({ quality: 60 }))
      .to(entropyEncode())
      .out('Bitstream');
    const sizes = bitstreams.map(({ slices }, index) => {
      const byteLength = slices.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
      return `${pictures[index]?.name} ${byteLength} bytes`;
    });
    console.log(`${size} px: ${sizes.join(', ')}`);
    // The arena is as large as the largest batch, however many there are.
    world.clear();
  }
} finally {
  await codec.close();
}
