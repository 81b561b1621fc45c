import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '#src/cli/exit.js';
import { PICTURE_PNG, Place, ROOT } from './command.js';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

let place: Place;
beforeAll(() => {
  place = new Place();
  place.write('in.png', PICTURE_PNG);
});
afterAll(() => place.remove());

describe('the README', () => {
  it('lists every exit code, and none that is not there', () => {
    const section = /## Exit codes\n([^#]*)/.exec(readme)?.[1] ?? '';
    const listed = [...section.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, codes = '']) =>
      codes.split(',').map(Number),
    );
    // 143 is 130 of the other signal.
    expect(listed.sort((a, b) => a - b)).toEqual([...Object.values(EXIT), 143]);
  });

  it('shows commands that work', () => {
    const section = /## Use\n\n```\n([^`]*)```/.exec(readme)?.[1] ?? '';
    const commands = section.trim().split('\n');
    expect(commands).toHaveLength(3);
    for (const command of commands) {
      const [program, ...args] = command.split(' ');
      expect(program).toBe('vaerans');
      const { code, stderr } = place.run(args);
      expect([command, code, stderr]).toEqual([command, 0, expect.any(String)]);
    }
  });

  it('shows a program that works', () => {
    const program = /```js\n([^`]*)```/.exec(readme)?.[1] ?? '';
    expect(program).toContain('openCodec');
    mkdirSync(place.path('node_modules'));
    symlinkSync(ROOT, place.path('node_modules/vaerans'));
    place.write('example.mjs', program.replace('back.png', 'example.png'));
    execFileSync(process.execPath, ['example.mjs'], { cwd: place.folder });
    expect(readFileSync(place.path('example.png')).subarray(1, 4).toString()).toBe('PNG');
  });
});
