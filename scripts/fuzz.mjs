/**
 * Fuzzes one target: `npm run fuzz -- TARGET [SECONDS]`, 60 seconds unless told. Needs `cargo install cargo-fuzz`.
 * What is new in the corpus stays under `fuzz/target`; an input that fails is kept in `fuzz/artifacts/TARGET`.
 * @module
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nativeRust } from './setup/rust.mjs';
import { ROOT, show } from './setup/shell.mjs';

const targets = readdirSync(join(ROOT, 'fuzz/fuzz_targets')).map((file) =>
  file.replace(/\.rs$/, ''),
);
const [target = '', seconds = '60'] = process.argv.slice(2);
if (!targets.includes(target) || !/^[1-9]\d*$/.test(seconds)) {
  console.log(
    `fuzz: expected one of ${targets.join(', ')}, and seconds, got ${process.argv.slice(2).join(' ')}`,
  );
  process.exitCode = 2;
} else {
  const grown = `fuzz/target/corpus/${target}`;
  mkdirSync(join(ROOT, grown), { recursive: true });
  // What is fuzzed has no `unsafe`, so that address sanitising would cost half of the speed for nothing; without it the
  // pinned compiler will do.
  const env = { ...nativeRust(), RUSTC_BOOTSTRAP: '1' };
  const cargo = [
    'fuzz',
    'run',
    '--sanitizer',
    'none',
    target,
    grown,
    `fuzz/corpus/${target}`,
    '--',
  ];
  const limits = [
    '-max_len=65536',
    '-rss_limit_mb=1024',
    '-timeout=10',
    `-max_total_time=${seconds}`,
  ];
  if (!show('cargo', [...cargo, ...limits], env)) {
    process.exitCode = 1;
  }
}
