import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LimitError } from '#src/errors.js';
import { elementCount } from '#src/wasm/arena.js';
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

  it('has no arena after one that was too large, and a whole one after that', () => {
    const own = new Core(builds[names.indexOf(name)] as never, 2 ** 20);
    // Above what Rust allocates at once, below what linear memory may have.
    expect(() => own.resize(2.5 * 2 ** 30)).toThrow(LimitError);
    expect(() => own.arena.allocate('u8', [64])).toThrow(LimitError);
    own.resize(2 ** 20);
    const src = own.arena.allocate('u8', [2, 2, 3]);
    own.arena.view(src).set(Array.from({ length: 12 }, (_, i) => 20 * i));
    const planes = own.arena.allocate('f32', [3, 2, 2]);
    own.rgb8ToPlanar(src, { x: 0, y: 0, width: 2, height: 2 }, planes, 1, 0);
    expect([...own.arena.view(planes)].slice(0, 4)).toEqual([0, 60, 120, 180]);
  });

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
            const room = arena.allocate('u8', [core.static.encodeBound(channels, band.rows, w)]);
            const byteLength = core.static.encode(symbols, band, room);
            const exact = arena.allocate('u8', [byteLength]);
            arena.view(exact).set(arena.view(room).subarray(0, byteLength));
            return exact;
          });
          arena.view(symbols).fill(99);
          for (const [i, band] of bands.entries())
            core.static.decode(coded[i] as never, symbols, band);
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
    expect(() => core.static.encode(symbols, band, tiny)).toThrow();
    const empty = arena.allocate('u8', [1]);
    arena.view(empty).fill(255);
    expect(() => core.static.decode(empty, symbols, band)).toThrow(
      /static_decode: expected a stream/,
    );
  });
});

