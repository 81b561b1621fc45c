import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Core } from '#src/wasm/core.js';
import { loadCoreModule } from '#src/wasm/load.js';

const builds = await Promise.all([loadCoreModule('simd'), loadCoreModule('scalar')]);
const names = ['simd', 'scalar'] as const;

const side = fc.oneof(
  fc.constantFrom(1, 2, 3, 5, 7, 8, 13, 16, 17, 31, 64),
  fc.integer({ min: 1, max: 40 }),
);

describe.each(names)('the %s core', (name) => {
  const core = new Core(builds[names.indexOf(name)] as never, 8 * 2 ** 20);
  const { arena } = core;
  const fresh = () => arena.clear();

  it('turns samples into planes and back without loss, padding by the edge', () => {
    fc.assert(
      fc.property(side, side, fc.nat(9), fc.nat(9), fc.integer(), (w, h, padX, padY, seed) => {
        fresh();
        const src = arena.allocate('u8', [h, w, 3]);
        const samples = arena.view(src);
        for (let i = 0; i < samples.length; i++) samples[i] = (i * 167 + seed) & 255;
        const original = samples.slice();
        const planes = arena.allocate('f32', [3, h + padY, w + padX]);
        core.rgb8ToPlanar(
          src,
          { x: 0, y: 0, width: w + padX, height: h + padY },
          planes,
          1 / 255,
          0,
        );
        const values = arena.view(planes);
        for (const [x, y] of [
          [0, 0],
          [w + padX - 1, h + padY - 1],
          [w - 1, h + padY - 1],
        ] as const) {
          for (let c = 0; c < 3; c++) {
            const sample = original[(Math.min(y, h - 1) * w + Math.min(x, w - 1)) * 3 + c] ?? 0;
            const value = values[(c * (h + padY) + y) * (w + padX) + x] ?? 0;
            expect(value).toBeCloseTo(sample / 255, 6);
          }
        }
        const back = arena.allocate('u8', [h, w, 3]);
        core.planarToRgb8(planes, { x: 0, y: 0, width: w, height: h }, back, 0, 0, 255, 0);
        expect(arena.view(back)).toEqual(original);
      }),
      { numRuns: 60 },
    );
  });

  it('clamps, rounds and reads not-a-number as black when it writes samples', () => {
    fresh();
    const planes = arena.allocate('f32', [3, 1, 2]);
    arena.view(planes).set([-1, 2, Number.NaN, 0.5, 100 / 255, 1]);
    const out = arena.allocate('u8', [1, 2, 3]);
    core.planarToRgb8(planes, { x: 0, y: 0, width: 2, height: 1 }, out, 0, 0, 255, 0);
    const [r0, g0, b0, r1, g1, b1] = arena.view(out);
    expect([r0, g0, b0, r1, b1]).toEqual([0, 0, 100, 255, 255]);
    expect([127, 128]).toContain(g1);
  });

  it('copies windows between grids', () => {
    fresh();
    const src = arena.allocate('f32', [2, 4, 5]);
    arena.view(src).set(Array.from({ length: 40 }, (_, i) => i));
    const dst = arena.allocate('f32', [2, 3, 3]);
    arena.view(dst).fill(-1);
    core.copyWindow(src, { x: 2, y: 1, width: 2, height: 2 }, dst, 1, 0);
    expect([...arena.view(dst)]).toEqual([
      -1, 7, 8, -1, 12, 13, -1, -1, -1, -1, 27, 28, -1, 32, 33, -1, -1, -1,
    ]);
    expect(() => core.copyWindow(src, { x: 4, y: 0, width: 2, height: 1 }, dst, 0, 0)).toThrow();
  });

  it('inverts Hadamard, both wavelets and a KLT', () => {
    for (const [channels, h, w] of [
      [4, 1, 1],
      [8, 1, 13],
      [4, 17, 1],
      [12, 9, 31],
    ] as const) {
      fresh();
      const data = arena.allocate('f32', [channels, h, w]);
      const values = Float32Array.from(
        { length: channels * h * w },
        (_, i) => Math.sin(i * 1.7) * 50,
      );
      const close = (actual: Float32Array) => {
        const worst = Math.max(...actual.map((value, i) => Math.abs(value - (values[i] ?? 0))));
        expect(worst).toBeLessThan(1e-3);
      };
      arena.view(data).set(values);
      core.hadamard4('forward', data);
      core.hadamard4('inverse', data);
      close(arena.view(data));
      for (const kind of ['cdf53', 'haar'] as const) {
        for (const levels of [1, 3, 10]) {
          arena.view(data).set(values);
          core.wavelet('forward', kind, levels, data);
          core.wavelet('inverse', kind, levels, data);
          close(arena.view(data));
        }
      }
      const mean = arena.allocate('f32', [channels]);
      const matrix = arena.allocate('f32', [channels, channels]);
      arena.view(mean).fill(3);
      // A rotation in the plane of the first two channels.
      const turn = Float32Array.from({ length: channels * channels }, (_, i) =>
        i % (channels + 1) === 0 ? 1 : 0,
      );
      turn.set([0.6, 0.8], 0);
      turn.set([-0.8, 0.6], channels);
      arena.view(matrix).set(turn);
      arena.view(data).set(values);
      const turned = arena.allocate('f32', [channels, h, w]);
      core.klt('forward', data, turned, mean, matrix);
      core.klt('inverse', turned, data, mean, matrix);
      close(arena.view(data));
    }
  });

  it('quantises to the nearest integer, ties to even, saturating', () => {
    fresh();
    const src = arena.allocate('f32', [2, 1, 4]);
    arena.view(src).set([0.5, 1.5, -2.5, 0.49, 1e9, -1e9, Number.NaN, 3]);
    const gains = arena.allocate('f32', [2]);
    arena.view(gains).set([1, 2]);
    const dst = arena.allocate('i16', [2, 1, 4]);
    core.quantise(src, gains, dst);
    expect([...arena.view(dst)]).toEqual([0, 2, -2, 0, 32767, -32767, 0, 6]);
  });

  it('interpolates gains in the logarithm', () => {
    fresh();
    const knots = arena.allocate('f32', [3, 2]);
    arena.view(knots).set([0, -1, 1, 0, 2, 5]);
    const gains = arena.allocate('f32', [2]);
    core.gainsAtRate(knots, 4095, gains);
    expect(arena.view(gains)[0]).toBeCloseTo(Math.exp(2), 4);
    core.gainsAtRate(knots, 1024, gains);
    expect(arena.view(gains)[1]).toBeCloseTo(Math.exp(-1 + (2 * 1024) / 4095), 5);
    expect(() => core.gainsAtRate(knots, 4096, gains)).toThrow();
  });

  it('codes symbols of any shape, in bands, without loss', () => {
    fc.assert(
      fc.property(
        side,
        side,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 4000 }),
        (w, h, channels, spread) => {
          fresh();
          const symbols = arena.allocate('i16', [channels, h, w]);
          const values = arena.view(symbols);
          for (let i = 0; i < values.length; i++) {
            const noise = Math.sin(i * 12.9898 + spread) * 43758.5453;
            values[i] = Math.round((noise - Math.floor(noise) - 0.5) ** 3 * spread);
          }
          const original = values.slice();
          const half = Math.ceil(h / 2);
          const bands = [
            { firstRow: 0, rows: half },
            { firstRow: half, rows: h - half },
          ].filter((b) => b.rows > 0);
          const coded = bands.map((band) => {
            const room = arena.allocate('u8', [core.staticEncodeBound(channels, band.rows, w)]);
            const byteLength = core.staticEncode(symbols, band, room);
            const exact = arena.allocate('u8', [byteLength]);
            arena.view(exact).set(arena.view(room).subarray(0, byteLength));
            return exact;
          });
          arena.view(symbols).fill(99);
          for (const [i, band] of bands.entries())
            core.staticDecode(coded[i] as never, symbols, band);
          expect(arena.view(symbols)).toEqual(original);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuses streams that no coder wrote, and output that does not fit', () => {
    fresh();
    const symbols = arena.allocate('i16', [4, 8, 8]);
    arena.view(symbols).set(Array.from({ length: 256 }, (_, i) => (i * 7) % 11));
    const band = { firstRow: 0, rows: 8 };
    const tiny = arena.allocate('u8', [4]);
    expect(() => core.staticEncode(symbols, band, tiny)).toThrow();
    const empty = arena.allocate('u8', [1]);
    arena.view(empty).fill(255);
    expect(() => core.staticDecode(empty, symbols, band)).toThrow(
      /static_decode: expected a stream/,
    );
  });
});

it('both builds give the same bytes', () => {
  const payloads = builds.map((module) => {
    const core = new Core(module as never, 2 ** 22);
    const { arena } = core;
    const latent = arena.allocate('f32', [8, 24, 31]);
    arena.view(latent).set(Array.from({ length: 8 * 24 * 31 }, (_, i) => Math.tan(i) * 2));
    const knots = arena.allocate('f32', [2, 8]);
    arena.view(knots).set(Array.from({ length: 16 }, (_, i) => Math.cos(i)));
    const gains = arena.allocate('f32', [8]);
    core.gainsAtRate(knots, 1234, gains);
    const symbols = arena.allocate('i16', [8, 24, 31]);
    core.quantise(latent, gains, symbols);
    const room = arena.allocate('u8', [core.staticEncodeBound(8, 24, 31)]);
    const length = core.staticEncode(symbols, { firstRow: 0, rows: 24 }, room);
    return Buffer.from(arena.view(room).subarray(0, length)).toString('hex');
  });
  expect(payloads[0]).toBe(payloads[1]);
});
