import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ALIGNMENT_BYTES,
  Arena,
  type Mark,
  type TensorRef,
  tensorByteLength,
} from '#src/wasm/arena.js';

const PAGE = 65_536;
const makeArena = (pages = 4) => {
  const memory = new WebAssembly.Memory({ initial: pages + 1 });
  return new Arena(memory as never, 128, pages * PAGE);
};

describe('allocate', () => {
  it('aligns every tensor to 64 bytes and never lets two overlap', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 60 }), (lengths) => {
        const arena = makeArena();
        let end = 0;
        for (const length of lengths) {
          const ref = arena.allocate('u8', [length]);
          expect(ref.byteOffset % ALIGNMENT_BYTES).toBe(0);
          expect(ref.byteOffset).toBeGreaterThanOrEqual(end);
          end = ref.byteOffset + length;
        }
      }),
    );
  });

  it('says how much was asked and how much is free when it is full', () => {
    const arena = makeArena(1);
    arena.allocate('u8', [PAGE - 64]);
    expect(() => arena.allocate('f32', [100])).toThrow(/f32\[100\] = 448 bytes, got 64 bytes free/);
    expect(arena.usedByteLength).toBe(PAGE - 64);
  });

  it('refuses a size that is not a number instead of handing out nothing', () => {
    expect(() => makeArena().allocate('u8', [Number.NaN])).toThrow(/arena: expected room/);
  });

  it('reckons a tensor as it takes it', () => {
    const arena = makeArena();
    arena.allocate('i16', [3, 5, 7]);
    expect(arena.usedByteLength).toBe(tensorByteLength('i16', [3, 5, 7]));
  });
});

describe('views', () => {
  it('keep what was written, tensor by tensor', () => {
    const arena = makeArena();
    const a = arena.allocate('f32', [2, 3]);
    const b = arena.allocate('i16', [6]);
    arena.view(a).set([1, 2, 3, 4, 5, 6]);
    arena.view(b).fill(-7);
    expect([...arena.view(a)]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...arena.view(b)]).toEqual(new Array(6).fill(-7));
  });

  it('of an item are the part of the batch at its index', () => {
    const arena = makeArena();
    const batch = arena.allocate('f32', [3, 2, 2]);
    arena.view(batch).set(Array.from({ length: 12 }, (_, i) => i));
    expect([...arena.view(arena.item(batch, 1))]).toEqual([4, 5, 6, 7]);
    expect(() => arena.item(batch, 3)).toThrow(/item from 0 to 2/);
  });

  it('of another arena are refused', () => {
    const ref = makeArena().allocate('u8', [4]);
    expect(() => makeArena().view(ref)).toThrow(/one of another arena/);
  });
});

describe('marks', () => {
  it('make stale exactly what was allocated above them', () => {
    const arena = makeArena();
    const below = arena.allocate('u8', [10]);
    const outer = arena.mark();
    const middle = arena.allocate('u8', [10]);
    const inner = arena.mark();
    const above = arena.allocate('u8', [10]);
    arena.rewind(inner);
    expect([below, middle, above].map((ref) => arena.isLive(ref))).toEqual([true, true, false]);
    arena.rewind(outer);
    expect([below, middle, above].map((ref) => arena.isLive(ref))).toEqual([true, false, false]);
    expect(() => arena.view(above)).toThrow(/freed by a rewind/);
    expect(() => arena.offset(middle)).toThrow(/freed by a rewind/);
    expect(() => arena.item(middle, 0)).toThrow(/freed by a rewind/);
    expect(() => arena.rewind(inner)).toThrow(/expected a live mark/);
  });

  it('are closed by a scope that throws', () => {
    const arena = makeArena();
    expect(() =>
      arena.scope(() => {
        arena.allocate('u8', [1000]);
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(arena.usedByteLength).toBe(0);
  });

  it('hold against a model of a stack: no stale reference is honoured, no live one refused', () => {
    type Held = { ref: TensorRef; depth: number; live: boolean };
    const command = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.integer({ min: 1, max: 300 }).map((n) => ({ kind: 'allocate' as const, n })),
      },
      { weight: 3, arbitrary: fc.constant({ kind: 'mark' as const, n: 0 }) },
      { weight: 2, arbitrary: fc.nat(5).map((n) => ({ kind: 'rewind' as const, n })) },
      { weight: 1, arbitrary: fc.constant({ kind: 'clear' as const, n: 0 }) },
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 120 }), (commands) => {
        const arena = makeArena(16);
        const held: Held[] = [];
        let marks: { mark: Mark; used: number }[] = [];
        for (const { kind, n } of commands) {
          if (kind === 'allocate') {
            held.push({ ref: arena.allocate('u8', [n]), depth: marks.length, live: true });
          } else if (kind === 'mark') {
            marks.push({ mark: arena.mark(), used: arena.usedByteLength });
          } else if (kind === 'rewind' && marks.length > 0) {
            const index = n % marks.length;
            const target = marks[index];
            if (target === undefined) continue;
            arena.rewind(target.mark);
            expect(arena.usedByteLength).toBe(target.used);
            marks = marks.slice(0, index);
            for (const entry of held) if (entry.depth > index) entry.live = false;
          } else if (kind === 'clear') {
            arena.clear();
            for (const { mark } of marks) expect(arena.isLive(mark)).toBe(false);
            marks = [];
            for (const entry of held) entry.live = false;
            expect(arena.usedByteLength).toBe(0);
          }
          for (const { ref, live } of held) expect(arena.isLive(ref)).toBe(live);
        }
      }),
      { numRuns: 200 },
    );
  });
});
