import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspect } from '#src/codec/inspect.js';
import { mapLatent } from '#src/codec/latent-map.js';
import { type Codec, openCodec } from '#src/codec/open.js';
import { psnr } from '#src/codec/quality.js';
import { FormatError } from '#src/errors.js';
import type { Pixels } from '#src/image/pixels.js';
import { checkModel } from '#src/modelkit/check.js';
import { describeModel } from '#src/modelkit/store.js';
import { findModel } from '#src/models/registry.js';
import { Trace } from '#src/pipeline/trace.js';
import { entropyDecode, entropyEncode } from '#src/stages/entropy.js';
import { measurePsnr } from '#src/stages/metrics.js';
import { dequantise, quantise } from '#src/stages/quantise.js';
import { rotate, unrotate } from '#src/stages/rotate.js';
import { vaeDecode } from '#src/stages/vae-decode.js';
import { vaeEncode } from '#src/stages/vae-encode.js';
import { waveletForward, waveletInverse } from '#src/stages/wavelet.js';
import { picture as drawnPicture, grainyPicture as picture } from '../pipeline/fixture.js';
import { COARSE_CHANNELS, FINE_CHANNELS, makeTwoGrids } from '../pipeline/two-grids.js';

const identical = (a: Pixels, b: Pixels) =>
  Buffer.compare(Buffer.from(a.data), Buffer.from(b.data)) === 0;

/** Slices are 64 rows of the coarse grid, 512 px. */
const SLICE_ROWS = 64;

let model: Awaited<ReturnType<typeof makeTwoGrids>>;
let codec: Codec;
beforeAll(async () => {
  // A pixel of the preview is the coarse grid's: 128 and the means of Y, Co and Cg.
  model = await makeTwoGrids((manifest) =>
    Object.assign(manifest, {
      previewHead: {
        weights: [
          [1, 1, -1],
          [1, 0, 1],
          [1, -1, -1],
        ],
        bias: [128, 128, 128],
      },
    }),
  );
  codec = await openCodec({ model: model.folder, provider: 'cpu', threads: 1 });
});
afterAll(async () => {
  await codec.close();
  await model.remove();
});

/** The whole picture through the stages, as a pipe of one's own would take it, and back. */
async function throughStages(pixels: Pixels, rate: number) {
  const world = await codec.world({ arenaByteLength: 64 << 20 });
  const entity = world.spawnImage(pixels as Parameters<typeof world.spawnImage>[0]);
  const coded = await world
    .pipe(entity)
    .to(vaeEncode())
    .to(rotate())
    .to(waveletForward())
    .to(quantise({ rate }))
    .to(entropyEncode({ sliceRows: SLICE_ROWS }))
    .out('Bitstream');
  const rgb = await world
    .pipe(world.newEntity().add('Rgb', entity.get('Rgb')).add('Bitstream', coded))
    .to(entropyDecode())
    .to(dequantise())
    .to(waveletInverse())
    .to(unrotate())
    .to(vaeDecode())
    .to(measurePsnr())
    .out('ReconRgb');
  const slices = Buffer.concat(coded.slices.map((slice) => world.arena.view(slice)));
  return { shapes: coded.shapes, slices, decoded: world.readPixels(rgb) };
}

const latentOf = (bytes: Uint8Array) => {
  const { headerByteLength, streams } = inspect(bytes);
  const latent = streams.find(({ type }) => type === 'latent');
  return Buffer.from(
    bytes.subarray(headerByteLength, headerByteLength + (latent?.byteLength ?? 0)),
  );
};

