/**
 * The metrics' own WASM module, typed: two pictures are copied in, then any number of metrics looks at them.
 * @module
 */
import { BackendError, LimitError } from '../errors.js';
import { loadMetricsModule } from './load.js';

/** What crates/vaerans-metrics exports. */
interface MetricsExports {
  readonly memory: WebAssembly.Memory;
  pictures_reserve(width: number, height: number, channels: number): number;
  picture_offset(index: number): number;
  mean_squared_error(): number;
  mean_squared_luma_error(): number;
  ssim(): number;
  ms_ssim(): number;
  ssimulacra2(): number;
}

/** Interleaved 8-bit samples of a picture. */
export interface PictureSamples {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** The numbers that the module works out; PSNR is made of the first two. */
export type Measure =
  | 'meanSquaredError'
  | 'meanSquaredLumaError'
  | 'ssim'
  | 'msSsim'
  | 'ssimulacra2';

const EXPORT_OF = {
  meanSquaredError: 'mean_squared_error',
  meanSquaredLumaError: 'mean_squared_luma_error',
  ssim: 'ssim',
  msSsim: 'ms_ssim',
  ssimulacra2: 'ssimulacra2',
} as const satisfies Record<Measure, keyof MetricsExports>;

/** Linear memory never shrinks: an instance that a large picture left behind is dropped. */
const KEPT_BYTES = 2 ** 28;

/** Measures pairs of pictures, one after the other. */
export class MetricsCore {
  readonly #module: WebAssembly.Module;
  #exports: MetricsExports | undefined;

  /** @param module from `loadMetricsModule` */
  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** @throws BackendError when the module is missing, as in a checkout that was never built */
  static async open(): Promise<MetricsCore> {
    return new MetricsCore(await loadMetricsModule());
  }

  /** Bytes of linear memory that are held now. */
  get memoryByteLength(): number {
    return this.#exports?.memory.buffer.byteLength ?? 0;
  }

  /**
   * @param a a picture and @param b another of the same sides and channels
   * @returns a number for each measure, in their order; null where it is not defined for pictures that small
   * @throws LimitError when the memory cannot be had: about 15 bytes a pixel
   */
  measure(
    a: PictureSamples,
    b: PictureSamples,
    measures: readonly Measure[],
  ): readonly (number | null)[] {
    const { widthPx, heightPx, channels } = a;
    if (b.widthPx !== widthPx || b.heightPx !== heightPx || b.channels !== channels) {
      throw new BackendError('metrics: expected pictures of equal size, got different ones');
    }
    this.#exports ??= new WebAssembly.Instance(this.#module, {})
      .exports as unknown as MetricsExports;
    const core = this.#exports;
    try {
      if (core.pictures_reserve(widthPx, heightPx, channels) === 0) throw this.#outOfMemory(a);
      for (const [index, { data }] of [a, b].entries()) {
        // What is longer would be written over the module's own memory.
        if (data.length !== widthPx * heightPx * channels) {
          throw new BackendError(
            `metrics: expected ${widthPx}x${heightPx}x${channels} samples, got ${data.length}`,
          );
        }
        new Uint8Array(core.memory.buffer, core.picture_offset(index) >>> 0, data.length).set(data);
      }
      return measures.map((measure) => {
        const value = core[EXPORT_OF[measure]]();
        return Number.isNaN(value) ? null : value;
      });
    } catch (error) {
      this.#exports = undefined;
      // Rust aborts where its allocator has nothing left.
      throw error instanceof WebAssembly.RuntimeError ? this.#outOfMemory(a) : error;
    } finally {
      if (this.memoryByteLength > KEPT_BYTES) this.#exports = undefined;
    }
  }

  #outOfMemory({ widthPx, heightPx }: PictureSamples): LimitError {
    return new LimitError(
      `metrics: expected WASM memory for two pictures of ${widthPx}x${heightPx}, got none; use smaller pictures`,
    );
  }
}
