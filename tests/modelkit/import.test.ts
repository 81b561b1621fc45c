import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCodec, psnr, readImage } from 'vaerans';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importModel } from '#src/modelkit/import.js';
import { findModel } from '#src/models/registry.js';
import { Graph } from '#src/vae/graph.js';
import { picture } from '../pipeline/fixture.js';
import {
  craftKl,
  craftTinyDecoder,
  craftTinyEncoder,
  randomPlanes,
  readWeights,
  writeSafetensors,
} from './craft.js';
import {
  klDecoder,
  klEncoder,
  type Planes,
  tinyDecoder,
  tinyEncoder,
  type WeightsByName,
} from './reference.js';

const TAEF2 = join(import.meta.dirname, '../../../shared/models/taef2');
const hasTaef2 = existsSync(TAEF2);
if (!hasTaef2) console.log(`import: skipped, no weights at ${TAEF2}`);

let root: string;
let modelsFolder: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'vaerans-import-'));
  modelsFolder = join(root, 'models');
});
afterAll(() => rm(root, { recursive: true }));

/** Largest difference of what a written graph and the reference make of the same input. */
async function difference(
  name: string,
  network: 'encoder' | 'decoder',
  input: Planes,
  expected: Planes,
): Promise<number> {
  const bytes = await readFile(join(modelsFolder, name, `${network}.onnx`));
  const graph = await Graph.open(bytes, { threads: 1 });
  const { channels, height, width } = input;
  const { values, shape } = await graph.run({
    values: Float32Array.from(input.values),
    shape: [1, channels, height, width],
  });
  await graph.release();
  expect(shape).toEqual([1, expected.channels, expected.height, expected.width]);
  return values.reduce((most, v, i) => Math.max(most, Math.abs(v - (expected.values[i] ?? 0))), 0);
}

/** A name prefix before every tensor. */
function under(prefix: string, weights: WeightsByName): WeightsByName {
  return new Map([...weights].map(([name, value]) => [`${prefix}${name}`, value]));
}

describe('a TAESD-type model', () => {
  it.each([
    ['4 channels', 4, false],
    ['32 channels with pooled blocks', 32, true],
  ])('of %s is written as the architecture has it', async (_, latent, pooled) => {
    const encoder = craftTinyEncoder(8, latent, pooled);
    const decoder = craftTinyDecoder(8, latent, pooled);
    const name = `tiny${latent}`;
    const report = await importModel(
      [
        await writeSafetensors(join(root, `${name}_decoder.safetensors`), decoder),
        await writeSafetensors(join(root, `${name}_encoder.safetensors`), encoder),
      ],
      { name, modelsFolder },
    );
    expect(report).toMatchObject({ latentChannels: latent, stridePx: 8, blended: pooled });
    const image = randomPlanes(3, 24, 40);
    const code = randomPlanes(latent, 3, 5);
    expect(await difference(name, 'encoder', image, tinyEncoder(image, encoder))).toBeLessThan(
      1e-4,
    );
    expect(await difference(name, 'decoder', code, tinyDecoder(code, decoder))).toBeLessThan(1e-4);
  });

  it("is found in diffusers' one file with its shifted decoder", async () => {
    const encoder = craftTinyEncoder(8, 4);
    const decoder = craftTinyDecoder(8, 4);
    const shifted = new Map(
      [...decoder].map(([name, value]) => [
        name.replace(/^\d+/, (index) => `${Number(index) - 1}`),
        value,
      ]),
    );
    const file = await writeSafetensors(
      join(root, 'diffusion_pytorch_model.safetensors'),
      new Map([...under('encoder.layers.', encoder), ...under('decoder.layers.', shifted)]),
    );
    await importModel([file], { name: 'shifted', modelsFolder });
    const code = randomPlanes(4, 3, 5);
    const worst = await difference('shifted', 'decoder', code, tinyDecoder(code, decoder));
    expect(worst).toBeLessThan(1e-4);
  });

  it('runs in tiles whose margin is what its layers see', async () => {
    const { manifest } = await findModel('tiny4', { modelsFolder });
    expect(manifest.encoder).toMatchObject({ marginPx: 152 });
    expect(manifest.encoder.blend).toBeUndefined();
    expect((await findModel('tiny32', { modelsFolder })).manifest.encoder.blend).toBe(true);
  });

  it.skipIf(!hasTaef2)('as published, TAEF2, equals the reference to 1e-4', async () => {
    const files = ['encoder', 'decoder'].map((part) => join(TAEF2, `taef2_${part}.safetensors`));
    const report = await importModel(files, { name: 'taef2', modelsFolder, licence: 'MIT' });
    expect(report.family).toBe('TAEF2-type tiny autoencoder');
    const [encoder, decoder] = await Promise.all(files.map(readWeights));
    const image = randomPlanes(3, 24, 16, 3);
    image.values.forEach((value, i) => {
      image.values[i] = Math.fround(0.5 + 0.5 * value);
    });
    const code = tinyEncoder(image, encoder as WeightsByName);
    expect(await difference('taef2', 'encoder', image, code)).toBeLessThan(1e-4);
    const latent = { ...code, values: code.values.map(Math.fround) };
    const expected = tinyDecoder(latent, decoder as WeightsByName);
    expect(await difference('taef2', 'decoder', latent, expected)).toBeLessThan(1e-4);
  });

  it.skipIf(!hasTaef2)('codes a photograph at about the fidelity that it has', async () => {
    await using codec = await openCodec({ model: 'taef2', modelsFolder });
    const photo = await readImage(
      join(import.meta.dirname, '../../examples/pictures/scene-left.png'),
    );
    const bytes = await codec.compress(photo, { quality: 80 });
    expect(psnr(photo, await codec.decompress(bytes))).toBeGreaterThan(22);
  });
});

