/**
 * Mutation of the entropy coders in Rust: `npm run mutation:core -- [--again] [--only TEXT] [--shard K/N] [FILE...]`, files below
 * crates/vaerans-core/src. `mutants/` writes all mutants into one copy of the crate, which is built once; then the tests are
 * run for each of them, up to the first that fails. `--again` keeps the copy and goes on from the record
 * of before, build/mutants/core.tsv. On a machine that is shared this costs a small part of building each mutant by itself, as cargo-mutants does.
 * @module
 */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nativeRust } from './setup/rust.mjs';
import { ROOT, run } from './setup/shell.mjs';

/** What latents are coded with; what lies nearest to hostile bytes first, for runs that are not given the time for all. */
const FILES = [
  'context/residual.rs',
  'context/trail.rs',
  'rans.rs',
  'context/classes.rs',
  'context/tables.rs',
  'context/near.rs',
  'context/near/scalar.rs',
  'context/coder.rs',
  'context/contexts.rs',
  'context/found.rs',
  'context/intervals.rs',
  'static_coder.rs',
  'static_table.rs',
  'context/model.rs',
  'context/input.rs',
  'context/grid.rs',
  'context/row_net.rs',
  'context/adaptation.rs',
  'context/learner.rs',
  'context/rows.rs',
  'context/predict.rs',
  'context/predict/scalar.rs',
  'restoration.rs',
  'restoration/classes.rs',
  'restoration/scalar.rs',
  'restoration/adjustment.rs',
];
/** Tests that reach a file, those first that are most likely to notice a change for their time. */
const TESTS_OF = [
  { files: /^context/, tests: ['payloads', 'context', 'context_grids', 'context_fit', 'lib'] },
  { files: /^static/, tests: ['payloads', 'static_coder', 'lib'] },
  { files: /^rans/, tests: ['rans', 'static_coder', 'payloads', 'context'] },
  { files: /^restoration/, tests: ['restoration'] },
];
const TESTS = [...new Set(TESTS_OF.flatMap(({ tests }) => tests))];
/** Of the cases of a property and the rounds of other random tests: a mutant that needs more of them to be seen is listed as a survivor. */
const CASES_SHARE = 0.1;
/** What takes this many times as much of the processor as unchanged, and some seconds, goes on for ever. */
const PATIENCE = 4;
const PATIENCE_S = 3;
const COPY = join(ROOT, 'build', 'mutants', 'copy');
/** Beside the copy, so that a new one finds what the tests depend on built. */
const TARGET = join(ROOT, 'build', 'mutants', 'target');
const CRATE = join(COPY, 'crates/vaerans-core');
const LIST = join(ROOT, 'build', 'mutants', 'list.tsv');
const RECORD = join(ROOT, 'build', 'mutants', 'core.tsv');

/** Chosen before `main`, so that asking costs a load and a comparison. */
const CHOICE = `
pub mod mutants {
    static mut CHOSEN: u32 = 0;
    extern "C" fn choose() {
        let id = std::env::var("MUTANT").ok().and_then(|id| id.parse().ok()).unwrap_or(0);
        unsafe { CHOSEN = id };
    }
    #[used]
    #[link_section = ".init_array"]
    static CHOOSE: extern "C" fn() = choose;
    #[inline(always)]
    pub fn is(id: u32) -> bool {
        unsafe { CHOSEN == id }
    }
}
`;

/** @typedef {{ id: string, file: string, line: string, change: string }} Mutant */

/**
 * @param {readonly string[]} files
 * @returns {string} a line for each mutant
 */
function writeCopy(files) {
  rmSync(COPY, { recursive: true, force: true });
  mkdirSync(join(COPY, 'crates'), { recursive: true });
  for (const path of [
    'Cargo.lock',
    'rust-toolchain.toml',
    'fixtures/payload-hashes.txt',
    'models',
  ]) {
    cpSync(join(ROOT, path), join(COPY, path), { recursive: true });
  }
  cpSync(join(ROOT, 'crates/vaerans-core'), CRATE, { recursive: true });
  const workspace = readFileSync(join(ROOT, 'Cargo.toml'), 'utf8');
  writeFileSync(
    join(COPY, 'Cargo.toml'),
    workspace.replace(/members = \[[^\]]*\]/, 'members = ["crates/vaerans-core"]'),
  );
  const tests = join(CRATE, 'tests');
  const sources = readdirSync(tests, { encoding: 'utf8', recursive: true });
  for (const name of sources.filter((file) => file.endsWith('.rs'))) {
    const fewer = readFileSync(join(tests, name), 'utf8').replace(
      /(with_cases\(|const ROUNDS: usize = )(\d+)/g,
      (_, before, cases) => `${before}${Math.ceil(CASES_SHARE * Number(cases))}`,
    );
    writeFileSync(join(tests, name), fewer);
  }
  const lib = join(CRATE, 'src/lib.rs');
  writeFileSync(lib, readFileSync(lib, 'utf8') + CHOICE);
  const manifest = ['--manifest-path', join(ROOT, 'mutants/Cargo.toml')];
  const paths = files.map((file) => join(CRATE, 'src', file));
  return run('cargo', ['run', '-q', '--release', ...manifest, '--', ...paths], nativeRust());
}

