import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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

  test('clear pixels are refused without a background, naming the flag, and nothing is written', () => {
    place.copy(join(FIXTURES, 'alpha-soft.png'), 'ball.png');
    const { code, stderr } = place.run(['compress', 'ball.png']);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^vaerans: compress: .*--background\n$/);
    expect(place.files()).toEqual(['ball.png']);
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
    expect(told.stderr).toContain('deep.png: note: image: 16-bit samples reduced to 8 bits\n');
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
      /^vaerans: read: expected at most 83886080 bytes, got more in '\/dev\/zero'/,
    );
    expect(code).toBe(6);
    expect(place.files()).toEqual([]);
  });
});
