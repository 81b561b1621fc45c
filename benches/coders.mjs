/**
 * Bits and time of the entropy coders on the latents of real pictures: what a file would take with simpler coders, with
 * ours, and by the context coder's own model.
 *
 *   node benches/coders.mjs [--model NAME_OR_FOLDER] [--rates 0,1024,...] [--symbols FOLDER] [--networks] [PICTURE...]
 *
 * Five Kodak pictures from ../shared/data where none is named. `--symbols` writes the first picture's symbols at the
 * middle rate, and the model's tables, for `VAERANS_SYMBOLS=FOLDER cargo bench --bench coders` in benches/native.
 * `--networks` gives the coder's time as a share of the networks', each by processor time on one thread. Needs the
 * built tree (`npm run setup`).
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  openCodec,
  quantise,
  readImage,
  rotate,
  vaeDecode,
  vaeEncode,
  waveletForward,
} from 'vaerans';

const KODAK = new URL('../../shared/data/kodak/', import.meta.url);
const PICTURES = ['01', '05', '13', '20', '23'].map((number) =>
  fileURLToPath(new URL(`kodim${number}.png`, KODAK)),
);
/** Bytes of a table of 256 floats, and the values that it is for. */
const TABLE = { byteLength: 1024, least: -128, most: 127 };
const TIMED_CALLS = 6;
/** What a slice may take beyond its symbols: the coder's states and which channels live. */
const FIXED_BYTES = 24;
/** As `entropyEncode` has them. */
const SLICE_ROWS = 128;
/** What a world needs here for a pixel, generously. */
const ARENA_BYTES_A_PIXEL = 64;

/** Bits of all symbols together by their own frequencies, each count one too high so that none is zero, and the table. */
function globalBits(/** @type {Int16Array} */ symbols) {
  const counts = new Float64Array(256).fill(1);
  const places = Array.from(
    symbols,
    (symbol) => Math.min(Math.max(symbol, TABLE.least), TABLE.most) - TABLE.least,
  );
  for (const place of places) counts[place] = (counts[place] ?? 0) + 1;
  const total = symbols.length + counts.length;
  const bits = counts.map((count) => Math.log2(total / count));
  return 8 * TABLE.byteLength + places.reduce((sum, place) => sum + (bits[place] ?? 0), 0);
}

/** Bits of each channel by what came before in it, by counts that start at a half; its range is known for nothing. */
function adaptiveBits(/** @type {Int16Array} */ symbols, /** @type {number} */ planeLength) {
  let bits = 0;
  for (let start = 0; start < symbols.length; start += planeLength) {
    const plane = symbols.subarray(start, start + planeLength);
    const least = plane.reduce((a, b) => Math.min(a, b));
    const most = plane.reduce((a, b) => Math.max(a, b));
    const counts = new Float64Array(most - least + 1).fill(0.5);
    let total = counts.length / 2;
    for (const symbol of plane) {
      const count = counts[symbol - least] ?? 0;
      bits += Math.log2(total / count);
      counts[symbol - least] = count + 1;
      total++;
    }
  }
  return bits;
}

