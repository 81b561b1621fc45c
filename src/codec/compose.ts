/**
 * The rows of a picture put together again: what the model or the planes gave, what the model left, alpha, and as many
 * bits as the source had.
 * @module
 */
import type { VaeFile } from '../container/file.js';
import type { ParsedHeader } from '../container/read.js';
import { FormatError } from '../errors.js';
import type { PixelRows, PixelSink } from '../image/pixel-rows.js';
import type { Rect } from '../image/tiles.js';
import { joinAlpha } from './alpha.js';
import { readStream } from './metadata.js';
import { type Job, type PlaneSamples, type PlaneShape, withPlaneRows } from './planes.js';

/** Takes rows of colour, one or three channels, from the top. */
export type WriteRows = (rows: PixelRows) => Promise<void> | void;

/** Rows at once where nothing else says how many. */
const ROWS_AT_ONCE = 256;

/**
 * Lends `work` a way to write rows of colour; what else the file has for them is added on their way to the sink.
 * @param firstRow of the picture, the first that will be written
 */
export async function withComposer(
  job: Job,
  file: VaeFile,
  header: ParsedHeader,
  firstRow: number,
  sink: PixelSink,
  work: (write: WriteRows) => Promise<void>,
): Promise<void> {
  const { widthPx, grey, sixteenBit, mode } = header;
  const channels = grey ? 1 : 3;
  const residual = mode === 'model+residual' ? residualShape(header) : undefined;
  const alpha = header.alpha ? alphaShape(header) : undefined;
  await withRows(job, file, header, 'planes', residual, firstRow, (takeResidual) =>
    withRows(job, file, header, 'alpha', alpha, firstRow, (takeAlpha) =>
      work(async (colour) => {
        const rows = colour.length / (widthPx * channels);
        let composed = colour;
        if (takeResidual) composed = corrected(composed, await takeResidual(rows));
        if (sixteenBit && composed.BYTES_PER_ELEMENT === 1) composed = widened(composed);
        if (takeAlpha)
          composed = joinAlpha(composed, channels, (await takeAlpha(rows)) as PixelRows);
        await sink.writeRows(composed);
      }),
    ),
  );
}

/** The colour of a file without a model, the rows of a region. */
export async function decodePlanesOf(
  job: Job,
  file: VaeFile,
  header: ParsedHeader,
  region: Rect,
  write: WriteRows,
): Promise<void> {
  const { widthPx, heightPx, grey, sixteenBit } = header;
  const dtype = sixteenBit ? 'u16' : 'u8';
  const shape = { widthPx, heightPx, components: grey ? 1 : 3, dtype } as const;
  await withRows(job, file, header, 'planes', shape, region.y, async (take) => {
    for (let row = 0; take !== undefined && row < region.height; row += ROWS_AT_ONCE) {
      await write((await take(Math.min(ROWS_AT_ONCE, region.height - row))) as PixelRows);
    }
  });
}

/** As `withPlaneRows`, of a stream of the file; lends nothing where there is no such stream. */
async function withRows(
  job: Job,
  file: VaeFile,
  header: ParsedHeader,
  type: 'planes' | 'alpha',
  shape: PlaneShape | undefined,
  firstRow: number,
  work: (take?: (rows: number) => Promise<PlaneSamples>) => Promise<void>,
): Promise<void> {
  if (shape === undefined) return work();
  const stream = await readStream(file, header, type);
  if (stream === undefined) throw new FormatError(`decompress: expected a ${type} stream`, 0);
  await withPlaneRows(job, stream, shape, firstRow, work);
}

function residualShape({ widthPx, heightPx, grey, sixteenBit }: ParsedHeader): PlaneShape {
  if (sixteenBit) {
    throw new FormatError('decompress: expected a residual of 8-bit samples, got 16 bits', 0);
  }
  return { widthPx, heightPx, components: grey ? 1 : 3, dtype: 'i16' };
}

function alphaShape({ widthPx, heightPx, sixteenBit }: ParsedHeader): PlaneShape {
  return { widthPx, heightPx, components: 1, dtype: sixteenBit ? 'u16' : 'u8' };
}

/** Adds what the model left; a clamped array saturates as it stores. */
export function corrected(colour: PixelRows, residual: PlaneSamples): Uint8Array {
  const sum = new Uint8ClampedArray(colour.length);
  for (let i = 0; i < sum.length; i++) sum[i] = (colour[i] ?? 0) + (residual[i] ?? 0);
  return new Uint8Array(sum.buffer);
}

/** 8 bits as 16: black stays black, white white. */
function widened(colour: PixelRows): Uint16Array {
  return Uint16Array.from(colour, (value) => value * 257);
}