describe('both builds give the same bytes', () => {
  const cores = builds.map((module) => new Core(module as never, 16 * 2 ** 20));
  const hex = (values: Uint8Array | Int16Array | Float32Array) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');

  /** Runs `kernel` on each build and compares all that it returns. */
  const same = (kernel: (core: Core) => readonly (string | number)[]) => {
    const [simd, scalar] = cores.map((core) => {
      core.arena.clear();
      return kernel(core);
    });
    expect(simd).toEqual(scalar);
  };

  /** Floats of every magnitude up to `largest`, a few of them zero or on the border between two integers. */
  const floats = (count: number, seed: number, largest: number) => {
    let state = seed >>> 0;
    const next = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    return Float32Array.from({ length: count }, () => {
      const value = (next() - 0.5) * 2 * largest ** next();
      return next() < 0.1 ? Math.round(value) + 0.5 : next() < 0.05 ? 0 : value;
    });
  };
  const planar = (core: Core, shape: readonly number[], seed: number, largest = 300) => {
    const ref = core.arena.allocate('f32', shape);
    core.arena.view(ref).set(floats(elementCount(shape), seed, largest));
    return ref;
  };
  const picture = (core: Core, height: number, width: number, seed: number) => {
    const ref = core.arena.allocate('u8', [height, width, 3]);
    core.arena.view(ref).set(floats(3 * height * width, seed, 256).map(Math.abs));
    return ref;
  };

  // Beyond 64 so that every width of vector has a whole one, a rest, and nothing.
  const anySide = fc.oneof(side, fc.integer({ min: 1, max: 140 }));
  const shapes = (claim: (w: number, h: number, channels: number, seed: number) => void) =>
    fc.assert(fc.property(anySide, side, fc.integer({ min: 1, max: 13 }), fc.integer(), claim), {
      numRuns: 80,
    });

  it('in wavelets of every kind, depth and size', () => {
    shapes((w, h, channels, seed) => {
      for (const kind of ['cdf53', 'haar'] as const) {
        same((core) => {
          const data = planar(core, [channels, h, w], seed);
          const levels = 1 + ((seed >>> 0) % 10);
          return (['forward', 'inverse'] as const).map((direction) => {
            core.wavelet(direction, kind, levels, data);
            return hex(core.arena.view(data));
          });
        });
      }
    });
  });

  it('in every row width up to 140 of one wavelet level', () => {
    for (let w = 1; w <= 140; w++) {
      same((core) => {
        const data = planar(core, [1, 2, w], w);
        return (['forward', 'inverse'] as const).map((direction) => {
          core.wavelet(direction, 'cdf53', 1, data);
          return hex(core.arena.view(data));
        });
      });
    }
  });

  it('in KLT and Hadamard', () => {
    shapes((w, h, channels, seed) => {
      same((core) => {
        const data = planar(core, [channels, h, w], seed);
        const result = core.arena.allocate('f32', [channels, h, w]);
        const mean = planar(core, [channels], seed + 1);
        const matrix = planar(core, [channels, channels], seed + 2, 1);
        return (['forward', 'inverse'] as const).map((direction) => {
          core.klt(direction, data, result, mean, matrix);
          return hex(core.arena.view(result));
        });
      });
      same((core) => {
        const data = planar(core, [4 * channels, h, w], seed);
        core.hadamard4('forward', data);
        return [hex(core.arena.view(data))];
      });
    });
  });

  it('in gains, quantiser and its inverse, entropy and the static coder', () => {
    shapes((w, h, channels, seed) => {
      same((core) => {
        const { arena } = core;
        const latent = planar(core, [channels, h, w], seed, 60_000);
        const edges = [Number.NaN, Number.POSITIVE_INFINITY, -1e30, 32767.5, -0, 1e-40];
        const at = (seed >>> 0) % elementCount([channels, h, w]);
        arena.view(latent).set(edges.slice(0, channels * h * w - at), at);
        const knots = planar(core, [2, channels], seed + 1, 3);
        const gains = arena.allocate('f32', [channels]);
        core.gainsAtRate(knots, (seed >>> 0) % 4096, gains);
        const symbols = arena.allocate('i16', [channels, h, w]);
        core.quantise(latent, gains, symbols);
        const back = arena.allocate('f32', [channels, h, w]);
        core.dequantise(symbols, gains, back);
        const room = arena.allocate('u8', [core.static.encodeBound(channels, h, w)]);
        const length = core.static.encode(symbols, { firstRow: 0, rows: h }, room);
        return [
          hex(arena.view(gains)),
          hex(arena.view(symbols)),
          hex(arena.view(back)),
          core.symbolsEntropyBits(symbols),
          hex(arena.view(room).subarray(0, length)),
        ];
      });
    });
  });

  it('in conversions between samples and planes, windows, errors and the blur', () => {
    shapes((w, h, _, seed) => {
      same((core) => {
        const { arena } = core;
        const src = picture(core, h, w, seed);
        const other = picture(core, h, w, seed + 1);
        const planes = arena.allocate('f32', [3, h + 5, w + 3]);
        const window = { x: -2, y: -1, width: w + 3, height: h + 5 };
        core.rgb8ToPlanar(src, window, planes, 1 / 127.5, -1);
        const loud = planar(core, [3, h, w], seed + 2);
        arena.view(loud)[0] = Number.NaN;
        const written = arena.allocate('u8', [h, w, 3]);
        core.planarToRgb8(loud, { x: 0, y: 0, width: w, height: h }, written, 0, 0, 1.7, 3);
        const moved = planar(core, [3, h, w], seed + 3);
        const inside = { x: 1, y: 1, width: w, height: h };
        core.copyWindow(planes, inside, moved, 0, 0);
        const blurred = arena.allocate('u8', [h, w, 3]);
        core.blurGaussian(src, blurred, 0.4 + ((seed >>> 0) % 40) / 10);
        return [
          hex(arena.view(planes)),
          hex(arena.view(written)),
          hex(arena.view(moved)),
          hex(arena.view(blurred)),
          core.sumSquaredError(src, other),
        ];
      });
    });
  });
});
