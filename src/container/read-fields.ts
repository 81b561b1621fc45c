/**
 * The fields of a header whose CRC was right: what is illegal here was written so, and is refused all the same.
 * @module
 */
import { FormatError } from '../errors.js';
import { checkDimensions, type Limits } from '../limits.js';
import type { Cursor } from './cursor.js';
import {
  CODERS,
  COLOURS,
  type ContainerHeader,
  FLAG_ALPHA,
  FLAG_GREY,
  FLAG_MODEL_NAME,
  FLAG_SIXTEEN_BIT,
  MODEL_ID_BYTES,
  MODEL_NAME_MAX_BYTES,
  MODES,
  NO_MODEL_ID,
  RATE_MAX,
} from './layout.js';

/**
 * Reads from `widthPx` to `modelName` and leaves the cursor at `streamCount`.
 * @throws FormatError when a field is out of its range
 * @throws LimitError when the sides are over `limits`
 */
export function readFields(cursor: Cursor, limits: Limits | undefined): ContainerHeader {
  const sidesOffset = cursor.offset;
  const widthPx = cursor.varint();
  const heightPx = cursor.varint();
  if (widthPx === 0 || heightPx === 0) {
    throw new FormatError(
      `container: expected sides of at least 1 px, got ${widthPx}x${heightPx}`,
      sidesOffset,
    );
  }
  if (limits !== undefined) {
    checkDimensions('container', widthPx, heightPx, limits);
  }
  const modelIdOffset = cursor.offset;
  const modelId = Buffer.from(cursor.take(MODEL_ID_BYTES)).toString('hex');
  const rateOffset = cursor.offset;
  const rateAndMode = cursor.u16();
  const mode = fromCode('mode', MODES, rateAndMode >> 12, rateOffset);
  if ((modelId === NO_MODEL_ID) !== (mode === 'planes')) {
    throw new FormatError(
      `container: expected a model id of zero exactly in mode planes, got ${modelId} in mode ${mode}`,
      modelIdOffset,
    );
  }
  const colourOffset = cursor.offset;
  const colourAndCoder = cursor.u8();
  const colour = fromCode('colour', COLOURS, colourAndCoder & 15, colourOffset);
  const coder = fromCode('entropy coder', CODERS, colourAndCoder >> 4, colourOffset);
  const flagsOffset = cursor.offset;
  const flags = cursor.u8();
  if (flags > (FLAG_GREY | FLAG_ALPHA | FLAG_SIXTEEN_BIT | FLAG_MODEL_NAME)) {
    throw new FormatError(
      `container: expected flag bits 4 to 7 to be zero, got 0x${flags.toString(16)}`,
      flagsOffset,
    );
  }
  const sliceRowsOffset = cursor.offset;
  const sliceRows = cursor.varint();
  if (sliceRows > 0 && mode === 'planes') {
    throw new FormatError('container: expected no slices in mode planes', sliceRowsOffset);
  }
  return {
    widthPx,
    heightPx,
    modelId,
    ...((flags & FLAG_MODEL_NAME) !== 0 && { modelName: readModelName(cursor) }),
    rate: rateAndMode & RATE_MAX,
    mode,
    colour,
    coder,
    grey: (flags & FLAG_GREY) !== 0,
    alpha: (flags & FLAG_ALPHA) !== 0,
    sixteenBit: (flags & FLAG_SIXTEEN_BIT) !== 0,
    sliceRows,
  };
}

function readModelName(cursor: Cursor): string {
  const lengthOffset = cursor.offset;
  const byteLength = cursor.u8();
  if (byteLength < 1 || byteLength > MODEL_NAME_MAX_BYTES) {
    throw new FormatError(
      `container: expected a model name of 1 to ${MODEL_NAME_MAX_BYTES} bytes, got ${byteLength}`,
      lengthOffset,
    );
  }
  const name = Buffer.from(cursor.take(byteLength)).toString('latin1');
  // It ends up in terminals and logs, so nothing that steers them may come through.
  if (!/^[\x20-\x7e]+$/.test(name)) {
    throw new FormatError('container: expected a model name in printable ASCII', lengthOffset + 1);
  }
  return name;
}

function fromCode<Name extends string>(
  what: string,
  names: readonly Name[],
  code: number,
  byteOffset: number,
): Name {
  const name = names[code];
  if (name === undefined) {
    throw new FormatError(
      `container: expected ${what} code 0 to ${names.length - 1}, got ${code}`,
      byteOffset,
    );
  }
  return name;
}
