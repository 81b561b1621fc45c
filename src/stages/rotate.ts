/**
 * The channel transform that the model asks for: none, Hadamard over groups of four, or a learned KLT. `rotate`
 * and its inverse `unrotate`. Where there is none, the tensor is passed on, not copied.
 * @module
 */
import { UsageError } from '../errors.js';
import type { LatentData } from '../pipeline/components.js';
import { defineStage, type Stage } from '../pipeline/stage.js';
import type { World } from '../pipeline/world.js';
import type { TensorRef } from '../wasm/arena.js';

export type ChannelTransform = 'none' | 'hadamard4' | 'klt';

export interface RotateOptions {
  /** What the model's manifest asks for where left out. */
  readonly transform?: ChannelTransform;
  /** Mean[channels] and orthonormal matrix[channels][channels]; the model's where left out. */
  readonly klt?: Float32Array;
}

/** Makes `Rotated` of the latent. */
export function rotate(options: RotateOptions = {}): Stage<'Latent', 'Rotated'> {
  return defineStage({
    name: 'rotate',
    requires: ['Latent'],
    produces: ['Rotated'],
    transform: ({ Latent }, world) => ({ Rotated: turn('forward', Latent, world, options) }),
  });
}

/** Makes the `Latent` of `Rotated`; exact up to float rounding. */
export function unrotate(options: RotateOptions = {}): Stage<'Rotated', 'Latent'> {
  return defineStage({
    name: 'unrotate',
    requires: ['Rotated'],
    produces: ['Latent'],
    transform: ({ Rotated }, world) => ({ Latent: turn('inverse', Rotated, world, options) }),
  });
}

function turn(
  direction: 'forward' | 'inverse',
  data: LatentData,
  world: World,
  options: RotateOptions,
): LatentData {
  const { context, arena, core } = world;
  const transform = options.transform ?? context.model.manifest.transform?.channel ?? 'none';
  if (transform === 'none') return data;
  const grids = data.grids.map((values) => {
    if (transform === 'hadamard4') {
      const turned = arena.copy(values);
      core.hadamard4(direction, turned);
      return turned;
    }
    const turned = arena.allocate('f32', values.shape);
    arena.scope(() => {
      const [mean, matrix] = kltTensors(options.klt ?? context.tables.klt, values, world);
      core.klt(direction, values, turned, mean, matrix);
    });
    return turned;
  });
  return { ...data, grids };
}

function kltTensors(
  klt: Float32Array | undefined,
  values: TensorRef<'f32'>,
  { arena }: World,
): [mean: TensorRef<'f32'>, matrix: TensorRef<'f32'>] {
  const [channels = 0] = values.shape;
  if (klt?.length !== channels + channels * channels) {
    throw new UsageError(
      `rotate: expected a klt of ${channels} + ${channels}x${channels} values, got ${klt?.length ?? 'none'}`,
    );
  }
  const mean = arena.allocate('f32', [channels]);
  const matrix = arena.allocate('f32', [channels, channels]);
  arena.view(mean).set(klt.subarray(0, channels));
  arena.view(matrix).set(klt.subarray(channels));
  return [mean, matrix];
}
