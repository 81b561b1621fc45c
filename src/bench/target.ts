/**
 * Turning a codec's dial until its file is as large as a target allows.
 * @module
 */
import { LimitError } from '../errors.js';
import type { BenchInput, Contestant } from './contestant.js';

/**
 * Searches by halves; files that do not grow with the dial everywhere may end a step aside.
 * @returns the best position whose file is not above `byteLength`
 * @throws LimitError when even the worst is
 */
export async function dialForBytes(
  contestant: Pick<Contestant, 'codec' | 'dialRange' | 'dialStep' | 'encode'>,
  input: BenchInput,
  byteLength: number,
  codedPath: string,
): Promise<number> {
  const [worst, best] = contestant.dialRange;
  const steps = Math.round(Math.abs(best - worst) / contestant.dialStep);
  // Short decimals, as a person would type them.
  const dialAt = (step: number) => Number((worst + ((best - worst) * step) / steps).toFixed(4));
  const bytesAt = async (step: number) =>
    (await contestant.encode(input, dialAt(step), codedPath)).byteLength;
  const least = await bytesAt(0);
  if (least > byteLength) {
    throw new LimitError(
      `bench: expected ${contestant.codec.name} to make ${Math.floor(byteLength)} bytes or less, got ${least} at its worst setting`,
    );
  }
  let fits = 0;
  let tooLarge = steps + 1;
  while (tooLarge - fits > 1) {
    const middle = Math.floor((fits + tooLarge) / 2);
    if ((await bytesAt(middle)) <= byteLength) fits = middle;
    else tooLarge = middle;
  }
  return dialAt(fits);
}
