/**
 * What the pipeline costs: batches of tiles against single ones, many images in one pipe against single pipes, the
 * tracing wrapper, the pipe against calling the core by hand, and memory over thousands of images. All comparisons are
 * interleaved, round by round, and given as ratios of medians, so that a busy machine disturbs both sides alike.
 *
 *   node benches/pipeline.mjs [batching] [pipes] [overhead] [memory] [bands]      all where none is named
 *
 * Needs the built tree (`npm run setup`). Uses the Kodak pictures in ../shared/data where they are, else noise.
 * @module
 */
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import {
  entropyEncode,
  openCodec,
  quantise,
  readImage,
  rotate,
  Trace,
  vaeEncode,
  versions,
  waveletForward,
} from 'vaerans';
import { findModel } from '#src/models/registry.js';
import { VaePool } from '#src/vae/pool.js';
import { mosaicOf } from './mosaic.mjs';

/** @typedef {import('vaerans').Pixels} Pixels */
/** @typedef {import('vaerans').PlainPixels} PlainPixels */
/** @typedef {import('vaerans').World} World */

const THREADS = 2;
const ROOT = new URL('../', import.meta.url);
const KODAK = new URL('../shared/data/kodak/kodim01.png', ROOT);

/** @param {readonly number[]} values */
const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
};

/** Smooth colour with a little noise, the same for the same seed. @returns {PlainPixels} */
function picture(/** @type {number} */ widthPx, /** @type {number} */ heightPx, seed = 1) {
  let state = seed * 2654435761;
  const data = Uint8Array.from({ length: widthPx * heightPx * 3 }, (_, at) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const [x, y] = [Math.floor(at / 3) % widthPx, Math.floor(at / 3 / widthPx)];
    return 128 + 80 * Math.sin((x + seed) / 17 + (at % 3)) * Math.cos(y / 23) + (state >>> 28);
  });
  return { widthPx, heightPx, channels: 3, data };
}

/**
 * Times each contender once a round, in turn, after one warm-up round. `wall` and `cpu` hold the milliseconds of all
 * rounds by name; processor time, of all threads, is what a busy machine disturbs least.
 * @param {number} rounds
 * @param {Record<string, () => unknown>} contenders
 */
async function interleave(rounds, contenders) {
  const none = () => Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  /** @type {{ wall: Record<string, number[]>, cpu: Record<string, number[]> }} */
  const times = { wall: none(), cpu: none() };
  for (let round = -1; round < rounds; round++) {
    const turns = Object.entries(contenders);
    // Every other round runs the other way, so that being first is nobody's privilege.
    if (round % 2 === 0) turns.reverse();
    for (const [name, work] of turns) {
      const cpuStart = process.cpuUsage();
      const startMs = performance.now();
      await work();
      const wallMs = performance.now() - startMs;
      const { user, system } = process.cpuUsage(cpuStart);
      if (round < 0) continue;
      times.wall[name]?.push(wallMs);
      times.cpu[name]?.push((user + system) / 1000);
    }
  }
  return times;
}

/**
 * Keeps `depth` of `count` requests on their way, as the stages do.
 * @param {number} depth
 * @param {number} count
 * @param {(index: number) => Promise<void>} request
 */
async function inFlight(depth, count, request) {
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < count; index = next++) await request(index);
  };
  await Promise.all(Array.from({ length: depth }, lane));
}

