/**
 * The versions that set-up must meet, each read from the one file that states it.
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, SetupError } from './shell.mjs';

/** `wasm-bindgen` is the crate's own dependency (the command must be the same version), `wasmPack` stands beside it. */
export function toolPins() {
  return {
    wasmBindgen: firstMatch(
      'crates/vaerans-wasm/Cargo.toml',
      /^wasm-bindgen = "=(\d+\.\d+\.\d+)"/m,
    ),
    wasmPack: firstMatch(
      'crates/vaerans-wasm/Cargo.toml',
      /^wasm-pack-version = "(\d+\.\d+\.\d+)"/m,
    ),
  };
}

/** The exact toolchain that development uses, and the oldest that the crates promise to build with. */
export function rustPins() {
  return {
    channel: firstMatch('rust-toolchain.toml', /^channel = "([^"]+)"/m),
    oldest: firstMatch('Cargo.toml', /^rust-version = "([^"]+)"/m),
  };
}

/**
 * True when a dotted version is at least another.
 * @param {string} version
 * @param {string} oldest
 */
export function isAtLeast(version, oldest) {
  const have = version.split('.').map(Number);
  for (const [place, want] of oldest.split('.').map(Number).entries()) {
    const got = have[place] ?? 0;
    if (got !== want) return got > want;
  }
  return true;
}

/**
 * @param {string} file
 * @param {RegExp} pattern
 */
function firstMatch(file, pattern) {
  const found = pattern.exec(readFileSync(join(ROOT, file), 'utf8'))?.[1];
  if (found === undefined)
    throw new SetupError(`setup: expected ${pattern} in ${file}, got no such line`);
  return found;
}