/** Milliseconds of processor time, of all threads. @param {() => unknown} work */
async function processorMs(work) {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** Those of the call that took least. @param {() => unknown} work */
async function leastMs(work) {
  let least = Number.POSITIVE_INFINITY;
  for (let call = 0; call < TIMED_CALLS; call++) least = Math.min(least, await processorMs(work));
  return least;
}

const { values: options, positionals } = parseArgs({
  options: {
    model: { type: 'string' },
    rates: { type: 'string', default: '0,1024,2048,3072,4095' },
    symbols: { type: 'string' },
    networks: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const rates = options.rates.split(',').map(Number);
const pictures = positionals.length > 0 ? positionals : PICTURES;
const codec = await openCodec({
  provider: 'cpu',
  threads: 1,
  ...(options.model !== undefined && { model: options.model }),
});
/** Sums over the pictures. */
const rows = rates.map((rate) => ({
  rate,
  symbols: 0,
  table: 0,
  adaptive: 0,
  fixed: 0,
  context: 0,
  own: 0,
  slices: 0,
  encodeMs: 0,
  decodeMs: 0,
  fixedDecodeMs: 0,
}));
const networks = { encodeMs: 0, decodeMs: 0 };
for (const file of pictures) {
  const image = await readImage(file);
  const ofNetworks = { encodeMs: Number.POSITIVE_INFINITY, decodeMs: Number.POSITIVE_INFINITY };
  for (const row of rows) {
    const { rate } = row;
    const world = await codec.world({
      arenaByteLength: ARENA_BYTES_A_PIXEL * image.widthPx * image.heightPx + 2 ** 25,
    });
    const { arena, core, context } = world;
    const entity = world.spawnImage(image);
    const encodeMs = await processorMs(() => world.pipe(entity).to(vaeEncode()).out('Latent'));
    if (!entity.has('Latent')) throw new Error('bench: expected a latent, got none');
    const { grids } = await world
      .pipe(entity)
      .to(rotate())
      .to(waveletForward())
      .to(quantise({ rate }))
      .out('Symbols');
    const [values, ...finer] = grids;
    if (values === undefined || finer.length > 0) {
      throw new Error('bench: expected a model of one latent grid');
    }
    const [channels = 0, height = 0, width = 0] = values.shape;
    const symbols = arena.view(values).slice();
    row.symbols += symbols.length;
    row.table += globalBits(symbols);
    row.adaptive += adaptiveBits(symbols, height * width);

    const tables = context.tables.context;
    if (tables === undefined) throw new Error('bench: expected a model with context tables');
    const handle = core.context.model(tables, [channels]);
    for (let firstRow = 0; firstRow < height; firstRow += SLICE_ROWS) {
      const band = { firstRow, rows: Math.min(SLICE_ROWS, height - firstRow) };
      const mark = arena.mark();
      const bound = core.context.encodeBound(handle, [values], band);
      const room = arena.allocate('u8', [
        Math.max(bound, core.static.encodeBound(channels, band.rows, width)),
      ]);
      const keep = (/** @type {number} */ length) => {
        const stream = arena.allocate('u8', [length]);
        arena.view(stream).set(arena.view(room).subarray(0, length));
        return stream;
      };
      const fixed = keep(core.static.encode(values, band, room));
      const coded = keep(core.context.encode(handle, rate, [values], band, room));
      const bits = arena.allocate('f32', values.shape);
      arena.view(bits).fill(0);
      core.context.cost(handle, rate, [values], band, [bits]);
      row.fixed += 8 * (fixed.shape[0] ?? 0);
      row.context += 8 * (coded.shape[0] ?? 0);
      row.own += arena.view(bits).reduce((sum, bit) => sum + bit, 0);
      row.slices++;
      row.encodeMs += await leastMs(() => core.context.encode(handle, rate, [values], band, room));
      row.decodeMs += await leastMs(() => core.context.decode(handle, rate, coded, [values], band));
      row.fixedDecodeMs += await leastMs(() => core.static.decode(fixed, values, band));
      arena.rewind(mark);
    }
    if (options.networks) {
      const decodeMs = await processorMs(() => world.pipe(entity).to(vaeDecode()).out('ReconRgb'));
      ofNetworks.encodeMs = Math.min(ofNetworks.encodeMs, encodeMs);
      ofNetworks.decodeMs = Math.min(ofNetworks.decodeMs, decodeMs);
    }
    if (options.symbols !== undefined && file === pictures[0] && row === rows[rows.length >> 1]) {
      mkdirSync(options.symbols, { recursive: true });
      const header = Uint32Array.of(channels, width, height, rate);
      const data = [header, symbols].map(({ buffer }) => new Uint8Array(buffer));
      writeFileSync(join(options.symbols, 'symbols.bin'), Buffer.concat(data));
      writeFileSync(join(options.symbols, 'context.bin'), tables);
    }
    world.clear();
  }
  networks.encodeMs += ofNetworks.encodeMs;
  networks.decodeMs += ofNetworks.decodeMs;
}
await codec.close();

const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, node ${process.versions.node}`;
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${machine}, ${pictures.length} pictures; bits a symbol`,
);
const titles = ['rate', 'table', 'adaptive', 'static', 'context', 'own model', 'B a slice', 'rest'];
const timed = ['enc Msym/s', 'dec Msym/s', 'static dec'];
const shares = options.networks ? ['of encoder', 'of decoder'] : [];
const line = (/** @type {readonly string[]} */ cells) =>
  console.log(cells.map((cell) => cell.padStart(11)).join(''));
line([...titles, ...timed, ...shares]);
for (const row of rows) {
  const { symbols, own, slices, encodeMs, decodeMs, fixedDecodeMs } = row;
  const bits = [row.table, row.adaptive, row.fixed, row.context, own];
  const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(2)} %`;
  line([
    String(row.rate),
    ...bits.map((sum) => (sum / symbols).toFixed(4)),
    ((row.context - own) / 8 / slices).toFixed(1),
    percent(Math.max(0, row.context - own - 8 * FIXED_BYTES * slices) / own),
    ...[encodeMs, decodeMs, fixedDecodeMs].map((ms) => (symbols / ms / 1000).toFixed(1)),
    ...(options.networks
      ? [percent(encodeMs / networks.encodeMs), percent(decodeMs / networks.decodeMs)]
      : []),
  ]);
}
