import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CoreExports } from '#src/wasm/exports.js';
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
    expect(core.context_model_channels(handle)).toBe(4);
    expect(core.context_model_channels(handle + 1)).toBe(0);
    expect(core.context_encode_bound(99, 4, 4)).toBe(0);
    expect(core.context_decode(99, 0, arena, 8, arena, 16, 4, 4)).toBe(-1);
  });
});
