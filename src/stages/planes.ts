/**
 * Samples to bytes and back without a network: pictures, residuals and alpha, in independent bands of rows. Nothing
 * here or below is a float.
 * @module
 */
import { planeBandRows } from '../container/plane-stream.js';
import { BackendError } from '../errors.js';
import { checkInteger } from '../limits.js';
import type { Components } from '../pipeline/components.js';
import { defineStage, type Stage } from '../pipeline/stage.js';
import type { TensorRef } from '../wasm/arena.js';
import type { PlaneCoding, PlaneDtype } from '../wasm/planes.js';
import { bandsOf } from './entropy.js';

/** Components that hold samples. */
export type PlaneSource = 'Rgb' | 'Residual' | 'Samples';

export interface PlanesEncodeOptions<From extends PlaneSource> {
  readonly from: From;
  /** Lossless, `{ maxError: 0 }`, where left out. */
  readonly coding?: PlaneCoding;
  /** Rows of a band; about a megapixel where left out. */
  readonly bandRows?: number;
}

const LOSSLESS: PlaneCoding = { maxError: 0 };

/** Makes the `PlaneStream` of a component of samples. */
export function planesEncode<From extends PlaneSource>(
  options: PlanesEncodeOptions<From>,
): Stage<From, 'PlaneStream'> {
  const { from, coding = LOSSLESS } = options;
  return defineStage<From, 'PlaneStream'>({
    name: 'planesEncode',
    requires: [from],
    produces: ['PlaneStream'],
    transform(inputs, { arena, core }) {
      const samples = samplesOf(inputs[from]);
      const [heightPx = 0, widthPx = 0, components = 0] = samples.shape;
      const bandRows = options.bandRows ?? planeBandRows(widthPx, heightPx);
      checkInteger('planesEncode: bandRows', bandRows, 1, heightPx);
      const bands = bandsOf(heightPx, bandRows).map((band) => {
        const byteLength = arena.scope(() => {
          const bound = core.planes.encodeBound(samples.dtype, band.rows, widthPx, components);
          return core.planes.encode(samples, band, coding, arena.allocate('u8', [bound]));
        });
        // The same memory again, at the length that was written.
        return arena.allocate('u8', [byteLength]);
      });
      const { dtype } = samples;
      return { PlaneStream: { bands, bandRows, widthPx, heightPx, components, dtype } };
    },
  });
}

/** Makes a component of samples of its `PlaneStream`. */
export function planesDecode<To extends PlaneSource>(options: {
  readonly to: To;
}): Stage<'PlaneStream', To> {
  const { to } = options;
  return defineStage<'PlaneStream', PlaneSource>({
    name: 'planesDecode',
    requires: ['PlaneStream'],
    produces: [to],
    transform({ PlaneStream }, { arena, core }) {
      const { bands, bandRows, widthPx, heightPx, components, dtype } = PlaneStream;
      const samples = arena.allocate(dtype, [heightPx, widthPx, components]);
      for (const [index, band] of bandsOf(heightPx, bandRows).entries()) {
        const bytes = bands[index];
        if (bytes !== undefined) core.planes.decode(bytes, samples, band);
      }
      return componentOf(to, samples) as Pick<Components, PlaneSource>;
    },
  }) as Stage<'PlaneStream', To>;
}

/**
 * Replaces `Samples` by what they decode to when coded with a wavelet's step, in a tenth of the time that coding takes:
 * for a search.
 * @param options.stepSize as `PlaneCoding` has it
 */
export function planesRoundTrip(options: {
  readonly stepSize: number;
  readonly bandRows?: number;
}): Stage<'Samples', 'Samples'> {
  const { stepSize } = options;
  return defineStage<'Samples', 'Samples'>({
    name: 'planesRoundTrip',
    requires: ['Samples'],
    produces: ['Samples'],
    transform({ Samples }, { arena, core }) {
      const [heightPx = 0, widthPx = 0] = Samples.values.shape;
      const bandRows = options.bandRows ?? planeBandRows(widthPx, heightPx);
      checkInteger('planesRoundTrip: bandRows', bandRows, 1, heightPx);
      // A component is not written to: others may share its tensor.
      const values = arena.copy(Samples.values);
      for (const band of bandsOf(heightPx, bandRows)) {
        core.planes.roundTrip(values, band, stepSize);
      }
      return { Samples: { values } };
    },
  });
}

function samplesOf(data: Components[PlaneSource]): TensorRef<PlaneDtype> {
  return 'pixels' in data ? data.pixels : data.values;
}

function componentOf(
  to: PlaneSource,
  samples: TensorRef<PlaneDtype>,
): Partial<Pick<Components, PlaneSource>> {
  if (to === 'Samples') return { Samples: { values: samples } };
  const dtype = to === 'Rgb' ? 'u8' : 'i16';
  if (samples.dtype !== dtype) {
    throw new BackendError(`planesDecode: expected ${dtype} for ${to}, got ${samples.dtype}`);
  }
  return to === 'Rgb'
    ? { Rgb: { pixels: samples as TensorRef<'u8'> } }
    : { Residual: { values: samples as TensorRef<'i16'> } };
}
