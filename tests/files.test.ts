import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vaerans-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a program of a process of its own in the folder: what is stale is told by who wrote it. */
function inProcess(program: string) {
  const files = JSON.stringify(new URL('../dist/files.js', import.meta.url).href);
  const source = `import { writeFileAtomic } from ${files};\nimport { readdirSync } from 'node:fs';\n${program}`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', source], { cwd: folder });
}

/** The name that a temporary file has while another process writes it. */
function leaveTemporary(): string {
  inProcess(`
    const writing = writeFileAtomic('out.vae', new Uint8Array(2 ** 24));
    while (!readdirSync('.').some((name) => name.endsWith('.tmp'))) await new Promise(setImmediate);
    process.kill(process.pid, 'SIGKILL');
    await writing;`);
  const left = readdirSync(folder).find((name) => name.endsWith('.tmp'));
  if (left === undefined)
    throw new Error('expected the killed process to leave its temporary file');
  return left;
}

const writeNext = () => inProcess(`await writeFileAtomic('next.vae', Uint8Array.of(7));`);

describe('a write', () => {
  it('removes what a killed process left in the same folder', () => {
    leaveTemporary();
    expect(writeNext().status).toBe(0);
    expect(readdirSync(folder)).toEqual(['next.vae']);
    expect([...readFileSync(join(folder, 'next.vae'))]).toEqual([7]);
  });

  it('takes the longest name that there may be', () => {
    const name = `${'漢'.repeat(83)}.vae`;
    expect(inProcess(`await writeFileAtomic('${name}', Uint8Array.of(7));`).status).toBe(0);
    expect(readdirSync(folder)).toEqual([name]);
  });

  it('leaves alone what a running process or another machine is writing, and files of other names', () => {
    const left = leaveTemporary();
    rmSync(join(folder, left));
    const ofRunning = left.replace(/-\d+-([0-9a-f]{12})\.tmp$/, `-${process.pid}-$1.tmp`);
    const ofOtherMachine = left.replace(/-[0-9a-f]{8}-(\d+-[0-9a-f]{12}\.tmp)$/, '-00000000-$1');
    const names = [ofRunning, ofOtherMachine, '.vaerans-notes.tmp', 'photo.png'].sort();
    for (const name of names) writeFileSync(join(folder, name), '');
    expect(writeNext().status).toBe(0);
    expect(readdirSync(folder).sort()).toEqual([...names, 'next.vae'].sort());
  });
});
