/**
 * One inference thread: a core of its own for the conversions, sessions that stay warm, tiles in and out as
 * transferred buffers. onnxruntime reads and writes views of the core's arena, so no f32 picture is ever copied.
 * It lives in a thread because `run()` blocks the one it is called on.
 * @module
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { BackendError, VaeransError } from '../errors.js';
import { type TensorRef, tensorByteLength } from '../wasm/arena.js';
import { type Core, coreOfSize } from '../wasm/core.js';
import { buffersOf } from './buffers.js';
import type {
  CloseRequest,
  DecodeReply,
  DecodeRequest,
  EncodeReply,
  EncodeRequest,
  Job,
  LoadReply,
  LoadRequest,
  NetworkKind,
  Reply,
  Request,
  WorkerSetup,
} from './protocol.js';
import { openSession } from './providers.js';
import { ort } from './runtime.js';
import { type Search, searchLatent } from './search.js';

interface Network {
  readonly session: ort.InferenceSession;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

const setup = workerData as WorkerSetup;
const networks = new Map<NetworkKind, Network>();
let core: Core | undefined;

function coreFor(arenaByteLength: number): Core {
  core = coreOfSize(core, setup.coreModule, arenaByteLength);
  return core;
}

async function load(request: LoadRequest): Promise<LoadReply> {
  const opened = await openSession(ort, request.graph, setup.ladder, setup.threads);
  const { session } = opened;
  const inputNames = resolved('input', request.inputNames, session.inputNames);
  const outputNames = resolved('output', request.outputNames, session.outputNames);
  networks.set(request.network, { session, inputNames, outputNames });
  return { kind: 'load', provider: opened.provider, failed: opened.failed };
}

/** @throws BackendError when the graph has no such tensor */
function resolved(
  what: 'input' | 'output',
  wanted: readonly (string | undefined)[],
  found: readonly string[],
): string[] {
  return wanted.map((wantedName, index) => {
    const name = wantedName ?? found[index];
    if (name !== undefined && found.includes(name)) return name;
    throw new BackendError(
      `vae: expected a graph with ${what} '${name ?? `number ${index + 1}`}', got ${found.join(', ')}`,
    );
  });
}

/** Runs a network on arena tensors. Nothing may allocate in the core between the call and its end. */
async function infer(
  kind: NetworkKind,
  inputs: readonly TensorRef<'f32'>[],
  outputs: readonly TensorRef<'f32'>[],
  { arena }: Core,
): Promise<number> {
  const network = networks.get(kind);
  if (network === undefined) throw new BackendError(`vae: expected a loaded ${kind}, got none`);
  const named = (names: readonly string[], refs: readonly TensorRef<'f32'>[]) =>
    Object.fromEntries(
      refs.map((ref, index) => [
        names[index],
        new ort.Tensor('float32', arena.view(ref), ref.shape),
      ]),
    );
  const feeds = named(network.inputNames, inputs);
  const fetches = named(network.outputNames, outputs);
  const shapes = inputs.map(({ shape }) => `[${shape}]`).join(' and ');
  const startMs = performance.now();
  try {
    // The returned tensors are copies of what now lies in the arena; they are left to the garbage collector.
    await network.session.run(feeds, fetches);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new BackendError(`vae: expected the ${kind} to run on ${shapes}, got: ${message}`);
  }
  const inferenceMs = performance.now() - startMs;
  if (!outputs.every((output) => isAllFinite(arena.view(output)))) {
    throw new BackendError(
      `vae: expected finite numbers from the ${kind} on ${shapes}, got some that are not; the model is damaged or this provider's precision too low for it`,
    );
  }
  return inferenceMs;
}

/** A product with zero is zero for every finite number, and sticks once it is not: no branch for each value. */
function isAllFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] ?? 0) * 0;
  return sum === 0;
}

/** [tiles, channels, height, width] of every grid. */
function latentShapesOf(tiles: number, widthPx: number, heightPx: number): readonly number[][] {
  return setup.grids.map(({ channels, stridePx }) => [
    tiles,
    channels,
    heightPx / stridePx,
    widthPx / stridePx,
  ]);
}

function byteLengthOf(shapes: readonly number[][]): number {
  return shapes.reduce((sum, shape) => sum + tensorByteLength('f32', shape), 0);
}

async function encode(request: Job<EncodeRequest>): Promise<EncodeReply> {
  const { sources, outputs, sourceWidthPx, sourceHeightPx, windowWidthPx, windowHeightPx, search } =
    request;
  const tiles = sources.length;
  const sourceShape = [sourceHeightPx, sourceWidthPx, 3];
  const imageShape = [tiles, 3, windowHeightPx, windowWidthPx];
  const latentShapes = latentShapesOf(tiles, windowWidthPx, windowHeightPx);
  const current = coreFor(
    tensorByteLength('u8', sourceShape) +
      tensorByteLength('f32', imageShape) +
      byteLengthOf(latentShapes) * (search ? 3 : 1) +
      tensorByteLength('f32', [1]),
  );
  const { arena } = current;
  const source = arena.allocate('u8', sourceShape);
  const image = arena.allocate('f32', imageShape);
  const latentGrids = latentShapes.map((shape) => arena.allocate('f32', shape));
  const [low, high] = setup.inputRange;
  const window = { x: 0, y: 0, width: windowWidthPx, height: windowHeightPx };
  for (const [tile, pixels] of sources.entries()) {
    arena.view(source).set(pixels);
    current.rgb8ToPlanar(source, window, arena.item(image, tile), (high - low) / 255, low);
  }
  let inferenceMs = await infer('encoder', [image], latentGrids, current);
  if (search) inferenceMs += await searchIn(search, image, latentGrids, request.stop, current);
  const latents = outputs.map((output, tile) =>
    arena.gather(
      latentGrids.map((grid) => arena.item(grid, tile)),
      new Float32Array(output),
    ),
  );
  return { kind: 'encode', latents, inputs: buffersOf(sources), inferenceMs };
}

