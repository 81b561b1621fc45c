import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { psnr } from '#src/codec/quality.js';
import type { Pixels } from '#src/image/pixels.js';
import { readImageBytes } from '#src/image/read.js';
import { defaultLimits } from '#src/limits.js';
import { Place, ROOT } from './command.js';

const FIXTURES = join(ROOT, 'fixtures');

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.remove());

describe('vaerans compress of pictures beyond plain ones', () => {
  test('a JPEG is turned upright before it is coded', () => {
    place.copy(join(FIXTURES, 'turned-6.jpg'), 'turned.jpg');
    expect(place.run(['compress', 'turned.jpg']).code).toBe(0);
    const { stdout } = place.run(['info', 'turned.vae', '--json']);
    expect(JSON.parse(stdout.toString())).toMatchObject({ widthPx: 256, heightPx: 160 });
  });

  test('comes back as JPEG, whose name asks for it, and looks like what PNG brings back', () => {
    place.copy(join(FIXTURES, 'turned-6.jpg'), 'turned.jpg');
    expect(place.run(['compress', 'turned.jpg']).code).toBe(0);
    const [jpeg, png] = ['back.jpg', 'back.png'].map((name) => {
      expect(place.run(['decompress', 'turned.vae', name]).code).toBe(0);
      return readFileSync(place.path(name));
    });
    expect(jpeg?.subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
    const [a, b] = [jpeg, png].map((bytes) =>
      readImageBytes(bytes ?? Buffer.alloc(0), defaultLimits()),
    );
    expect(a).toMatchObject({ widthPx: 256, heightPx: 160 });
    expect(psnr(a as Pixels, b as Pixels)).toBeGreaterThan(30);
  });

  test('clear pixels stay clear, exactly, and info tells of them', () => {
    place.copy(join(FIXTURES, 'alpha-soft.png'), 'ball.png');
    expect(place.run(['compress', 'ball.png']).code).toBe(0);
    expect(place.run(['info', 'ball.vae']).stdout.toString()).toMatch(/RGB and alpha, 8 bits/);
    expect(place.run(['decompress', 'ball.vae', 'back.png']).code).toBe(0);
    const alphaOf = (name: string) => {
      const { channels, data } = readImageBytes(readFileSync(place.path(name)), defaultLimits());
      expect(channels).toBe(4);
      return data.filter((_, i) => i % 4 === 3);
    };
    expect(alphaOf('back.png')).toEqual(alphaOf('ball.png'));
  });

  test('--lossless gives every sample of 16 bits back', () => {
    place.copy(join(FIXTURES, 'grey-16-bit.png'), 'deep.png');
    expect(place.run(['compress', 'deep.png', '--lossless']).code).toBe(0);
    expect(place.run(['decompress', 'deep.vae', 'back.png']).code).toBe(0);
    const read = (name: string) => readImageBytes(readFileSync(place.path(name)), defaultLimits());
    expect(read('back.png').data).toEqual(read('deep.png').data);
    expect(read('back.png').data.BYTES_PER_ELEMENT).toBe(2);
  });

  test.each(['fff', '#FFF', 'ffffff', '#ffffff'])('--background %s is white', (colour) => {
    place.copy(join(FIXTURES, 'alpha-soft.png'), 'ball.png');
    expect(place.run(['compress', 'ball.png', '--background', colour]).code).toBe(0);
    expect(place.run(['decompress', 'ball.vae', 'back.ppm']).code).toBe(0);
    const { stdout } = place.run(['decompress', 'ball.vae', '-', '--format', 'ppm']);
    expect(Math.min(...stdout.subarray(-3))).toBeGreaterThan(235);
  });

  test.each(['white', '12', '1234', '#ggg', ''])(
    '--background %j is refused as a colour',
    (colour) => {
      place.copy(join(FIXTURES, 'alpha-soft.png'), 'ball.png');
      const { code, stderr } = place.run(['compress', 'ball.png', '--background', colour]);
      expect(code).toBe(2);
      expect(stderr).toContain('--background: expected a colour');
    },
  );

  test('what is left aside is told beside the output, and not with --quiet', () => {
    place.copy(join(FIXTURES, 'grey-16-bit.png'), 'deep.png');
    const told = place.run(['compress', 'deep.png', '--json']);
    expect(told.stderr).toContain('deep.png: note: compress: 16-bit samples are reduced');
    expect(() => JSON.parse(told.stdout.toString())).not.toThrow();
    expect(place.run(['compress', 'deep.png', '-f', '--quiet']).stderr).toBe('');
  });
});

describe('an input without end', () => {
  test.skipIf(process.platform === 'win32')('is refused at the memory limit, by name', () => {
    const { code, stderr } = place.run([
      'compress',
      '/dev/zero',
      '-o',
      'z.vae',
      '--max-memory',
      '80M',
    ]);
    expect(stderr).toMatch(
      /^vaerans: \/dev\/zero: read: expected at most 83886080 bytes, got more/,
    );
    expect(code).toBe(6);
    expect(place.files()).toEqual([]);
  });
});
