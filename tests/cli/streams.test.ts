import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeImage } from '#src/image/write.js';
import { BIN, end, PICTURE_PNG, Place, picture, start } from './command.js';

const LARGE_PPM = encodeImage(picture(2000, 1500), 'ppm');

let place: Place;
beforeAll(() => {
  place = new Place();
  place.write('in.png', PICTURE_PNG);
  place.write('large.png', encodeImage(picture(2000, 1500), 'png'));
  place.run(['compress', 'large.png', 'large.vae', '--model', 'fixture']);
});
afterAll(() => place.remove());

const hasPython = spawnSync('python3', ['-c', 'import pty']).status === 0;

/** Runs the program with a terminal for its input, output and errors. */
function onTerminal(...args: string[]) {
  const terminal =
    'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
  return spawnSync('python3', ['-c', terminal, process.execPath, BIN, ...args], {
    cwd: place.folder,
    env: place.env,
    input: '',
    encoding: 'utf8',
  });
}

describe('standard input', () => {
  const ppm = encodeImage(picture(1000, 100), 'ppm');

  it.each([
    // One piece of a pipe and a little more: the reader waits for the rest.
    ['the picture', ppm.subarray(0, 66_000), '999', 6],
    ['what follows it', Buffer.concat([ppm, Buffer.alloc(10)]), '1000', 5],
  ])(
    'is left at once when %s is refused, though its writer goes on',
    async (_, bytes, side, refused) => {
      const args = ['compress', '-', 'no.vae', '--model', 'fixture', '--max-side', side];
      const child = start(place, args);
      child.stdin.on('error', () => {});
      child.stdin.write(bytes);
      const { code, stderr } = await end(child);
      expect(stderr).toMatch(/^vaerans: pnm: /);
      expect(code).toBe(refused);
    },
  );

  it.each([
    ['info', ['-', '-']],
    ['metrics', ['-', '-']],
    ['test', ['-', '--files-from', '-']],
  ])('is no input twice, of %s', (name, args) => {
    const { code, stdout, stderr } = place.run([name, ...args], { input: PICTURE_PNG });
    expect(stderr).toBe("vaerans: usage: expected standard input once, got '-' 2 times\n");
    expect([code, stdout.length]).toEqual([2, 0]);
  });
});

describe('standard output', () => {
  it('ends quietly with 141 when its reader goes', async () => {
    const child = start(place, ['decompress', 'large.vae', '-', '--format', 'ppm']);
    await once(child.stdout, 'readable');
    child.stdout.destroy();
    const { code, stderr } = await end(child);
    expect([code, stderr]).toEqual([141, '']);
  });

  it('comes whole to a reader that is slow', async () => {
    const child = start(place, ['decompress', 'large.vae', '-', '--format', 'ppm', '--quiet']);
    await once(child.stdout, 'readable');
    await sleep(500);
    const { code, stdout } = await end(child);
    expect([code, stdout.length]).toEqual([0, 'P6\n2000 1500\n255\n'.length + 2000 * 1500 * 3]);
  });

  it.skipIf(!hasPython)(
    'of bytes is refused on a terminal, which has python3 for a stand-in',
    () => {
      const refused = onTerminal('compress', 'in.png', '-', '--model', 'fixture');
      expect(refused.stdout).toMatch(/^vaerans: write: expected a file or a pipe .*got a terminal/);
      expect(refused.stdout.trimEnd()).not.toContain('\n');
      expect(refused.status).toBe(2);
      const typed = onTerminal('decompress', '-', 'typed.png');
      expect(typed.stdout).toMatch(/as standard input, got a terminal/);
      expect(typed.status).toBe(2);
      expect(onTerminal('info', 'large.vae').stdout).toContain('2000x1500');
    },
  );
});

describe('standard error', () => {
  it.skipIf(!hasPython)(
    'shows a bar on a terminal once work has lasted a while, and takes it away',
    () => {
      const shown = onTerminal('compress', 'large.png', 'bar.vae', '--threads', '1');
      expect(shown.status).toBe(0);
      expect(shown.stdout).toMatch(/large\.png \[=*-+\] \d+\/\d+ tiles, \d+ s left/);
      const afterBar = shown.stdout.slice(shown.stdout.lastIndexOf(' tiles'));
      const [clearing, told] = afterBar.split('large.png -> bar.vae: 2000x1500');
      expect(clearing).toContain('\x1b[');
      expect(told).toBeDefined();
      expect(onTerminal('compress', 'in.png', 'quiet.vae', '--quiet').stdout).toBe('');
    },
    60_000,
  );

  it.skipIf(!hasPython)(
    'has nothing of an input that failed in the bar of the next',
    () => {
      const args = [
        'compress',
        'in.png',
        'large.png',
        '--target-size',
        '20',
        '--output-dir',
        'out',
      ];
      const { status, stdout } = onTerminal(...args, '--threads', '1');
      expect(status).toBe(4);
      expect(stdout).toContain('in.png: compress: expected a target size of at least');
      expect(stdout).toContain('large.png [');
      expect(stdout).not.toContain('2 pictures [');
    },
    60_000,
  );
});

describe.skipIf(process.platform === 'win32')('a signal', () => {
  // A shell reports a process that died of SIGINT as 130, of SIGTERM as 143.
  it.each([
    ['SIGINT', 0],
    ['SIGTERM', 100],
    ['SIGINT', 300],
    ['SIGTERM', 600],
  ] as const)(
    '%s %i ms into its work ends it, and no handler of ours, and leaves nothing',
    async (signal, afterMs) => {
      const own = new Place();
      const child = start(own, ['compress', '-', 'x.vae', '--threads', '1']);
      const ended = end(child);
      // Half a picture, more than a pipe holds, and its input stays open: however slow or fast the machine, the work has
      // begun and cannot end before the signal.
      await new Promise((resolve) => {
        child.stdin.write(LARGE_PPM.subarray(0, LARGE_PPM.length / 2), resolve);
      });
      await sleep(afterMs);
      child.kill(signal);
      const result = await ended;
      expect([result.signal, result.stderr]).toEqual([signal, '']);
      expect(own.files()).toEqual([]);
      own.remove();
    },
  );

  it('while a file is written is heeded when nothing of it is left half done', async () => {
    const script = `
      import { finishBeforeSignals } from '${new URL('../../dist/cli/signals.js', import.meta.url)}';
      await finishBeforeSignals(async (signal) => {
        process.stdout.write('writing');
        await new Promise((resolve) => {
          const waiting = setTimeout(resolve, 60_000);
          signal.addEventListener('abort', () => { clearTimeout(waiting); setTimeout(resolve, 50); });
        });
        process.stdout.write(' cleaned');
      });
      process.stdout.write(' and went on');`;
    place.write('write.mjs', script);
    const { spawn } = await import('node:child_process');
    const child = spawn(process.execPath, ['write.mjs'], { cwd: place.folder });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunks.push(chunk) === 1) child.kill('SIGTERM');
    });
    const [code, signal] = await once(child, 'close');
    expect([code, signal]).toEqual([null, 'SIGTERM']);
    expect(Buffer.concat(chunks).toString()).toBe('writing cleaned');
  });
});
