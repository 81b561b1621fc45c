/**
 * Finds a Rust that can build this workspace, natively and for WASM, and adds what is missing where it can.
 * @module
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isAtLeast, rustPins } from './pins.mjs';
import { ask, ROOT, run, SetupError, which } from './shell.mjs';

/**
 * @typedef {object} WasmRust how to build for wasm32-unknown-unknown
 * @property {string} way for the report
 * @property {Readonly<Record<string, string | undefined>>} env
 * @property {'no-install' | 'force'} packMode wasm-pack's `--mode`; with the pinned tools on the PATH neither downloads
 * @property {readonly string[]} cargoArguments
 */

const TARGET = 'wasm32-unknown-unknown';
const DEBIAN_PACKAGES = ['rustc-web', 'cargo-web', 'rust-web-src', 'lld-19'];

/**
 * The environment in which plain `cargo` builds this workspace: empty, or one that steps around a pinned toolchain
 * that cannot be had. Throws a SetupError of one line when there is no Rust.
 * @returns {Readonly<Record<string, string>>}
 */
export function nativeRust() {
  if (!which('cargo')) {
    throw new SetupError(
      'setup: expected cargo on the PATH, got none: install Rust from https://rustup.rs and run this again',
    );
  }
  if (!which('rustup')) return {};
  const { channel, oldest } = rustPins();
  if (ask('cargo', ['--version'], { RUSTUP_TOOLCHAIN: channel })) return {};
  const components = ['--component', 'rustfmt', '--component', 'clippy'];
  if (
    ask('rustup', ['toolchain', 'install', channel, '--profile', 'minimal', ...components]) !==
    undefined
  )
    return {};

  // The pinned one cannot be downloaded: the person's own default is as good if it is new enough.
  const fallback = ask('rustup', ['default'])?.split(' ')[0];
  const version =
    fallback &&
    /rustc (\d+\.\d+\.\d+)/.exec(
      ask('rustc', ['--version'], { RUSTUP_TOOLCHAIN: fallback }) ?? '',
    )?.[1];
  if (fallback && version && isAtLeast(version, oldest)) return { RUSTUP_TOOLCHAIN: fallback };
  throw new SetupError(
    `setup: expected Rust ${channel} (rustup toolchain install ${channel}), got ${version ?? 'none that runs'}`,
  );
}

/**
 * The best way to build for WASM here: the toolchain's own target, one that rustup can add, or Debian's packages.
 * `VAERANS_WASM_TOOLCHAIN=debian` in the environment takes the last without asking.
 * @returns {WasmRust}
 */
export function wasmRust() {
  if (process.env.VAERANS_WASM_TOOLCHAIN === 'debian') return debianRust();
  const env = nativeRust();
  if (hasTarget(env))
    return { way: 'the installed target', env, packMode: 'no-install', cargoArguments: [] };
  if (
    which('rustup') &&
    ask('rustup', ['target', 'add', TARGET], env) !== undefined &&
    hasTarget(env)
  ) {
    return { way: 'rustup target add', env, packMode: 'no-install', cargoArguments: [] };
  }
  return debianRust();
}

/** @param {Readonly<Record<string, string>>} env */
function hasTarget(env) {
  const sysroot = ask('rustc', ['--print', 'sysroot'], env);
  return sysroot !== undefined && existsSync(join(sysroot, 'lib', 'rustlib', TARGET));
}

/**
 * Debian ships no std for the target, but its sources: they are built along.
 * @returns {WasmRust}
 */
function debianRust() {
  if (!hasDebianRust()) {
    const command = `apt-get install -y --no-install-recommends ${DEBIAN_PACKAGES.join(' ')}`;
    if (process.getuid?.() !== 0 || !which('apt-get')) {
      throw new SetupError(
        `setup: expected Rust's ${TARGET} target, got none: run "rustup target add ${TARGET}", or on Debian "${command}"`,
      );
    }
    run('apt-get', ['update']);
    run('apt-get', command.split(' ').slice(1), { DEBIAN_FRONTEND: 'noninteractive' });
    if (!hasDebianRust()) {
      throw new SetupError(
        `setup: expected rustc, its sources and wasm-ld-19 from ${DEBIAN_PACKAGES.join(', ')}, got something missing`,
      );
    }
  }
  return {
    way: "Debian's rustc-web",
    env: {
      // A rustup proxy that stands earlier on the PATH would pick its own compiler.
      PATH: ['/usr/bin', process.env.PATH ?? ''].join(delimiter),
      RUSTC: '/usr/bin/rustc',
      RUSTUP_TOOLCHAIN: undefined,
      // -Zbuild-std is unstable; this lets a stable compiler take it.
      RUSTC_BOOTSTRAP: '1',
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: 'wasm-ld-19',
    },
    // The other mode insists on a prebuilt std in the sysroot.
    packMode: 'force',
    cargoArguments: ['-Zbuild-std=std,panic_abort'],
  };
}

function hasDebianRust() {
  if (!existsSync('/usr/bin/cargo') || !which('wasm-ld-19', '/usr/bin')) return false;
  const version = /rustc (\d+\.\d+\.\d+)/.exec(ask('/usr/bin/rustc', ['--version']) ?? '')?.[1];
  const sysroot = ask('/usr/bin/rustc', ['--print', 'sysroot']);
  return (
    version !== undefined &&
    isAtLeast(version, rustPins().oldest) &&
    existsSync(join(sysroot ?? ROOT, 'lib', 'rustlib', 'src', 'rust', 'library'))
  );
}
