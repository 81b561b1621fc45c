import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { bandCoder } from '#src/slices/band-coder.js';
import { SlicePool } from '#src/slices/pool.js';
import type { SliceJob } from '#src/slices/protocol.js';
import { Core } from '#src/wasm/core.js';
import { loadCoreModule } from '#src/wasm/load.js';

const CHANNELS = 128;
const contextFile = new Uint8Array(await readFile('models/eye/context.bin'));
const core = new Core(await loadCoreModule(), 64 * 2 ** 20);

/** Symbols of [channels, rows, width], mostly small, and the slice that they are coded to. */
function sliceOf(seed: number, coder: SliceJob['coder'], rows: number, width: number) {
  const shapes = [[CHANNELS, rows, width]] as const;
  const symbols = Int16Array.from({ length: CHANNELS * rows * width }, (_, at) => {
    const hash = Math.imul(at + 977 * seed, 0x9e3779b1) >>> 12;
    return hash % 7 === 0 ? (hash >> 8) % 5 : 0;
  });
  return core.arena.scope(() => {
    const grid = core.arena.allocate('i16', shapes[0]);
    core.arena.view(grid).set(symbols);
    const band = { firstRow: 0, rows };
    const { bound, encode } = bandCoder(core, coder, contextFile, shapes, 2000);
    const room = core.arena.allocate('u8', [bound([grid], band)]);
    const byteLength = encode([grid], band, room);
    const bytes = core.arena.view(room).slice(0, byteLength);
    return { symbols, job: { bytes, coder, rate: 2000, shapes } };
  });
}

describe('a pool of threads for slices', () => {
  let pool: SlicePool;
  afterEach(() => pool.close());

  it.each([1, 2, 3])(
    'of %s decodes what either coder wrote, of any size, in any order',
    async (threads) => {
      pool = new SlicePool(contextFile, threads);
      const slices = Array.from({ length: 9 }, (_, index) =>
        sliceOf(index, index % 2 === 0 ? 'context' : 'static', 1 + 5 * index, 40 - 4 * index),
      );
      let started = 0;
      const count = () => started++;
      process.on('worker', count);
      const decoded = await Promise.all(slices.map(({ job }) => pool.decode(job)));
      process.off('worker', count);
      expect(started).toBe(threads);
      for (const [index, { symbols }] of slices.entries())
        expect(decoded[index]).toEqual([symbols]);
    },
  );

  it('refuses a damaged slice, and serves the ones behind it', async () => {
    pool = new SlicePool(contextFile, 1);
    const { job, symbols } = sliceOf(3, 'context', 20, 30);
    const cut = { ...job, bytes: job.bytes.subarray(0, job.bytes.length >> 1) };
    const [refused, whole] = await Promise.allSettled([pool.decode(cut), pool.decode(job)]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'format' } });
    expect(whole).toEqual({ status: 'fulfilled', value: [symbols] });
  });

  it('tells what its threads say: no context tables, more memory than there is', async () => {
    pool = new SlicePool(undefined, 2);
    const { job } = sliceOf(1, 'context', 4, 4);
    await expect(pool.decode(job)).rejects.toMatchObject({ code: 'model' });
    const huge = { ...job, shapes: [[CHANNELS, 65_535, 65_535]] as const };
    await expect(pool.decode(huge)).rejects.toMatchObject({ code: 'limit' });
  });

  it('fails what waits and what runs when it is closed, and whatever is asked of it later', async () => {
    pool = new SlicePool(contextFile, 1);
    const { job } = sliceOf(2, 'context', 60, 40);
    await pool.decode(job);
    const asked = Promise.allSettled([pool.decode(job), pool.decode(job), pool.decode(job)]);
    await setImmediate();
    await pool.close();
    for (const { status } of await asked) expect(status).toBe('rejected');
    await expect(pool.decode(job)).rejects.toThrow('expected an open codec, got a closed one');
  });
});
