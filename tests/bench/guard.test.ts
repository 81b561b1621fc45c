import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { compareRates, compareWithBaseline, makeBaseline, readBaseline } from '#src/bench/guard.js';
import type { BenchReport } from '#src/bench/rows.js';
import { encodeImage } from '#src/image/write.js';
import { picture } from '../cli/command.js';
import { makeSample } from './report/sample.js';

const FIXTURE = { model: 'fixture', provider: 'cpu' } as const;
const sample = makeSample();
const folder = mkdtempSync(join(tmpdir(), 'vaerans-guard-'));
const path = join(folder, 'first.png');
writeFileSync(path, encodeImage(picture(), 'png'));
afterAll(() => {
  sample.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** The sample's rows, and one picture that is really there. */
const RECORD: BenchReport = {
  ...sample.record,
  images: [{ name: 'first.png', path, widthPx: 40, heightPx: 30 }],
};

/** The same run with so many times the bits. */
function inflated(factor: number): BenchReport {
  const rows = RECORD.rows.map((row) => ({ ...row, bitsPerPixel: factor * row.bitsPerPixel }));
  return { ...RECORD, rows };
}

it('lets a run pass that is as its baseline, better, or worse by less than half a per cent', async () => {
  const baseline = await makeBaseline(RECORD, 40, FIXTURE);
  for (const factor of [1, 0.9, 1.004]) {
    const { faults, notes } = await compareWithBaseline(inflated(factor), baseline, FIXTURE);
    expect(faults).toEqual([]);
    expect(notes).toContain('1 golden inputs coded again');
  }
});

it('fails a run that needs more bits at equal quality, by every metric that says so', async () => {
  const baseline = await makeBaseline(RECORD, 40, FIXTURE);
  const { faults } = compareRates(inflated(1.006), baseline);
  expect(faults).toEqual([
    '+0.60 % of bits at equal PSNR RGB, dB, more than 0.5 %',
    '+0.60 % of bits at equal MS-SSIM, more than 0.5 %',
  ]);
});

it('fails a run whose golden inputs have other bytes, unless its model is another', async () => {
  const baseline = await makeBaseline(RECORD, 40, FIXTURE);
  writeFileSync(path, encodeImage(picture(90, 70), 'png'));
  const { faults } = await compareWithBaseline(RECORD, baseline, FIXTURE);
  writeFileSync(path, encodeImage(picture(), 'png'));
  expect(faults).toEqual([
    expect.stringMatching(/^'first\.png' at quality 40 has \d+ bytes, not \d+$/),
  ]);
  const other = { ...RECORD, model: { name: 'other', version: '1', id: '01' } };
  const verdict = await compareWithBaseline(other, baseline, FIXTURE);
  expect(verdict.faults).toEqual([]);
  expect(verdict.notes).toContain('golden bytes are of another model and were not compared');
});

it('does not look at other codecs', async () => {
  const baseline = await makeBaseline(RECORD, 40, FIXTURE);
  const rows = RECORD.rows.map((row) =>
    row.codec === 'jpeg' ? { ...row, bitsPerPixel: 2 * row.bitsPerPixel } : row,
  );
  expect(compareRates({ rows }, baseline).faults).toEqual([]);
});

it('refuses a baseline of other pictures, and what is none', async () => {
  const baseline = await makeBaseline(RECORD, 40, FIXTURE);
  const rows = RECORD.rows.map((row) => ({ ...row, image: 'other.png' }));
  expect(() => compareRates({ rows }, baseline)).toThrow(/expected pictures that the baseline has/);
  expect(readBaseline(Buffer.from(JSON.stringify(baseline)))).toEqual(baseline);
  for (const text of ['nonsense', 'null', '{"schema":"vaerans.bench/2"}']) {
    expect(() => readBaseline(Buffer.from(text))).toThrow(/baseline: expected/);
  }
});
