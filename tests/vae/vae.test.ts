import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findModel, type Model } from '#src/models/registry.js';
import { VaePool } from '#src/vae/pool.js';
import { openSession, providerLadder } from '#src/vae/providers.js';
import { ort } from '#src/vae/runtime.js';

let embedded: Model;
let fixture: Model;
const pools: VaePool[] = [];

beforeAll(async () => {
  embedded = await findModel('default', {});
  fixture = await findModel('fixture', {});
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

function open(model: Model, threads: number): VaePool {
  const pool = new VaePool(model, { ladder: ['cpu'], threads });
  pools.push(pool);
  return pool;
}

/** A picture with edges and texture, another for each seed. */
function picture(widthPx: number, heightPx: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: widthPx * heightPx * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % widthPx;
    const y = Math.floor(i / 3 / widthPx);
    return 128 + 90 * Math.sin(x / (5 + seed) + (i % 3)) * Math.cos(y / 7) + ((x ^ y) & 31);
  });
}

const encodeRequest = (sources: Uint8Array[], side: number) => ({
  kind: 'encode' as const,
  sources,
  sourceWidthPx: side,
  sourceHeightPx: side,
  windowWidthPx: side,
  windowHeightPx: side,
});

describe('the ladder of providers', () => {
  it('is the CPU alone for small or deterministic work and asks a GPU first for large work', () => {
    expect(providerLadder('auto', 'linux', 7_999_999, false)).toEqual(['cpu']);
    expect(providerLadder('auto', 'linux', 8_000_000, false)).toEqual(['cuda', 'cpu']);
    expect(providerLadder('auto', 'win32', 1e9, false)).toEqual(['cuda', 'dml', 'cpu']);
    expect(providerLadder('auto', 'darwin', 1e9, false)).toEqual(['coreml', 'cpu']);
    expect(providerLadder('auto', 'linux', 1e9, true)).toEqual(['cpu']);
    expect(providerLadder('cuda', 'linux', 1, true)).toEqual(['cuda']);
  });

  it('goes on to the CPU where the runtime cannot load a GPU, and keeps its reason', async () => {
    const graph = await readFile(join(fixture.folder, 'encoder.onnx'));
    const opened = await openSession(ort, graph, ['dml', 'coreml', 'cpu'], 1);
    expect(opened.provider).toBe('cpu');
    expect(opened.failed.map(({ provider }) => provider)).toEqual(['dml', 'coreml']);
    for (const { reason } of opened.failed)
      expect(reason).toMatch(/backend not found|not (available|supported)/i);
    await opened.session.release();
  });

  it('ends with the runtime’s reason when one provider was asked for by name', async () => {
    const graph = await readFile(join(fixture.folder, 'encoder.onnx'));
    await expect(openSession(ort, graph, ['dml'], 1)).rejects.toMatchObject({
      code: 'provider',
      message: expect.stringMatching(
        /expected provider 'dml' to load, got: dml: .+; use --provider auto or cpu/,
      ),
    });
  });

  it('ends with a backend error when even the CPU refuses the graph', async () => {
    await expect(openSession(ort, new Uint8Array(100), ['cpu'], 1)).rejects.toMatchObject({
      code: 'backend',
    });
  });
});

describe('inference', () => {
  it('of the default model is the same for one thread and two, and for single tiles and batches', async () => {
    const side = 128;
    const tiles = [1, 2, 3].map((seed) => picture(side, side, seed));
    const results: Float32Array[][] = [];
    for (const threads of [1, 2]) {
      const pool = open(embedded, threads);
      const single: Float32Array[] = [];
      for (const tile of tiles) {
        const reply = await pool.encode(encodeRequest([tile.slice()], side), undefined);
        single.push(...reply.latents);
      }
      const batch = await pool.encode(
        encodeRequest(
          tiles.map((tile) => tile.slice()),
          side,
        ),
        undefined,
      );
      results.push(single, [...batch.latents]);
    }
    for (const other of results.slice(1)) expect(other).toEqual(results[0]);
  });

  it('of the fixture model is exact arithmetic', async () => {
    const pool = open(fixture, 1);
    const grey = new Uint8Array(4 * 4 * 3).fill(200);
    const { latents } = await pool.encode(encodeRequest([grey], 4), undefined);
    expect([...(latents[0] ?? [])]).toEqual([72, 0, 0, 0, 0, 0, 0, 0]);
    const reply = await pool.decode(
      {
        kind: 'decode',
        latents: [Float32Array.of(64, 0, 0, 0, 0, 0, 0, 0)],
        windowWidthPx: 4,
        windowHeightPx: 4,
        cropX: 1,
        cropY: 1,
        cropWidthPx: 2,
        cropHeightPx: 3,
      },
      undefined,
    );
    expect([...(reply.pictures[0] ?? [])]).toEqual(new Array(18).fill(128 + 56));
  });
});

describe('the pool', () => {
  it('stops waiting at once when the signal fires, and serves the next request', async () => {
    const pool = open(embedded, 1);
    const side = 512;
    await pool.encode(encodeRequest([picture(64, 64, 1)], 64), undefined);
    const controller = new AbortController();
    const running = pool.encode(encodeRequest([picture(side, side, 1)], side), controller.signal);
    const queued = pool.encode(encodeRequest([picture(side, side, 2)], side), controller.signal);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'aborted' });
    await expect(queued).rejects.toMatchObject({ code: 'aborted' });
    const next = await pool.encode(encodeRequest([picture(64, 64, 1)], 64), undefined);
    expect(next.latents[0]?.length).toBe((embedded.manifest.grids[0]?.channels ?? 0) * 64);
  });

  it('tells a wrong request by an error and lives on', async () => {
    const pool = open(fixture, 1);
    await expect(
      pool.encode({ ...encodeRequest([new Uint8Array(12)], 2), windowWidthPx: 3 }, undefined),
    ).rejects.toMatchObject({ name: expect.stringMatching(/Error$/) });
    const { latents } = await pool.encode(encodeRequest([new Uint8Array(48)], 4), undefined);
    expect(latents).toHaveLength(1);
  });

  it('ends every request when it is closed, those that run and those that wait', async () => {
    for (const afterMs of [0, 1, 5, 30, 100]) {
      const pool = open(embedded, 1);
      const side = 256;
      const requests = Array.from({ length: 5 }, (_, seed) =>
        pool.encode(encodeRequest([picture(side, side, seed)], side), undefined),
      );
      const ends = Promise.allSettled(requests);
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await pool.close();
      for (const end of await ends) {
        if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'backend' });
      }
      const rejected = (await ends).filter(({ status }) => status === 'rejected');
      // No model loads within a millisecond; later, some or all may have been served.
      if (afterMs === 0) expect(rejected).toHaveLength(5);
    }
  });

  it('refuses work once it is closed', async () => {
    const pool = open(fixture, 1);
    await pool.close();
    await expect(pool.encode(encodeRequest([new Uint8Array(48)], 4), undefined)).rejects.toThrow(
      /closed/,
    );
  });
});
