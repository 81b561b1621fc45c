/**
 * What a model folder says of itself: `manifest.json`, and the identity that files are bound to.
 * @module
 */
import { createHash } from 'node:crypto';
import { ModelError } from '../errors.js';
import { type Manifest, manifestSchema } from './schemas.js';

/**
 * @param text the content of manifest.json
 * @param where shown in messages
 * @throws ModelError naming the first field that is wrong
 */
export function parseManifest(text: string, where: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ModelError(`model: expected JSON in '${where}', got text that does not parse`, {
      cause,
    });
  }
  const result = manifestSchema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0];
    const field = issue?.path.join('.') || 'the manifest';
    throw new ModelError(
      `model: '${where}': ${field}: ${issue?.message ?? 'does not fit the schema'}`,
    );
  }
  return result.data;
}

/**
 * The identity of a model in a file: the first 8 bytes of SHA-256 over what decoding depends on, as 16 hexadecimal
 * digits. Name, card, encoder, quality scale, preview head and other precisions of the same decoder are left out (DESIGN
 * section 4).
 */
export function modelIdOf(manifest: Manifest): string {
  const identity = {
    decoder: manifest.decoder.sha256,
    decoderMarginPx: manifest.decoder.marginPx,
    ...(manifest.decoder.blend && { decoderBlend: true }),
    grids: manifest.grids.map(({ channels, stridePx }) => [channels, stridePx]),
    inputRange: manifest.inputRange,
    padToPx: manifest.padToPx,
    tilePx: manifest.tilePx,
    transform: manifest.transform
      ? { ...manifest.transform, klt: manifest.transform.klt?.sha256 ?? null }
      : null,
    logGainKnots: manifest.rate.logGain.length,
    logInverseGain: manifest.rate.logInverseGain,
    context: manifest.context?.sha256 ?? null,
    ...(manifest.restoration && { restoration: manifest.restoration.sha256 }),
  };
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
}
