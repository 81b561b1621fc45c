/**
 * A context model and latents made of integers alone: the twins of toy_noise.rs and toy_context.rs in
 * crates/vaerans-core/tests/support.
 * @module
 */

export class Noise {
  #state: number;

  /** @param seed below 2^32 */
  constructor(seed: number) {
    this.#state = (Math.imul(seed, 0x85ebca6b) | 1) >>> 0;
  }

  /** 0 to `below` - 1. */
  next(below: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (Math.imul(state, 0x9e3779b1) >>> 8) % below;
  }
}

/** The twin of `model_file` and, with channels of a coarser grid, of `grid_file` in toy_context.rs there. */
export function modelFile(channels: number, coarse = 0): Uint8Array {
  const noise = new Noise(channels);
  const out: number[] = [...Buffer.from('VCTX'), coarse > 0 ? 2 : 1, channels - 1, 3, 2];
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
    const lists = [...Array(6).fill(channel), ...(coarse > 0 ? [coarse, coarse] : [])];
    for (const [list, others] of lists.entries()) {
      const chosen: number[] = [];
      for (let other = 0; other < others; other++) {
        if (noise.next(others) < 3) chosen.push(other);
      }
      out.push(chosen.length);
      for (const other of chosen) {
        out.push(other);
        u16(noise.next(2000) - (list < 2 || list === 6 ? 0 : 1000));
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

/** The twin of `with_net` in toy_context.rs there. */
export function withNet(file: Uint8Array): Uint8Array {
  return extended(file, [], false);
}

/** The twin of `adapting` in toy_context.rs there. */
export function adapting(file: Uint8Array): Uint8Array {
  return extended(file, undefined, true);
}

/** The twin of `with_all` in toy_context.rs there. */
export function withAll(file: Uint8Array): Uint8Array {
  const channels = (file[5] as number) + 1;
  const thirds = [0, Math.floor(channels / 3), Math.floor((2 * channels) / 3)];
  return extended(file, [...new Set(thirds)], true);
}

/** The twin of `extended` in toy_context.rs there. */
function extended(
  file: Uint8Array,
  groups: readonly number[] | undefined,
  adapts: boolean,
): Uint8Array {
  const channels = (file[5] as number) + 1;
  const everyThird = Array.from({ length: Math.ceil(channels / 3) }, (_, place) => 3 * place);
  const learning = everyThird.slice(0, 8);
  const sees = groups !== undefined && groups.length > 0;
  const at = behindChannels(file);
  const out = Buffer.concat([
    file.subarray(0, at),
    Uint8Array.from(sees ? [groups.length, ...groups] : []),
    groups === undefined ? Uint8Array.of() : net(channels, file[6] as number, groups.length),
    Uint8Array.from(adapts ? [learning.length, ...learning] : []),
    file.subarray(at),
  ]);
  out[4] = (file[4] as number) + (groups ? 2 : 0) + (sees ? 8 : 0) + (adapts ? 4 : 0);
  return out;
}

/** The twin of `net` in toy_context.rs there. */
function net(channels: number, knots: number, groups: number): Uint8Array {
  const layers = Math.max(1, groups);
  const noise = new Noise(77 + channels);
  const parts: readonly (readonly [number, number])[] = [
    [knots * 64, 900],
    [channels * 2 * 5 * 64, 240],
    [groups > 0 ? channels * 5 * 64 : 0, 240],
    [layers * 32, 900],
    [layers * 32 * 64, 100],
    [channels, 3000],
    [channels * 32, 1200],
  ];
  const weights = parts.flatMap(([count, spread]) =>
    Array.from({ length: count }, () => noise.next(spread) - spread / 2),
  );
  return new Uint8Array(Int16Array.from(weights).buffer);
}

/** Where in a grid's file the channels' weights end. */
function behindChannels(file: Uint8Array): number {
  const channels = (file[5] as number) + 1;
  const lists = (file[4] as number) % 2 === 0 ? 8 : 6;
  let at = 8 + 5 * (file[6] as number) * channels;
  for (let channel = 0; channel < channels; channel++) {
    at += 40;
    for (let list = 0; list < lists; list++) at += 1 + 3 * (file[at] as number);
  }
  return at;
}

/** The twin of `latents` in toy_context.rs there. */
export function latents(noise: Noise, length: number, nonzero: number, wide: number): Int16Array {
  return Int16Array.from({ length }, () => {
    if (noise.next(256) >= nonzero) return 0;
    if (noise.next(256) < wide) return noise.next(65536);
    let magnitude = 1;
    while (magnitude < 300 && noise.next(3) === 0) magnitude = Math.floor((magnitude * 3) / 2) + 1;
    return (1 - 2 * noise.next(2)) * magnitude;
  });
}
