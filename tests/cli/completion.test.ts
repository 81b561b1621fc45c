import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const BIN = join(import.meta.dirname, '../../bin/vaerans.js');
const folder = mkdtempSync(join(tmpdir(), 'vaerans-completion-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'photo.png'), '');

function scriptOf(shell: string): string {
  const { stdout, status } = spawnSync(process.execPath, [BIN, 'completion', shell], {
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  return stdout;
}

/** What bash itself would offer for these words, the last of which is being typed. */
function offered(...words: string[]): string[] {
  const list = words.map((word) => `'${word}'`).join(' ');
  const program = `${scriptOf('bash')}
COMP_WORDS=(vaerans ${list}); COMP_CWORD=${words.length}; COMPREPLY=(); _vaerans; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = spawnSync('bash', ['-c', program], { encoding: 'utf8', cwd: folder });
  return stdout.trim().split('\n').sort();
}

const hasBash = spawnSync('bash', ['--version']).status === 0;
if (!hasBash) console.log('skipped: there is no bash to complete in');

describe.skipIf(!hasBash)('completion in bash', () => {
  it('offers the commands', () => {
    expect(offered('')).toEqual(expect.arrayContaining(['compress', 'decompress', 'info']));
    expect(offered('dec')).toEqual(['decompress']);
  });

  it('offers the flags of the command, and files', () => {
    expect(offered('compress', '--qual')).toEqual(['--quality']);
    expect(offered('compress', 'ph')).toEqual(['photo.png']);
    expect(offered('info', '--qual')).toEqual(['']);
  });

  it('offers the values of a flag that has a choice', () => {
    expect(offered('compress', '--provider', 'cu')).toEqual(['cuda']);
  });
});

describe('completion in other shells', () => {
  it('tells fish every command with its description', () => {
    expect(scriptOf('fish')).toContain(
      "complete -c vaerans -n '__fish_use_subcommand' -a info -d 'tell what .vae files say of themselves'",
    );
  });

  it('lets zsh run the one for bash', () => {
    expect(scriptOf('zsh')).toContain('bashcompinit');
  });

  it('knows no other shell', () => {
    const { status, stderr } = spawnSync(process.execPath, [BIN, 'completion', 'tcsh'], {
      encoding: 'utf8',
    });
    expect(status).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
