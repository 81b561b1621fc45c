/**
 * Hostile bytes through the public functions: mutated files, half of them with their checksums made right again, so
 * that what lies behind the checksums is reached.
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { encodeImage, openCodec, readImage, VaeransError } from 'vaerans';
import { writeContainer } from '#src/container/write.js';
import { ROOT } from '../setup/shell.mjs';
import { takeApart } from '../take-apart.mjs';
import { drawn, soundFiles } from './pictures.mjs';
import { randomOf } from './trial.mjs';

const CASES = 1_000_000;
const PATIENCE_MS = 1000;
/** Small, so that a file that claims much is refused and the rest takes little time. */
const LIMITS = { maxPixels: 2 ** 20, maxSidePx: 4096, maxMemoryBytes: 2 ** 29 };
/** What the limits above allow a call to hold in buffers of JavaScript, the core's memory not counted. */
const BUFFERS_MAX_BYTES = 64 * 2 ** 20;
const FIXTURES = [
  'one-pixel.png',
  'odd-grey-61x43.png',
  'palette-transparent.png',
  'grey-alpha.png',
  'grey-16-bit.png',
  'turned-6.jpg',
];

/** @type {import('./trial.mjs').Trial} */
export const hostile = {
  promise:
    'Mutated .vae, PNG, JPEG and PPM bytes given to decompress, readImage and compress end in a picture or in one of our errors, within a second and within the memory that the limits grant; no crash, no thread lost.',
  async prepare() {
    const codec = await openCodec({
      model: 'fixture',
      provider: 'cpu',
      threads: 1,
      limits: LIMITS,
    });
    // The pool's thread starts once, and not within a case that is timed.
    await codec.decompress(await codec.compress(drawn(8, 8)));
    const seeds = await seedFiles();
    return {
      total: CASES,
      async runCase(index) {
        const random = randomOf(index);
        const seed = seeds[random(seeds.length)];
        if (seed === undefined) throw new Error('hostile: there are no seeds');
        const isMended = random(2) === 1;
        const mutated = mutate(seed.bytes, random);
        const bytes = isMended ? (seed.mend?.(mutated, random) ?? mutated) : mutated;
        const startMs = performance.now();
        const startBytes = process.memoryUsage().arrayBuffers;
        const outcome = await endOf(codec, seed.kind, bytes, random);
        const tookMs = performance.now() - startMs;
        const heldBytes = process.memoryUsage().arrayBuffers - startBytes;
        const where = `case ${index}, ${seed.name}${isMended ? ', checksums mended' : ''}`;
        const faults = [];
        if (outcome.fault !== undefined) faults.push(`${where}: ${outcome.fault}`);
        if (heldBytes > BUFFERS_MAX_BYTES) faults.push(`${where}: held ${heldBytes} bytes`);
        return {
          faults,
          late: tookMs > PATIENCE_MS ? [`${where}: took ${Math.round(tookMs)} ms`] : [],
          counts: { [`${seed.kind}: ${outcome.end}`]: 1 },
          largest: { milliseconds: Math.round(tookMs), 'bytes held': heldBytes },
        };
      },
      close: () => codec.close(),
    };
  },
};

/**
 * @param {import('vaerans').Codec} codec
 * @param {'vae' | 'picture'} kind
 * @param {Uint8Array} bytes
 * @param {(below: number) => number} random
 * @returns {Promise<{ end: string, fault?: string }>}
 */
async function endOf(codec, kind, bytes, random) {
  try {
    if (kind === 'vae') {
      // One in four as somebody would who wants what is left of a damaged file.
      const options = random(4) === 0 ? { onLost: () => {} } : {};
      const pixels = await codec.decompress(bytes, options);
      const expected = pixels.widthPx * pixels.heightPx * pixels.channels;
      if (pixels.data.length === expected) return { end: 'decoded' };
      return { end: 'decoded', fault: `got ${pixels.data.length} samples for ${expected}` };
    }
    const pixels = await readImage(bytes, { limits: LIMITS, background: [0, 0, 0] });
    // A network run takes a hundred times as long as reading: one in twenty is enough.
    if (random(20) === 0) await codec.compress(pixels, { quality: 1 + random(100) });
    return { end: 'decoded' };
  } catch (error) {
    if (error instanceof VaeransError) return { end: `refused (${error.code})` };
    return { end: 'failed', fault: `ended in ${error}` };
  }
}

/**
 * @typedef {object} Seed
 * @property {string} name
 * @property {'vae' | 'picture'} kind
 * @property {Uint8Array} bytes
 * @property {(mutated: Uint8Array, random: (below: number) => number) => Uint8Array} [mend]
 */

/**
 * @returns {Promise<Seed[]>}
 */
async function seedFiles() {
  /** @type {Seed[]} */
  const seeds = FIXTURES.map((name) => ({
    name,
    kind: 'picture',
    bytes: new Uint8Array(readFileSync(join(ROOT, 'fixtures', name))),
    ...(name.endsWith('.png') ? { mend: mendPng } : {}),
  }));
  seeds.push({ name: 'drawn.ppm', kind: 'picture', bytes: await encodeImage(drawn(17, 9), 'ppm') });
  for (const { name, bytes } of await soundFiles()) {
    const { header, streams } = await takeApart(bytes, LIMITS);
    seeds.push({
      name,
      kind: 'vae',
      bytes,
      mend: (_, random) =>
        writeContainer(
          header,
          streams.map((stream) => ({ ...stream, bytes: sameLength(stream, random) })),
        ),
    });
  }
  return seeds;
}

/**
 * Keeps the length of a stream whose slices are listed.
 * @param {import('#src/container/layout.js').ContainerStream} stream
 * @param {(below: number) => number} random
 */
function sameLength({ bytes, sliceByteLengths }, random) {
  const mutated = mutate(bytes, random);
  if (sliceByteLengths === undefined) return mutated;
  const kept = bytes.slice();
  kept.set(mutated.subarray(0, kept.length));
  return kept;
}

/** Values that lengths and counts are tried with. */
const EDGES = [0, 1, 2, 127, 128, 254, 255];

/**
 * One to eight changes: a bit, a byte, an edge value, bytes removed, doubled or put in, the end cut off.
 * @param {Uint8Array} bytes
 * @param {(below: number) => number} random
 */
export function mutate(bytes, random) {
  let mutated = [...bytes];
  for (let changes = 1 + random(8); changes > 0; changes--) {
    const at = random(mutated.length + 1);
    const kind = random(12);
    if (kind < 4 && at < mutated.length) mutated[at] = (mutated[at] ?? 0) ^ (1 << random(8));
    else if (kind < 6 && at < mutated.length) mutated[at] = random(256);
    else if (kind < 8 && at < mutated.length) mutated[at] = EDGES[random(EDGES.length)] ?? 0;
    else if (kind === 8) mutated.splice(at, 1 + random(8));
    else if (kind === 9) mutated.splice(at, 0, ...mutated.slice(at, at + 1 + random(32)));
    else if (kind === 10) mutated.splice(at, 0, random(256));
    else if (random(4) === 0) mutated = mutated.slice(0, at);
  }
  return Uint8Array.from(mutated);
}

const PNG_SIGNATURE_BYTES = 8;

/**
 * Makes the checksums right of all chunks that can still be told apart.
 * @param {Uint8Array} png
 */
function mendPng(png) {
  const view = new DataView(png.buffer, png.byteOffset, png.length);
  let at = PNG_SIGNATURE_BYTES;
  while (at + 12 <= png.length) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > png.length) break;
    view.setUint32(end, crc32(png.subarray(at + 4, end)));
    at = end + 4;
  }
  return png;
}
