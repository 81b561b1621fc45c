/**
 * Does what is missing between a clone and a product that runs: npm dependencies, Rust's WASM target, wasm-pack and
 * wasm-bindgen, the WASM modules, the TypeScript build. One line for each thing done, silent when all is there.
 * `--rebuild` makes the WASM modules and dist again whether or not they look up to date.
 * @module
 */
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nativeRust, wasmRust } from './setup/rust.mjs';
import { nodeTool, ROOT, run, SetupError } from './setup/shell.mjs';
import { filesUnder, inputState, isFresh, remember } from './setup/stamp.mjs';
import { buildWasm, cleanTools, installTool, missingTools, wasmStep } from './setup/wasm.mjs';

/** The first with `zlib.crc32`; as in package.json. */
const OLDEST_NODE = /** @type {const} */ ([20, 15]);

/** @type {import('./setup/stamp.mjs').Step} */
const TYPESCRIPT = {
  name: 'typescript',
  inputs: ['src', 'tsconfig.json', 'package.json', 'package-lock.json'],
  outputs: ['dist'],
};

/** @param {boolean} rebuild */
function setUp(rebuild) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    throw new SetupError(
      `setup: expected Node ${OLDEST_NODE.join('.')} or newer, got ${process.versions.node}`,
    );
  }
  if (rebuild) rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  const wasmIsMissing = rebuild || !isFresh(wasmStep());
  // First, so that a person without Rust learns it at once and not after a download.
  const nativeEnv = wasmIsMissing ? nativeRust() : {};
  if (!dependenciesMatchLock()) timed('npm dependencies', installDependencies);
  if (wasmIsMissing) {
    const rust = wasmRust();
    const tools = missingTools();
    for (const tool of tools) {
      timed(`${tool.crate} ${tool.version} into .tools (once)`, () => installTool(tool, nativeEnv));
    }
    if (tools.length > 0) cleanTools();
    const step = wasmStep();
    const inputs = inputState(step);
    timed(`WASM modules, SIMD and scalar, with ${rust.way}`, () => buildWasm(rust));
    remember(step, inputs);
  }
  if (!isFresh(TYPESCRIPT)) {
    const inputs = inputState(TYPESCRIPT);
    timed('TypeScript into dist', compileTypeScript);
    remember(TYPESCRIPT, inputs);
  }
}

/** npm writes what it installed beside it; comparing the two needs no stamp and sees installs by hand as well. */
function dependenciesMatchLock() {
  const installedFile = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const packagesOf = (/** @type {string} */ file) =>
    JSON.parse(readFileSync(file, 'utf8')).packages;
  const installed = packagesOf(installedFile);
  return Object.entries(packagesOf(join(ROOT, 'package-lock.json'))).every(
    ([path, entry]) => path === '' || entry.optional || installed[path]?.version === entry.version,
  );
}

function installDependencies() {
  const npmArguments = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'];
  // The post-install step of onnxruntime-node would fetch CUDA; scripts are off, and it is told so as well.
  const env = { ONNXRUNTIME_NODE_INSTALL: 'skip' };
  // Inside an npm script npm says where it is; that path works on Windows too, where `npm` alone is a shell script.
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('.js')) run(process.execPath, [npm, ...npmArguments], env);
  else run('npm', npmArguments, env);
}

function compileTypeScript() {
  const sources = new Set(
    filesUnder('src')
      .filter((file) => file.endsWith('.ts'))
      .map((file) => file.replace(/^src/, 'dist').replace(/\.ts$/, '.js')),
  );
  // The compiler trusts its build record and would not write a file again that somebody deleted.
  if ([...sources].some((file) => !existsSync(join(ROOT, file)))) {
    for (const record of ['.tsbuildinfo', '.tsbuildinfo-client']) {
      rmSync(join(ROOT, 'dist', record), { force: true });
    }
  }
  run(process.execPath, nodeTool('typescript/bin/tsc', ['-p', '.']));
  // What runs in browsers has browsers' types, which nothing else may see.
  run(process.execPath, nodeTool('typescript/bin/tsc', ['-p', 'src/bench/report/client']));
  for (const file of filesUnder('src').filter((name) => name.endsWith('.css'))) {
    copyFileSync(join(ROOT, file), join(ROOT, file.replace(/^src/, 'dist')));
  }
  // What a removed source left behind would still be found by an import, here and in the published package.
  for (const file of filesUnder('dist')) {
    const source = file.replace(/\.d\.ts$|\.(js|d\.ts)\.map$/, '.js');
    if (source.endsWith('.js') && !sources.has(source)) rmSync(join(ROOT, file));
  }
}

/**
 * One line on standard error (standard output belongs to what runs after set-up): the label at the start, since
 * some steps take minutes, the time at the end.
 * @param {string} label
 * @param {() => void} work
 */
function timed(label, work) {
  const startMs = performance.now();
  process.stderr.write(`setup: ${label} ...`);
  try {
    work();
  } catch (error) {
    process.stderr.write(' failed\n');
    throw error;
  }
  process.stderr.write(` ${((performance.now() - startMs) / 1000).toFixed(1)} s\n`);
}

try {
  setUp(process.argv.includes('--rebuild'));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
