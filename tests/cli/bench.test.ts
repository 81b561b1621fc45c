import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchRow } from 'vaerans';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeImage } from '#src/image/write.js';
import { BMP_START, end, PICTURE_PNG, Place, picture, start } from './command.js';

const FIXTURE = ['--model', 'fixture'];

let place: Place;
beforeAll(() => {
  place = new Place();
  place.write('photos/a.png', PICTURE_PNG);
  place.write('photos/b.ppm', encodeImage(picture(64, 50, 1), 'ppm'));
  place.write('photos/notes.txt', 'no picture');
  place.write('photos/deep/c.png', PICTURE_PNG);
  place.write('empty/notes.txt', 'no picture');
});
afterAll(() => place.remove());

describe('bench', () => {
  it('measures each picture of a folder at each quality, with the bytes that compress makes', () => {
    const args = ['bench', 'photos', '-q', '10,50.5,90', '--json', 'out.json', ...FIXTURE];
    const { code, stdout } = place.run(args);
    expect(code).toBe(0);
    expect(stdout.toString()).toMatch(/^ours +50\.5 +2 /m);
    const report = JSON.parse(readFileSync(place.path('out.json'), 'utf8'));
    expect(report).toMatchObject({ schema: 'vaerans.bench/2', failures: [] });
    expect(report.model.name).toBe('fixture');
    expect(report.machine.node).toBe(process.version);
    const rows: readonly BenchRow[] = report.rows;
    expect(rows.map(({ image, setting }) => `${image} ${setting}`)).toEqual(
      ['a.png', 'b.ppm'].flatMap((name) => [10, 50.5, 90].map((quality) => `${name} ${quality}`)),
    );
    const made = place.run(['compress', 'photos/a.png', '-', '-q', '50.5', ...FIXTURE]);
    expect(rows[1]?.byteLength).toBe(made.stdout.length);
    const sizes = rows.slice(0, 3).map(({ byteLength }) => byteLength);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    const [, second] = report.summary.means;
    const meanOf = (pick: (row: BenchRow | undefined) => number) =>
      (pick(rows[1]) + pick(rows[4])) / 2;
    expect(second.byteLength).toBe(meanOf((row) => row?.byteLength ?? 0));
    expect(second.metrics.psnrRgb).toBeCloseTo(meanOf((row) => row?.metrics.psnrRgb ?? 0));
    expect(rows[0]?.encode).toMatchObject({
      wallMs: expect.any(Number),
      cpuMs: expect.any(Number),
      peakMemoryBytes: expect.any(Number),
    });
    const { both } = report.summary.overheadShare;
    expect([both > 0, both < 1]).toEqual([true, true]);
    expect(place.run(args).code).toBe(2);
  });

  it('prints its JSON alone where no file is named, and looks deeper when told', () => {
    const args = ['bench', 'photos', '-r', '-q', '40', '--json', ...FIXTURE];
    const { code, stdout, stderr } = place.run(args);
    expect([code, stderr]).toEqual([0, '']);
    const { rows } = JSON.parse(stdout.toString());
    expect(rows.map(({ image }: { image: string }) => image)).toEqual([
      'a.png',
      'b.ppm',
      'deep/c.png',
    ]);
  });

  it('leaves a picture that fails out of the means, and says so', () => {
    place.write('mixed/bad.png', 'broken');
    place.write('mixed/good.png', PICTURE_PNG);
    place.write('mixed/bmp.pnm', BMP_START);
    const { code, stdout, stderr } = place.run([
      'bench',
      'mixed',
      '-q',
      '40',
      '--json',
      '-',
      ...FIXTURE,
    ]);
    expect(code).toBe(4);
    expect(stderr).toMatch(/^vaerans: bad\.png: image: expected PNG/);
    const { rows, failures, summary } = JSON.parse(stdout.toString());
    expect([rows.length, summary.means[0].images]).toEqual([1, 1]);
    expect(summary).toMatchObject({ images: ['good.png'], leftOut: ['bad.png', 'bmp.pnm'] });
    expect(failures.map(({ code: kind }: { code: string }) => kind)).toEqual([
      'format',
      'unsupported',
    ]);
  });

  it('makes a page and a table of comma-separated values, and leaves no rows behind', () => {
    const args = [
      'bench',
      'photos/a.png',
      '-q',
      '10,60',
      '--metric',
      'psnr-rgb',
      '--json',
      'all.json',
    ];
    const outputs = ['--csv', 'all.csv', '--report', 'all.html', '--quiet'];
    const { code, stdout } = place.run([...args, ...outputs, ...FIXTURE]);
    expect([code, stdout.length]).toEqual([0, 0]);
    const lines = readFileSync(place.path('all.csv'), 'utf8').split('\r\n');
    expect(lines.length).toBe(4);
    expect(lines[0]).toMatch(/^image,codec,setting,.*,psnrRgb,encodeWallMs,/);
    expect(lines[1]).toMatch(/^a\.png,ours,10,/);
    expect(readFileSync(place.path('all.html'), 'utf8')).toContain('a.png');
    // Decoded pictures lay in a folder that is gone: a later `report` must not look for them.
    expect(place.run(['report', 'all.json', '-o', 'again.html']).code).toBe(0);
    expect(
      readdirSync(place.folder)
        .filter((name) => name.startsWith('all'))
        .sort(),
    ).toEqual(['all.csv', 'all.html', 'all.json']);
  });

  it('goes on from the rows that a run has left, and refuses those of another', () => {
    const args = ['bench', 'photos', '-q', '20,80', '--json', 'again.json', '-f', ...FIXTURE];
    expect(place.run(args).code).toBe(0);
    const report = JSON.parse(readFileSync(place.path('again.json'), 'utf8'));
    const { codecs, model, metrics, rows } = report;
    const key = {
      codecs,
      model,
      metrics: metrics.map(({ name }: { name: string }) => ({ name })),
    };
    const [first, ...others] = rows;
    const marked = { ...first, encode: { ...first.encode, wallMs: 12_345 } };
    const contentHash = createHash('sha256').update(PICTURE_PNG).digest('hex').slice(0, 16);
    const lines = [marked, others[0]].map((row) => JSON.stringify({ contentHash, row }));
    const kept = lines.join('\n');
    const head = JSON.stringify({ schema: 'vaerans.bench-rows/2', key });
    place.write('again.json.rows', `${head}\n${kept}\n{"contentHash":"b`);
    expect(place.run([...args, '--resume']).code).toBe(0);
    const resumed = JSON.parse(readFileSync(place.path('again.json'), 'utf8'));
    expect(resumed.rows.length).toBe(4);
    expect(resumed.rows[0].encode.wallMs).toBe(12_345);
    expect(resumed.rows[1]).toEqual(others[0]);
    place.write('again.json.rows', `${head}\n`);
    const other = place.run([...args, '--resume', '--metric', 'mse']);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/^vaerans: bench: expected rows of the same codecs/);
  });

  it.skipIf(process.platform === 'win32')(
    'that a signal ends leaves the rows and no folder of its own',
    async () => {
      const temporary = place.path('temporary');
      mkdirSync(temporary);
      const settings = Array.from({ length: 90 }, (_, at) => at + 1).join(',');
      const outputs = ['--json', 'cut.json', '--report', 'cut.html'];
      const args = ['bench', 'photos', '-q', settings, ...outputs, ...FIXTURE];
      const child = start(place, args, { TMPDIR: temporary });
      const ended = end(child);
      const rows = place.path('cut.json.rows');
      while (!existsSync(rows) || readFileSync(rows, 'utf8').split('\n').length < 3)
        await sleep(20);
      expect(readdirSync(temporary).some((name) => name.startsWith('vaerans-page-'))).toBe(true);
      child.kill('SIGINT');
      const { signal, stderr } = await ended;
      expect([signal, stderr]).toEqual(['SIGINT', '']);
      expect(readdirSync(temporary)).toEqual([]);
      expect(place.files().filter((name) => name.startsWith('cut'))).toEqual(['cut.json.rows']);
    },
  );

  it.each([
    ['a folder that is not there', ['bench', 'absent'], 4],
    ['a folder without pictures', ['bench', 'empty'], 2],
    ['a quality out of range', ['bench', 'photos', '-q', '10,0'], 2],
    ['a codec that is not known', ['bench', 'photos', '--codecs', 'ours,gif'], 2],
    ['a setting out of range', ['bench', 'photos', '-q', 'ours=0.5'], 2],
    ['an anchor that is not measured', ['bench', 'photos', '--anchor', 'jpeg'], 2],
    ['a model that is not there', ['bench', 'photos', '--model', 'absent'], 7],
  ])('refuses %s', (_, args, code) => {
    const ended = place.run(args, { env: { TMPDIR: place.path('empty') } });
    expect(ended.stderr).toMatch(/^vaerans: [^\n]+\n$/);
    expect([ended.code, ended.stdout.length]).toEqual([code, 0]);
    expect(readdirSync(place.path('empty'))).toEqual(['notes.txt']);
  });
});
