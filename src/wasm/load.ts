/**
 * Finds and compiles the WASM core: the SIMD build where this engine validates SIMD, the scalar one elsewhere.
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

const compiled = new Map<CoreBuild, Promise<WebAssembly.Module>>();

/**
 * Compiles a build once per thread.
 * @throws BackendError when the file is missing, as in a checkout that was never built
 */
export function loadCoreModule(build: CoreBuild = supportedBuild()): Promise<WebAssembly.Module> {
  let module = compiled.get(build);
  if (module === undefined) {
    module = compile(build);
    compiled.set(build, module);
  }
  return module;
}

async function compile(build: CoreBuild): Promise<WebAssembly.Module> {
  const file = new URL(`../../build/wasm/vaerans_${build}.wasm`, import.meta.url);
  try {
    return await WebAssembly.compile(await readFile(file));
  } catch (cause) {
    compiled.delete(build);
    throw new BackendError(
      `core: expected the ${build} WASM build at ${file.pathname}, got none that loads; in a checkout run \`npm run setup\``,
      { cause },
    );
  }
}