/** One onnxruntime call for n tiles against n calls. */
async function batching() {
  console.log(
    'batching: ms a tile by tiles in one onnxruntime call (ratio to single calls in wall time, in processor time)',
  );
  const model = await findModel(undefined, {});
  const pool = new VaePool(model, { ladder: ['cpu'], threads: THREADS });
  const { channels = 0, stridePx = 1 } = model.manifest.grids[0] ?? {};
  for (const [sidePx, rounds] of /** @type {const} */ ([
    [64, 15],
    [128, 15],
    [256, 9],
    [512, 5],
  ])) {
    const tiles = sidePx < 256 ? 32 : 8;
    const sources = Array.from({ length: tiles }, (_, i) => picture(sidePx, sidePx, i + 1).data);
    const side = sidePx / stridePx;
    const latents = sources.map((_, i) =>
      Float32Array.from({ length: channels * side * side }, (_, at) => Math.sin(at * (i + 1))),
    );
    /** @param {number} perRun */
    const encode = (perRun) =>
      inFlight(pool.depth, tiles / perRun, async (index) => {
        const at = index * perRun;
        const request = {
          kind: /** @type {const} */ ('encode'),
          sources: sources.slice(at, at + perRun).map((source) => source.slice()),
          sourceWidthPx: sidePx,
          sourceHeightPx: sidePx,
          windowWidthPx: sidePx,
          windowHeightPx: sidePx,
        };
        await pool.encode(request, undefined);
      });
    /** @param {number} perRun */
    const decode = (perRun) =>
      inFlight(pool.depth, tiles / perRun, async (index) => {
        const at = index * perRun;
        const request = {
          kind: /** @type {const} */ ('decode'),
          latents: latents.slice(at, at + perRun).map((latent) => latent.slice()),
          windowWidthPx: sidePx,
          windowHeightPx: sidePx,
          cropX: 0,
          cropY: 0,
          cropWidthPx: sidePx,
          cropHeightPx: sidePx,
        };
        await pool.decode(request, undefined);
      });
    for (const [network, run] of /** @type {const} */ ([
      ['encode', encode],
      ['decode', decode],
    ])) {
      const sizes = [1, 2, 4, tiles];
      const { wall, cpu } = await interleave(
        rounds,
        Object.fromEntries(sizes.map((size) => [`x${size}`, () => run(size)])),
      );
      const cells = sizes.map((size) => {
        const ms = median(wall[`x${size}`] ?? []);
        const ratios = [wall, cpu].map((times) =>
          (median(times[`x${size}`] ?? []) / median(times.x1 ?? [])).toFixed(2),
        );
        return `x${size} ${(ms / tiles).toFixed(2)} (${ratios.join(', ')})`;
      });
      console.log(`  ${network} ${sidePx}x${sidePx}: ${cells.join('  ')}`);
    }
  }
  await pool.close();
}

/** @param {World} world @param {readonly import('vaerans').Entity<'Rgb'>[]} entities */
const compressAll = (world, entities) =>
  world
    .pipe(entities)
    .to(vaeEncode())
    .to(rotate())
    .to(waveletForward())
    .to(quantise({ quality: 60 }))
    .to(entropyEncode())
    .out('Bitstream');

/** 32 images in one pipe against 32 pipes of one. */
async function pipes() {
  console.log('pipes: 32 images in one pipe against 32 pipes, and against 32 calls of compress()');
  const codec = await openCodec({ threads: THREADS, deterministic: true });
  const world = await codec.world();
  for (const sidePx of [128, 256]) {
    const images = Array.from({ length: 32 }, (_, i) => picture(sidePx, sidePx, i + 1));
    const { wall, cpu } = await interleave(9, {
      together: async () => {
        world.clear();
        await compressAll(world, world.spawnBatch(images));
      },
      singly: async () => {
        world.clear();
        for (const image of images) await compressAll(world, [world.spawnImage(image)]);
      },
      calls: async () => {
        for (const image of images) await codec.compress(image, { quality: 60 });
      },
    });
    const ms = (/** @type {string} */ name) => median(wall[name] ?? []);
    const ratios = (/** @type {string} */ name) =>
      [wall, cpu]
        .map((times) => (median(times.together ?? []) / median(times[name] ?? [])).toFixed(2))
        .join(', ');
    console.log(
      `  ${sidePx}x${sidePx}: one pipe ${ms('together').toFixed(0)} ms; 32 pipes ${ms('singly').toFixed(0)} ms (one is ${ratios('singly')} of it in wall, processor time); 32 calls ${ms('calls').toFixed(0)} ms (${ratios('calls')})`,
    );
  }
  await codec.close();
}