/** Replaces latents [tiles, channels, height, width] of one grid by better ones. */
async function searchIn(
  search: Search,
  image: TensorRef<'f32'>,
  latentGrids: readonly TensorRef<'f32'>[],
  stop: Int32Array | undefined,
  current: Core,
): Promise<number> {
  const { arena } = current;
  const [latent] = latentGrids;
  const [tiles = 0] = image.shape;
  if (latent === undefined || tiles !== 1 || latentGrids.length > 1) {
    throw new BackendError(
      `vae: expected one tile of one grid to search, got ${tiles} of ${latentGrids.length}`,
    );
  }
  const symbols = arena.allocate('f32', latent.shape);
  const gradient = arena.allocate('f32', latent.shape);
  const rate = arena.allocate('f32', [1]);
  arena.view(rate)[0] = search.rate;
  let inferenceMs = 0;
  await searchLatent(
    arena.view(latent),
    search,
    arena.view(symbols),
    arena.view(gradient),
    async () => {
      if (stop && Atomics.load(stop, 0) !== 0) {
        // Heard only where the pool was closed: one that was aborted is not waited for.
        throw new BackendError('codec: expected an open codec, got a closed one');
      }
      inferenceMs += await infer('gradient', [symbols, image, rate], [gradient], current);
    },
  );
  return inferenceMs;
}

async function decode(request: Job<DecodeRequest>): Promise<DecodeReply> {
  const { latents, outputs, windowWidthPx, windowHeightPx, cropWidthPx, cropHeightPx } = request;
  const tiles = latents.length;
  const latentShapes = latentShapesOf(tiles, windowWidthPx, windowHeightPx);
  const imageShape = [tiles, 3, windowHeightPx, windowWidthPx];
  const cropShape = [cropHeightPx, cropWidthPx, 3];
  const current = coreFor(
    byteLengthOf(latentShapes) +
      tensorByteLength('f32', imageShape) +
      tensorByteLength('u8', cropShape),
  );
  const { arena } = current;
  const latentGrids = latentShapes.map((shape) => arena.allocate('f32', shape));
  const image = arena.allocate('f32', imageShape);
  const crop = arena.allocate('u8', cropShape);
  for (const [tile, values] of latents.entries()) {
    let at = 0;
    for (const grid of latentGrids) {
      const view = arena.view(arena.item(grid, tile));
      view.set(values.subarray(at, at + view.length));
      at += view.length;
    }
  }
  const inferenceMs = await infer('decoder', latentGrids, [image], current);
  const [low, high] = setup.inputRange;
  const scale = 255 / (high - low);
  const window = {
    x: request.cropX,
    y: request.cropY,
    width: cropWidthPx,
    height: cropHeightPx,
  };
  const pictures = outputs.map((output, tile) => {
    current.planarToRgb8(arena.item(image, tile), window, crop, 0, 0, scale, -low * scale);
    const rgb = new Uint8Array(output);
    rgb.set(arena.view(crop));
    return rgb;
  });
  return { kind: 'decode', pictures, inputs: buffersOf(latents), inferenceMs };
}

async function answer(request: Exclude<Request, CloseRequest>): Promise<Reply> {
  try {
    switch (request.kind) {
      case 'load':
        return await load(request);
      case 'encode':
        return await encode(request);
      case 'decode':
        return await decode(request);
    }
  } catch (error) {
    const code = error instanceof VaeransError ? error.code : 'backend';
    return { kind: 'error', code, message: error instanceof Error ? error.message : String(error) };
  }
}

/** What a reply hands over: results and inputs, none of which this thread keeps. */
function transfersOf(reply: Reply): ArrayBuffer[] {
  if (reply.kind === 'encode') return [...buffersOf(reply.latents), ...reply.inputs];
  if (reply.kind === 'decode') return [...buffersOf(reply.pictures), ...reply.inputs];
  return [];
}

async function close(port: MessagePort): Promise<void> {
  for (const { session } of networks.values()) await session.release();
  port.close();
}

/** One request after the other, so that a session is never released under a run. */
function serve(port: MessagePort): void {
  let last = Promise.resolve();
  port.on('message', (request: Request) => {
    last = last.then(async () => {
      if (request.kind === 'close') return close(port);
      const reply = await answer(request);
      port.postMessage(reply, transfersOf(reply));
    });
  });
}

if (parentPort !== null) serve(parentPort);
