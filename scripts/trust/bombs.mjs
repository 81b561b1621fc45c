/**
 * Small files that claim to be huge: headers made by hand, with right checksums, for every reader.
 * @module
 */
import { crc32, deflateSync } from 'node:zlib';
import { openCodec, readImage, VaeransError } from 'vaerans';
import { drawn } from './pictures.mjs';

const REFUSED_MS = 50;
const REFUSED_BYTES = 16 * 2 ** 20;
const SIDES = [0, 1, 32_768, 32_769, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** @type {import('./trial.mjs').Trial} */
export const bombs = {
  promise:
    'Headers made by hand that claim huge or empty pictures, slices, streams and counts, in .vae, PNG, JPEG and PPM, are refused within 50 ms and 16 MB of memory.',
  async prepare() {
    const codec = await openCodec({ model: 'fixture', provider: 'cpu', threads: 1 });
    const sound = await codec.compress(drawn(8, 8));
    const modelId = sound.subarray(9, 17);
    const bombs = [...vaeBombs(modelId), ...pngBombs(), ...jpegBombs(), ...pnmBombs()];
    const open = (/** @type {Bomb} */ { name, bytes }) =>
      name.startsWith('vae') ? codec.decompress(bytes) : readImage(bytes);
    // Code is loaded and compiled by the first refusal of each kind.
    for (const bomb of bombs) await open(bomb).catch(() => {});
    return {
      total: bombs.length,
      async runCase(index) {
        const bomb = bombs[index];
        if (bomb === undefined) throw new Error(`bombs: there is no bomb ${index}`);
        const startMs = performance.now();
        const startBytes = process.memoryUsage().rss;
        let end;
        try {
          const { widthPx, heightPx } = await open(bomb);
          end = `gave ${widthPx}x${heightPx}`;
        } catch (error) {
          end = error instanceof VaeransError ? undefined : `ended in ${error}`;
        }
        const tookMs = performance.now() - startMs;
        const tookBytes = process.memoryUsage().rss - startBytes;
        const faults = [];
        if (end !== undefined) faults.push(`${bomb.name}: ${end}`);
        if (tookBytes > REFUSED_BYTES) faults.push(`${bomb.name}: took ${tookBytes} bytes`);
        return {
          faults,
          late: tookMs > REFUSED_MS ? [`${bomb.name}: took ${Math.round(tookMs)} ms`] : [],
          counts: { [bomb.name.split(' ')[0] ?? '']: 1 },
          largest: { milliseconds: Math.ceil(tookMs), 'bytes more': tookBytes },
        };
      },
      close: () => codec.close(),
    };
  },
};

/** @typedef {{ name: string, bytes: Uint8Array }} Bomb */

/**
 * @param {number} value
 * @returns {number[]}
 */
function varint(value) {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}

/** @param {number} value */
function littleEndian(value) {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

/**
 * @param {Uint8Array} modelId
 * @returns {Bomb[]}
 */
function vaeBombs(modelId) {
  const payload = [1, 2, 3, 4];
  const file = (
    /** @type {{ sides?: readonly [number, number], sliceRows?: number, streams?: number, entry?: readonly number[], mode?: number, flags?: number }} */ {
      sides = [8, 8],
      sliceRows = 0,
      streams = 1,
      mode = 0,
      flags = 0,
      entry = [0x81, ...varint(4), ...littleEndian(crc32(Uint8Array.from(payload)))],
    },
  ) => {
    const rest = [
      ...sides.flatMap(varint),
      ...(mode === 2 ? [0, 0, 0, 0, 0, 0, 0, 0] : modelId),
      ...[0, mode << 4, 0, flags],
      ...varint(sliceRows),
      streams,
      ...entry,
    ];
    const start = [0x56, 0x41, 0x45, 0, 1, 0, ...varint(rest.length + 4), ...rest];
    return Uint8Array.from([...start, ...littleEndian(crc32(Uint8Array.from(start))), ...payload]);
  };
  const sides = SIDES.flatMap((width) =>
    SIDES.map((height) => /** @type {const} */ ([width, height])),
  );
  const crc = littleEndian(crc32(Uint8Array.from(payload)));
  return [
    ...sides.map((pair) => ({ name: `vae of ${pair.join('x')} px`, bytes: file({ sides: pair }) })),
    ...[1, 2, 65_536, 2 ** 31].map((rows) => ({
      name: `vae of 32768x8191 px in slices of ${rows} rows`,
      bytes: file({
        sides: [32_768, 8191],
        sliceRows: rows,
        entry: [0x81, ...varint(4), ...crc, ...varint(65_536)],
      }),
    })),
    ...[0, 2, 16, 17, 255].map((streams) => ({
      name: `vae of ${streams} streams`,
      bytes: file({ streams }),
    })),
    ...[0, 3, 5, 2 ** 28, 2 ** 32 - 1].map((length) => ({
      name: `vae with a stream of ${length} bytes`,
      bytes: file({ entry: [0x81, ...varint(length), ...crc] }),
    })),
    ...[0, 2, 65_535, 65_537, 2 ** 32 - 1].map((count) => ({
      name: `vae of ${count} slices`,
      bytes: file({ sliceRows: 1, entry: [0x81, ...varint(4), ...crc, ...varint(count)] }),
    })),
    ...[4, 5, 2 ** 32 - 1].map((length) => ({
      name: `vae with a slice of ${length} bytes in a stream of 4`,
      bytes: file({
        sides: [8, 16],
        sliceRows: 1,
        entry: [0x81, ...varint(4), ...crc, ...varint(2), ...varint(length)],
      }),
    })),
    ...sides.map((pair) => ({
      name: `vae of planes of ${pair.join('x')} px`,
      bytes: file({ sides: pair, mode: 2, entry: [0x82, ...varint(4), ...crc] }),
    })),
  ];
}

/**
 * @param {string} type
 * @param {readonly number[]} data
 */
function chunk(type, data) {
  const body = [...Buffer.from(type), ...data];
  const length = littleEndian(data.length).reverse();
  return [...length, ...body, ...littleEndian(crc32(Uint8Array.from(body))).reverse()];
}

/** @returns {Bomb[]} */
function pngBombs() {
  const png = (/** @type {number[]} */ header, /** @type {number[]} */ data) =>
    Uint8Array.from([
      ...[137, 80, 78, 71, 13, 10, 26, 10],
      ...chunk('IHDR', header),
      ...chunk('IDAT', data),
      ...chunk('IEND', []),
    ]);
  const bigEndian = (/** @type {number} */ value) => littleEndian(value).reverse();
  const empty = [...deflateSync(Buffer.alloc(0))];
  // A million zeroes a kilobyte.
  const dense = [...deflateSync(Buffer.alloc(2 ** 24), { level: 9 })];
  return [
    ...SIDES.flatMap((width) =>
      SIDES.map((height) => ({
        name: `png of ${width}x${height} px`,
        bytes: png([...bigEndian(width), ...bigEndian(height), 8, 2, 0, 0, 0], empty),
      })),
    ),
    {
      name: 'png of 1x1 px with 16 MB of rows',
      bytes: png([...bigEndian(1), ...bigEndian(1), 8, 6, 0, 0, 0], dense),
    },
    {
      name: 'png of 16383x16383 px, interlaced, without rows',
      bytes: png([...bigEndian(16_383), ...bigEndian(16_383), 16, 6, 0, 0, 1], empty),
    },
  ];
}

/** @returns {Bomb[]} */
function jpegBombs() {
  const sides = SIDES.filter((side) => side <= 65_535);
  const jpeg = (
    /** @type {number} */ width,
    /** @type {number} */ height,
    /** @type {number} */ marker,
  ) => {
    const parts = [1, 2, 3].flatMap((id) => [id, 0x44, 0]);
    const frame = [8, height >> 8, height & 255, width >> 8, width & 255, 3, ...parts];
    return Uint8Array.from([
      ...[0xff, 0xd8, 0xff, marker, 0, frame.length + 2, ...frame],
      ...[0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0, 0xff, 0xd9],
    ]);
  };
  return [0xc0, 0xc2].flatMap((marker) =>
    sides.flatMap((width) =>
      sides.map((height) => ({
        name: `jpeg of ${width}x${height} px, frame ${marker.toString(16)}`,
        bytes: jpeg(width, height, marker),
      })),
    ),
  );
}

/** @returns {Bomb[]} */
function pnmBombs() {
  return SIDES.flatMap((width) =>
    SIDES.map((height) => ({
      name: `ppm of ${width}x${height} px`,
      bytes: new Uint8Array(Buffer.from(`P6\n${width} ${height}\n255\n`)),
    })),
  );
}
