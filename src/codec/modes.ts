/**
 * How the colour of a picture is coded: by the model, by the model and what it left, or without it.
 * @module
 */
import { type PixelSource, sourceOf } from '../image/pixel-rows.js';
import type { Pixels, PlainPixels } from '../image/pixels.js';
import { rateOfQuality } from '../models/quality.js';
import type { Aim } from './aim.js';
import { codeAtRate, type ModelJob } from './latents.js';
import type { CompressOptions } from './options.js';
import { codePlanes } from './planes.js';
import type { CodedColour, Frame } from './to-file.js';
import { codeToMetric, codeToSize } from './tries.js';

export async function codeColour(
  job: ModelJob,
  colour: Pixels | PixelSource,
  frame: Frame,
  aim: Aim,
  { onNote }: CompressOptions,
): Promise<CodedColour> {
  if (aim.kind === 'lossless') return codeWithoutModel(job, colour as Pixels, 0);
  if (frame.sixteenBit) onNote?.('compress: 16-bit samples are reduced to 8 bits by this mode');
  const plain = 'data' in colour ? reduced(colour) : colour;
  const source = 'data' in plain ? sourceOf(plain) : plain;
  switch (aim.kind) {
    case 'size':
      return codeToSize(job, source, frame, aim.maxByteLength);
    case 'psnr':
    case 'ssim':
      return codeToMetric(job, source, plain as PlainPixels, aim.kind, aim.least);
    case 'quality': {
      const { model } = job.opened;
      const rate = rateOfQuality(model.manifest, aim.quality);
      return { mode: 'model', latents: await codeAtRate(job, source, rate), model };
    }
  }
}

async function codeWithoutModel(
  job: ModelJob,
  { widthPx, heightPx, channels, data }: Pixels,
  maxError: number,
): Promise<CodedColour> {
  const dtype = data instanceof Uint16Array ? 'u16' : 'u8';
  const shape = { widthPx, heightPx, components: channels, dtype } as const;
  return { mode: 'planes', planes: await codePlanes(job, data, shape, { maxError }) };
}

/** Colour of 8 bits, as networks take it. @param colour of one or three channels */
function reduced(colour: Pixels): PlainPixels {
  const { data } = colour;
  const channels = colour.channels === 1 ? 1 : 3;
  if (data instanceof Uint8Array) return { ...colour, channels, data };
  return { ...colour, channels, data: Uint8Array.from(data, (value) => Math.round(value / 257)) };
}
