/**
 * The latent as a decoder has it: that of a picture, quantised and back.
 * @module
 */
import {
  dequantise,
  quantise,
  rotate,
  unrotate,
  vaeEncode,
  waveletForward,
  waveletInverse,
} from 'vaerans';

/**
 * @param {import('vaerans').World} world
 * @param {import('vaerans').Pixels} pixels one tile at most
 * @param {import('vaerans').QuantiseOptions} coarseness
 * @returns a `Latent`, whose coarsest grid comes first
 */
export function decodedLatent(world, pixels, coarseness) {
  return world
    .pipe(world.spawnImage(pixels))
    .to(vaeEncode())
    .to(rotate())
    .to(waveletForward())
    .to(quantise(coarseness))
    .to(dequantise())
    .to(waveletInverse())
    .to(unrotate())
    .out('Latent');
}