/**
 * The pipe against the same work by hand, and with a trace against without. The networks' own time is the same in all
 * three and by far the noisiest, so it is taken out of each call before they are compared; and of each the fastest of
 * sixty is taken, as only that is sure to have had a core to itself.
 */
async function overhead() {
  const image = existsSync(KODAK) ? await readImage(fileURLToPath(KODAK)) : picture(768, 512);
  console.log(
    `overhead: compressing ${image.widthPx}x${image.heightPx} by hand, by a pipe, by a traced pipe`,
  );
  const codec = await openCodec({ threads: THREADS, deterministic: true });
  const world = await codec.world();
  const traced = await codec.world({ trace: new Trace() });
  let inferenceMs = 0;
  const pool = world.context.vae(image.widthPx * image.heightPx);
  const encode = pool.encode.bind(pool);
  pool.encode = async (request, signal) => {
    const reply = await encode(request, signal);
    inferenceMs += reply.inferenceMs;
    return reply;
  };
  /** @type {Record<string, number[]>} */
  const restMs = { hand: [], pipe: [], trace: [] };
  /** @param {string} name @param {World} its @param {() => unknown} work */
  const timed = (name, its, work) => async () => {
    its.clear();
    inferenceMs = 0;
    const startMs = performance.now();
    await work();
    restMs[name]?.push(performance.now() - startMs - inferenceMs);
  };
  const { wall } = await interleave(60, {
    hand: timed('hand', world, () => byHand(world, image)),
    pipe: timed('pipe', world, () => compressAll(world, [world.spawnImage(image)])),
    trace: timed('trace', traced, () => compressAll(traced, [traced.spawnImage(image)])),
  });
  const callMs = median(wall.hand ?? []);
  const ms = (/** @type {string} */ name) => Math.min(...(restMs[name] ?? []));
  const share = (/** @type {number} */ moreMs) => `${((100 * moreMs) / callMs).toFixed(2)} %`;
  console.log(
    `  a call by hand takes ${callMs.toFixed(1)} ms; outside the networks, at best: by hand ${ms('hand').toFixed(2)} ms, pipe ${ms('pipe').toFixed(2)} ms, traced ${ms('trace').toFixed(2)} ms`,
  );
  console.log(
    `  of the call: the pipe ${share(ms('pipe') - ms('hand'))}, the trace ${share(ms('trace') - ms('pipe'))}`,
  );
  await stageCost(callMs);
  await codec.close();
}

/** What a stage that does nothing costs: exact where the noise of inference would hide it. */
async function stageCost(/** @type {number} */ callMs) {
  const codec = await openCodec({ threads: THREADS });
  const STAGES = 2000;
  for (const [what, trace] of /** @type {const} */ ([
    ['plain', undefined],
    ['traced', new Trace()],
  ])) {
    const world = await codec.world({ ...(trace ? { trace } : {}), arenaByteLength: 2 ** 20 });
    const image = world.spawnImage(picture(8, 8));
    /** @type {import('vaerans').Stage<'Rgb', never>} */
    const nothing = {
      name: 'nothing',
      requires: ['Rgb'],
      produces: [],
      canRun: (entity) => entity.has('Rgb'),
      run: () => undefined,
    };
    const { wall } = await interleave(9, {
      all: async () => {
        for (let i = 0; i < STAGES; i++) await world.pipe(image).to(nothing).out('Rgb');
      },
    });
    const stageMs = median(wall.all ?? []) / STAGES;
    // A call to compress has five stages.
    console.log(
      `  a ${what} pipe of one empty stage: ${(1000 * stageMs).toFixed(2)} us; five are ${((500 * stageMs) / callMs).toFixed(4)} % of the call by hand`,
    );
  }
  await codec.close();
}

