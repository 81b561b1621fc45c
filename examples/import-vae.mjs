/**
 * Weights of a VAE to a codec of one's own: import, tune to pictures, code with it.
 *
 *   node examples/import-vae.mjs [encoder.safetensors decoder.safetensors] [folder of pictures]
 *
 * Without weights it makes random ones in TAESD's shape, 4 channels wide, which code nothing well. Prints:
 *
 *   TAESD or TAESDXL-type tiny autoencoder: 4 latent channels, stride 8 px
 *   tuned to 3 pictures
 *   160x112 px in a file of the model 'mine'
 * @module
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importModel, inspect, isPicturePath, openCodec, readImage, tuneModel } from 'vaerans';

const [encoder, decoder, folder = fileURLToPath(new URL('pictures/', import.meta.url))] =
  process.argv.slice(2);
const modelsFolder = await mkdtemp(join(tmpdir(), 'vaerans-models-'));
try {
  const weights = encoder && decoder ? [encoder, decoder] : await randomWeights(modelsFolder);
  const model = await importModel(weights, { name: 'mine', modelsFolder, licence: 'mine' });
  console.log(
    `${model.family}: ${model.latentChannels} latent channels, stride ${model.stridePx} px`,
  );

  const images = (await readdir(folder)).filter(isPicturePath).map((name) => join(folder, name));
  const quick = weights[0] === encoder ? {} : { cropPx: 64, steps: 10 };
  const tuned = await tuneModel('mine', { modelsFolder, images, ...quick });
  console.log(`tuned to ${tuned.pictures} pictures`);

  const codec = await openCodec({ model: 'mine', modelsFolder });
  try {
    const bytes = await codec.compress(await readImage(images[0] ?? ''), { quality: 60 });
    const { modelName } = inspect(bytes);
    const back = await codec.decompress(bytes);
    console.log(`${back.widthPx}x${back.heightPx} px in a file of the model '${modelName}'`);
  } finally {
    await codec.close();
  }
} finally {
  await rm(modelsFolder, { recursive: true });
}

/**
 * TAESD's list of layers: `0` to `14` down to the latent, `1` to `19` up from it.
 * @param {string} into
 */
async function randomWeights(into) {
  const width = 4;
  /** @type {[string, number, number, boolean][]} */
  const down = [['0', width, 3, true], ...block('1'), ['14', 4, width, true]];
  for (const at of [2, 6, 10]) {
    down.push([`${at}`, width, width, false], ...[1, 2, 3].flatMap((i) => block(`${at + i}`)));
  }
  /** @type {[string, number, number, boolean][]} */
  const up = [['1', width, 4, true], ...block('18'), ['19', 3, width, true]];
  for (const at of [3, 8, 13]) {
    up.push(...[0, 1, 2].flatMap((i) => block(`${at + i}`)), [`${at + 4}`, width, width, false]);
  }
  const files = [join(into, 'encoder.safetensors'), join(into, 'decoder.safetensors')];
  await writeFile(files[0] ?? '', safetensors(down));
  await writeFile(files[1] ?? '', safetensors(up));
  return files;

  /**
   * @param {string} name
   * @returns {[string, number, number, boolean][]}
   */
  function block(name) {
    return [0, 2, 4].map((layer) => [`${name}.conv.${layer}`, width, width, true]);
  }
}

/** @param {[name: string, out: number, into: number, hasBias: boolean][]} layers */
function safetensors(layers) {
  /** @type {Record<string, object>} */
  const header = {};
  let end = 0;
  for (const [name, out, into, hasBias] of layers) {
    const tensors = { weight: [out, into, 3, 3], ...(hasBias && { bias: [out] }) };
    for (const [part, shape] of Object.entries(tensors)) {
      const start = end;
      end += 4 * shape.reduce((product, side) => product * side, 1);
      header[`${name}.${part}`] = { dtype: 'F32', shape, data_offsets: [start, end] };
    }
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const data = Float32Array.from({ length: end / 4 }, (_, i) => 0.3 * Math.sin(12.9898 * i));
  return Buffer.concat([length, text, Buffer.from(data.buffer)]);
}
