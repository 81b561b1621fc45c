import { afterAll, expect, it } from 'vitest';
import { renderBenchPage } from '#src/bench/report/page.js';
import { rowsAtEqualBytes } from '#src/bench/report/pictures.js';
import type { BenchRow } from '#src/bench/rows.js';
import { makeSample, type Sample } from './sample.js';

const samples: Sample[] = [];
afterAll(() => {
  for (const sample of samples) sample.remove();
});

function sampleOf(...args: Parameters<typeof makeSample>): Sample {
  const sample = makeSample(...args);
  samples.push(sample);
  return sample;
}

const HOSTILE = '"><img src=x onerror=alert(1)></script><script>alert(2)</script>\'&amp;';

it('names from outside stay text wherever they stand', async () => {
  const { record, folder } = sampleOf({
    images: [HOSTILE],
    codecs: [
      ['ours', HOSTILE],
      [HOSTILE, HOSTILE],
    ],
    setting: HOSTILE,
  });
  const page = await renderBenchPage(
    {
      ...record,
      command: HOSTILE,
      machine: { ...record.machine, cpu: HOSTILE },
      metrics: record.metrics.map((metric) => ({ ...metric, label: HOSTILE })),
      failures: [{ image: HOSTILE, codec: HOSTILE, setting: null, code: 'io', message: HOSTILE }],
      codecs: [
        ...record.codecs,
        {
          name: 'x',
          label: HOSTILE,
          version: null,
          encodeCommand: null,
          decodeCommand: null,
          missing: HOSTILE,
        },
      ],
      summary: { ...record.summary, leftOut: [HOSTILE] },
    },
    { folder },
  );
  expect(page).not.toContain('<img src=x');
  expect(page).not.toContain('<script>alert');
  expect(page.match(/<script/g)).toHaveLength(2);
  expect(page).toContain('&#34;&#62;&#60;img src=x onerror=alert(1)&#62;');
});

it('asks for nothing but itself', async () => {
  const { record, folder } = sampleOf();
  const page = await renderBenchPage(record, { folder });
  const sources = [...page.matchAll(/(?:src|href|url)\s*[=(]\s*"?([^"\s>)]{1,12})/g)];
  expect(sources.length).toBeGreaterThan(5);
  for (const [, address = ''] of sources) expect(address).toMatch(/^(data:image|#)/);
  expect(page).not.toMatch(/https?:/);
  expect(page).toContain("default-src 'none'");
});

it('reads without script: plots, BD-rates, every row and every chosen picture are in the markup', async () => {
  const { record, folder } = sampleOf();
  const page = await renderBenchPage(record, { folder, pictures: 1 });
  expect(page.match(/<svg class="chart"/g)).toHaveLength(2 + 4);
  expect(page).toContain('−12.3 %');
  expect(page.match(/<tr><th scope="row">(first|second)\.png/g)).toHaveLength(record.rows.length);
  expect(page.match(/<figure><img [^>]*alt="second\.png/g)).toHaveLength(3);
  expect(page).not.toContain('alt="first.png');
  expect(page).toMatch(/This file has 0\.\d+ MB, 1 of 2 pictures in it/);
});

it('two pages of one record are the same', async () => {
  const { record, folder } = sampleOf();
  const [one, other] = [
    await renderBenchPage(record, { folder }),
    await renderBenchPage(record, { folder }),
  ];
  expect(one === other).toBe(true);
});

it('leaves pictures out rather than grow beyond its bound', async () => {
  const { record, folder } = sampleOf();
  const page = await renderBenchPage(record, { folder, maxPictureBytes: 100 });
  expect(page).not.toContain('data:image');
  expect(page).toContain('0 of 2 pictures in it');
});

it('makes a page of a run that measured nothing', async () => {
  const { record, folder } = sampleOf();
  const { summary } = record;
  const page = await renderBenchPage(
    { ...record, rows: [], summary: { ...summary, means: [], times: [], bdRates: [] } },
    { folder },
  );
  expect(page).toContain('No row has a value to plot');
});

it('shows every codec at a setting of about equal bytes', () => {
  const { record } = sampleOf();
  const row = (codec: string, setting: string, byteLength: number) => ({
    ...record.rows[0],
    ...{ image: 'a.png', codec, setting, byteLength, bitsPerPixel: byteLength / 10_000 },
  });
  const rows = [
    ...[row('ours', '1', 3000), row('ours', '2', 5000), row('ours', '3', 30_000)],
    ...[row('jpeg', '4', 2000), row('jpeg', '5', 5100), row('jpeg', '6', 30_000)],
    ...[row('webp', '7', 4000), row('webp', '8', 4900), row('webp', '9', 30_000)],
  ] as BenchRow[];
  const chosen = rowsAtEqualBytes(rows, 'a.png', 'ours').map(({ setting }) => setting);
  expect(chosen).toEqual(['2', '5', '8']);
  expect(rowsAtEqualBytes(rows, 'a.png', 'absent')).toEqual([]);
  expect(rowsAtEqualBytes(rows, 'b.png', 'ours')).toEqual([]);
});

it('takes rows that were turned to equal bytes where they come nearer', async () => {
  const { record, folder } = sampleOf();
  const own = record.rows.find(({ bitsPerPixel }) => bitsPerPixel === 0.4);
  const asked: unknown[] = [];
  const page = await renderBenchPage(record, {
    folder,
    pictures: 1,
    atRate: (image, bitsPerPixel) => {
      asked.push([image, bitsPerPixel]);
      const turned = { ...record.rows[0], ...own, image, codec: 'jpeg', setting: 'turned' };
      return Promise.resolve([turned as BenchRow]);
    },
  });
  expect(asked).toEqual([['second.png', 0.4]]);
  expect(page).toContain('alt="second.png through JPEG (cjpeg) turned"');
  expect(page).not.toMatch(/B \([+−]/);
});
