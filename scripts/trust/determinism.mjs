/**
 * The same input, the same bytes: whatever the threads, the memory granted, and what went before.
 * @module
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { defaultLimits, openCodec, readImage } from 'vaerans';
import { ROOT } from '../setup/shell.mjs';
import { drawn } from './pictures.mjs';
import { randomOf } from './trial.mjs';

const RUNS = 100;
const SETTINGS = [
  { threads: 1 },
  { threads: 2 },
  { threads: 4 },
  { threads: 1, limits: { maxMemoryBytes: 400 * 2 ** 20 } },
  { threads: 3, limits: { maxMemoryBytes: 2 ** 30 } },
];

/** @type {import('./trial.mjs').Trial} */
export const determinism = {
  promise:
    'One picture gives the same bytes, and one file the same pixels, in 100 runs over 1 to 4 threads, several memory limits, and after other pictures.',
  async prepare() {
    const photo = await readImage(join(ROOT, 'fixtures', 'photo.png'));
    // Two tiles and two slices, so that there is something that threads could disagree on.
    const tall = drawn(600, 1500);
    const codecs = await Promise.all(
      SETTINGS.map(({ threads, limits }) =>
        openCodec({ provider: 'cpu', threads, limits: { ...defaultLimits(), ...limits } }),
      ),
    );
    /** @type {Map<string, string>} */
    const known = new Map();
    return {
      total: RUNS,
      async runCase(index) {
        const random = randomOf(index);
        const codec = codecs[index % codecs.length];
        if (codec === undefined) throw new Error('determinism: there are no codecs');
        // What went before leaves the core's memory in another state.
        await codec.compress(drawn(1 + random(300), 1 + random(300)));
        const faults = [];
        for (const [name, picture] of /** @type {const} */ ([
          ['photo', photo],
          ['tall', tall],
        ])) {
          for (const quality of [10, 60, 95]) {
            const bytes = await codec.compress(picture, { quality });
            const { data } = await codec.decompress(bytes);
            const key = `${name} at ${quality}`;
            const hash = createHash('sha256').update(bytes).update(data).digest('hex');
            if ((known.get(key) ?? hash) !== hash) faults.push(`run ${index}: ${key} differs`);
            known.set(key, hash);
          }
        }
        return { faults, counts: { files: 6 } };
      },
      close: async () => {
        await Promise.all(codecs.map((codec) => codec.close()));
      },
    };
  },
};
