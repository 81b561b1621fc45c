import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CoreExports } from '#src/wasm/exports.js';

const MASK = (1n << 64n) - 1n;

/** The twin of `Noise` in crates/vaerans-core/tests/support/toy_noise.rs. */
class Noise {
  #state: bigint;

  constructor(seed: number) {
    this.#state = ((BigInt(seed) * 0x9e3779b97f4a7c15n) & MASK) | 1n;
  }

  next(below: number): number {
    let state = this.#state;
    state ^= state >> 12n;
    state ^= (state << 25n) & MASK;
    state ^= state >> 27n;
    this.#state = state;
    return Number(((state * 0x2545f4914f6cdd1dn) & MASK) >> 33n) % below;
  }
}

/** The twin of `model_file` in toy_context.rs there. */
function modelFile(channels: number): Uint8Array {
  const noise = new Noise(channels);
  const out: number[] = [...Buffer.from('VCTX'), 1, channels - 1, 3, 2];
  const u16 = (value: number) => out.push(value & 255, (value >> 8) & 255);
  for (let knot = 0; knot < 3; knot++) {
    for (let channel = 0; channel < channels; channel++) {
      const base = 100 + noise.next(4000) * (knot * knot + 1);
      u16(base);
      u16(base >>> 16);
    }
  }
  for (let i = 0; i < 3 * channels; i++) out.push(noise.next(256));
  for (let channel = 0; channel < channels; channel++) {
    for (let tap = 0; tap < 10; tap++) u16(noise.next(1500));
    for (let tap = 0; tap < 10; tap++) u16(noise.next(6000) - 2600);
    for (let list = 0; list < 6; list++) {
      const earlier: number[] = [];
      for (let other = 0; other < channel; other++) {
        if (noise.next(channel) < 3) earlier.push(other);
      }
      out.push(earlier.length);
      for (const other of earlier) {
        out.push(other);
        u16(noise.next(2000) - (list < 2 ? 0 : 1000));
      }
    }
  }
  for (let table = 0; table < 2 * 448; table++) {
    const scale = Math.floor((table % 448) / 8);
    const jitter = noise.next(20);
    const reach = Math.min(Math.floor(scale / 3), 20);
    out.push(reach);
    let left = 16384;
    for (let after = 2 * reach + 1; after > 0; after--) {
      const share = Math.max(Math.max(240 - 4 * scale, 0) + jitter, 24);
      const frequency = Math.min(Math.max(Math.floor((left * share) / 264), 1), left - after);
      left -= frequency;
      u16(frequency);
    }
  }
  return Uint8Array.from(out);
}

/** The twin of `latents` in toy_context.rs there. */
function latents(noise: Noise, length: number, nonzero: number, wide: number): Int16Array {
  return Int16Array.from({ length }, () => {
    if (noise.next(256) >= nonzero) return 0;
    if (noise.next(256) < wide) return noise.next(65536);
    let magnitude = 1;
    while (magnitude < 300 && noise.next(3) === 0) magnitude = Math.floor((magnitude * 3) / 2) + 1;
    return (1 - 2 * noise.next(2)) * magnitude;
  });
}

const CAPACITY_BYTES = 1 << 20;

describe.each(['simd', 'scalar'])('the %s build', (build) => {
  const file = new URL(`../../build/wasm/vaerans_${build}.wasm`, import.meta.url);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {});
  const core = instance.exports as unknown as CoreExports;
  const arena = core.arena_reserve(4 * CAPACITY_BYTES);
  const [symbolsAt, bytesAt, backAt, lengthAt] = [0, 1, 2, 3].map(
    (i) => arena + i * CAPACITY_BYTES,
  );
  const at = (offset: number, byteLength: number) =>
    new Uint8Array(core.memory.buffer, offset, byteLength);
  const load = (bytes: Uint8Array) => {
    at(bytesAt as number, bytes.length).set(bytes);
    return core.context_model_load(bytesAt as number, bytes.length);
  };

  it('codes a hundred latents to the bytes that the native build codes, and back', () => {
    const handles = new Map([1, 4, 16, 32].map((n) => [n, load(modelFile(n))]));
    const noise = new Noise(5);
    let hash = 0xcbf29ce484222325n;
    for (let round = 1; round <= 100; round++) {
      let channels = [1, 4, 16, 32][round % 4] as number;
      let width = 1 + noise.next(40);
      let height = 1 + noise.next(40);
      if (round % 50 === 0) [channels, width, height] = [32, 50 + width, 41];
      const nonzero = 1 + noise.next(256);
      const symbols = latents(noise, channels * width * height, nonzero, noise.next(3));
      const rate = noise.next(4096);
      const handle = handles.get(channels) as number;
      const source = new Uint8Array(symbols.buffer);
      at(symbolsAt as number, source.length).set(source);
      const area = width * height;
      const encoded = core.context_encode(
        handle,
        rate,
        symbolsAt as number,
        area,
        width,
        height,
        bytesAt as number,
        CAPACITY_BYTES,
        lengthAt as number,
      );
      expect(encoded).toBe(0);
      const byteLength = new DataView(core.memory.buffer).getUint32(lengthAt as number, true);
      expect(byteLength).toBeLessThanOrEqual(core.context_encode_bound(handle, width, height));
      for (const byte of at(bytesAt as number, byteLength)) {
        hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK;
      }
      const decode = (length: number) =>
        core.context_decode(
          handle,
          rate,
          bytesAt as number,
          length,
          backAt as number,
          area,
          width,
          height,
        );
      expect(decode(byteLength)).toBe(0);
      expect(Buffer.compare(at(backAt as number, source.length), source)).toBe(0);
      expect(decode(byteLength - 2)).toBe(-3);
    }
    expect(hash.toString(16)).toBe('64c718bb5319f236');
  });

  it('refuses model files that are cut, and handles it never gave out', () => {
    const bytes = modelFile(4);
    expect(load(bytes.subarray(0, -1))).toBe(-3);
    const handle = load(bytes);
    expect(core.context_model_channels(handle)).toBe(4);
    expect(core.context_model_channels(handle + 1)).toBe(0);
    expect(core.context_encode_bound(99, 4, 4)).toBe(0);
    expect(core.context_decode(99, 0, bytesAt as number, 8, backAt as number, 16, 4, 4)).toBe(-1);
  });
});
