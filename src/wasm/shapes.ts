/**
 * The shapes that kernels ask of tensors.
 * @module
 */
import { BackendError } from '../errors.js';
import type { TensorRef } from './arena.js';

/** [channels, height, width] of a planar tensor. @throws BackendError for any other shape, and for empty sides */
export function planarShape(ref: TensorRef): [channels: number, height: number, width: number] {
  const [channels, height, width] = ref.shape;
  if (ref.shape.length !== 3 || !channels || !height || !width) {
    throw new BackendError(
      `core: expected a tensor [channels, height, width], got [${ref.shape.join(',')}]`,
    );
  }
  return [channels, height, width];
}

/** [height, width] of a picture. @throws BackendError for any other shape, and for empty sides */
export function imageShape(ref: TensorRef): [height: number, width: number] {
  const [height, width, channels] = ref.shape;
  if (ref.shape.length !== 3 || channels !== 3 || !height || !width) {
    throw new BackendError(
      `core: expected a picture [height, width, 3], got [${ref.shape.join(',')}]`,
    );
  }
  return [height, width];
}

/** @throws BackendError where rows are not all of a tensor's `height` */
export function checkRows(firstRow: number, rows: number, height: number): void {
  if (!Number.isInteger(firstRow) || firstRow < 0 || rows < 1 || firstRow + rows > height) {
    throw new BackendError(
      `core: expected rows of a tensor of ${height}, got rows ${firstRow} to ${firstRow + rows}`,
    );
  }
}

/** @throws BackendError where they differ */
export function checkSameShape(a: TensorRef, b: TensorRef): void {
  if (a.shape.join() !== b.shape.join()) {
    throw new BackendError(
      `core: expected equal shapes, got [${a.shape.join(',')}] and [${b.shape.join(',')}]`,
    );
  }
}
