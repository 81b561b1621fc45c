/**
 * The search for better symbols than an encoder network's, picture by picture: what one network run finds for all pictures
 * leaves much for a single one (amortisation). An encoder's business; a decoder sees symbols like any others.
 *
 * Stochastic Gumbel annealing (Yang, Bamler, Mandt, Improving Inference for Neural Image Compression, 2020, section 3.2): every
 * value is a random mixture of the two integers beside it, nearer to one of them as a temperature falls, and follows the
 * gradient of bits and distortion, which a graph of the model's gives (training/gradient.py). The noise is the same in every run.
 * @module
 */

/** What the search takes beside a latent. */
export interface Search {
  /** Steps of a latent's unit, by channel. */
  readonly gains: Float32Array;
  /** 0 to 1, as the gradient's graph has it. */
  readonly rate: number;
  /** Each runs the gradient's graph once; 1 to 1,000. */
  readonly rounds: number;
}

// Compared on held crops, 12 to 200 rounds (training/RESULTS.md).
const TEMPERATURE_FIRST = 0.3;
const TEMPERATURE_LAST = 0.2;
/** Steps of the quantiser that a value moves in a round, for the first half of them; then less and less. */
const STEP = 0.035;
const STEP_LAST_SHARE = 0.1;
/** Of the moments (Kingma and Ba, Adam, 2015). */
const MEAN_KEPT = 0.7;
const SQUARE_KEPT = 0.999;
/**
 * Of the second moment that a step is divided by: so much is the channel's, the rest the value's own. Few rounds tell little of a
 * single value, and one that much depends on may go further than others.
 */
const CHANNEL_SHARE = 0.8;
const SQUARE_LEAST = 1e-16;
/** Beyond it a mixture is one of its integers, to six digits. */
const LOGIT_MOST = 14;

/** Places between an integer and the next that logit and slope are tabled for, and values of the noise. */
const PLACES = 1024;
const NOISES = 4096;

/** artanh(f) - artanh(1 - f) and its slope, at the middles of so many places. */
const LOGITS = new Float32Array(PLACES);
const SLOPES = new Float32Array(PLACES);
for (let place = 0; place < PLACES; place++) {
  const fraction = (place + 0.5) / PLACES;
  LOGITS[place] = Math.atanh(fraction) - Math.atanh(1 - fraction);
  SLOPES[place] = 1 / (1 - fraction ** 2) + 1 / (1 - (1 - fraction) ** 2);
}

/** Logistic noise: the difference of two Gumbel variables. */
const NOISE = Float32Array.from({ length: NOISES }, (_, index) => {
  const share = (index + 0.5) / NOISES;
  return Math.log(share / (1 - share));
});

/**
 * Replaces a latent by the one that was found. How far it is from whole steps says how sure the search was of them.
 * @param latent f32 [channels, height, width]
 * @param symbols as many, where the graph reads what it is asked about
 * @param gradient as many, where it writes
 * @param run runs the graph
 */
export async function searchLatent(
  latent: Float32Array,
  { gains, rounds }: Search,
  symbols: Float32Array,
  gradient: Float32Array,
  run: () => Promise<void>,
): Promise<void> {
  scale(latent, gains, (value, gain) => value * gain);
  const walk = new Walk(latent, gains.length);
  for (let round = 0; round < rounds; round++) {
    const progress = round / rounds;
    walk.sample(TEMPERATURE_FIRST * (TEMPERATURE_LAST / TEMPERATURE_FIRST) ** progress, symbols);
    await run();
    const share = Math.min(1, STEP_LAST_SHARE + 2 * (1 - progress) * (1 - STEP_LAST_SHARE));
    walk.follow(gradient, STEP * share);
  }
  scale(latent, gains, (value, gain) => value / gain);
}

function scale(
  values: Float32Array,
  gains: Float32Array,
  scaled: (value: number, gain: number) => number,
): void {
  const plane = values.length / gains.length;
  for (const [channel, gain] of gains.entries()) {
    for (let at = channel * plane; at < (channel + 1) * plane; at++) {
      values[at] = scaled(values[at] ?? 0, gain);
    }
  }
}

/** Values on their way, in steps. */
class Walk {
  readonly #values: Float32Array;
  readonly #plane: number;
  readonly #means: Float32Array;
  readonly #squares: Float32Array;
  /** How much a value moves the mixture that was drawn of it. */
  readonly #slopes: Float32Array;
  #rounds = 0;
  #state = 0x2545f491;

  constructor(values: Float32Array, channels: number) {
    this.#values = values;
    this.#plane = values.length / channels;
    this.#means = new Float32Array(values.length);
    this.#squares = new Float32Array(values.length);
    this.#slopes = new Float32Array(values.length);
  }

  /** Draws mixtures of the integers below and above. */
  sample(temperature: number, symbols: Float32Array): void {
    const values = this.#values;
    const slopes = this.#slopes;
    const sharpness = 1 / temperature;
    let state = this.#state;
    for (let at = 0; at < values.length; at++) {
      // xorshift32 (Marsaglia, 2003)
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      const value = values[at] ?? 0;
      const below = Math.floor(value);
      // Just below an integer the difference rounds to one.
      const place = Math.min(PLACES - 1, ((value - below) * PLACES) | 0);
      const noise = NOISE[state & (NOISES - 1)] ?? 0;
      const logit = ((LOGITS[place] ?? 0) * sharpness + noise) * sharpness;
      if (logit < -LOGIT_MOST || logit > LOGIT_MOST) {
        symbols[at] = logit < 0 ? below : below + 1;
        slopes[at] = 0;
        continue;
      }
      const above = 1 / (1 + Math.exp(-logit));
      symbols[at] = below + above;
      slopes[at] = above * (1 - above) * (SLOPES[place] ?? 0) * sharpness * sharpness;
    }
    this.#state = state;
  }

  /** Moves the values against the gradient of the mixtures that were drawn last. */
  follow(gradient: Float32Array, step: number): void {
    this.#rounds++;
    const ofMean = step / (1 - MEAN_KEPT ** this.#rounds);
    const ofSquare = 1 / (1 - SQUARE_KEPT ** this.#rounds);
    const values = this.#values;
    const means = this.#means;
    const squares = this.#squares;
    const plane = this.#plane;
    for (let start = 0; start < values.length; start += plane) {
      const shared = (CHANNEL_SHARE * this.#observe(gradient, start)) / plane;
      for (let at = start; at < start + plane; at++) {
        const mean = means[at] ?? 0;
        // As most are that have been zero all the time.
        if (mean === 0) continue;
        const square = shared + (1 - CHANNEL_SHARE) * (squares[at] ?? 0);
        values[at] =
          (values[at] ?? 0) - (ofMean * mean) / Math.sqrt(ofSquare * square + SQUARE_LEAST);
      }
    }
  }

  /** Takes a channel's gradient into the moments and returns the sum of the second ones. */
  #observe(gradient: Float32Array, start: number): number {
    const means = this.#means;
    const squares = this.#squares;
    const slopes = this.#slopes;
    let total = 0;
    for (let at = start; at < start + this.#plane; at++) {
      const slope = (gradient[at] ?? 0) * (slopes[at] ?? 0);
      const before = squares[at] ?? 0;
      if (slope === 0 && before === 0) continue;
      const square = SQUARE_KEPT * before + (1 - SQUARE_KEPT) * slope * slope;
      means[at] = MEAN_KEPT * (means[at] ?? 0) + (1 - MEAN_KEPT) * slope;
      squares[at] = square;
      total += square;
    }
    return total;
  }
}
