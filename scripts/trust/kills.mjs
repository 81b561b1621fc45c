/**
 * Writes cut off: the process killed at random times, and folders and disks that will not take the file.
 * @module
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../setup/shell.mjs';
import { BIN, finish, start } from './program.mjs';
import { randomOf } from './trial.mjs';

const KILLS = 1000;
const OLD = 'what was there before';

/** @type {import('./trial.mjs').Trial} */
export const kills = {
  promise:
    'kill -9 at any time of compress, decompress and folder runs leaves the old file or the new one, never a mix, and the next run removes what was left beside it.',
  async prepare() {
    const folder = mkdtempSync(join(tmpdir(), 'vaerans-kills-'));
    const inputs = join(folder, 'inputs');
    mkdirSync(inputs);
    for (const name of ['photo.png', 'noise.png', 'gradients.png']) {
      copyFileSync(join(ROOT, 'fixtures', name), join(inputs, name));
    }
    const commands = [
      ['compress', 'inputs/photo.png', 'out/photo.vae', '-f'],
      ['decompress', 'photo.vae', 'out/photo.ppm', '-f'],
      ['compress', '-r', 'inputs', '--output-dir', 'out', '-f'],
    ];
    await finish(['compress', 'inputs/photo.png', 'photo.vae'], folder);
    /** @type {{ args: string[], ms: number, files: Map<string, Buffer> }[]} */
    const whole = [];
    for (const args of commands) {
      mkdirSync(join(folder, 'out'), { recursive: true });
      const startMs = performance.now();
      const { code, stderr } = await finish(args, folder);
      if (code !== 0) throw new Error(`kills: ${args.join(' ')} ended with ${code}: ${stderr}`);
      whole.push({ args, ms: performance.now() - startMs, files: contents(join(folder, 'out')) });
      rmSync(join(folder, 'out'), { recursive: true });
    }
    return {
      total: KILLS,
      async runCase(index) {
        const random = randomOf(index);
        const run = whole[index % whole.length];
        if (run === undefined) throw new Error('kills: there are no commands');
        const out = join(folder, 'out');
        mkdirSync(out);
        for (const name of run.files.keys()) writeFileSync(join(out, name), OLD);
        // Towards the end of the run, where files are written, as often as in all the time before.
        const share = random(2) === 0 ? random(1000) / 1000 : 0.7 + (0.4 * random(1000)) / 1000;
        const startMs = performance.now();
        const { child, closed } = start([...run.args, '--quiet'], folder);
        child.stdout.resume();
        const tookMs = closed.then(() => performance.now() - startMs);
        await sleep(share * run.ms);
        child.kill('SIGKILL');
        const { signal } = await closed;
        // On a machine that others use as well a whole run soon takes another time than at the start.
        if (signal === null) run.ms += 0.3 * ((await tookMs) - run.ms);
        else if (share > 1) run.ms *= 1.1;
        const what = `${run.args[0]} killed at ${Math.round(share * 100)} %`;
        const after = contents(out);
        const faults = [];
        const counts = {
          killed: signal === 'SIGKILL' ? 1 : 0,
          'old file': 0,
          'new file': 0,
          'left beside': 0,
        };
        for (const [name, bytes] of after) {
          if (name.endsWith('.tmp')) counts['left beside']++;
          else if (bytes.equals(Buffer.from(OLD))) counts['old file']++;
          else if (run.files.get(name)?.equals(bytes)) counts['new file']++;
          else faults.push(`${what}: ${name} is neither the old file nor the new`);
        }
        if (counts['left beside'] > 0) {
          await finish([...run.args, '--quiet'], folder);
          const still = readdirSync(out).filter((name) => name.endsWith('.tmp'));
          if (still.length > 0) faults.push(`${what}: ${still.join(', ')} outlived the next run`);
        }
        rmSync(out, { recursive: true });
        return { faults, counts };
      },
      conclude: () => unwritable(folder),
      close: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
};

/** @param {string} folder */
function contents(folder) {
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
}

/**
 * Where nothing can be written, one line says so and the code is 9.
 * @param {string} folder
 */
async function unwritable(folder) {
  mkdirSync(join(folder, 'locked'));
  chmodSync(join(folder, 'locked'), 0o500);
  writeFileSync(join(folder, 'file'), '');
  const targets = [
    ['no such folder', 'missing/out.vae'],
    ['a file as folder', 'file/out.vae'],
    ['a name too long', `${'n'.repeat(300)}.vae`],
  ];
  // Root may write anywhere.
  if (process.getuid?.() !== 0) targets.push(['a folder that is read-only', 'locked/out.vae']);
  const faults = [];
  for (const [what, target = ''] of targets) {
    const args = ['compress', 'inputs/gradients.png', '-o', target, '-f', '--quiet'];
    const { code, stderr } = await finish(args, folder);
    const lines = stderr.trim().split('\n').length;
    if (code !== 9 || lines !== 1)
      faults.push(`${what}: ended with ${code}, said ${stderr.trim()}`);
  }
  const vanished = await intoVanished(folder);
  if (vanished !== undefined) faults.push(`a folder that vanishes: ${vanished}`);
  const full = await ontoFullDisk(folder);
  if (full !== undefined) faults.push(`a full disk: ${full}`);
  return { faults, counts: { 'unwritable targets': targets.length + 2 } };
}

/**
 * The folder is there when the program starts and gone when it writes.
 * @param {string} folder
 */
async function intoVanished(folder) {
  const gone = join(folder, 'gone');
  mkdirSync(gone);
  const { child, said, closed } = start(['compress', 'inputs/photo.png', 'gone/out.vae'], folder);
  child.stdout.resume();
  await sleep(100);
  rmSync(gone, { recursive: true });
  const { code } = await closed;
  return code === 9 ? undefined : `ended with ${code}, said ${said.stderr.trim()}`;
}

/**
 * A file system of 16 kB where the system lets us make one, the device that is always full otherwise.
 * @param {string} folder
 */
async function ontoFullDisk(folder) {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', disk]).status === 0;
  try {
    if (!mounted) {
      const full = openSync('/dev/full', 'w');
      const args = [BIN, 'compress', 'inputs/photo.png', '-'];
      /** @type {import('node:child_process').StdioOptions} */
      const stdio = ['ignore', full, 'pipe'];
      const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, stdio });
      return status === 9 ? undefined : `ended with ${status}, said ${stderr}`;
    }
    const args = ['compress', 'inputs/photo.png', 'disk/out.vae', '--quality', '95', '--quiet'];
    const { code, stderr } = await finish(args, folder);
    const left = readdirSync(disk);
    if (left.length > 0) return `left ${left.join(', ')}`;
    return code === 9 ? undefined : `ended with ${code}, said ${stderr.trim()}`;
  } finally {
    if (mounted) spawnSync('umount', [disk]);
  }
}
