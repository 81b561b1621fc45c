/**
 * A thread that decodes slices, one after the other, in a core of its own.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { VaeransError } from '../errors.js';
import { type Core, coreOfSize } from '../wasm/core.js';
import { bandCoder } from './band-coder.js';
import {
  type SliceJob,
  type SliceReply,
  type SliceThreadSetup,
  sliceArenaByteLength,
} from './protocol.js';

const { coreModule, contextFile } = workerData as SliceThreadSetup;
let core: Core | undefined;

function decode({ bytes, coder, rate, shapes }: SliceJob): Int16Array<ArrayBuffer>[] {
  core = coreOfSize(core, coreModule, sliceArenaByteLength(bytes.length, shapes));
  const { arena } = core;
  const slice = arena.allocate('u8', [bytes.length]);
  arena.view(slice).set(bytes);
  const grids = shapes.map((shape) => arena.allocate('i16', shape));
  const band = { firstRow: 0, rows: shapes[0]?.[1] ?? 0 };
  bandCoder(core, coder, contextFile, shapes, rate).decode(slice, grids, band);
  return grids.map((grid) => Int16Array.from(arena.view(grid)));
}

function answer(job: SliceJob): SliceReply {
  try {
    return { kind: 'symbols', grids: decode(job) };
  } catch (error) {
    const code = error instanceof VaeransError ? error.code : 'backend';
    return { kind: 'error', code, message: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (job: SliceJob) => {
  const reply = answer(job);
  const buffers = reply.kind === 'symbols' ? reply.grids.map(({ buffer }) => buffer) : [];
  parentPort?.postMessage(reply, buffers);
});
