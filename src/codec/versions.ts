/**
 * What this build is made of, without loading any of it.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { VERSION_MAJOR, VERSION_MINOR } from '../container/layout.js';
import { supportedBuild } from '../wasm/load.js';

export interface Versions {
  readonly vaerans: string;
  /** Highest `.vae` format version that is written and fully read. */
  readonly format: string;
  /** Which WASM build this engine runs. */
  readonly core: 'simd' | 'scalar';
  /** The pinned onnxruntime-node. */
  readonly onnxruntime: string;
}

export async function versions(): Promise<Versions> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const manifest = JSON.parse(text) as { version: string; dependencies: Record<string, string> };
  return {
    vaerans: manifest.version,
    format: `${VERSION_MAJOR}.${VERSION_MINOR}`,
    core: supportedBuild(),
    onnxruntime: manifest.dependencies['onnxruntime-node'] ?? 'none',
  };
}
