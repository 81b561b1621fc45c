import { afterAll, expect, it } from 'vitest';
import { worstFirst } from '#src/bench/report/order.js';
import { makeSample } from './sample.js';

const sample = makeSample({ images: ['good.png', 'bad.png', 'worst.png'] });
afterAll(() => sample.remove());
const [psnr] = sample.record.metrics;

it('puts the pictures first on which others have most more at equal bytes', () => {
  const judged = worstFirst(sample.record, 'ours', psnr);
  expect(judged.map(({ image }) => image)).toEqual(['worst.png', 'bad.png', 'good.png']);
  const [worst, bad] = judged;
  expect(worst?.isAgainstOthers).toBe(true);
  expect((worst?.loss ?? 0) - (bad?.loss ?? 0)).toBeCloseTo(1, 9);
});

it('judges by the metric itself where there is no other codec, the lowest first', () => {
  const alone = {
    ...sample.record,
    rows: sample.record.rows.filter(({ codec }) => codec === 'ours'),
  };
  const judged = worstFirst(alone, 'ours', psnr);
  expect(judged.map(({ image }) => image)).toEqual(['worst.png', 'bad.png', 'good.png']);
  expect(judged.every(({ isAgainstOthers }) => !isAgainstOthers)).toBe(true);
});

it('keeps every picture, those without a row last', () => {
  const record = {
    ...sample.record,
    rows: sample.record.rows.filter(({ image }) => image !== 'worst.png'),
  };
  const names = worstFirst(record, 'ours', psnr).map(({ image }) => image);
  expect(names).toEqual(['bad.png', 'good.png', 'worst.png']);
});
