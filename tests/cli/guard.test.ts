import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Baseline } from '#src/bench/guard.js';
import { Place, ROOT } from './command.js';

const BASELINE = join(ROOT, 'fixtures/bench/baseline.json');
const baseline: Baseline = JSON.parse(readFileSync(BASELINE, 'utf8'));
const FIXTURE = ['--model', 'fixture', '--provider', 'cpu'];
const pictures = [...new Set(baseline.rows.map(({ image }) => join(ROOT, 'fixtures', image)))];

let place: Place;
beforeAll(() => {
  place = new Place();
});
afterAll(() => place.remove());

describe('bench --against', () => {
  it('our codec is no worse than the baseline in the repository, and golden inputs have their bytes', () => {
    const { code, stdout, stderr } = place.run([
      ...['bench', ...pictures, ...FIXTURE],
      ...['--against', BASELINE],
    ]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.toString()).toMatch(
      /of bits at equal SSIMULACRA2.*; 4 golden inputs coded again/,
    );
  });

  it.each([
    [
      'more bits than half a per cent at equal quality',
      {
        ...baseline,
        rows: baseline.rows.map((row) => ({ ...row, bitsPerPixel: row.bitsPerPixel / 1.01 })),
      },
      /\+1\.00 % of bits at equal PSNR RGB, dB, more than 0\.5 %/,
    ],
    [
      'other bytes of a golden input',
      {
        ...baseline,
        golden: baseline.golden.map((golden) => ({ ...golden, sha256: '0'.repeat(64) })),
      },
      /'gradients\.png' at quality 60 has other bytes, \d+ as before\n/,
    ],
  ])('fails with one line for %s', (_, worse, message) => {
    place.write('worse.json', JSON.stringify(worse));
    const { code, stderr } = place.run([
      ...['bench', join(ROOT, 'fixtures/gradients.png'), ...FIXTURE, '--quiet'],
      ...['--against', 'worse.json'],
    ]);
    expect(code).toBe(10);
    expect(stderr).toMatch(/^vaerans: against worse\.json: worse: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  });

  it('refuses what is no baseline before it measures anything', () => {
    place.write('none.json', '{}');
    const args = ['bench', ...pictures, ...FIXTURE, '--against', 'none.json'];
    expect(place.run(args)).toMatchObject({ code: 5 });
    expect(place.run([...args.slice(0, -1), 'absent.json'])).toMatchObject({ code: 9 });
  });
});
