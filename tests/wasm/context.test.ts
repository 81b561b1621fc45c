import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BackendError, ModelError } from '#src/errors.js';
import { Core } from '#src/wasm/core.js';
import type { CoreExports } from '#src/wasm/exports.js';
import { loadCoreModule } from '#src/wasm/load.js';
import { modelFile } from './toy-context.js';

describe.each(['simd', 'scalar'])('the %s build', (build) => {
  const file = new URL(`../../build/wasm/vaerans_${build}.wasm`, import.meta.url);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {});
  const core = instance.exports as unknown as CoreExports;
  const arena = core.arena_reserve(1 << 20);
  const load = (bytes: Uint8Array) => {
    new Uint8Array(core.memory.buffer, arena, bytes.length).set(bytes);
    return core.context_model_load(arena, bytes.length);
  };

  it('refuses model files that are cut, and handles it never gave out', () => {
    const bytes = modelFile(4);
    expect(load(bytes.subarray(0, -1))).toBe(-3);
    const handle = load(bytes);
    expect(core.context_model_channels(handle, 0)).toBe(4);
    expect(core.context_model_channels(handle, 1)).toBe(0);
    expect(core.context_model_channels(handle + 1, 0)).toBe(0);
    expect(core.context_encode_bound(99, arena)).toBe(0);
    expect(core.context_decode(99, 0, arena, 8, arena)).toBe(-1);
  });

  it('reads and writes nothing outside its arena, whatever it is told of grids', () => {
    const handle = load(modelFile(4));
    const tell = (numbers: readonly number[]) => {
      new Uint32Array(core.memory.buffer, arena, 5).set(numbers);
      return arena;
    };
    const end = arena + (1 << 20);
    for (const from of [0, arena - 2, end - 2, 2 ** 32 - 2]) {
      const grids = tell([from, from, 16, 4, 4]);
      expect(core.context_encode(handle, 0, grids, arena + 64, 4096, arena + 8192)).toBe(-1);
      expect(core.context_decode(handle, 0, arena + 64, 64, grids)).toBe(-1);
      expect(core.context_cost(handle, 0, grids)).toBe(-1);
      expect(core.context_choose(handle, 0, 0.1, arena + 64, grids)).toBe(-1);
    }
    const endless = tell([arena + 64, arena + 64, 2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1]);
    expect(core.context_decode(handle, 0, arena + 64, 64, endless)).toBe(-1);
    expect(core.context_encode_bound(handle, endless)).toBe(0);
  });
});

describe('the context coder', () => {
  it('refuses a model that no plan of memory has room for, whatever the arena has', async () => {
    const core = new Core(await loadCoreModule(), 8 << 20);
    expect(() => core.context.model(new Uint8Array(2 ** 20), [4])).toThrow(ModelError);
    expect(() => core.context.model(new Uint8Array(2 ** 20), [4])).toThrow(/at most 983040 bytes/);
  });

  it('refuses rows that its grids do not have', async () => {
    const core = new Core(await loadCoreModule(), 8 << 20);
    const handle = core.context.model(modelFile(4), [4]);
    const grid = core.arena.allocate('i16', [4, 6, 5]);
    const room = core.arena.allocate('u8', [4096]);
    for (const [firstRow, rows] of [
      [0, 7],
      [3, 4],
      [-1, 2],
      [0.5, 1],
      [0, 0],
    ] as const) {
      const band = { firstRow, rows };
      expect(() => core.context.decode(handle, 0, room, [grid], band)).toThrow(BackendError);
      expect(() => core.static.decode(room, grid, band)).toThrow(/rows of a tensor of 6/);
    }
  });
});
