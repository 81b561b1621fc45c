/**
 * The decoder network under other graph optimisations and thread counts than the product's: how far its pixels move. An
 * engine that fuses and orders its sums otherwise stands for another machine or another version of it.
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

/** @typedef {{ data: Float32Array, dims: number[] }[]} Latent a tensor for each grid */

/** @type {import('./trial.mjs').Trial} */
export const levels = {
  promise:
    'The decoder network gives the same picture within one level of 255 at every graph optimisation of onnxruntime (all, extended, basic, disabled) and on 1 and 2 threads.',
  async prepare() {
    const kodak = PICTURES.map((name) => join(KODAK, `${name}.png`)).filter(existsSync);
    const paths = kodak.length > 0 ? kodak : [join(ROOT, 'fixtures', 'photo.png')];
    const codec = await openCodec({ provider: 'cpu', threads: 1 });
    const { folder, manifest } = (await codec.openModel()).model;
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
        const latent = await latentOf(codec, path, manifest.quality?.[quality - 1] ?? 0);
        const key = `${path} ${quality}`;
        const reference = references.get(key) ?? run(latent, { level: 'all', threads: 1 });
        references.set(key, reference);
        const [a, b] = [await reference, await run(latent, setting)];
        const compared = compare(a, b, toLevels, low);
        const what = `${setting.level}, ${setting.threads} threads`;
        return {
          faults:
            compared.largest > PROMISED_LEVELS
              ? [`${key}, ${what}: ${compared.largest} levels apart`]
              : [],
          counts: { samples: a.length, [`samples that differ, ${what}`]: compared.differing },
          largest: {
            levels: compared.largest,
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
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {number} scale of samples to levels
 * @param {number} low the sample that is level 0
 */
function compare(a, b, scale, low) {
  const level = (/** @type {number} */ value) =>
    Math.min(255, Math.max(0, Math.round((value - low) * scale)));
  let [differing, largest, unrounded] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x = 0, y = 0] = [a[i], b[i]];
    const apart = Math.abs(level(x) - level(y));
    if (apart > 0) differing++;
    largest = Math.max(largest, apart);
    unrounded = Math.max(unrounded, Math.abs(x - y) * scale);
  }
  return { differing, largest, unrounded };
}
