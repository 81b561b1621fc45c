/**
 * Builds each module twice, with and without SIMD, into build/wasm. Only the raw modules are kept: src/wasm/load
 * instantiates them itself.
 * @module
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { toolPins } from './pins.mjs';
import { ask, ROOT, run, SetupError } from './shell.mjs';
import { filesUnder } from './stamp.mjs';

const TOOLS = join(ROOT, '.tools');
const TOOLS_PATH = [join(TOOLS, 'bin'), process.env.PATH ?? ''].join(delimiter);

// Without reference types wasm-bindgen adds no externref table and so no import to fill one; stripping drops the
// section by which the prebuilt std would announce them all the same.
const VARIANTS = [
  { name: 'simd', rustFlags: '-Ctarget-feature=+simd128,-reference-types' },
  { name: 'scalar', rustFlags: '-Ctarget-feature=-simd128,-reference-types' },
];

/** Crates under crates/, and what their modules are called. */
const MODULES = [
  { crate: 'vaerans-wasm', name: 'vaerans' },
  { crate: 'vaerans-metrics', name: 'vaerans_metrics' },
  { crate: 'vaerans-fit', name: 'vaerans_fit' },
];

/** @returns {import('./stamp.mjs').Step} */
export function wasmStep() {
  const sources = filesUnder('crates').filter(
    (file) => !/^crates\/[^/]+\/(tests|benches|fuzz|target)\//.test(file),
  );
  return {
    name: 'wasm',
    inputs: [
      ...sources,
      'Cargo.toml',
      'Cargo.lock',
      'rust-toolchain.toml',
      'scripts/setup/wasm.mjs',
    ],
    outputs: MODULES.flatMap((module) => VARIANTS.map((variant) => modulePath(module, variant))),
    setting: process.env.VAERANS_WASM_TOOLCHAIN ?? '',
  };
}

/**
 * @param {{ readonly name: string }} module
 * @param {{ readonly name: string }} variant
 */
function modulePath(module, variant) {
  return `build/wasm/${module.name}_${variant.name}.wasm`;
}

/**
 * The pinned tools that are not there yet, on the PATH or in .tools.
 * @returns {readonly { readonly crate: string, readonly version: string, readonly options: readonly string[] }[]}
 */
export function missingTools() {
  const pins = toolPins();
  const tools = [
    // Its test runner wants a TLS stack that the command itself does not.
    {
      crate: 'wasm-bindgen-cli',
      command: 'wasm-bindgen',
      version: pins.wasmBindgen,
      options: ['--no-default-features', '--bin', 'wasm-bindgen'],
    },
    { crate: 'wasm-pack', command: 'wasm-pack', version: pins.wasmPack, options: [] },
  ];
  return tools.filter(({ command, version }) => {
    const answer = ask(command, ['--version'], { PATH: TOOLS_PATH });
    return answer?.split(/\s+/)[1] !== version;
  });
}

/**
 * Installs one pinned tool into .tools.
 * @param {{ readonly crate: string, readonly version: string, readonly options: readonly string[] }} tool
 * @param {Readonly<Record<string, string>>} env from `nativeRust`
 */
export function installTool({ crate, version, options }, env) {
  const args = ['install', crate, '--version', `=${version}`, '--root', TOOLS, ...options];
  const installEnv = {
    ...env,
    CARGO_TARGET_DIR: join(TOOLS, 'target'),
    // They run for a moment now and then: what counts is how long they take to build.
    CARGO_PROFILE_RELEASE_OPT_LEVEL: '0',
    CARGO_PROFILE_RELEASE_LTO: 'off',
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
  };
  // A registry mirror may lack the newest of the versions that the crate's lock names; the tool's own is pinned anyway.
  if (ask('cargo', [...args, '--locked'], installEnv) === undefined) run('cargo', args, installEnv);
}

/** Removes what building the tools left: hundreds of megabytes that nothing reads again. */
export function cleanTools() {
  rmSync(join(TOOLS, 'target'), { recursive: true, force: true });
}

/** @param {import('./rust.mjs').WasmRust} rust */
export function buildWasm(rust) {
  mkdirSync(join(ROOT, 'build', 'wasm'), { recursive: true });
  for (const module of MODULES) for (const variant of VARIANTS) buildModule(rust, module, variant);
}

/**
 * @param {import('./rust.mjs').WasmRust} rust
 * @param {typeof MODULES[number]} module
 * @param {typeof VARIANTS[number]} variant
 */
function buildModule(rust, module, variant) {
  const folder = join(ROOT, 'build', 'wasm-pack', `${module.name}_${variant.name}`);
  const packArguments = [
    '--release',
    '--target',
    'web',
    '--mode',
    rust.packMode,
    '--no-opt',
    '--no-pack',
    '--no-typescript',
    '--out-name',
    'module',
  ];
  run(
    'wasm-pack',
    [
      'build',
      `crates/${module.crate}`,
      ...packArguments,
      '--out-dir',
      folder,
      '--',
      '--locked',
      ...rust.cargoArguments,
    ],
    {
      ...rust.env,
      PATH: [join(TOOLS, 'bin'), rust.env.PATH ?? process.env.PATH].join(delimiter),
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: variant.rustFlags,
      CARGO_PROFILE_RELEASE_STRIP: 'true',
      // Either of these would silently replace the flags above.
      RUSTFLAGS: undefined,
      CARGO_ENCODED_RUSTFLAGS: undefined,
    },
  );
  const bytes = readFileSync(join(folder, 'module_bg.wasm'));
  checkModule(`${module.name} ${variant.name}`, bytes);
  const target = join(ROOT, modulePath(module, variant));
  writeFileSync(`${target}.part`, bytes);
  renameSync(`${target}.part`, target);
}

/**
 * The loader passes no imports, so a module that wants one would fail only at a user's first run.
 * @param {string} name
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
function checkModule(name, bytes) {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
  if (imports.length > 0) {
    const list = imports.map((entry) => `${entry.module}.${entry.name}`).join(', ');
    throw new SetupError(`setup: expected a ${name} module without imports, got ${list}`);
  }
}
