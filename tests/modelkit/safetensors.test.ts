import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { FormatError, VaeransError } from 'vaerans';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors, parseSafetensors } from '#src/modelkit/safetensors.js';
import { safetensors } from './craft.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'vaerans-safetensors-'));
});
afterAll(() => rm(root, { recursive: true }));

/** A file of this header, with so much data after it. */
function file(header: string | object, dataByteLength = 0): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(dataByteLength)]);
}

const parse = (bytes: Buffer) => parseSafetensors(bytes, bytes.length);
const f32 = (shape: unknown, data_offsets: unknown) => ({ dtype: 'F32', shape, data_offsets });

describe('a safetensors header', () => {
  it('gives names, shapes and places in the file', () => {
    const bytes = file(
      { __metadata__: { a: 'b' }, x: f32([2, 3], [0, 24]), y: f32([], [24, 28]) },
      28,
    );
    const tensors = parse(bytes);
    expect([...tensors.keys()]).toEqual(['x', 'y']);
    expect(tensors.get('x')).toMatchObject({ shape: [2, 3], byteLength: 24 });
    expect(tensors.get('y')?.byteOffset).toBe(bytes.length - 4);
  });

  it.each([
    ['no header', Buffer.alloc(3), /8 bytes of header length/],
    ['100 MB of header', hugeHeader(100 * 2 ** 20), /header of 2 to/],
    ['a header of 2^63 bytes', hugeHeader(2n ** 63n), /header of 2 to/],
    ['a header beyond the file', hugeHeader(1000), /1000 bytes of header/],
    ['a header that is no JSON', file('{"x":'), /JSON object/],
    ['a header that is a list', file('[]'), /JSON object/],
    ['a header that is not UTF-8', file('{"\xff":1}').fill(0xff, 10, 11), /UTF-8/],
    ['a name twice', file('{"x":{"dtype":"F32"},"x" :{"dtype":"F32"}}'), /once, got "x" twice/],
    ['a field twice', file('{"x":{"dtype":"F32","dtype":"F32"}}'), /"dtype" twice/],
    ['deep nesting', file(`{"x":${'['.repeat(1e5)}`), /three levels/],
    ['a million tensors', file(`{${'"x":{},'.repeat(2e5)}}`), /twice|at most 65536/],
    [
      'an unknown dtype',
      file({ x: { dtype: 'Q4', shape: [1], data_offsets: [0, 4] } }, 4),
      /dtype/,
    ],
    ['a negative offset', file({ x: f32([1], [-4, 0]) }, 4), /two whole offsets/],
    ['offsets in the wrong order', file({ x: f32([1], [4, 0]) }, 4), /got 4 to 0/],
    ['offsets beyond the file', file({ x: f32([2], [0, 8]) }, 4), /within 4 bytes/],
    ['huge sides', file({ x: f32([2 ** 40, 2 ** 40], [0, 4]) }, 4), /elements/],
    ['a fraction of a side', file({ x: f32([1.5], [0, 6]) }, 6), /whole sides/],
    ['more elements than bytes', file({ x: f32([3], [0, 8]) }, 8), /3 elements of 4 bytes/],
    [
      'tensors that overlap',
      file({ x: f32([2], [0, 8]), y: f32([2], [4, 12]) }, 12),
      /side by side/,
    ],
    ['a gap', file({ x: f32([1], [0, 4]), y: f32([1], [8, 12]) }, 12), /side by side/],
    ['bytes after the last tensor', file({ x: f32([1], [0, 4]) }, 5), /1 bytes more/],
    ['nothing where a tensor should be', file({ x: null }), /dtype/],
  ])('is refused with %s', (_, bytes, message) => {
    expect(() => parse(bytes as Buffer)).toThrow(FormatError);
    expect(() => parse(bytes as Buffer)).toThrow(message as RegExp);
  });

  function hugeHeader(claimed: number | bigint): Buffer {
    const bytes = file('{}');
    bytes.writeBigUInt64LE(BigInt(claimed));
    return bytes;
  }

  it('is refused at every truncation', () => {
    const whole = safetensors(new Map([['x', { shape: [2], values: Float32Array.of(1, 2) }]]));
    for (let length = 0; length < whole.length; length++) {
      expect(() => parse(whole.subarray(0, length)), `${length}`).toThrow(FormatError);
    }
  });

  it('gives an error of ours or sound tensors for any damage', () => {
    const whole = safetensors(
      new Map([
        ['a.weight', { shape: [2, 2], values: new Float32Array(4) }],
        ['b', { shape: [3], values: new Float32Array(3) }],
      ]),
    );
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(damage, (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          for (const { byteOffset, byteLength } of parse(bytes).values()) {
            expect(byteOffset + byteLength).toBeLessThanOrEqual(bytes.length);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(VaeransError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a safetensors file', () => {
  it('gives floats of every width', async () => {
    const path = join(root, 'widths.safetensors');
    const header = {
      f32: f32([1], [0, 4]),
      f16: { dtype: 'F16', shape: [3], data_offsets: [4, 10] },
      bf16: { dtype: 'BF16', shape: [1], data_offsets: [10, 12] },
      f64: { dtype: 'F64', shape: [1], data_offsets: [12, 20] },
      i8: { dtype: 'I8', shape: [1], data_offsets: [20, 21] },
    };
    const data = Buffer.alloc(21);
    data.writeFloatLE(1.25, 0);
    for (const [at, half] of [0x3e00, 0xc000, 0x0001].entries())
      data.writeUInt16LE(half, 4 + 2 * at);
    data.writeUInt16LE(0x4049, 10);
    data.writeDoubleLE(-0.5, 12);
    await writeFile(path, Buffer.concat([file(header), data]));
    const source = await openSafetensors(path);
    expect([...(await source.read('f32'))]).toEqual([1.25]);
    expect([...(await source.read('f16'))]).toEqual([1.5, -2, 2 ** -24]);
    expect([...(await source.read('bf16'))]).toEqual([3.140625]);
    expect([...(await source.read('f64'))]).toEqual([-0.5]);
    await expect(source.read('i8')).rejects.toThrow(/in I8/);
    await source.close();
  });

  it('that claims 100 MB of header costs neither time nor memory', async () => {
    const path = join(root, 'huge.safetensors');
    const bytes = file('{}');
    bytes.writeBigUInt64LE(100n * 2n ** 20n);
    await writeFile(path, bytes);
    const before = process.memoryUsage().arrayBuffers;
    await expect(openSafetensors(path)).rejects.toThrow(FormatError);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6);
  });
});
