/**
 * One way to code a model's latents, tried on pictures by the stages that the codec itself is made of: what it costs in
 * bytes, and what the decoder makes of what is left.
 * @module
 */
import type { EntropyCoder } from '../../container/layout.js';
import type { Model, ModelTables } from '../../models/registry.js';
import type { Manifest } from '../../models/schemas.js';
import { World } from '../../pipeline/world.js';
import { entropyEncode } from '../../stages/entropy.js';
import { measurePsnr } from '../../stages/metrics.js';
import { dequantise, quantise } from '../../stages/quantise.js';
import { rotate, unrotate } from '../../stages/rotate.js';
import { vaeDecode } from '../../stages/vae-decode.js';
import { waveletForward, waveletInverse } from '../../stages/wavelet.js';
import type { FitLatent } from '../../wasm/fit.js';
import { fitTables } from './fit.js';
import type { Sample } from './samples.js';

/** What is chosen for a model: everything between its latents and the coder. */
export interface Setting {
  readonly transform: Manifest['transform'];
  readonly klt: Float32Array | undefined;
  /** Natural logarithms, [knot][channel], of gains. */
  readonly logGain: readonly (readonly number[])[];
  /** Of the way back: the gains' reciprocals but where a model was trained with others. */
  readonly logInverseGain: readonly (readonly number[])[];
}

/** Table sets of a model that is tuned, and the rates that each is counted at. */
const SETS = 9;
const RATES_PER_SET = 2;

/** A world in which the setting is the model's own. */
export class Trial {
  readonly #base: World;
  readonly #setting: Setting;
  readonly #manifest: Manifest;
  #context: Uint8Array | undefined;

  constructor(base: World, setting: Setting) {
    this.#base = base;
    this.#setting = setting;
    const { transform, logGain, logInverseGain } = setting;
    const { transform: _, context: __, ...manifest } = base.context.model.manifest;
    this.#manifest = {
      ...manifest,
      ...(transform && { transform }),
      rate: {
        logGain: logGain.map((knot) => [...knot]),
        logInverseGain: logInverseGain.map((knot) => [...knot]),
      },
    };
  }

  get setting(): Setting {
    return this.#setting;
  }

  /** The fitted tables. */
  get context(): Uint8Array | undefined {
    return this.#context;
  }

  /** Takes tables that were fitted to the same setting before. */
  use(context: Uint8Array): void {
    this.#context = context;
  }

  #world(): World {
    const model: Model = { ...this.#base.context.model, manifest: this.#manifest };
    const { restoration } = this.#base.context.tables;
    const tables: ModelTables = { klt: this.#setting.klt, context: this.#context, restoration };
    return new World(this.#base.core, { ...this.#base.context, model, tables });
  }

  /**
   * Fits the context coder's tables to these samples.
   * @param steps gradient steps in each of three passes, 0 for tables alone
   */
  async fit(
    samples: readonly Sample[],
    steps: number,
    keptWeights: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const channels = this.#setting.logGain[0]?.length ?? 0;
    const latents: FitLatent[] = [];
    for (const sample of samples) latents.push(await this.#coefficients(sample));
    const logGains = Float32Array.from(this.#setting.logGain.flat());
    this.#context = await fitTables(
      {
        channels,
        logGains,
        latents,
        steps,
        keptWeights,
        sets: SETS,
        ratesPerSet: RATES_PER_SET,
      },
      signal,
    );
  }

  async #coefficients(sample: Sample): Promise<FitLatent> {
    const world = this.#world();
    const { grids } = await world
      .pipe(this.#spawn(world, sample))
      .to(rotate())
      .to(waveletForward())
      .out('WaveletPyramid');
    const coefficients = { ...sample.latent, values: world.arena.gather(grids) };
    world.clear();
    return coefficients;
  }

  /** Bytes of a sample's latent at a rate. */
  async byteLength(sample: Sample, rate: number, coder: EntropyCoder): Promise<number> {
    const world = this.#world();
    const { slices } = await world
      .pipe(this.#spawn(world, sample))
      .to(rotate())
      .to(waveletForward())
      .to(quantise({ rate }))
      .to(entropyEncode({ coder }))
      .out('Bitstream');
    const byteLength = slices.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    world.clear();
    return byteLength;
  }

  /** PSNR in dB of what comes back at a rate. */
  async psnrDb(sample: Sample, rate: number): Promise<number> {
    const world = this.#world();
    const entity = this.#spawn(world, sample);
    await world
      .pipe(entity)
      .to(rotate())
      .to(waveletForward())
      .to(quantise({ rate }))
      .to(dequantise())
      .to(waveletInverse())
      .to(unrotate())
      .to(vaeDecode())
      .to(measurePsnr())
      .out('ReconRgb');
    const psnrDb = Number(entity.metadata.get('psnrDb'));
    world.clear();
    return psnrDb;
  }

  #spawn(world: World, { pixels, latent: { width, height, values } }: Sample) {
    const tensor = world.arena.allocate('f32', [values.length / (width * height), height, width]);
    world.arena.view(tensor).set(values);
    const { widthPx, heightPx } = pixels;
    return world.spawnImage(pixels).add('Latent', { grids: [tensor], widthPx, heightPx });
  }
}

/** Bits per pixel and PSNR of a setting at a rate, means over pictures. */
export interface Point {
  readonly rate: number;
  readonly bitsPerPixel: number;
  readonly psnrDb: number;
}

export async function measurePoint(
  trial: Trial,
  samples: readonly Sample[],
  rate: number,
): Promise<Point> {
  let bits = 0;
  let pixels = 0;
  let psnrDb = 0;
  for (const sample of samples) {
    bits += 8 * (await trial.byteLength(sample, rate, 'context'));
    pixels += sample.pixels.widthPx * sample.pixels.heightPx;
    psnrDb += (await trial.psnrDb(sample, rate)) / samples.length;
  }
  return { rate, bitsPerPixel: bits / pixels, psnrDb };
}

/**
 * How many times as many bits `other` takes as `base` for the same PSNR, on average over the PSNRs that both reach:
 * straight lines in the logarithm of bits between measured points.
 * @returns 1 where they reach no PSNR in common
 */
export function relativeRate(base: readonly Point[], other: readonly Point[]): number {
  const low = Math.max(...[base, other].map((points) => Math.min(...points.map((p) => p.psnrDb))));
  const high = Math.min(...[base, other].map((points) => Math.max(...points.map((p) => p.psnrDb))));
  if (!(high > low)) return 1;
  const steps = 16;
  let sum = 0;
  for (let step = 0; step <= steps; step++) {
    const psnrDb = low + ((high - low) * step) / steps;
    sum += logBitsAt(other, psnrDb) - logBitsAt(base, psnrDb);
  }
  return Math.exp(sum / (steps + 1));
}

function logBitsAt(points: readonly Point[], psnrDb: number): number {
  const sorted = [...points].sort((a, b) => a.psnrDb - b.psnrDb);
  const above = Math.max(
    1,
    sorted.findIndex((point) => point.psnrDb >= psnrDb),
  );
  const [a, b] = [sorted[above - 1], sorted[above]];
  if (a === undefined || b === undefined) return Math.log(a?.bitsPerPixel ?? 1);
  const share = (psnrDb - a.psnrDb) / Math.max(b.psnrDb - a.psnrDb, 1e-9);
  const [low, high] = [Math.log(a.bitsPerPixel), Math.log(b.bitsPerPixel)];
  return low + (high - low) * share;
}
