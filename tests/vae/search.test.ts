import { expect, it } from 'vitest';
import { searchLatent } from '#src/vae/search.js';

const GAINS = Float32Array.of(0.5, 4, 1);
const PLANE = 40;

/** Searches for the integers that are nearest to `wanted`, in steps: the gradient is that of squared distances. */
async function searched(latent: Float32Array, wanted: Float32Array, rounds: number) {
  const symbols = new Float32Array(latent.length);
  const gradient = new Float32Array(latent.length);
  const asked: number[] = [];
  const run = () => {
    asked.push(...symbols);
    for (const [at, symbol] of symbols.entries()) gradient[at] = 2 * (symbol - Number(wanted[at]));
    return Promise.resolve();
  };
  await searchLatent(latent, { gains: GAINS, rate: 0, rounds }, symbols, gradient, run);
  return { found: latent.map((value, at) => value * Number(GAINS[Math.floor(at / PLANE)])), asked };
}

const wanted = Float32Array.from({ length: 3 * PLANE }, (_, at) => 5 * Math.sin(at * 1.7));
const start = () =>
  wanted.map((value, at) => (value + 0.8 * Math.cos(at)) / Number(GAINS[Math.floor(at / PLANE)]));

it('finds the integers that a gradient points to', async () => {
  const { found, asked } = await searched(start(), wanted, 200);
  let missed = 0;
  for (const [at, value] of found.entries()) {
    const nearest = Math.round(Number(wanted[at]));
    // Two integers are as good where what is wanted lies in the middle.
    if (Math.abs(Number(wanted[at]) - Math.trunc(Number(wanted[at]))) < 0.4) {
      missed += Number(Math.round(value) !== nearest);
    }
  }
  expect(missed).toBeLessThanOrEqual(3);
  expect(asked).toHaveLength(200 * 3 * PLANE);
});

it('asks about mixtures of the integers beside a value', async () => {
  const latent = start();
  const steps = latent.map((value, at) => value * Number(GAINS[Math.floor(at / PLANE)]));
  const { asked } = await searched(latent, wanted, 1);
  for (const [at, value] of asked.entries()) {
    expect(value).toBeGreaterThanOrEqual(Math.floor(Number(steps[at])));
    expect(value).toBeLessThanOrEqual(Math.floor(Number(steps[at])) + 1);
  }
  expect(asked.some((value) => !Number.isInteger(value))).toBe(true);
});

it('finds the same every time', async () => {
  const [one, other] = [await searched(start(), wanted, 20), await searched(start(), wanted, 20)];
  expect(one).toEqual(other);
});

it('leaves values alone that nothing pulls at', async () => {
  const latent = start();
  const steps = latent.map((value, at) => value * Number(GAINS[Math.floor(at / PLANE)]));
  await searchLatent(
    latent,
    { gains: GAINS, rate: 0, rounds: 5 },
    new Float32Array(latent.length),
    new Float32Array(latent.length),
    async () => {},
  );
  for (const [at, value] of latent.entries()) {
    const gain = Number(GAINS[Math.floor(at / PLANE)]);
    expect(value * gain).toBeCloseTo(Number(steps[at]), 4);
  }
});
