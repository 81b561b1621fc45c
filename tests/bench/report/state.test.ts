import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  FIRST_STATE,
  fromHash,
  toHash,
  type ViewState,
  ZOOM_MAX,
} from '#src/bench/report/client/state.js';

const VIEWS = ['split', 'side', 'blink', 'difference', 'heat', 'bits', 'latent'] as const;

it('an address leads back to the state that it was made of, to a thousandth', () => {
  const number = (max: number) => fc.double({ min: 0, max, noNaN: true });
  const state = fc.record<ViewState>({
    picture: fc.nat(99),
    a: fc.nat(9),
    b: fc.nat(9),
    view: fc.constantFrom(...VIEWS),
    zoom: number(ZOOM_MAX),
    x: number(9999),
    y: number(9999),
    split: number(1),
    gain: fc.constantFrom(1, 4, 8, 16),
    plane: fc.nat(500),
  });
  fc.assert(
    fc.property(state, (shown) => {
      const back = fromHash(toHash(shown));
      for (const [key, value] of Object.entries(shown)) {
        const got = back?.[key as keyof ViewState];
        if (typeof value === 'number') expect(Math.abs(Number(got) - value)).toBeLessThan(6e-4);
        else expect(got).toBe(value);
      }
    }),
  );
});

it('an address of something else says nothing', () => {
  for (const hash of ['', '#', '#table', '#view=', '#view=everything&zoom=2']) {
    expect(fromHash(hash)).toBeUndefined();
  }
});

it('numbers of an address are brought into range, or left as at first', () => {
  expect(fromHash('#view=heat&zoom=1e9&gain=nonsense&a=-4&x=NaN')).toEqual({
    ...FIRST_STATE,
    view: 'heat',
    zoom: ZOOM_MAX,
    a: 0,
  });
});
