/**
 * Fits what the codec needs to a model's latents: channel transform, wavelet, steps, tables, quality scale. Every choice
 * is made by coding and decoding held-out pictures, as nearness of latents says little of nearness of pictures.
 * @module
 */
import { openCodec } from '../../codec/open.js';
import { ModelError } from '../../errors.js';
import { checkInteger } from '../../limits.js';
import { filesOf, findModel, type Model, readModelFile } from '../../models/registry.js';
import type { Manifest } from '../../models/schemas.js';
import { World } from '../../pipeline/world.js';
import { checkName, fileEntry, installModel } from '../store.js';
import { TUNE_DEFAULTS, type TuneOptions } from './options.js';
import { encodeSamples, type Sample } from './samples.js';
import { karhunenLoeve, measureChannels } from './statistics.js';
import { measurePoint, type Point, relativeRate, type Setting, Trial } from './trial.js';

export interface TuneReport {
  readonly name: string;
  readonly modelId: string;
  readonly folder: string;
  readonly pictures: number;
  readonly heldOut: number;
  readonly channel: string;
  readonly waveletLevels: number;
  /** Bits of every setting that was tried for the same PSNR, over those of the plain one. */
  readonly trials: readonly { readonly setting: string; readonly relativeBits: number }[];
  /** The scale, from coarse to fine, on held-out pictures. */
  readonly rates: readonly (Point & {
    /** Of the coder without context, at the same symbols. */
    readonly orderZeroBitsPerPixel: number;
    readonly savedShare: number;
  })[];
  readonly contextByteLength: number;
}

/** Steps in units of a latent's root mean square: so coarse that little is left, so fine that nothing is gained. */
const COARSEST_STEP = 4;
const FINEST_STEP = 1 / 16;
/** Weights that the coder keeps for a channel: measured on the embedded model, 3300 for 96. */
const KEPT_WEIGHTS_PER_CHANNEL = 34;
/** Rates at which settings are compared, from coarse to fine. */
const TRIAL_RATES = [1000, 1900, 2800] as const;
const SCALE_RATES = [0, 500, 1000, 1500, 2000, 2500, 3000, 3500, 4095] as const;
/** Every how manieth picture is held out. */
const HELD_EVERY = 4;
const HELD_MAX = 6;
/** Pictures that settings are decoded on. */
const TRIAL_PICTURES = 2;
/** A setting that is more work has to be worth so much. */
const WORTH = 0.99;
/**
 * A wavelet knows no bands, so the picture is coded whole and no region alone; and tables that are not trained yet, as
 * in these trials, flatter it by some per cent.
 */
const WAVELET_WORTH = 0.93;
/** Bits per pixel of quality 1 (DESIGN section 10). */
const LOWEST_BITS_PER_PIXEL = 0.05;
/** Quality 100 is where finer steps give no more than this. */
const CEILING_DB = 0.05;

/**
 * @throws UsageError without pictures, ModelError when the model is not found, AbortedError
 */
export async function tuneModel(wanted: string, options: TuneOptions): Promise<TuneReport> {
  const { cropPx, steps, signal, onProgress } = { ...TUNE_DEFAULTS, ...options };
  checkInteger('tune: cropPx', cropPx, 64, 4096);
  checkInteger('tune: steps', steps, 0, 100_000);
  const model = await findModel(wanted, options);
  // Before minutes of work: the result needs a name that may be given.
  checkName(options.as ?? model.manifest.name);
  await using codec = await openCodec({
    ...options,
    model: model.folder,
    deterministic: true,
  });
  const world = await codec.world({ ...(signal && { signal }) });
  const samples = await encodeSamples(options.images, cropPx, world, (done) =>
    onProgress?.(`encoded ${done} of ${options.images.length} pictures`),
  );
  const { training, held } = holdOut(samples);
  // A filter goes by the rate, which says another step size when all is fitted anew: then it is left out here and below.
  const tables = { ...world.context.tables, restoration: undefined };
  const own = options.tablesOnly ? world : new World(world.core, { ...world.context, tables });
  const tuner = new Tuner(own, training, held, steps, signal, onProgress ?? (() => {}));
  const chosen = options.tablesOnly ? tuner.asItIs() : await tuner.choose();
  const scale = await tuner.scale(chosen);
  return await install(model, chosen, scale, tuner, options);
}