/**
 * @param {string} listed
 * @returns {Mutant[]}
 */
function parseList(listed) {
  return listed.split('\n').map((line) => {
    const [id = '', path = '', at = '', change = ''] = line.split('\t');
    return { id, file: path.slice(path.indexOf('/src/') + 5), line: at, change };
  });
}

/** @returns {Map<string, string>} the program of each of the tests */
function buildTests() {
  const targets = TESTS.flatMap((name) => (name === 'lib' ? ['--lib'] : ['--test', name]));
  const args = ['test', '--no-run', '--message-format=json', ...targets];
  const env = { ...nativeRust(), RUSTFLAGS: '--cap-lints allow', CARGO_TARGET_DIR: TARGET };
  const messages = run('cargo', [...args, '--manifest-path', join(COPY, 'Cargo.toml')], env)
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ executable }) => executable);
  return new Map(
    TESTS.map((name) => {
      const built = messages.find(
        ({ target }) => target.name === (name === 'lib' ? 'vaerans_core' : name),
      );
      if (built === undefined) throw new Error(`mutate-core: expected tests '${name}' to be built`);
      return [name, built.executable];
    }),
  );
}

/**
 * @param {string} program
 * @returns {number} seconds of the processor that the tests take unchanged
 */
function cpuSeconds(program) {
  const timed = 'cd "$1" && "$0" --test-threads=1 >/dev/null && times';
  const [, children = ''] = run('bash', ['-c', timed, program, CRATE]).split('\n');
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)]
    .map(([, minutes, seconds]) => 60 * Number(minutes) + Number(seconds))
    .reduce((sum, seconds) => sum + seconds, 0);
}

/**
 * @param {string} program
 * @param {string} id
 * @param {number} limitS of the processor's time, since on a busy machine a wall clock tells nothing
 * @returns {Promise<'passed' | 'failed' | 'endless'>} as soon as it is known
 */
function runTests(program, id, limitS) {
  return new Promise((resolve) => {
    const env = { ...process.env, MUTANT: id, RUST_BACKTRACE: '0', PROPTEST_MAX_SHRINK_ITERS: '0' };
    const limited = ['-c', `ulimit -t ${limitS}; exec "$0" --test-threads=1`, program];
    const child = spawn('bash', limited, { cwd: CRATE, env });
    let failed = false;
    const fail = () => {
      failed = true;
      child.kill('SIGKILL');
    };
    child.stdout.on('data', (chunk) => {
      if (String(chunk).includes('FAILED')) fail();
    });
    child.stderr.on('data', (chunk) => {
      if (String(chunk).includes('panicked at')) fail();
    });
    child.on('close', (code, signal) => {
      if (failed) resolve('failed');
      else if (signal === 'SIGXCPU' || signal === 'SIGKILL') resolve('endless');
      else resolve(code === 0 ? 'passed' : 'failed');
    });
  });
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    shard: { type: 'string', default: '1/1' },
    only: { type: 'string', default: '' },
    again: { type: 'boolean', default: false },
  },
});
if (!values.again) {
  writeFileSync(LIST, writeCopy(positionals.length > 0 ? positionals : FILES));
  rmSync(RECORD, { force: true });
}
const mutants = parseList(readFileSync(LIST, 'utf8'));
const programs = buildTests();
const tookS = new Map([...programs].map(([name, program]) => [name, cpuSeconds(program)]));
const unchanged = [...tookS].map(([name, seconds]) => `${name} ${seconds.toFixed(1)} s`);
console.log(`${mutants.length} mutants; unchanged: ${unchanged.join(', ')}`);
const [shard = 1, shards = 1] = values.shard.split('/').map(Number);
const known = existsSync(RECORD) ? readFileSync(RECORD, 'utf8').split('\n') : [];
for (const [index, { id, file, line, change }] of mutants.entries()) {
  const name = `${file}:${line}\t${change}\t${id}`;
  if (index % shards !== shard - 1 || !name.includes(values.only)) continue;
  if (known.some((row) => row.startsWith(`${name}\t`))) continue;
  let outcome = 'survived';
  for (const test of TESTS_OF.find(({ files }) => files.test(file))?.tests ?? TESTS) {
    const limitS = Math.ceil(PATIENCE_S + PATIENCE * (tookS.get(test) ?? 0));
    const end = await runTests(programs.get(test) ?? '', id, limitS);
    if (end === 'passed') continue;
    outcome = `${end} in ${test}`;
    break;
  }
  appendFileSync(RECORD, `${name}\t${outcome}\n`);
  if (outcome === 'survived') console.log(`${name}\t${outcome}`);
}
