/**
 * `vaerans --version`: what this build is made of. Loads none of it.
 * @module
 */
import { versions } from '../index.js';
import { EXIT } from './exit.js';
import { printJson, printLines } from './streams.js';

/** @returns the exit code */
export async function versionCommand(json: boolean): Promise<number> {
  const built = await versions();
  if (json) {
    await printJson({ schema: 'vaerans.version/1', ...built });
  } else {
    await printLines(
      `vaerans ${built.vaerans} (.vae format ${built.format}, WASM core ${built.core}, onnxruntime ${built.onnxruntime})`,
    );
  }
  return EXIT.ok;
}
