/**
 * One process for a long time: what it holds must not grow.
 * @module
 */
import { readdirSync } from 'node:fs';
import { openCodec } from 'vaerans';
import { drawn } from './pictures.mjs';
import { randomOf } from './trial.mjs';

const CALLS = 20_000;
const CALLS_A_CASE = 100;
/** Memory is looked at after these: until then pools fill and code is compiled. */
const WARM_UP_CASES = 40;
const SLOPE_MAX_BYTES = 2 ** 20;

/** @type {import('./trial.mjs').Trial} */
export const soak = {
  promise:
    'Over 20,000 compress and decompress calls of mixed sizes in one process, resident memory grows by less than 1 MB in 1,000 calls after a warm-up, and descriptors and threads do not grow at all.',
  async prepare() {
    const codec = await openCodec({ provider: 'cpu', threads: 1 });
    /** @type {{ calls: number, bytes: number }[]} */
    const samples = [];
    /** @type {number[]} */
    const handles = [];
    let cases = 0;
    return {
      total: CALLS / CALLS_A_CASE,
      async runCase(index) {
        const random = randomOf(index);
        for (let call = 0; call < CALLS_A_CASE; call += 2) {
          const picture = drawn(1 + random(200), 1 + random(200), random(4) === 0 ? 1 : 3);
          const bytes = await codec.compress(picture, { quality: 1 + random(100) });
          await codec.decompress(bytes);
        }
        cases++;
        if (cases > WARM_UP_CASES) {
          samples.push({ calls: cases * CALLS_A_CASE, bytes: process.memoryUsage().rss });
          handles.push(process.getActiveResourcesInfo().length + descriptors());
        }
        return {
          counts: { calls: CALLS_A_CASE },
          largest: { 'resident bytes': process.memoryUsage().rss },
        };
      },
      // biome-ignore lint/suspicious/useAwait: the form of a trial
      async conclude() {
        // Too short a run says nothing of growth.
        if (samples.length < 10) return {};
        const slopeBytes = 1000 * slopeOf(samples);
        const faults = [];
        if (slopeBytes > SLOPE_MAX_BYTES) {
          faults.push(`memory grows by ${Math.round(slopeBytes)} bytes in 1,000 calls`);
        }
        const [first = 0] = handles;
        const last = handles.at(-1) ?? 0;
        if (last > first) faults.push(`handles and descriptors grew from ${first} to ${last}`);
        return { faults, largest: { 'growth in 1,000 calls, bytes': Math.round(slopeBytes) } };
      },
      close: () => codec.close(),
    };
  },
};

function descriptors() {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

/**
 * Least squares.
 * @param {readonly { calls: number, bytes: number }[]} samples
 */
function slopeOf(samples) {
  const mean = (/** @type {'calls' | 'bytes'} */ key) =>
    samples.reduce((sum, sample) => sum + sample[key], 0) / samples.length;
  const meanCalls = mean('calls');
  const meanBytes = mean('bytes');
  let shared = 0;
  let spread = 0;
  for (const { calls, bytes } of samples) {
    shared += (calls - meanCalls) * (bytes - meanBytes);
    spread += (calls - meanCalls) ** 2;
  }
  return shared / spread;
}
