import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAtLeast, rustPins, toolPins } from '../../scripts/setup/pins.mjs';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** What set-up reads of a clone before it installs anything. */
const CLONE = ['scripts', 'crates', 'Cargo.toml', 'Cargo.lock', 'rust-toolchain.toml'];

let clone: string;

function copyIntoClone(...paths: readonly string[]): void {
  for (const path of paths) cpSync(join(ROOT, path), join(clone, path), { recursive: true });
}

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'vaerans-setup-'));
});

afterEach(() => rmSync(clone, { recursive: true, force: true }));

describe('set-up without Rust', () => {
  it('says in one line how to get it, before it downloads anything', () => {
    copyIntoClone(...CLONE);
    const emptyPath = join(clone, 'no-programs');
    mkdirSync(emptyPath);
    const result = spawnSync(process.execPath, [join(clone, 'scripts/setup.mjs')], {
      env: { PATH: emptyPath },
      encoding: 'utf8',
    });
    expect(result.status).toBe(1);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(/^setup: expected cargo on the PATH.*https:\/\/rustup\.rs.*\n$/);
  });
});

describe('pinned versions', () => {
  it('name the wasm-bindgen that Cargo.lock holds', () => {
    const lock = readFileSync(join(ROOT, 'Cargo.lock'), 'utf8');
    const locked = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(lock)?.[1];
    expect(toolPins().wasmBindgen).toBe(locked);
  });

  it('pin a toolchain that meets the promised oldest Rust', () => {
    const { channel, oldest } = rustPins();
    expect(isAtLeast(channel, oldest)).toBe(true);
  });

  it('compare by number, not by text', () => {
    expect(isAtLeast('1.100.0', '1.85')).toBe(true);
    expect(isAtLeast('1.85', '1.85.0')).toBe(true);
    expect(isAtLeast('1.84.9', '1.85')).toBe(false);
    expect(isAtLeast('0.99.0', '1.0')).toBe(false);
  });
});

describe('package-lock.json', () => {
  it('holds every optional package of every package, without which npm ci refuses it', () => {
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<
        Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>
      >;
    };
    const missing = Object.entries(lock.packages).flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter(
        (name) =>
          !(`${path}/node_modules/${name}` in lock.packages) &&
          !(`node_modules/${name}` in lock.packages),
      ),
    );
    expect(missing).toEqual([]);
  });
});

describe('a step', () => {
  const step = { name: 'copy', inputs: ['in'], outputs: ['out'] };

  async function stamps() {
    const file = pathToFileURL(join(clone, 'scripts/setup/stamp.mjs')).href;
    return (await import(file)) as typeof import('../../scripts/setup/stamp.mjs');
  }

  beforeEach(async () => {
    copyIntoClone('scripts');
    mkdirSync(join(clone, 'in'));
    writeFileSync(join(clone, 'in/a.txt'), 'a');
    writeFileSync(join(clone, 'out'), 'made');
    const { inputState, remember } = await stamps();
    remember(step, inputState(step));
  });

  it('is fresh after it ran, whatever the times of its files', async () => {
    writeFileSync(join(clone, 'in/a.txt'), 'a');
    expect((await stamps()).isFresh(step)).toBe(true);
  });

  it.each([
    ['an input changed', () => writeFileSync(join(clone, 'in/a.txt'), 'b')],
    ['an input was added', () => writeFileSync(join(clone, 'in/b.txt'), '')],
    ['an input was removed', () => rmSync(join(clone, 'in/a.txt'))],
    ['an output was removed', () => rmSync(join(clone, 'out'))],
    ['an output was replaced', () => writeFileSync(join(clone, 'out'), 'other')],
  ])('is stale when %s', async (_, change) => {
    change();
    expect((await stamps()).isFresh(step)).toBe(false);
  });

  it('is stale when an input changed while it ran', async () => {
    const { inputState, isFresh, remember } = await stamps();
    const before = inputState(step);
    writeFileSync(join(clone, 'in/a.txt'), 'edited meanwhile');
    remember(step, before);
    expect(isFresh(step)).toBe(false);
  });
});

describe.each(['simd', 'scalar'])('the built %s module', (name) => {
  it('wants no imports', () => {
    const bytes = readFileSync(join(ROOT, `build/wasm/vaerans_${name}.wasm`));
    expect(WebAssembly.Module.imports(new WebAssembly.Module(bytes))).toEqual([]);
  });
});