function holdOut(samples: readonly Sample[]): { training: Sample[]; held: Sample[] } {
  if (samples.length < HELD_EVERY) return { training: [...samples], held: [...samples] };
  const isHeld = (index: number) => index % HELD_EVERY === 0 && index / HELD_EVERY < HELD_MAX;
  return {
    training: samples.filter((_, index) => !isHeld(index)),
    held: samples.filter((_, index) => isHeld(index)),
  };
}

class Tuner {
  readonly trials: { setting: string; relativeBits: number }[] = [];
  readonly #channels: number;

  constructor(
    readonly world: World,
    readonly training: readonly Sample[],
    readonly held: readonly Sample[],
    readonly steps: number,
    readonly signal: AbortSignal | undefined,
    readonly onProgress: (what: string) => void,
  ) {
    this.#channels = world.context.model.manifest.grids[0]?.channels ?? 0;
  }

  /** The model's own transform and steps. */
  asItIs(): Trial {
    const { model, tables } = this.world.context;
    const { transform, rate } = model.manifest;
    return new Trial(this.world, { transform, klt: tables.klt, ...rate });
  }

  /** Channel transform by bits alone, as orthonormal ones leave the error what it is; wavelet by bits and decoding. */
  async choose(): Promise<Trial> {
    const statistics = measureChannels(
      this.training.map(({ latent }) => latent),
      this.#channels,
    );
    const klt = karhunenLoeve(statistics);
    const logGain = this.#gains();
    const logInverseGain = logGain.map((knot) => knot.map((log) => -log));
    const plain: Setting = { transform: undefined, klt: undefined, logGain, logInverseGain };
    const channelSettings: [string, Setting][] = [['none', plain]];
    if (this.#channels % 4 === 0) {
      channelSettings.push(['hadamard4', { ...plain, transform: { channel: 'hadamard4' } }]);
    }
    if (this.#channels > 1) {
      const entry = fileEntry('klt.f32', bytesOf(klt));
      channelSettings.push(['klt', { ...plain, transform: { channel: 'klt', klt: entry }, klt }]);
    }
    let best = await this.#fitted('none', plain);
    const plainBits = await this.#bits(best);
    let leastBits = plainBits;
    for (const [name, setting] of channelSettings.slice(1)) {
      const trial = await this.#fitted(name, setting);
      const bits = await this.#bits(trial);
      this.trials.push({ setting: name, relativeBits: bits / plainBits });
      if (bits < WORTH * leastBits) [best, leastBits] = [trial, bits];
    }
    return await this.#chooseWavelet(best);
  }

  async #chooseWavelet(base: Trial): Promise<Trial> {
    const basePoints = await this.#points(base);
    let best = base;
    let least = 1;
    const channel = base.setting.transform?.channel ?? 'none';
    for (const levels of [1, 2]) {
      const name = `${channel}, cdf53 of ${levels}`;
      const transform = {
        ...base.setting.transform,
        channel,
        wavelet: { kind: 'cdf53' as const, levels },
      };
      const trial = await this.#fitted(name, { ...base.setting, transform });
      const relative = relativeRate(basePoints, await this.#points(trial));
      this.trials.push({ setting: name, relativeBits: relative });
      if (relative < WAVELET_WORTH && relative < least) [best, least] = [trial, relative];
    }
    return best;
  }

  /** Steps that fall evenly in the logarithm, equal for all channels, in units of the latents' own size. */
  #gains(): number[][] {
    let square = 0;
    let count = 0;
    for (const { latent } of this.training) {
      square += latent.values.reduce((sum, value) => sum + value * value, 0);
      count += latent.values.length;
    }
    const size = Math.sqrt(square / count);
    if (!(size > 0 && Number.isFinite(size))) {
      throw new ModelError(`tune: expected latents of a finite size above 0, got ${size}`);
    }
    return [COARSEST_STEP, FINEST_STEP].map((step) =>
      new Array<number>(this.#channels).fill(Number((-Math.log(step * size)).toFixed(6))),
    );
  }

