/**
 * Damaged files: cut short at every length, every single bit turned, bursts, bytes swapped, streams put elsewhere.
 * @module
 */
import { FormatError, openCodec } from 'vaerans';
import { soundFiles } from './pictures.mjs';
import { randomOf } from './trial.mjs';

const BURSTS = 1_000_000;

/** @type {import('./trial.mjs').Trial} */
export const damage = {
  promise:
    'A damaged .vae file is never decoded: every cut, turned bit, burst of 2 to 16 bytes and swap of 20 files is refused as damaged, with the byte where it showed.',
  async prepare() {
    const files = await soundFiles();
    const codec = await openCodec({ model: 'fixture', provider: 'cpu', threads: 1 });
    const kinds = kindsOf(files);
    const total = kinds.reduce((sum, { count }) => sum + count, 0);
    return {
      total,
      async runCase(index) {
        let rest = index;
        const kind = kinds.find(({ count }) => {
          if (rest < count) return true;
          rest -= count;
          return false;
        });
        if (kind === undefined) throw new Error(`damage: there is no case ${index}`);
        const damaged = kind.make(rest);
        // Two equal bytes were swapped, say: nothing is damaged.
        if (damaged === undefined) return { counts: { 'left whole': 1 } };
        const fault = await faultOf(codec, damaged.bytes);
        return {
          counts: { [kind.name]: 1 },
          faults: fault === undefined ? [] : [`${damaged.name}, ${kind.name} ${rest}: ${fault}`],
        };
      },
      close: () => codec.close(),
    };
  },
};

/**
 * @param {import('vaerans').Codec} codec
 * @param {Uint8Array} bytes
 */
async function faultOf(codec, bytes) {
  try {
    const { widthPx, heightPx } = await codec.decompress(bytes);
    return `decoded to ${widthPx}x${heightPx}`;
  } catch (error) {
    if (!(error instanceof FormatError)) return `ended in ${error}`;
    const isWithin = error.byteOffset >= 0 && error.byteOffset <= bytes.length;
    return isWithin ? undefined : `is said to show at byte ${error.byteOffset} of ${bytes.length}`;
  }
}

/**
 * @typedef {{ name: string, bytes: Uint8Array }} File
 * @typedef {{ name: string, count: number, make: (index: number) => File | undefined }} Kind
 */

/**
 * @param {readonly File[]} files
 * @returns {Kind[]}
 */
function kindsOf(files) {
  const places = files.flatMap((file) => Array.from(file.bytes, (_, at) => ({ file, at })));
  const at = (/** @type {number} */ index) => {
    const place = places[index];
    if (place === undefined) throw new Error(`damage: there is no byte ${index}`);
    return place;
  };
  return [
    {
      name: 'cut short',
      count: places.length,
      make(index) {
        const place = at(index);
        return { name: place.file.name, bytes: place.file.bytes.slice(0, place.at) };
      },
    },
    {
      name: 'bit turned',
      count: 8 * places.length,
      make(index) {
        const place = at(index >> 3);
        const bytes = place.file.bytes.slice();
        bytes[place.at] = (bytes[place.at] ?? 0) ^ (1 << (index & 7));
        return { name: place.file.name, bytes };
      },
    },
    {
      name: 'neighbours swapped',
      count: places.length,
      make(index) {
        const place = at(index);
        const bytes = place.file.bytes.slice();
        const [first = 0, second] = bytes.subarray(place.at, place.at + 2);
        if (second === undefined || first === second) return undefined;
        bytes.set([second, first], place.at);
        return { name: place.file.name, bytes };
      },
    },
    {
      name: 'burst',
      count: BURSTS,
      make(index) {
        const random = randomOf(index);
        const file = files[random(files.length)];
        if (file === undefined) return undefined;
        const length = Math.min(2 + random(15), file.bytes.length);
        const start = random(file.bytes.length - length + 1);
        const bytes = file.bytes.slice();
        // The first byte of a burst always changes, the others may.
        bytes[start] = (bytes[start] ?? 0) ^ (1 + random(255));
        for (let i = 1; i < length; i++) bytes[start + i] = random(256);
        return { name: file.name, bytes };
      },
    },
    {
      name: 'end doubled, or of another file',
      count: files.length * files.length,
      make(index) {
        const file = files[Math.floor(index / files.length)];
        const other = files[index % files.length];
        if (file === undefined || other === undefined) return undefined;
        const half = other.bytes.subarray(Math.floor(other.bytes.length / 2));
        if (file === other) return { name: file.name, bytes: joined(file.bytes, half) };
        const start = file.bytes.subarray(0, Math.ceil(file.bytes.length / 2));
        return { name: file.name, bytes: joined(start, half) };
      },
    },
  ];
}

/** @param {readonly Uint8Array[]} parts */
function joined(...parts) {
  return new Uint8Array(Buffer.concat(parts));
}
