import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hatchAt } from '#src/codec/partial.js';
import { readHeader } from '#src/container/read.js';
import { encodeImage } from '#src/image/write.js';
import { Place, picture } from './command.js';

const FIXTURE = ['--model', 'fixture'];
const PARTLY = ['--allow-partial', ...FIXTURE];
const TOLD =
  /^vaerans: damaged\.vae: damaged, rows 512 to 1023 lost \(hatched\), rows 508 to 511 and 1024 to 1027 inexact\n/;

let place: Place;
/** A file of three slices, 512 rows each, the second damaged. */
let damaged: Uint8Array;
beforeAll(() => {
  place = new Place();
  place.write('tall.ppm', encodeImage(picture(24, 1100), 'ppm'));
  expect(place.run(['compress', 'tall.ppm', 'sound.vae', ...FIXTURE]).code).toBe(0);
  damaged = new Uint8Array(read('sound.vae'));
  const at = readHeader(damaged).directory[0]?.parts[1]?.byteOffset ?? 0;
  damaged[at] = (damaged[at] ?? 0) ^ 1;
  place.write('damaged.vae', damaged);
  place.write('cut.vae', damaged.subarray(0, damaged.length - 1));
});
afterAll(() => place.remove());

const read = (name: string) => readFileSync(place.path(name));

describe('decompress --allow-partial', () => {
  it('writes what is left, says in a line which rows are lost, and ends with 4', () => {
    const refused = place.run(['decompress', 'damaged.vae', 'none.ppm', ...FIXTURE]);
    expect([refused.code, refused.stderr.split('\n').length]).toEqual([5, 2]);
    expect(place.files()).not.toContain('none.ppm');

    const { code, stderr } = place.run(['decompress', 'damaged.vae', 'part.ppm', ...PARTLY]);
    expect(stderr).toMatch(TOLD);
    expect(stderr).toMatch(/\ndamaged\.vae -> part\.ppm: 24x1100, [^\n]*\n$/);
    expect(code).toBe(4);
    const rows = read('part.ppm').subarray(-24 * 1100 * 3);
    expect(rows[600 * 24 * 3]).toBe(hatchAt(0, 600));
  });

  it('says so to those who want quiet too, and gives the ranges in JSON', () => {
    const args = ['decompress', 'cut.vae', '-', '--format', 'ppm', '--quiet', ...PARTLY];
    const quiet = place.run(args);
    expect(quiet.code).toBe(4);
    expect(quiet.stderr).toBe(
      'vaerans: cut.vae: damaged, rows 512 to 1099 lost (hatched), rows 508 to 511 inexact\n',
    );
    expect(quiet.stdout.length).toBeGreaterThan(24 * 1100 * 3);
    const told = place.run(['decompress', 'damaged.vae', 'told.png', '--json', ...PARTLY]);
    expect(told.stderr).toMatch(TOLD);
    expect(JSON.parse(told.stdout.toString())).toMatchObject({
      output: 'told.png',
      lost: {
        rows: [{ firstRow: 512, rows: 512 }],
        inexactRows: [
          { firstRow: 508, rows: 4 },
          { firstRow: 1024, rows: 4 },
        ],
        streams: [],
      },
    });
  });

  it('counts a damaged file of several as failed, and changes nothing for a sound one', () => {
    const files = ['damaged.vae', 'sound.vae'];
    const args = ['--output-dir', 'out', '--format', 'ppm', ...PARTLY];
    const { code, stderr } = place.run(['decompress', ...files, ...args]);
    expect([code, stderr.split('\n').at(-2)]).toEqual([4, '1 done, 0 skipped, 1 failed']);
    expect(place.run(['decompress', 'sound.vae', 'sound.ppm', ...FIXTURE]).code).toBe(0);
    expect(read('out/sound.ppm').equals(read('sound.ppm'))).toBe(true);
    const alone = place.run(['decompress', 'sound.vae', 'alone.ppm', ...PARTLY]);
    expect(alone.code).toBe(0);
  });

  it('takes a region that a cut file still has whole, and ends well', () => {
    const args = ['decompress', 'cut.vae', 'top.ppm', '--region', '0,0,24,100', ...PARTLY];
    const { code, stderr } = place.run(args);
    expect([code, stderr.split('\n').length]).toEqual([0, 2]);
    expect(place.run(['decompress', 'sound.vae', 'whole.ppm', ...FIXTURE]).code).toBe(0);
    expect(read('top.ppm').subarray(-24 * 100 * 3)).toEqual(
      read('whole.ppm')
        .subarray(-24 * 1100 * 3)
        .subarray(0, 24 * 100 * 3),
    );
  });

  it('goes with no preview', () => {
    const args = ['decompress', 'damaged.vae', 'p.png', '--scale', '1/4', ...PARTLY];
    expect(place.run(args).code).toBe(2);
  });
});
