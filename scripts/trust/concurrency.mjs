/**
 * Many calls at once on one codec, some of them cancelled: the same bytes as alone.
 * @module
 */
import { AbortedError, openCodec } from 'vaerans';
import { drawn } from './pictures.mjs';
import { randomOf } from './trial.mjs';

const ROUNDS = 64 * 4;
const PICTURES = 16;

/** @type {import('./trial.mjs').Trial} */
export const concurrency = {
  promise:
    'Library calls in parallel, 1 to 64 at once on one codec, give the bytes and pixels that they give alone; cancelled calls end as cancelled and disturb no other.',
  async prepare() {
    const codec = await openCodec({ provider: 'cpu', threads: 2 });
    /** @type {{ picture: import('vaerans').Pixels, quality: number, bytes: Uint8Array, pixels: Uint8Array }[]} */
    const alone = [];
    for (let i = 0; i < PICTURES; i++) {
      const picture = drawn(20 + 17 * i, 260 - 13 * i, i % 5 === 0 ? 1 : 3);
      const bytes = await codec.compress(picture, { quality: 5 + 6 * i });
      alone.push({
        picture,
        quality: 5 + 6 * i,
        bytes,
        pixels: bytesOf(await codec.decompress(bytes)),
      });
    }
    return {
      total: ROUNDS,
      async runCase(index) {
        const random = randomOf(index);
        const calls = 1 + (index % 64);
        /** @type {string[]} */
        const faults = [];
        let cancelled = 0;
        const one = async (/** @type {number} */ call) => {
          const known = alone[random(PICTURES)];
          if (known === undefined) return;
          const isCancelled = random(8) === 0;
          const controller = new AbortController();
          if (isCancelled) setTimeout(() => controller.abort(), random(30));
          const what = `call ${call} of ${calls}`;
          try {
            const { quality, picture } = known;
            const { signal } = controller;
            const isSame =
              random(2) === 0
                ? Buffer.compare(
                    await codec.compress(picture, { quality, signal }),
                    known.bytes,
                  ) === 0
                : Buffer.compare(
                    bytesOf(await codec.decompress(known.bytes, { signal })),
                    known.pixels,
                  ) === 0;
            if (!isSame) faults.push(`${what}: gave other bytes than alone`);
          } catch (error) {
            if (isCancelled && error instanceof AbortedError) cancelled++;
            else faults.push(`${what}: ended in ${error}`);
          }
        };
        await Promise.all(Array.from({ length: calls }, (_, call) => one(call)));
        return { faults, counts: { calls, cancelled } };
      },
      close: () => codec.close(),
    };
  },
};

/** @param {import('vaerans').Pixels} pixels */
function bytesOf({ data }) {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
