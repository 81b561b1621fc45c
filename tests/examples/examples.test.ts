import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const FOLDER = fileURLToPath(new URL('../../examples/', import.meta.url));
const EXAMPLES = readdirSync(FOLDER).filter((name) => name.endsWith('.mjs'));

async function run(name: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [FOLDER + name, ...args]);
  return stdout;
}

/** The last indented block of an example's opening comment. */
function promised(name: string): string {
  const [comment = ''] = readFileSync(FOLDER + name, 'utf8').split(' * @module');
  const [, block = ''] = /\n \*\n((?: \* {3}.*\n)+)$/.exec(comment) ?? [];
  return block.replaceAll(/^ \* {3}/gm, '');
}

describe('examples', () => {
  it('are these six', () => {
    expect(EXAMPLES.sort()).toEqual([
      'custom-pipe.mjs',
      'folder-in-batches.mjs',
      'import-vae.mjs',
      'measure.mjs',
      'one-image.mjs',
      'residual-map.mjs',
    ]);
  });

  it.each(EXAMPLES)('%s prints what its comment says', async (name) => {
    expect(promised(name).length).toBeGreaterThan(20);
    expect(await run(name)).toBe(promised(name));
  });

  it('take another picture, and times on demand', async () => {
    const printed = await run('measure.mjs', `${FOLDER}pictures/scene-tall.png`, '--times');
    expect(printed).not.toContain(promised('measure.mjs'));
    expect(printed).toMatch(/^vaeEncode +\d+\.\d\d +- +Rgb:u8\[144x96x3\] +Latent:f32\[8x36x24\]/m);
  });
});
