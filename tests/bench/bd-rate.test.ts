import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bdRate, type RatePoint } from '#src/bench/bd-rate.js';

const toPoints = (pairs: readonly (readonly [number, number])[]): RatePoint[] =>
  pairs.map(([rate, quality]) => ({ rate, quality }));

const ANCHOR = toPoints([
  [0.1076, 21.373],
  [0.2257, 25.835],
  [0.4595, 29.144],
  [0.8648, 32.174],
  [1.5044, 35.37],
]);
const TEST = toPoints([
  [0.0969, 25.02],
  [0.2, 27.9],
  [0.52, 31.7],
  [0.9, 34.6],
]);

it('agrees with the same reckoned in Python (metrics.py of ../shared/tools, numpy)', () => {
  // python3 -c "import metrics as M; print(M.bd_rate(*zip(*ANCHOR), *zip(*TEST), None, True))"
  const difference = bdRate(ANCHOR, TEST);
  expect(difference?.percent).toBeCloseTo(-39.12007011938465, 9);
  expect(difference?.overlap).toEqual({ from: 25.02, to: 34.6 });
});

it('a curve moved by a factor of the rate differs by that factor, whichever way round', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.2, max: 5, noNaN: true }), (factor) => {
      const moved = ANCHOR.map((point) => ({ ...point, rate: factor * point.rate }));
      expect(bdRate(ANCHOR, moved)?.percent).toBeCloseTo(100 * (factor - 1), 8);
      expect(bdRate(moved, ANCHOR)?.percent).toBeCloseTo(100 * (1 / factor - 1), 8);
    }),
  );
});

it('takes points in any order, and leaves out those that cost more and are no better', () => {
  const extra: RatePoint = { rate: 0.3, quality: 25 };
  expect(bdRate([...ANCHOR.toReversed(), extra], TEST)).toEqual(bdRate(ANCHOR, TEST));
});

it('is nothing where no quality is shared, and for a curve of one point', () => {
  const far = TEST.map((point) => ({ ...point, quality: point.quality + 40 }));
  expect(bdRate(ANCHOR, far)).toBeNull();
  expect(bdRate(ANCHOR, TEST.slice(0, 1))).toBeNull();
  expect(bdRate([], TEST)).toBeNull();
});

it('over a span of rates looks at the qualities that both curves reach within it', () => {
  // python3 -c "... print(M.bd_rate(*zip(*ANCHOR), *zip(*TEST), (0.15, 0.8), True))"
  const difference = bdRate(ANCHOR, TEST, [0.15, 0.8]);
  expect(difference?.percent).toBeCloseTo(-39.46108182973905, 2);
  expect(difference?.overlap.from).toBeGreaterThan(26.5);
  expect(difference?.overlap.to).toBeLessThan(32);
  expect(bdRate(ANCHOR, TEST, [0, Infinity])).toEqual(bdRate(ANCHOR, TEST));
  expect(bdRate(ANCHOR, TEST, [2, 3])).toBeNull();
});
