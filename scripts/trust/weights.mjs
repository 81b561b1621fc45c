/**
 * Hostile weights: mutated safetensors headers, ONNX graphs and packages given to their readers. No session is opened:
 * what onnxruntime makes of a graph is not what is tried here.
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VaeransError } from 'vaerans';
import { decodeModel } from '#src/modelkit/onnx/read.js';
import { exportModel, unpackModel } from '#src/modelkit/package.js';
import { parseSafetensors } from '#src/modelkit/safetensors.js';
import { ROOT } from '../setup/shell.mjs';
import { mutate } from './hostile.mjs';
import { randomOf } from './trial.mjs';

const CASES = 100_000;
const PATIENCE_MS = 1000;
/** What a case may hold in buffers: its own bytes and copies of them. */
const BUFFERS_MAX_BYTES = 16 * 2 ** 20;

/** @type {import('./trial.mjs').Trial} */
export const weights = {
  promise:
    'Mutated safetensors headers, ONNX graphs and packages end in what they say or in one of our errors, within a second and 16 MB; no crash.',
  async prepare() {
    const { bytes: packed } = await exportModel('fixture', {});
    /** @type {readonly { name: string, bytes: Uint8Array, read: (bytes: Uint8Array) => unknown }[]} */
    const seeds = [
      { name: 'safetensors', bytes: safetensors(), read: (b) => parseSafetensors(b, b.length) },
      { name: 'onnx', bytes: graphOf('encoder'), read: (bytes) => decodeModel(bytes) },
      { name: 'onnx', bytes: graphOf('decoder'), read: (bytes) => decodeModel(bytes) },
      { name: 'package', bytes: packed, read: unpackModel },
    ];
    return {
      total: CASES,
      runCase(index) {
        const random = randomOf(index);
        const seed = seeds[random(seeds.length)];
        if (seed === undefined) throw new Error('weights: there are no seeds');
        const bytes = mutate(seed.bytes, random);
        const startMs = performance.now();
        const startBytes = process.memoryUsage().arrayBuffers;
        const { end, faults } = endOf(() => seed.read(bytes));
        const tookMs = performance.now() - startMs;
        const heldBytes = process.memoryUsage().arrayBuffers - startBytes;
        const where = `case ${index}, ${seed.name}`;
        if (heldBytes > BUFFERS_MAX_BYTES) faults.push(`held ${heldBytes} bytes`);
        return Promise.resolve({
          faults: faults.map((fault) => `${where}: ${fault}`),
          late: tookMs > PATIENCE_MS ? [`${where}: took ${Math.round(tookMs)} ms`] : [],
          counts: { [`${seed.name}: ${end}`]: 1 },
          largest: { milliseconds: Math.round(tookMs), 'bytes held': heldBytes },
        });
      },
    };
  },
};

/**
 * @param {() => unknown} read
 * @returns {{ end: string, faults: string[] }}
 */
function endOf(read) {
  try {
    read();
    return { end: 'read', faults: [] };
  } catch (error) {
    if (error instanceof VaeransError) return { end: `refused (${error.code})`, faults: [] };
    return { end: 'failed', faults: [`ended in ${error}`] };
  }
}

/** @param {string} network */
function graphOf(network) {
  return new Uint8Array(readFileSync(join(ROOT, 'models', 'fixture', `${network}.onnx`)));
}

/** Three tensors of a tiny autoencoder, with their names and shapes. */
function safetensors() {
  const header = {
    __metadata__: { format: 'pt' },
    '0.weight': { dtype: 'F32', shape: [4, 3, 3, 3], data_offsets: [0, 432] },
    '0.bias': { dtype: 'F32', shape: [4], data_offsets: [432, 448] },
    '1.conv.0.weight': { dtype: 'F16', shape: [4, 4, 3, 3], data_offsets: [448, 736] },
  };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return new Uint8Array(Buffer.concat([length, text, Buffer.alloc(736)]));
}
