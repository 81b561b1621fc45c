/**
 * Sends the tiles of one or many images through the model's threads, a bounded number in flight.
 * @module
 */
import { Slots } from '../pipeline/slots.js';
import type { World } from '../pipeline/world.js';
import type { VaePool } from '../vae/pool.js';

/**
 * Runs `work` on every tile, `pool.depth` at a time, in order. A run of a network takes one tile: several equal ones
 * in one run are no faster on an idle CPU, and up to three times slower when small (docs/pipeline.md).
 * @returns the sum of what `work` returned: milliseconds inside onnxruntime
 */
export async function runTiles<T>(
  tiles: readonly T[],
  pool: VaePool,
  world: World,
  work: (tile: T) => Promise<number>,
): Promise<number> {
  let next = 0;
  let done = 0;
  let inferenceMs = 0;
  const { tileSlots = new Slots(pool.depth) } = world.context;
  const lane = async () => {
    try {
      for (let tile = tiles[next++]; tile !== undefined; tile = tiles[next++]) {
        const turn = tile;
        const ms = await tileSlots.run(() => {
          world.checkAborted();
          return work(turn);
        });
        // Not `+= await`, which would take the sum from before the wait and lose what other lanes added meanwhile.
        inferenceMs += ms;
        world.context.onProgress?.(++done, tiles.length);
      }
    } finally {
      // What ends one lane early ends the others with the tile that they are at.
      next = tiles.length;
    }
  };
  await Promise.all(Array.from({ length: Math.min(pool.depth, tiles.length) }, lane));
  return inferenceMs;
}