describe('a model of two latent grids', () => {
  it.each([
    [1, 1],
    [3, 9],
    [8, 8],
    [61, 43],
    [131, 64],
    [70, 511],
    [70, 520],
    [33, 1100],
  ])('codes a picture of %ix%i px as its stages do, and decodes it so', async (width, height) => {
    const pixels = picture(width, height, width);
    const bytes = await codec.compress(pixels, { quality: 90 });
    const decoded = await codec.decompress(bytes);
    const whole = await throughStages(pixels, inspect(bytes).rate);
    const [rows, columns] = [Math.ceil(height / 8), Math.ceil(width / 8)];
    expect(whole.shapes).toEqual([
      [COARSE_CHANNELS, rows, columns],
      [FINE_CHANNELS, 2 * rows, 2 * columns],
    ]);
    expect(inspect(bytes)).toMatchObject({ mode: 'model', coder: 'context' });
    expect(inspect(bytes).slices).toBe(Math.ceil(rows / SLICE_ROWS));
    expect(Buffer.compare(latentOf(bytes), whole.slices)).toBe(0);
    expect(identical(decoded, whole.decoded)).toBe(true);
  });

  it('decodes to nearly the picture: the decoder is given both grids, each its own', async () => {
    const smooth = drawnPicture(160, 96);
    const across = (i: number) => Math.floor(i / 3) % 160;
    const data = Uint8Array.from(smooth.data, (_, i) => 40 + across(i) + Math.floor(i / 960));
    const { decoded } = await throughStages({ ...smooth, data }, 4095);
    const errors = Array.from(data, (value, i) => Math.abs(value - (decoded.data[i] ?? 0)));
    // The smoothing at the edges of the picture costs some; a coarse grid that is not its own would cost tens.
    expect(Math.max(...errors)).toBeLessThan(12);
  });

  it('decodes a region to what it is in the whole picture', async () => {
    const pixels = picture(150, 1300);
    const bytes = await codec.compress(pixels, { quality: 70 });
    const whole = await codec.decompress(bytes);
    for (const region of [
      { x: 0, y: 0, width: 1, height: 1 },
      { x: 60, y: 500, width: 30, height: 40 },
      { x: 140, y: 1290, width: 10, height: 10 },
    ]) {
      const { data } = await codec.decompress(bytes, { region });
      const rows = Array.from({ length: region.height }, (_, row) => {
        const start = ((region.y + row) * 150 + region.x) * 3;
        return Uint8Array.from(whole.data.subarray(start, start + region.width * 3));
      });
      expect(Buffer.compare(Buffer.from(data), Buffer.concat(rows))).toBe(0);
    }
  });

  it('detects damage anywhere', async () => {
    const bytes = await codec.compress(picture(40, 600), { quality: 80 });
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 60)) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      await expect(codec.decompress(damaged), `byte ${at}`).rejects.toThrow(FormatError);
    }
    await expect(codec.decompress(bytes.subarray(0, -1))).rejects.toThrow(FormatError);
  });

  it('shows its coarse grid as a preview', async () => {
    const grey = picture(64, 40);
    const data = new Uint8Array(grey.data.length).fill(200);
    for (let i = 0; i < data.length; i++) data[i] = 200 + (Math.imul(i, 2654435761) >>> 30);
    const bytes = await codec.compress({ ...grey, data }, { quality: 95 });
    const preview = await codec.decompress(bytes, { scale: 1 / 8 });
    expect(preview).toMatchObject({ widthPx: 8, heightPx: 5 });
    for (const sample of preview.data) expect(Math.abs(sample - 201.5)).toBeLessThan(3);
    await expect(codec.decompress(bytes, { scale: 1 / 4 })).rejects.toThrow(/scale 1 or 1\/8/);
  });

  it('meets a target and refines as a model of one grid does', async () => {
    const pixels = picture(120, 600);
    const small = await codec.compress(pixels, { targetSize: 9000 });
    expect(small.length).toBeLessThanOrEqual(9000);
    const trace = new Trace();
    const refined = await codec.compress(pixels, { quality: 80, effort: 9, trace });
    expect(trace.records.some(({ stage }) => stage === 'refine')).toBe(true);
    const plain = await codec.compress(pixels, { quality: 80, effort: 3 });
    expect(refined.length).toBeLessThan(plain.length);
    const psnrDb = psnr(pixels, await codec.decompress(plain));
    expect(psnr(pixels, await codec.decompress(refined))).toBeGreaterThan(psnrDb - 0.1);
  });

  it('has its bits mapped on the finest grid, and they sum to the stream', async () => {
    const bytes = await codec.compress(picture(90, 70), { quality: 60 });
    const map = await mapLatent(bytes, { model: model.folder });
    expect(map).toMatchObject({ channels: 11, width: 24, height: 18, stridePx: 4 });
    const sum = (map?.bits ?? new Float32Array()).reduce((a, b) => a + b, 0) / 8;
    const coded = latentOf(bytes).length;
    expect(Math.abs(coded - sum)).toBeLessThan(24 + 0.01 * coded);
    const coarse = map?.symbols.subarray(0, 48) ?? [];
    expect(coarse[0]).toBe(coarse[1]);
    expect(coarse[0]).toBe(coarse[24]);
  });

  it('is found sound by the checks of models, and told with both grids', async () => {
    const { holds, checks } = await checkModel(model.folder, { threads: 1 });
    expect(checks.filter((check) => !check.holds)).toEqual([]);
    expect(holds).toBe(true);
    const { grids } = await describeModel(model.folder, {});
    expect(grids).toEqual([
      { channels: COARSE_CHANNELS, stridePx: 8 },
      { channels: FINE_CHANNELS, stridePx: 4 },
    ]);
  });

  it('is not coded by the static coder', async () => {
    const world = await codec.world();
    const pipe = world
      .pipe(world.spawnImage(picture(8, 8) as Parameters<typeof world.spawnImage>[0]))
      .to(vaeEncode())
      .to(rotate())
      .to(waveletForward())
      .to(quantise({ rate: 100 }))
      .to(entropyEncode({ coder: 'static' }));
    await expect(pipe.out('Bitstream')).rejects.toThrow(/one latent grid for the static coder/);
  });
});

describe('a manifest of two latent grids', () => {
  const refused = async (change: Parameters<typeof makeTwoGrids>[0], reason: RegExp) => {
    const other = await makeTwoGrids(change);
    await expect(findModel(other.folder, {})).rejects.toThrow(reason);
    await other.remove();
  };

  it('without a context model, with a transform, or with grids out of order is refused', async () => {
    await refused((manifest) => delete manifest.context, /context model and no transform/);
    await refused(
      (manifest) => Object.assign(manifest, { transform: { channel: 'hadamard4' } }),
      /context model and no transform/,
    );
    await refused((manifest) => manifest.grids.reverse(), /strides from coarse to fine/);
    await refused((manifest) => manifest.rate.logGain[0]?.pop(), /11 values in every knot/);
  });

  it('whose graphs have no tensor of a grid’s name is told when it is run', async () => {
    const other = await makeTwoGrids((manifest) => {
      const [coarse] = manifest.grids;
      if (coarse !== undefined) coarse.name = 'elsewhere';
    });
    await using broken = await openCodec({ model: other.folder, provider: 'cpu', threads: 1 });
    await expect(broken.compress(picture(9, 9))).rejects.toThrow(/output 'elsewhere', got/);
    await other.remove();
  });

  it('of other channels than its context model is told when it is run', async () => {
    const other = await makeTwoGrids(() => {}, [COARSE_CHANNELS, FINE_CHANNELS - 1]);
    await using broken = await openCodec({ model: other.folder, provider: 'cpu', threads: 1 });
    await expect(broken.compress(picture(9, 9))).rejects.toThrow(
      /a context model of 3 and 8 channels, got 3 and 7/,
    );
    await other.remove();
  });
});