/** What the five stages do, with nothing of theirs between: pool and core called directly. */
async function byHand(/** @type {World} */ world, /** @type {Pixels} */ image) {
  const { arena, core, context } = world;
  const { manifest } = context.model;
  const { channels = 0, stridePx = 1 } = manifest.grids[0] ?? {};
  const { widthPx, heightPx, data } = image;
  const source = arena.allocate('u8', [heightPx, widthPx, 3]);
  arena.view(source).set(data);
  const pool = context.vae(widthPx * heightPx);
  const sources = [arena.view(source).slice()];
  const windowWidthPx = Math.ceil(widthPx / manifest.padToPx) * manifest.padToPx;
  const windowHeightPx = Math.ceil(heightPx / manifest.padToPx) * manifest.padToPx;
  const reply = await pool.encode(
    {
      kind: 'encode',
      sources,
      sourceWidthPx: widthPx,
      sourceHeightPx: heightPx,
      windowWidthPx,
      windowHeightPx,
    },
    undefined,
  );
  const shape = [channels, windowHeightPx / stridePx, windowWidthPx / stridePx];
  const [, height = 0, width = 0] = shape;
  const latent = arena.allocate('f32', shape);
  arena.view(latent).set(reply.latents[0] ?? []);
  const symbols = arena.allocate('i16', shape);
  const knots = manifest.rate.logGain;
  const logKnots = arena.allocate('f32', [knots.length, channels]);
  arena.view(logKnots).set(knots.flat());
  const gains = arena.allocate('f32', [channels]);
  const rate = manifest.quality[59] ?? 0;
  core.gainsAtRate(logKnots, rate, gains);
  core.quantise(latent, gains, symbols);
  const band = { firstRow: 0, rows: height };
  if (context.tables.context === undefined) {
    const room = arena.allocate('u8', [core.static.encodeBound(channels, height, width)]);
    return core.static.encode(symbols, band, room);
  }
  const handle = core.context.model(context.tables.context, [channels]);
  const room = arena.allocate('u8', [core.context.encodeBound(handle, [symbols], band)]);
  return core.context.encode(handle, rate, [symbols], band, room);
}

/**
 * Thousands of images through one world, emptied between them. The first thousand are what is promised; garbage
 * collection moves RSS by more than they could leak, so that the slope is taken from the second half of all.
 */
async function memory() {
  const IMAGES = 30_000;
  console.log(`memory: ${IMAGES} images of 64x64 through one world with clear() between`);
  const model = fileURLToPath(new URL('models/fixture', ROOT));
  const codec = await openCodec({ model, threads: THREADS });
  const world = await codec.world({ arenaByteLength: 8 * 2 ** 20 });
  const image = picture(64, 64);
  /** @type {number[]} */
  const rss = [];
  let peakByteLength = 0;
  for (let i = 0; i < IMAGES; i++) {
    world.clear();
    await compressAll(world, [world.spawnImage(image)]);
    if (i === 0) peakByteLength = world.arena.peakByteLength;
    if (i % 20 === 19) rss.push(process.memoryUsage.rss() / 2 ** 20);
  }
  const settled = rss.slice(rss.length / 2);
  const mean = (/** @type {number[]} */ values) =>
    values.reduce((a, b) => a + b, 0) / values.length;
  const centre = (settled.length - 1) / 2;
  const slope =
    settled.reduce((sum, mib, i) => sum + (i - centre) * (mib - mean(settled)), 0) /
    settled.reduce((sum, _, i) => sum + (i - centre) ** 2, 0) /
    20;
  console.log(
    `  arena peak ${peakByteLength} bytes after the first image, ${world.arena.peakByteLength} after the last`,
  );
  console.log(
    `  RSS ${rss[0]?.toFixed(0)} MiB after 20 images, ${rss[49]?.toFixed(0)} after 1,000, ${rss.at(-1)?.toFixed(0)} after all; slope of the second half ${(slope * 1024).toFixed(2)} KiB an image`,
  );
  await codec.close();
}

