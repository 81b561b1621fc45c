/**
 * Damaged files of several slices of which the rest is taken: what is shown as whole has to be what it was.
 * @module
 */
import { FormatError, openCodec } from 'vaerans';
import { drawn } from './pictures.mjs';
import { randomOf } from './trial.mjs';

const CASES = 10_000;

/** @type {import('./trial.mjs').Trial} */
export const partial = {
  promise:
    'Where what is left of a damaged file is asked for, every row that is not named as lost or inexact is that of the sound file to the last bit, and lost rows are named; what has no whole slice, or a damaged header, is refused.',
  async prepare() {
    const codec = await openCodec({ model: 'fixture', provider: 'cpu', threads: 1 });
    const files = await Promise.all(
      [20, 60].map(async (quality) => {
        const bytes = await codec.compress(drawn(9, 1300), { quality });
        return { bytes, sound: await codec.decompress(bytes) };
      }),
    );
    return {
      total: CASES,
      async runCase(index) {
        const random = randomOf(index);
        const file = files[index % files.length];
        if (file === undefined) throw new Error('partial: there are no files');
        const { bytes, sound } = file;
        const damaged = damage(bytes, random);
        /** @type {import('vaerans').LostParts | undefined} */
        let lost;
        const onLost = (/** @type {import('vaerans').LostParts} */ parts) => {
          lost = parts;
        };
        try {
          const { data } = await codec.decompress(damaged, { onLost });
          if (lost === undefined) return { faults: [`case ${index}: nothing is said to be lost`] };
          const exact = new Array(sound.heightPx).fill(true);
          for (const { firstRow, rows } of [...lost.rows, ...lost.inexactRows]) {
            exact.fill(false, firstRow, firstRow + rows);
          }
          const length = sound.widthPx * sound.channels;
          const differs = exact.findIndex(
            (isExact, row) =>
              isExact &&
              !Buffer.from(data.subarray(row * length, (row + 1) * length)).equals(
                Buffer.from(sound.data.subarray(row * length, (row + 1) * length)),
              ),
          );
          return {
            faults: differs < 0 ? [] : [`case ${index}: row ${differs} is another`],
            counts: { decoded: 1, 'rows lost': lost.rows.reduce((sum, { rows }) => sum + rows, 0) },
          };
        } catch (error) {
          if (error instanceof FormatError) return { counts: { refused: 1 } };
          return { faults: [`case ${index}: ended in ${error}`] };
        }
      },
      close: () => codec.close(),
    };
  },
};

/**
 * A cut, or one to three bytes that are others.
 * @param {Uint8Array} bytes
 * @param {(below: number) => number} random
 */
function damage(bytes, random) {
  if (random(4) === 0) return bytes.slice(0, random(bytes.length));
  const damaged = bytes.slice();
  // One time in eight anywhere, the header too; else in the streams, where the rest can be taken.
  const from = random(8) === 0 ? 0 : 80;
  for (let changes = 1 + random(3); changes > 0; changes--) {
    const at = from + random(bytes.length - from);
    damaged[at] = ((bytes[at] ?? 0) + 1 + random(255)) % 256;
  }
  return damaged;
}
