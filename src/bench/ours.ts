/**
 * Our own codec among the others. Its bytes are those of a file that was written, and decoded from that file.
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { Codec } from '../codec/open.js';
import type { Tune } from '../models/tunes.js';
import { Trace } from '../pipeline/trace.js';
import type { BenchInput, Contestant, Decoded, Encoded } from './contestant.js';
import type { BenchOptions } from './options.js';
import type { BenchCost } from './rows.js';

/** Where no qualities are asked for; the README's table has these. */
export const OUR_QUALITIES: readonly number[] = [10, 30, 50, 70, 90];

type OurOptions = Pick<BenchOptions, 'resources' | 'effort' | 'signal'>;

export class OurCodec implements Contestant {
  readonly codec: Contestant['codec'];
  readonly suffix = '.vae';
  readonly defaultDials = OUR_QUALITIES;
  readonly dialRange = [1, 100] as const;
  readonly dialStep = 0.1;
  readonly #codec: Codec;
  readonly #tune: Tune | undefined;
  readonly #effort: number | undefined;
  readonly #resources: BenchOptions['resources'];
  readonly #signal: AbortSignal | undefined;

  private constructor(
    codec: Codec,
    tune: Tune | undefined,
    version: string,
    { resources, effort, signal }: OurOptions,
  ) {
    this.#codec = codec;
    this.#tune = tune;
    this.#effort = effort;
    this.#resources = resources;
    this.#signal = signal;
    const tuned = tune === undefined ? '' : ` --tune ${tune}`;
    const efforted = effort === undefined ? '' : ` --effort ${effort}`;
    this.codec = {
      name: tune === undefined ? 'ours' : `ours-${tune}`,
      label: tune === undefined ? 'vaerans' : `vaerans, ${tune}`,
      version,
      encodeCommand: `compress IN CODED --quality SETTING${tuned}${efforted}, in this process with the model loaded`,
      decodeCommand: 'decompress CODED OUT, in this process with the model loaded',
      missing: null,
    };
  }

  /**
   * @param tune an embedded model in the place of the codec's own
   * @param options `resources` of this process are left out where others work in it as well
   */
  static async open(codec: Codec, tune: Tune | undefined, options: OurOptions): Promise<OurCodec> {
    const { manifest, modelId } = (await codec.openModel(tune)).model;
    const { effort } = options;
    const efforted = effort === undefined ? '' : `, effort ${effort}`;
    const version = `model ${manifest.name} ${manifest.version}, id ${modelId}${efforted}`;
    return new OurCodec(codec, tune, version, options);
  }

  async encode({ pixels }: BenchInput, quality: number, codedPath: string): Promise<Encoded> {
    const [bytes, cost] = await this.#timed((options) =>
      this.#codec.compress(pixels, {
        quality,
        ...(this.#tune && { tune: this.#tune }),
        ...(this.#effort && { effort: this.#effort }),
        ...options,
      }),
    );
    await writeFile(codedPath, bytes);
    return { cost, byteLength: bytes.length };
  }

  async decode(codedPath: string): Promise<Decoded> {
    const bytes = await readFile(codedPath);
    const [pixels, cost] = await this.#timed((options) => this.#codec.decompress(bytes, options));
    return { cost, pixels };
  }

  async #timed<T>(
    work: (options: { readonly trace: Trace; readonly signal?: AbortSignal }) => Promise<T>,
  ): Promise<readonly [T, BenchCost]> {
    const trace = new Trace();
    const before = this.#resources?.();
    const startMs = performance.now();
    const made = await work({ trace, ...(this.#signal && { signal: this.#signal }) });
    const wallMs = performance.now() - startMs;
    const after = this.#resources?.();
    return [
      made,
      {
        wallMs,
        cpuMs: after && before ? after.cpuMs - before.cpuMs : null,
        peakMemoryBytes: after?.peakMemoryBytes ?? null,
        inferenceMs: trace.detail('inferenceMs'),
      },
    ];
  }
}
