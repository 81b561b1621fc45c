/**
 * The decoder network under other graph optimisations and thread counts than the product's: how far its pixels move. An
 * engine that fuses and orders its sums otherwise stands for another machine or another version of it. Behind it the model's
 * filter may take another class where a pixel moves, and so move those around it: that is counted too.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCodec, readImage } from 'vaerans';
import { ort } from '#src/vae/runtime.js';
import { decodedLatent } from '../decoded-latent.mjs';
import { ROOT } from '../setup/shell.mjs';

const KODAK = join(ROOT, '..', 'shared', 'data', 'kodak');
const PICTURES = ['kodim03', 'kodim05', 'kodim13', 'kodim23'];
const QUALITIES = [10, 60];
const LEVELS = /** @type {const} */ (['all', 'extended', 'basic', 'disabled']);
const THREADS = [1, 2];
/** DESIGN section 6: at most one level, rarely. */
const PROMISED_LEVELS = 1;
/** What the filter may make of that. */
const PROMISED_RESTORED_LEVELS = 2;

/** @typedef {{ data: Float32Array, dims: number[] }[]} Latent a tensor for each grid */

/** @type {import('./trial.mjs').Trial} */
export const levels = {
  promise:
    'The decoder network gives the same picture within one level of 255 at every graph optimisation of onnxruntime (all, extended, basic, disabled) and on 1 and 2 threads; restored, within two.',
  async prepare() {
    const kodak = PICTURES.map((name) => join(KODAK, `${name}.png`)).filter(existsSync);
    const paths = kodak.length > 0 ? kodak : [join(ROOT, 'fixtures', 'photo.png')];
    const codec = await openCodec({ provider: 'cpu', threads: 1 });
    const { model, tables } = await codec.openModel();
    const { folder, manifest } = model;
    const graph = new Uint8Array(readFileSync(join(folder, manifest.decoder.file)));
    const settings = THREADS.flatMap((threads) => LEVELS.map((level) => ({ threads, level })));
    const inputs = paths.flatMap((path) => QUALITIES.map((quality) => ({ path, quality })));
    /** @type {Map<string, Promise<Float32Array>>} the product's own picture of every input */
    const references = new Map();
    /**
     * @param {Latent} latent
     * @param {{ level: typeof LEVELS[number], threads: number }} setting
     */
    const run = async (latent, { level, threads }) => {
      const session = await ort.InferenceSession.create(graph, {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        graphOptimizationLevel: level,
      });
      const outputs = await session.run(
        Object.fromEntries(
          latent.map(({ data, dims }, grid) => [
            session.inputNames[grid] ?? '',
            new ort.Tensor('float32', data, dims),
          ]),
        ),
      );
      await session.release();
      const picture = outputs[session.outputNames[0] ?? '']?.data;
      if (!(picture instanceof Float32Array)) throw new Error('levels: expected float32 pixels');
      return picture.slice();
    };
    const [low, high] = manifest.inputRange;
    const toLevels = 255 / (high - low);
    return {
      total: inputs.length * settings.length,
      async runCase(index) {
        const input = inputs[Math.floor(index / settings.length)];
        const setting = settings[index % settings.length];
        if (input === undefined || setting === undefined)
          throw new Error(`levels: no case ${index}`);
        const { path, quality } = input;
        const rate = manifest.quality?.[quality - 1] ?? 0;
        const latent = await latentOf(codec, path, rate);
        const key = `${path} ${quality}`;
        const reference = references.get(key) ?? run(latent, { level: 'all', threads: 1 });
        references.set(key, reference);
        const [a, b] = [await reference, await run(latent, setting)];
        const [x, y] = [a, b].map((samples) => levelsOf(samples, toLevels, low));
        const compared = { ...compare(x, y), unrounded: mostApart(a, b) * toLevels };
        const [restoredX, restoredY] = await Promise.all(
          [x, y].map((samples) => restored(codec, tables, latent, samples, rate)),
        );
        const behind = compare(restoredX, restoredY);
        const what = `${setting.level}, ${setting.threads} threads`;
        return {
          faults: [
            ...(compared.largest > PROMISED_LEVELS
              ? [`${key}, ${what}: ${compared.largest} levels apart`]
              : []),
            ...(behind.largest > PROMISED_RESTORED_LEVELS
              ? [`${key}, ${what}: ${behind.largest} levels apart when restored`]
              : []),
          ],
          counts: {
            samples: a.length,
            [`samples that differ, ${what}`]: compared.differing,
            [`restored samples that differ, ${what}`]: behind.differing,
          },
          largest: {
            levels: compared.largest,
            'restored levels': behind.largest,
            'thousandths of a level before rounding': Math.ceil(1000 * compared.unrounded),
          },
        };
      },
      close: () => codec.close(),
    };
  },
};

/**
 * The latent that a file of this rate decodes to, of a picture that is one tile.
 * @param {import('vaerans').Codec} codec
 * @param {string} path
 * @param {number} rate
 * @returns {Promise<Latent>}
 */
async function latentOf(codec, path, rate) {
  const world = await codec.world();
  const { grids } = await decodedLatent(world, await readImage(path), { rate });
  const latent = grids.map((grid) => ({
    data: world.arena.view(grid).slice(),
    dims: [1, ...grid.shape],
  }));
  world.clear();
  return latent;
}

/**
 * Planar samples of the network as interleaved levels.
 * @param {Float32Array} samples
 * @param {number} scale of samples to levels
 * @param {number} low the sample that is level 0
 */
function levelsOf(samples, scale, low) {
  const plane = samples.length / 3;
  return Uint8Array.from({ length: samples.length }, (_, i) => {
    const value = samples[(i % 3) * plane + Math.floor(i / 3)] ?? 0;
    return Math.min(255, Math.max(0, Math.round((value - low) * scale)));
  });
}

/**
 * What the model's filter makes of levels.
 * @param {import('vaerans').Codec} codec
 * @param {import('#src/models/registry.js').ModelTables} tables
 * @param {Latent} latent of the picture
 * @param {Uint8Array | undefined} levels
 * @param {number} rate
 */
async function restored(codec, { restoration }, [coarsest], levels = new Uint8Array(0), rate) {
  if (restoration === undefined) return levels;
  const [, , rows = 0, columns = 0] = coarsest?.dims ?? [];
  const side = Math.round(Math.sqrt(levels.length / 3 / (rows * columns)));
  const [height, width] = [rows * side, columns * side];
  const { arena, core } = await codec.world({ arenaByteLength: levels.length + 2 ** 20 });
  const picture = arena.allocate('u8', [height, width, 3]);
  arena.view(picture).set(levels);
  core.restoration.restore(restoration, rate, undefined, picture, { x: 0, y: 0, width, height });
  return arena.view(picture).slice();
}

/** @param {Uint8Array | undefined} a @param {Uint8Array | undefined} b */
function compare(a = new Uint8Array(0), b = new Uint8Array(0)) {
  let [differing, largest] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const apart = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    if (apart > 0) differing++;
    largest = Math.max(largest, apart);
  }
  return { differing, largest };
}

/** @param {Float32Array} a @param {Float32Array} b */
function mostApart(a, b) {
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? 0))), 0);
}
