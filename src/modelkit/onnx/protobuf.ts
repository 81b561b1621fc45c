/**
 * The wire format of Protocol Buffers, as far as ONNX uses it. What is written is kept as a list of chunks, so that
 * weights are never copied into the messages around them; what is read may be hostile and is bounded by its own bytes.
 * @module
 */
import { FormatError } from '../../errors.js';

/** Bytes in pieces, to be put together once at the end. */
export interface Chunks {
  readonly parts: readonly Uint8Array[];
  readonly byteLength: number;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** One message being written; fields go out in the order of the calls. */
export class MessageWriter implements Chunks {
  readonly parts: Uint8Array[] = [];
  byteLength = 0;

  /** An int64 or an enum; negative values take ten bytes, as the format has it. */
  integer(field: number, value: number | bigint): this {
    this.#tag(field, VARINT);
    return this.#push(varint(value));
  }

  float(field: number, value: number): this {
    this.#tag(field, FIXED32);
    return this.#push(new Uint8Array(Float32Array.of(value).buffer));
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, 'utf8'));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, BYTES);
    this.#push(varint(value.length));
    return this.#push(value);
  }

  message(field: number, message: Chunks): this {
    this.#tag(field, BYTES);
    this.#push(varint(message.byteLength));
    for (const part of message.parts) this.#push(part);
    return this;
  }

  #tag(field: number, wireType: number): void {
    this.#push(varint(field * 8 + wireType));
  }

  #push(bytes: Uint8Array): this {
    this.parts.push(bytes);
    this.byteLength += bytes.length;
    return this;
  }
}

function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** A field as it was read: `bigint` for integers, bytes for everything else. */
export interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
  /** Where the field's value begins, counted from the start of the file. */
  readonly byteOffset: number;
}

/**
 * The fields of one message, in order. Values are views of the given bytes.
 * @param baseOffset where `bytes` begin in the file, for messages
 * @throws FormatError for a field that is cut off, too long or of a kind that ONNX does not use
 */
export function* fieldsOf(bytes: Uint8Array, baseOffset: number): Generator<Field> {
  let at = 0;
  const fail = (what: string): never => {
    throw new FormatError(`onnx: expected ${what}`, baseOffset + at);
  };
  const integer = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) return fail('a whole number, got the end of its message');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    return fail('a number of at most 10 bytes, got a longer one');
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) {
      return fail(`${length} bytes of a field, got ${bytes.length - at} to the end of its message`);
    }
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = integer();
    const number = Number(tag >> 3n);
    if (number === 0 || number > 2 ** 29) fail(`a field number, got ${number}`);
    const wireType = Number(tag & 7n);
    let value: bigint | Uint8Array;
    if (wireType === VARINT) value = integer();
    else if (wireType === FIXED64) value = take(8);
    else if (wireType === FIXED32) value = take(4);
    else if (wireType === BYTES) {
      const length = integer();
      value = take(
        length > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(length),
      );
    } else return fail(`a field of a kind that ONNX uses, got wire type ${wireType}`);
    const byteOffset = baseOffset + at - (typeof value === 'bigint' ? 0 : value.length);
    yield { number, value, byteOffset };
  }
}

/** Integers of a repeated field, packed into one or alone. */
export function* integersOf(field: Field): Generator<bigint> {
  if (typeof field.value === 'bigint') {
    yield BigInt.asIntN(64, field.value);
    return;
  }
  let value = 0n;
  let shift = 0n;
  for (const byte of field.value) {
    if (shift > 63n)
      throw new FormatError('onnx: expected a number of at most 10 bytes', field.byteOffset);
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte < 0x80) {
      yield BigInt.asIntN(64, value);
      value = 0n;
      shift = 0n;
    }
  }
  if (shift !== 0n) {
    throw new FormatError(
      'onnx: expected whole packed numbers, got a part of one',
      field.byteOffset,
    );
  }
}

/** @throws FormatError when the field is a number */
export function bytesOf(field: Field): Uint8Array {
  if (typeof field.value === 'bigint') {
    throw new FormatError(
      `onnx: expected bytes in field ${field.number}, got a number`,
      field.byteOffset,
    );
  }
  return field.value;
}

/** @throws FormatError when the field is bytes, or a number that does not fit 53 bits */
export function integerOf(field: Field): number {
  const value = typeof field.value === 'bigint' ? BigInt.asIntN(64, field.value) : undefined;
  if (value === undefined || !Number.isSafeInteger(Number(value))) {
    throw new FormatError(
      `onnx: expected a whole number in field ${field.number}`,
      field.byteOffset,
    );
  }
  return Number(value);
}

/** Little-endian f32 of a fixed field or of packed ones. */
export function floatsOf(field: Field): Float32Array {
  const bytes = bytesOf(field);
  if (bytes.length % 4 !== 0) {
    throw new FormatError('onnx: expected whole floats, got a part of one', field.byteOffset);
  }
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
