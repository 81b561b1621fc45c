/**
 * Image files that are written row by row.
 * @module
 */
import type { ImageFormat } from './formats.js';
import type { PixelSink } from './pixel-rows.js';
import { PngWriter } from './rows-png.js';
import { PnmWriter } from './rows-pnm.js';

/** Takes the bytes of a file in order; they are not to be kept, as their memory is used again. */
export type WriteBytes = (bytes: Uint8Array) => Promise<void> | void;

/** A sink that makes a file. */
export interface RowWriter extends PixelSink {
  /** Called once, after the last row: writes what is left. */
  end(): Promise<void> | void;
}

/** @throws from `begin`: UnsupportedError for a picture that the format does not hold */
export function writeImageRows(format: ImageFormat, write: WriteBytes): RowWriter {
  return format === 'png' ? new PngWriter(write) : new PnmWriter(format, write);
}