describe('an AutoencoderKL', () => {
  const widths = [8, 16, 16];
  const shape = { groups: 4, levels: 3, scale: 0.4, shift: 0.1 };
  const config = { norm_num_groups: 4, scaling_factor: 0.4, shift_factor: 0.1 };

  it.each([
    ['with quant_conv', 4, true],
    ['without, as SD3 and FLUX', 16, false],
  ])('%s is written as the architecture has it', async (_, latent, hasQuant) => {
    const weights = craftKl(widths, latent, hasQuant);
    const folder = join(root, `kl${latent}`);
    await mkdir(folder);
    await writeSafetensors(join(folder, 'diffusion_pytorch_model.safetensors'), weights);
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    const name = `kl${latent}`;
    const report = await importModel([folder], { name, modelsFolder });
    expect(report).toMatchObject({ latentChannels: latent, stridePx: 4, blended: true });
    const image = randomPlanes(3, 20, 28);
    const code = randomPlanes(latent, 5, 7);
    const encoded = klEncoder(image, weights, shape);
    expect(await difference(name, 'encoder', image, encoded)).toBeLessThan(1e-4);
    const decoded = klDecoder(code, weights, shape);
    expect(await difference(name, 'decoder', code, decoded)).toBeLessThan(1e-4);
  });

  it('is the same under its original names, inside a whole checkpoint', async () => {
    const weights = craftKl(widths, 4, true);
    const original = new Map(
      [...weights].map(([name, value]) => [`first_stage_model.${originalName(name)}`, value]),
    );
    const unrelated = new Map([
      ['model.diffusion_model.x', { shape: [1], values: Float32Array.of(1) }],
    ]);
    const folder = join(root, 'original');
    await mkdir(folder);
    await writeSafetensors(join(folder, 'sd.safetensors'), new Map([...unrelated, ...original]));
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    await importModel([folder], { name: 'original', modelsFolder });
    const code = randomPlanes(4, 5, 7);
    const decoded = klDecoder(code, weights, shape);
    expect(await difference('original', 'decoder', code, decoded)).toBeLessThan(1e-4);
    const image = randomPlanes(3, 20, 28);
    const encoded = klEncoder(image, weights, shape);
    expect(await difference('original', 'encoder', image, encoded)).toBeLessThan(1e-4);
  });

  function originalName(name: string): string {
    return name
      .replace(/down_blocks\.(\d)\.resnets\.(\d)/, 'down.$1.block.$2')
      .replace(/down_blocks\.(\d)\.downsamplers\.0/, 'down.$1.downsample')
      .replace(/up_blocks\.(\d)\.resnets\.(\d)/, (_, l, i) => `up.${2 - Number(l)}.block.${i}`)
      .replace(/up_blocks\.(\d)\.upsamplers\.0/, (_, l) => `up.${2 - Number(l)}.upsample`)
      .replace(/mid_block\.resnets\.(\d)/, (_, i) => `mid.block_${Number(i) + 1}`)
      .replace(/mid_block\.attentions\.0/, 'mid.attn_1')
      .replace('attn_1.group_norm', 'attn_1.norm')
      .replace('attn_1.to_out.0', 'attn_1.proj_out')
      .replace(/attn_1\.to_([qkv])/, 'attn_1.$1')
      .replace('conv_norm_out', 'norm_out')
      .replace('conv_shortcut', 'nin_shortcut');
  }

  it('codes a picture of odd sides in blended tiles', async () => {
    const path = join(modelsFolder, 'kl4', 'manifest.json');
    const manifest = JSON.parse(await readFile(path, 'utf8'));
    for (const network of ['encoder', 'decoder']) manifest[network].marginPx = 16;
    await writeFile(path, JSON.stringify({ ...manifest, tilePx: 64 }));
    await using codec = await openCodec({ model: 'kl4', modelsFolder });
    const pixels = picture(157, 91);
    const back = await codec.decompress(await codec.compress(pixels, { quality: 100 }));
    expect([back.widthPx, back.heightPx]).toEqual([157, 91]);
  });
});

