/**
 * The table fitter in its own WASM module: latents in, the context model's file out. A fit keeps its thread busy for
 * seconds to minutes; the module is for tuning and nothing else loads it.
 * @module
 */
import { BackendError } from '../errors.js';

interface FitExports {
  readonly memory: WebAssembly.Memory;
  fit_input(length: number): number;
  fit_begin(channels: number): number;
  fit_add_latent(width: number, height: number): number;
  fit_run(steps: number, keptWeights: number, sets: number, ratesPerSet: number): number;
  fit_output(): number;
  fit_output_length(): number;
}

/** What the encoder made of one picture. */
export interface FitLatent {
  readonly width: number;
  readonly height: number;
  /** [channels, height, width], before the gains. */
  readonly values: Float32Array;
}

export interface FitJob {
  readonly channels: number;
  /** Natural logarithms of the gains, [knot][channel]. */
  readonly logGains: Float32Array;
  readonly latents: readonly FitLatent[];
  /** Gradient steps in each of three passes; 0 fits tables only. */
  readonly steps: number;
  /** Weights that are kept; decoding time grows with them. */
  readonly keptWeights: number;
  /** Table sets, at equal distances over the rates, 1 to 16. */
  readonly sets: number;
  readonly ratesPerSet: number;
}

/** @throws BackendError when the fitter refuses, which only sizes that do not suit one another can make it do */
export function fitContext(module: WebAssembly.Module, job: FitJob): Uint8Array {
  const fit = new WebAssembly.Instance(module, {}).exports as unknown as FitExports;
  const give = (values: Float32Array) => {
    const offset = fit.fit_input(values.length) >>> 0;
    new Float32Array(fit.memory.buffer, offset, values.length).set(values);
  };
  const check = (step: string, status: number) => {
    if (status !== 0) {
      throw new BackendError(`fit: expected ${step} to hold together, got status ${status}`);
    }
  };
  give(job.logGains);
  check('gains', fit.fit_begin(job.channels));
  for (const { width, height, values } of job.latents) {
    give(values);
    check('a latent', fit.fit_add_latent(width, height));
  }
  check('the fit', fit.fit_run(job.steps, job.keptWeights, job.sets, job.ratesPerSet));
  const offset = fit.fit_output() >>> 0;
  return new Uint8Array(fit.memory.buffer, offset, fit.fit_output_length()).slice();
}
