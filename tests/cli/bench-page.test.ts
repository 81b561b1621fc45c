import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeImage } from '#src/image/write.js';
import { makeSample, ORIGINAL, type Sample } from '../bench/report/sample.js';
import { Place } from './command.js';

let place: Place;
let sample: Sample;
beforeAll(() => {
  place = new Place();
  sample = makeSample();
  place.write('results.json', JSON.stringify(sample.record));
  for (const name of ['original', '4', '8', '16', '32']) {
    place.copy(`${sample.folder}/${name}.png`, `${name}.png`);
  }
});
afterAll(() => {
  place.remove();
  sample.remove();
});

describe('report', () => {
  it('makes a page of a record, with as many pictures as asked for, and overwrites none', () => {
    const args = ['report', 'results.json', '-o', 'page.html', '--pictures', '1'];
    expect(place.run(args)).toMatchObject({ code: 0, stderr: '' });
    const page = readFileSync(place.path('page.html'), 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain('1 of 2 pictures in it');
    const original = Buffer.from(encodeImage(ORIGINAL, 'png')).toString('base64');
    expect(page).toContain(original);
    expect(place.run(args)).toMatchObject({ code: 2 });
    expect(place.run([...args, '-f'])).toMatchObject({ code: 0 });
  });

  it('takes a record from a pipe and writes the page to one', () => {
    const { code, stdout } = place.run(['report', '-', '-o', '-', '--pictures', '0'], {
      input: JSON.stringify(sample.record),
    });
    expect(code).toBe(0);
    expect(stdout.toString()).toMatch(/<\/html>\n$/);
  });

  const damaged = (change: object) => JSON.stringify({ ...sample.record, ...change });
  it.each([
    ['no JSON', () => 'nonsense', /expected JSON/],
    ['another schema', () => damaged({ schema: 'vaerans.bench/1' }), /got vaerans\.bench\/1/],
    ['a record without rows', () => damaged({ rows: undefined }), /bad rows/],
    ['rows without bytes', () => damaged({ rows: [{ image: 'a' }] }), /bad rows/],
    ['a record without a summary', () => damaged({ summary: null }), /bad summary/],
  ])('refuses %s in one line', (_, content, message) => {
    place.write('bad.json', content());
    const { code, stderr } = place.run(['report', 'bad.json', '-o', 'bad.html']);
    expect([code, stderr.split('\n').length]).toEqual([5, 2]);
    expect(stderr).toMatch(message);
    expect(place.files()).not.toContain('bad.html');
  });

  it('says which picture is not there', () => {
    place.write(
      'gone.json',
      JSON.stringify({
        ...sample.record,
        images: [{ ...sample.record.images[0], path: 'gone.png' }],
      }),
    );
    const { code, stderr } = place.run(['report', 'gone.json', '-o', 'gone.html']);
    expect(code).toBe(9);
    expect(stderr).toContain('gone.png');
  });
});
