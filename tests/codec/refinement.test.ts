import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { choosingOf, refinementOf, refinementOfKept } from '#src/codec/effort.js';
import type { Manifest } from '#src/models/schemas.js';

const manifestOf = (tune: string) =>
  JSON.parse(readFileSync(`models/${tune}/manifest.json`, 'utf8')) as Manifest;

describe('what an effort does', () => {
  const psnr = manifestOf('psnr');
  const eye = manifestOf('eye');

  it('is nothing at efforts 1 and 2, and with eye up to 3', () => {
    for (const [manifest, effort] of [
      [psnr, 1],
      [psnr, 2],
      [eye, 3],
    ] as const) {
      expect(refinementOf(manifest, { effort }, 1000)).toEqual({
        searchRounds: 0,
        rounds: 0,
        strength: 0,
        lambda: 0,
        adjusts: false,
      });
    }
  });

  it.each([
    [0, 0.02],
    [2500, 0.02],
    [3000, 0.01],
    [3500, 0],
    [4095, 0],
  ])('chooses by rate at rate %i with lambda %d from effort 3 on with psnr', (rate, lambda) => {
    const chosen = refinementOf(psnr, {}, rate);
    expect(chosen).toMatchObject({ rounds: 0, adjusts: true });
    expect(chosen.lambda).toBeCloseTo(lambda, 9);
    expect(choosingOf(psnr, { effort: 9 }, rate)).toEqual(chosen);
    expect(choosingOf(psnr, { effort: 2 }, rate).lambda).toBe(0);
    const { choosing: _, ...other } = psnr;
    expect(refinementOf(other, {}, rate).lambda).toBe(0);
  });

  it('refines from effort 4 on, with psnr the more the finer the rate', () => {
    const strengths = [50, 60, 78, 86].map((quality) => {
      const rate = psnr.quality[quality - 1] ?? 0;
      return refinementOf(psnr, { effort: 4 }, rate);
    });
    expect(strengths.map(({ rounds }) => rounds)).toEqual([0, 1, 1, 1]);
    expect(strengths.map(({ strength }) => strength)).toEqual(
      strengths.map(({ strength }) => strength).sort((a, b) => a - b),
    );
    expect(strengths.at(-1)).toMatchObject({ strength: 1, lambda: 0.05, adjusts: true });
    expect(refinementOf(eye, { effort: 4 }, 1000)).toMatchObject({ rounds: 1, lambda: 0 });
  });

  it.each([psnr, eye])('searches from effort 5 on, twice as long with each', (manifest) => {
    const rounds = [5, 6, 7, 8, 9].map((effort) => refinementOf(manifest, { effort }, 1000));
    expect(rounds.map(({ searchRounds }) => searchRounds)).toEqual([25, 50, 100, 200, 400]);
    expect(rounds[0]).toMatchObject({ rounds: 0, adjusts: manifest === psnr });
    expect(rounds[0]?.lambda).toBe(manifest.choosing?.lambda ?? 0);
    // A latent for more rates than one, and models without a gradient, are refined as effort 4 has it.
    const refined = refinementOf(manifest, { effort: 4 }, 3000);
    expect(refinementOfKept(manifest, { effort: 9 }, 3000)).toEqual(refined);
    const { gradient: _, ...other } = manifest;
    expect(refinementOf(other, { effort: 9 }, 3000)).toEqual(refined);
  });
});
