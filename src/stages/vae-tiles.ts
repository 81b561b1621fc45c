/**
 * Sends the tiles of many images through the model's threads: equal tiles together, a bounded number in flight.
 * @module
 */
import type { World } from '../pipeline/world.js';
import type { VaePool } from '../vae/pool.js';

/**
 * Tiles per run of a network. Measured on the CPU with the default model, larger batches of equal tiles are not
 * faster than single ones (docs/pipeline.md), and they take more memory.
 */
const TILES_PER_RUN = 1;

/**
 * Runs `work` on every group of equal tiles, `pool.depth` at a time, in order.
 * @param key tiles with equal keys have equal shapes and may share a run
 * @returns the sum of what `work` returned: milliseconds inside onnxruntime
 */
export async function runTiles<T>(
  tiles: readonly T[],
  key: (tile: T) => string,
  pool: VaePool,
  world: World,
  work: (batch: readonly T[]) => Promise<number>,
): Promise<number> {
  const batches = groupEqual(tiles, key);
  let next = 0;
  let done = 0;
  let inferenceMs = 0;
  const lane = async () => {
    try {
      for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) {
        world.checkAborted();
        inferenceMs += await work(batch);
        done += batch.length;
        world.context.onProgress?.(done, tiles.length);
      }
    } finally {
      // What ends one lane early ends the others with the tile that they are at.
      next = batches.length;
    }
  };
  await Promise.all(Array.from({ length: Math.min(pool.depth, batches.length) }, lane));
  return inferenceMs;
}

function groupEqual<T>(tiles: readonly T[], key: (tile: T) => string): T[][] {
  const open = new Map<string, T[]>();
  const batches: T[][] = [];
  for (const tile of tiles) {
    let batch = open.get(key(tile));
    if (batch === undefined || batch.length === TILES_PER_RUN) {
      batch = [];
      open.set(key(tile), batch);
      batches.push(batch);
    }
    batch.push(tile);
  }
  return batches;
}