  async #fitted(name: string, setting: Setting): Promise<Trial> {
    this.onProgress(`trying ${name}`);
    const trial = new Trial(this.world, setting);
    await trial.fit(this.training, 0, 0, this.signal);
    return trial;
  }

  async #bits(trial: Trial): Promise<number> {
    let sum = 0;
    for (const rate of TRIAL_RATES) {
      let bytes = 0;
      for (const sample of this.held) bytes += await trial.byteLength(sample, rate, 'context');
      // Every rate counts alike.
      sum += Math.log(bytes);
    }
    return Math.exp(sum / TRIAL_RATES.length);
  }

  async #points(trial: Trial): Promise<Point[]> {
    const samples = this.held.slice(0, TRIAL_PICTURES);
    const points: Point[] = [];
    for (const rate of TRIAL_RATES) points.push(await measurePoint(trial, samples, rate));
    return points;
  }

  /** The tables at last, and what every part of the scale costs and gives. */
  async scale(trial: Trial): Promise<TuneReport['rates']> {
    this.onProgress('fitting tables');
    const kept = KEPT_WEIGHTS_PER_CHANNEL * this.#channels;
    await trial.fit(this.training, this.steps, kept, this.signal);
    const trained = trial.context;
    const trainedBits = await this.#bits(trial);
    // From few pictures weights may learn what only those have.
    if (this.steps > 0) {
      await trial.fit(this.training, 0, kept, this.signal);
      if (trained !== undefined && trainedBits <= (await this.#bits(trial))) trial.use(trained);
    }
    const rates = [];
    for (const rate of SCALE_RATES) {
      this.onProgress(`measuring rate ${rate}`);
      const point = await measurePoint(trial, this.held, rate);
      let bits = 0;
      let pixels = 0;
      for (const sample of this.held) {
        bits += 8 * (await trial.byteLength(sample, rate, 'static'));
        pixels += sample.pixels.widthPx * sample.pixels.heightPx;
      }
      const orderZeroBitsPerPixel = bits / pixels;
      const savedShare = 1 - point.bitsPerPixel / orderZeroBitsPerPixel;
      rates.push({ ...point, orderZeroBitsPerPixel, savedShare });
    }
    return rates;
  }
}

async function install(
  model: Model,
  { setting, context }: Trial,
  rates: TuneReport['rates'],
  { trials, training, held }: Tuner,
  options: TuneOptions,
): Promise<TuneReport> {
  if (context === undefined) throw new ModelError('tune: expected fitted tables, got none');
  const { manifest } = model;
  const files = new Map<string, Uint8Array>([['context.bin', context]]);
  const kept = options.tablesOnly
    ? manifest
    : { ...manifest, restoration: undefined, gradient: undefined };
  for (const entry of filesOf({ ...kept, transform: undefined, context: undefined })) {
    files.set(entry.file, await readModelFile(model, entry));
  }
  if (setting.klt !== undefined) files.set('klt.f32', bytesOf(setting.klt));
  const { transform: _, restoration, choosing, gradient, ...rest } = manifest;
  const name = options.as ?? manifest.name;
  const tuned: Manifest = {
    ...rest,
    name,
    version: nextVersion(manifest.version),
    ...(setting.transform && { transform: setting.transform }),
    ...(options.tablesOnly && restoration && { restoration }),
    ...(options.tablesOnly && choosing && { choosing }),
    ...(options.tablesOnly && gradient && { gradient }),
    rate: {
      logGain: setting.logGain.map((knot) => [...knot]),
      logInverseGain: setting.logInverseGain.map((knot) => [...knot]),
    },
    context: fileEntry('context.bin', context),
    quality: options.tablesOnly ? manifest.quality : qualityOf(rates),
    card: `${(manifest.card ?? '').replace(/; not tuned yet$/, '')}; tuned to ${training.length} pictures`,
  };
  const installed = await installModel(options, tuned, files, true);
  return {
    name,
    modelId: installed.modelId,
    folder: installed.folder,
    pictures: training.length,
    heldOut: held.length,
    channel: setting.transform?.channel ?? 'none',
    waveletLevels: setting.transform?.wavelet?.levels ?? 0,
    trials,
    rates,
    contextByteLength: context.length,
  };
}

/** Quality 1 is about 0.05 bits per pixel, 100 is as fine as gains anything; between them rates go evenly. */
function qualityOf(points: readonly Point[]): number[] {
  const [first] = points;
  const best = Math.max(...points.map(({ psnrDb }) => psnrDb));
  const lowest = points.filter(({ bitsPerPixel }) => bitsPerPixel <= LOWEST_BITS_PER_PIXEL).at(-1);
  const highest = points.find(({ psnrDb }) => psnrDb >= best - CEILING_DB);
  const from = lowest?.rate ?? first?.rate ?? 0;
  const to = Math.max(from + 100, highest?.rate ?? 4095);
  return Array.from({ length: 100 }, (_, index) => Math.round(from + ((to - from) * index) / 99));
}

function nextVersion(version: string): string {
  return /^\d{1,6}$/.test(version) ? String(Number(version) + 1) : `${version.slice(0, 24)}-tuned`;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
