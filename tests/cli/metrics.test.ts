import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeImage } from '#src/image/write.js';
import { PICTURE_PNG, Place, picture } from './command.js';

let place: Place;
beforeAll(() => {
  place = new Place();
  place.write('a.png', PICTURE_PNG);
  place.write('b.ppm', encodeImage(picture(64, 50, 3), 'ppm'));
  place.write('c.ppm', encodeImage(picture(64, 50, 1), 'ppm'));
});
afterAll(() => place.remove());

describe('metrics', () => {
  it('prints every metric, a line each', () => {
    const { code, stdout, stderr } = place.run(['metrics', 'b.ppm', 'c.ppm']);
    expect([code, stderr]).toEqual([0, '']);
    expect(
      stdout
        .toString()
        .split('\n')
        .map((line) => line.split(/ {2,}/)[0]),
    ).toEqual(['MSE', 'PSNR RGB, dB', 'PSNR luma, dB', 'SSIM', 'MS-SSIM', 'SSIMULACRA2', '']);
    expect(stdout.toString()).toMatch(/^MS-SSIM +not defined for pictures this small$/m);
  });

  it('gives those asked for as JSON, null for infinity', () => {
    const args = [
      'metrics',
      'b.ppm',
      '-',
      '--metric',
      'psnr-rgb,mse',
      '--metric',
      'SSIM',
      '--json',
    ];
    const { code, stdout } = place.run(args, { input: encodeImage(picture(64, 50, 3), 'ppm') });
    expect(code).toBe(0);
    expect(JSON.parse(stdout.toString())).toEqual({
      schema: 'vaerans.metrics/1',
      original: 'b.ppm',
      other: '-',
      metrics: { psnrRgb: null, mse: 0, ssim: 1 },
    });
  });

  it('names the flag that raises a limit, which it has', () => {
    const { code, stderr } = place.run(['metrics', 'b.ppm', 'c.ppm', '--max-side', '63']);
    expect([code, stderr]).toEqual([
      6,
      expect.stringMatching(/got 64x50; raise it with --max-side/),
    ]);
    expect(place.run(['metrics', 'b.ppm', 'c.ppm', '--max-side', '64']).code).toBe(0);
  });

  it.each([
    ['a metric that is not known', ['b.ppm', 'c.ppm', '--metric', 'beauty'], 2],
    ['pictures of different sizes', ['a.png', 'b.ppm'], 2],
    ['a picture that is not there', ['a.png', 'absent.png'], 9],
    ['one picture', ['a.png'], 2],
  ])('refuses %s', (_, args, code) => {
    const ended = place.run(['metrics', ...args]);
    expect(ended.stderr).toMatch(/^vaerans: [^\n]+\n$/);
    expect([ended.code, ended.stdout.length]).toEqual([code, 0]);
  });
});
