/**
 * The bytes of a `.vae` file to pixels, as a schedule of stages.
 * @module
 */

import type { ContainerStream } from '../container/layout.js';
import { type ParsedHeader, readContainer } from '../container/read.js';
import { FormatError, UnsupportedError } from '../errors.js';
import type { Pixels } from '../image/pixels.js';
import type { BitstreamData } from '../pipeline/components.js';
import type { World } from '../pipeline/world.js';
import { bandsOf, entropyDecode } from '../stages/entropy.js';
import { dequantise } from '../stages/quantise.js';
import { unrotate } from '../stages/rotate.js';
import { vaeDecode } from '../stages/vae-decode.js';
import { latentShape } from '../stages/vae-encode.js';
import { waveletInverse } from '../stages/wavelet.js';
import type { Codec } from './open.js';
import type { DecompressOptions } from './options.js';
import { planMemory } from './plan.js';

/** See `Codec.decompress`. */
export async function decompressBytes(
  codec: Codec,
  bytes: Uint8Array,
  options: DecompressOptions,
): Promise<Pixels> {
  const { header, streams } = readContainer(bytes, codec.limits);
  const latent = latentStream(header, streams);
  const opened = await codec.openModelById(header.modelId, header.modelName);
  const plan = (tilesInFlight: number) =>
    planMemory(
      opened.model.manifest,
      header.widthPx,
      header.heightPx,
      tilesInFlight,
      latent.bytes.length + 64 * (latent.sliceByteLengths?.length ?? 1),
    );
  return codec.withWorld(opened, plan, options, async (world) => {
    const reconstruction = await world
      .pipe(world.newEntity().add('Bitstream', toBitstream(header, latent, world)))
      .to(entropyDecode())
      .to(dequantise())
      .to(waveletInverse())
      .to(unrotate())
      .to(vaeDecode())
      .out('ReconRgb');
    return world.readPixels(reconstruction, header.grey);
  });
}

/** The one stream that this version decodes; what it cannot is refused by name. */
function latentStream(header: ParsedHeader, streams: readonly ContainerStream[]): ContainerStream {
  const latent = streams.find(({ type }) => type === 'latent');
  const isOther =
    header.mode !== 'model' || header.alpha || header.sixteenBit || header.colour !== 'srgb';
  if (latent === undefined || isOther) {
    const kind = [
      header.mode,
      header.colour,
      header.alpha && 'alpha',
      header.sixteenBit && '16-bit',
    ];
    throw new UnsupportedError(
      `decompress: expected a file of mode model in srgb, got one of ${kind.filter(Boolean).join(', ')}; a later version made it`,
    );
  }
  return latent;
}

/** Copies the coded slices into the arena, once their number is known to be right. */
function toBitstream(
  { sliceRows, rate, widthPx, heightPx, coder }: ParsedHeader,
  { bytes, sliceByteLengths = [bytes.length] }: ContainerStream,
  { arena, context }: World,
): BitstreamData {
  const shape = latentShape(context.model.manifest, widthPx, heightPx);
  const rows = sliceRows === 0 ? shape[1] : sliceRows;
  const expected = bandsOf(shape[1], rows).length;
  if (sliceByteLengths.length !== expected) {
    throw new FormatError(
      `decompress: expected ${expected} slices of ${rows} latent rows, got ${sliceByteLengths.length}`,
      0,
    );
  }
  let start = 0;
  const slices = sliceByteLengths.map((byteLength) => {
    const slice = arena.allocate('u8', [byteLength]);
    arena.view(slice).set(bytes.subarray(start, start + byteLength));
    start += byteLength;
    return slice;
  });
  return { slices, coder, sliceRows: rows, shape, quant: { rate }, widthPx, heightPx };
}
