import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementCount, type TensorRef } from '#src/wasm/arena.js';
import type { Band } from '#src/wasm/context.js';
import { Core } from '#src/wasm/core.js';
import { loadCoreModule } from '#src/wasm/load.js';
import type { PlaneCoding, PlaneDtype } from '#src/wasm/planes.js';

const builds = await Promise.all([loadCoreModule('simd'), loadCoreModule('scalar')]);
const [simd, scalar] = builds.map((build) => new Core(build as never, 8 << 20)) as [Core, Core];

const RANGES: Record<PlaneDtype, [min: number, max: number]> = {
  u8: [0, 255],
  u16: [0, 65_535],
  i16: [-255, 255],
  i32: [-65_535, 65_535],
};

/** Slopes with noise, from one side of the type's range to the other. */
function scene(
  core: Core,
  dtype: PlaneDtype,
  shape: number[],
  noise: number,
): TensorRef<PlaneDtype> {
  const tensor = core.arena.allocate(dtype, shape);
  const samples = core.arena.view(tensor);
  const [min, max] = RANGES[dtype];
  for (let i = 0; i < samples.length; i++) {
    const wave = (1 + Math.sin(i / 50)) / 2;
    const rough = (((i * 2_654_435_761) >>> 8) & 255) / 255;
    samples[i] = Math.round(min + (max - min) * (wave * (1 - noise) + rough * noise));
  }
  return tensor;
}

function encode(core: Core, src: TensorRef<PlaneDtype>, band: Band, coding: PlaneCoding) {
  const [, width = 0, components = 0] = src.shape;
  const bound = core.planes.encodeBound(src.dtype, band.rows, width, components);
  const room = core.arena.allocate('u8', [bound]);
  const byteLength = core.planes.encode(src, band, coding, room);
  return core.arena.view(room).slice(0, byteLength);
}

function decode(core: Core, bytes: Uint8Array, dst: TensorRef<PlaneDtype>, band: Band) {
  const src = core.arena.allocate('u8', [bytes.length]);
  core.arena.view(src).set(bytes);
  core.planes.decode(src, dst, band);
}

const whole = ([rows = 0]: readonly number[]): Band => ({ firstRow: 0, rows });

describe('bands of samples', () => {
  it('come back within the largest error, and the SIMD and the scalar build write the same bytes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<PlaneDtype>('u8', 'u16', 'i16', 'i32'),
        fc.tuple(
          fc.integer({ min: 1, max: 30 }),
          fc.integer({ min: 1, max: 30 }),
          fc.integer({ min: 1, max: 4 }),
        ),
        fc.constantFrom(0, 0.1, 1),
        fc.constantFrom(0, 1, 2, 200),
        (dtype, shape, noise, maxError) => {
          simd.arena.clear();
          scalar.arena.clear();
          const src = scene(simd, dtype, shape, noise);
          const band = whole(shape);
          const bytes = encode(simd, src, band, { maxError });
          expect(encode(scalar, scene(scalar, dtype, shape, noise), band, { maxError })).toEqual(
            bytes,
          );
          const dst = scalar.arena.allocate(dtype, shape);
          decode(scalar, bytes, dst, band);
          const [samples, back] = [simd.arena.view(src), scalar.arena.view(dst)];
          for (let i = 0; i < elementCount(shape); i++) {
            expect(Math.abs(Number(samples[i]) - Number(back[i]))).toBeLessThanOrEqual(maxError);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('through the wavelet come back close, as the same bytes from both builds', () => {
    for (const dtype of ['u8', 'u16', 'i16', 'i32'] as const) {
      simd.arena.clear();
      scalar.arena.clear();
      const shape = [70, 50, 3];
      const band = whole(shape);
      const src = scene(simd, dtype, shape, 0.1);
      const bytes = encode(simd, src, band, { stepSize: 6 });
      expect(encode(scalar, scene(scalar, dtype, shape, 0.1), band, { stepSize: 6 })).toEqual(
        bytes,
      );
      const dst = scalar.arena.allocate(dtype, shape);
      decode(scalar, bytes, dst, band);
      const [samples, back] = [simd.arena.view(src), scalar.arena.view(dst)];
      let squares = 0;
      for (let i = 0; i < samples.length; i++)
        squares += (Number(samples[i]) - Number(back[i])) ** 2;
      expect(squares / samples.length).toBeLessThan(6 ** 2 / 6);
    }
  });

  it('code some rows of a tensor and leave the others alone', () => {
    simd.arena.clear();
    const src = scene(simd, 'u8', [20, 9, 4], 0.2);
    const band = { firstRow: 5, rows: 7 };
    const bytes = encode(simd, src, band, { maxError: 0 });
    const dst = simd.arena.allocate('u8', [20, 9, 4]);
    simd.arena.view(dst).fill(77);
    decode(simd, bytes, dst, band);
    const expected = simd.arena.view(src).map((sample, i) => {
      const row = Math.floor(i / 36);
      return row >= 5 && row < 12 ? sample : 77;
    });
    expect(simd.arena.view(dst)).toEqual(expected);
  });

  it('of another shape are refused as corrupt', () => {
    simd.arena.clear();
    const src = scene(simd, 'u8', [8, 8, 3], 0.2);
    const bytes = encode(simd, src, whole([8, 8, 3]), { maxError: 0 });
    const grey = simd.arena.allocate('u8', [8, 8, 1]);
    expect(() => decode(simd, bytes, grey, whole([8, 8, 1]))).toThrow(/planes_decode.*corrupt/);
  });

  it('beyond the tensor, and codings out of range, are refused', () => {
    simd.arena.clear();
    const src = scene(simd, 'u8', [8, 8, 3], 0.2);
    const band = whole([8, 8, 3]);
    expect(() => encode(simd, src, { ...band, firstRow: 1 }, { maxError: 0 })).toThrow(
      /rows 1 to 9/,
    );
    expect(() => encode(simd, src, band, { maxError: 256 })).toThrow(/from 0 to 255/);
    expect(() => encode(simd, src, band, { stepSize: 0 })).toThrow(/planes: stepSize/);
    expect(() => simd.planes.encodeBound('u8', 65_536, 65_536, 4)).toThrow(/below 4 GiB/);
  });
});