describe('an import', () => {
  it('refuses a pickle with the reason and the way to convert it', async () => {
    const named = join(root, 'taesd_encoder.pth');
    const disguised = join(root, 'weights.safetensors');
    await writeFile(named, 'x');
    await writeFile(disguised, Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0]));
    for (const file of [named, disguised]) {
      await expect(importModel([file], { name: 'pickle', modelsFolder })).rejects.toThrow(
        /pickle, which runs code when it is read; .*safetensors/,
      );
    }
  });

  it('refuses an encoder alone, unknown networks and a name that is taken', async () => {
    const encoder = join(root, 'tiny4_encoder.safetensors');
    const decoder = join(root, 'tiny4_decoder.safetensors');
    const name = 'lonely';
    await expect(importModel([encoder], { name, modelsFolder })).rejects.toThrow(/got no decoder/);
    const other = await writeSafetensors(
      join(root, 'other.safetensors'),
      new Map([['lm_head.weight', { shape: [1], values: Float32Array.of(1) }]]),
    );
    await expect(importModel([other], { name, modelsFolder })).rejects.toThrow(/'lm_head.weight'/);
    const taken = { name: 'tiny4', modelsFolder };
    await expect(importModel([encoder, decoder], taken)).rejects.toThrow(/--force replaces it/);
    const embedded = { name: 'default', modelsFolder };
    await expect(importModel([encoder, decoder], embedded)).rejects.toThrow(/ships with vaerans/);
  });

  it('refuses layers that do not fit one another', async () => {
    const broken = new Map(craftTinyEncoder(8, 4));
    const odd = { shape: [8, 7, 3, 3], values: new Float32Array(8 * 7 * 9) };
    broken.set('3.conv.2.weight', odd);
    const file = await writeSafetensors(join(root, 'broken.safetensors'), broken);
    const decoder = join(root, 'tiny4_decoder.safetensors');
    await expect(importModel([file, decoder], { name: 'broken', modelsFolder })).rejects.toThrow(
      /'3.conv.2.weight' of \[out,8,k,k\] with k 3, got \[8,7,3,3\]/,
    );
  });
});
