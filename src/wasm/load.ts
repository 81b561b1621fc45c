/**
 * Finds and compiles the WASM modules: the SIMD build where this engine validates SIMD, the scalar one elsewhere.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { BackendError } from '../errors.js';

/** Function body of one `i8x16.splat`; it validates exactly where 128-bit SIMD is there. */
// biome-ignore format: one section of the module a line
const SIMD_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0,
  1, 5, 1, 96, 0, 1, 123,
  3, 2, 1, 0,
  10, 8, 1, 6, 0, 65, 0, 253, 15, 11,
]);

export type CoreBuild = 'simd' | 'scalar';

/** The build that this engine can run. */
export function supportedBuild(): CoreBuild {
  return WebAssembly.validate(SIMD_PROBE) ? 'simd' : 'scalar';
}

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/**
 * Compiles a build of the core once per thread.
 * @throws BackendError when the file is missing, as in a checkout that was never built
 */
export function loadCoreModule(build: CoreBuild = supportedBuild()): Promise<WebAssembly.Module> {
  return load('core', 'vaerans', build);
}

/** The same of the metrics, which only those who measure load. */
export function loadMetricsModule(
  build: CoreBuild = supportedBuild(),
): Promise<WebAssembly.Module> {
  return load('metrics', 'vaerans_metrics', build);
}

/** The same of the table fitter, which only tuning loads. */
export function loadFitModule(build: CoreBuild = supportedBuild()): Promise<WebAssembly.Module> {
  return load('fit', 'vaerans_fit', build);
}

function load(room: string, name: string, build: CoreBuild): Promise<WebAssembly.Module> {
  const file = `${name}_${build}.wasm`;
  let module = compiled.get(file);
  if (module === undefined) {
    module = compile(room, file, build);
    compiled.set(file, module);
  }
  return module;
}

async function compile(room: string, name: string, build: CoreBuild): Promise<WebAssembly.Module> {
  const file = new URL(`../../build/wasm/${name}`, import.meta.url);
  try {
    return await WebAssembly.compile(await readFile(file));
  } catch (cause) {
    compiled.delete(name);
    throw new BackendError(
      `${room}: expected the ${build} WASM build at ${file.pathname}, got none that loads; in a checkout run \`npm run setup\``,
      { cause },
    );
  }
}
