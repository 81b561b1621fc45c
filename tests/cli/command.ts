import {
  type ChildProcessWithoutNullStreams,
  type SpawnSyncReturns,
  spawn,
  spawnSync,
} from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Pixels } from '#src/image/pixels.js';
import { encodeImage } from '#src/image/write.js';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const BIN = join(ROOT, 'bin', 'vaerans.js');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A folder of its own to run commands in. */
export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'vaerans-cli-'));

  /** Runs the real program. Settings of whoever runs the tests do not reach it. */
  run(
    args: readonly string[],
    { input = '', env = {} }: { input?: Uint8Array | string; env?: NodeJS.ProcessEnv } = {},
  ): Ended {
    const { status, signal, stdout, stderr }: SpawnSyncReturns<Buffer> = spawnSync(
      process.execPath,
      [BIN, ...args],
      {
        cwd: this.folder,
        input,
        env: { ...this.env, ...env },
        timeout: 60_000,
        maxBuffer: 2 ** 28,
      },
    );
    return { code: status, signal, stdout, stderr: stderr.toString('utf8') };
  }

  get env(): NodeJS.ProcessEnv {
    const { PATH, NODE_V8_COVERAGE } = process.env;
    // Set by `npm run coverage`, which counts what the program runs as well.
    return { PATH, HOME: this.folder, ...(NODE_V8_COVERAGE && { NODE_V8_COVERAGE }) };
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  write(name: string, bytes: Uint8Array | string): string {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), bytes);
    return name;
  }

  copy(from: string, name: string): string {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    copyFileSync(from, this.path(name));
    return name;
  }

  /** Everything that lies there, hidden files too, folders left out. */
  files(): string[] {
    return readdirSync(this.folder, { withFileTypes: true, recursive: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.folder.length + 1))
      .sort();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A soft picture with an edge in it. */
export function picture(widthPx = 40, heightPx = 30, channels: 1 | 3 = 3): Pixels {
  const data = Uint8Array.from({ length: widthPx * heightPx * channels }, (_, i) => {
    const x = Math.floor(i / channels) % widthPx;
    const y = Math.floor(i / channels / widthPx);
    const edge = x > widthPx / 2 ? 60 : 0;
    return 60 + edge + Math.round(50 * Math.sin(x / 7) * Math.cos(y / 5)) + (i % channels) * 9;
  });
  return { widthPx, heightPx, channels, data };
}

export const PICTURE_PNG = encodeImage(picture(), 'png');

/** Beginning of a BMP: enough to be known for one. */
export const BMP_START = Buffer.from('BM\x46\0\0\0\0\0\0\0\x36', 'latin1');

/** As `Place.run`, without waiting: many at once, or one to be disturbed. */
export function start(
  place: Place,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [BIN, ...args], {
    cwd: place.folder,
    env: { ...place.env, ...env },
  });
}

/** Waits for a program that was started and collects what it said. */
export async function end(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout: Buffer.concat(stdout), stderr };
}