/**
 * How much of the entropy coder's time a picture of 12 megapixels waits for: while tiles are in flight it costs no wall
 * time but that of a core, so what counts is the time in which it runs alone.
 */
async function bands() {
  console.log('bands: a picture of 4000x3000, made of a Kodak picture side by side with itself');
  const kodak = existsSync(KODAK) ? await readImage(fileURLToPath(KODAK)) : picture(768, 512);
  const photograph = mosaicOf(kodak);
  const shares = async (
    /** @type {string} */ network,
    /** @type {string} */ coder,
    /** @type {(trace: Trace) => Promise<unknown>} */ work,
  ) => {
    const trace = new Trace();
    await work(trace);
    const spans = (/** @type {string} */ stage) =>
      trace.records
        .filter((record) => record.stage === stage)
        .map(({ startMs, wallMs }) => ({ startMs, endMs: startMs + wallMs }));
    const tiles = spans(network).sort((a, b) => a.startMs - b.startMs);
    const vaeMs = alone(tiles, []);
    return { alone: alone(spans(coder), tiles) / vaeMs, all: trace.wallMs(coder) / vaeMs };
  };
  for (const threads of [1, THREADS]) {
    const codec = await openCodec({ threads, provider: 'cpu' });
    for (const quality of [10, 30, 60, 80, 90, 95]) {
      /** @type {Record<'encode' | 'encodeAlone' | 'decode' | 'decodeAlone', number[]>} */
      const seen = { encode: [], encodeAlone: [], decode: [], decodeAlone: [] };
      for (let round = 0; round < 4; round++) {
        let bytes = new Uint8Array(0);
        const encode = await shares('vaeEncode', 'entropyEncode', async (trace) => {
          bytes = Uint8Array.from(await codec.compress(photograph, { quality, trace }));
        });
        const decode = await shares('vaeDecode', 'entropyDecode', (trace) =>
          codec.decompress(bytes, { trace }),
        );
        if (round === 0) continue;
        seen.encode.push(encode.all);
        seen.encodeAlone.push(encode.alone);
        seen.decode.push(decode.all);
        seen.decodeAlone.push(decode.alone);
      }
      const percent = (/** @type {number[]} */ values) => `${(100 * median(values)).toFixed(1)} %`;
      console.log(
        `  ${threads} thread(s), quality ${quality}, of the network's wall time: encode ${percent(seen.encode)}, without tiles in flight ${percent(seen.encodeAlone)}; decode ${percent(seen.decode)}, without ${percent(seen.decodeAlone)}`,
      );
    }
    await codec.close();
  }
}

/**
 * Milliseconds of the spans, overlaps counted once, outside of the others.
 * @typedef {{ readonly startMs: number, readonly endMs: number }} Span
 */
function alone(/** @type {readonly Span[]} */ spans, /** @type {readonly Span[]} */ others) {
  const edges = [...spans, ...others].flatMap(({ startMs, endMs }) => [startMs, endMs]);
  edges.sort((a, b) => a - b);
  let sum = 0;
  for (const [index, start] of edges.entries()) {
    const end = edges[index + 1] ?? start;
    const covers = (/** @type {Span} */ { startMs, endMs }) => startMs <= start && endMs >= end;
    if (end > start && spans.some(covers) && !others.some(covers)) sum += end - start;
  }
  return sum;
}

const PARTS = { batching, pipes, overhead, memory, bands };
const asked = process.argv.slice(2);
const model = cpus()[0]?.model ?? 'unknown';
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${model}, ${cpus().length} cores, ${THREADS} threads, node ${process.versions.node}, onnxruntime ${(await versions()).onnxruntime}`,
);
for (const [name, part] of Object.entries(PARTS)) {
  if (asked.length === 0 || asked.includes(name)) await part();
}
