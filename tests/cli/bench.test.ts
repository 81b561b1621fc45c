import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeImage } from '#src/image/write.js';
import { GIF_START, PICTURE_PNG, Place, picture } from './command.js';

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
    expect(stdout.toString()).toMatch(/^quality 50\.5 +2 /m);
    const report = JSON.parse(readFileSync(place.path('out.json'), 'utf8'));
    expect(report).toMatchObject({ schema: 'vaerans.bench/1', failures: [] });
    expect(report.model.name).toBe('fixture');
    expect(report.machine.node).toBe(process.version);
    type Row = { image: string; quality: number; byteLength: number; psnrDb: number };
    const rows: Row[] = report.rows;
    expect(rows.map(({ image, quality }) => `${image} ${quality}`)).toEqual(
      ['a.png', 'b.ppm'].flatMap((name) => [10, 50.5, 90].map((quality) => `${name} ${quality}`)),
    );
    const made = place.run(['compress', 'photos/a.png', '-', '-q', '50.5', ...FIXTURE]);
    expect(rows[1]?.byteLength).toBe(made.stdout.length);
    const sizes = rows.slice(0, 3).map(({ byteLength }) => byteLength);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    const [, second] = report.means;
    expect(second.byteLength).toBe(((rows[1]?.byteLength ?? 0) + (rows[4]?.byteLength ?? 0)) / 2);
    expect(second.psnrDb).toBeCloseTo(((rows[1]?.psnrDb ?? 0) + (rows[4]?.psnrDb ?? 0)) / 2);
    expect(report.overheadShare).toBeGreaterThan(0);
    expect(report.overheadShare).toBeLessThan(1);
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
    place.write('mixed/gif.pnm', GIF_START);
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
    const { rows, failures, means } = JSON.parse(stdout.toString());
    expect([rows.length, means[0].images]).toEqual([1, 1]);
    expect(failures.map(({ code: kind }: { code: string }) => kind)).toEqual([
      'format',
      'unsupported',
    ]);
  });

  it.each([
    ['a folder that is not there', ['bench', 'absent'], 4],
    ['a folder without pictures', ['bench', 'empty'], 2],
    ['a quality out of range', ['bench', 'photos', '-q', '10,0'], 2],
    ['a model that is not there', ['bench', 'photos', '--model', 'absent'], 7],
  ])('refuses %s', (_, args, code) => {
    const ended = place.run(args);
    expect(ended.stderr).toMatch(/^vaerans: [^\n]+\n$/);
    expect([ended.code, ended.stdout.length]).toEqual([code, 0]);
  });
});
