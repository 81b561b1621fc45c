import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { FormatError, LimitError, UnsupportedError, VaeransError } from 'vaerans';
import { describe, expect, it } from 'vitest';
import { DataType, encodeModel, type OnnxModel } from '#src/modelkit/onnx/model.js';
import { MessageWriter } from '#src/modelkit/onnx/protobuf.js';
import { decodeModel } from '#src/modelkit/onnx/read.js';
import { Graph } from '#src/vae/graph.js';

const MODELS = join(import.meta.dirname, '../../models');
const decoderBytes = readFileSync(join(MODELS, 'fixture/decoder.onnx'));

/** A file around one graph field. */
function fileOf(graph: MessageWriter): Buffer {
  const opset = new MessageWriter().integer(2, 17);
  const file = new MessageWriter().integer(1, 8).message(7, graph).message(8, opset);
  return Buffer.concat(file.parts);
}

function tensorOf(dims: readonly number[], dataType: number, bytes: Uint8Array): MessageWriter {
  const tensor = new MessageWriter();
  for (const side of dims) tensor.integer(1, side);
  return tensor.integer(2, dataType).text(8, 'w').bytes(9, bytes);
}

describe('an ONNX graph', () => {
  it.each(['fixture/encoder', 'fixture/decoder', 'psnr/encoder', 'eye/decoder'])(
    'of %s is the same after reading and writing, and runs the same',
    async (name) => {
      const bytes = readFileSync(join(MODELS, `${name}.onnx`));
      const model = decodeModel(bytes);
      const written = encodeModel(model);
      expect(decodeModel(written)).toEqual(model);
      const channels = model.inputs[0]?.dims[1] as number;
      const input = {
        values: Float32Array.from({ length: channels * 256 }, (_, i) => Math.sin(i)),
        shape: [1, channels, 16, 16],
      };
      const results = [];
      for (const graphBytes of [bytes, written]) {
        const graph = await Graph.open(graphBytes, { threads: 1 });
        results.push(await graph.run(input));
        await graph.release();
      }
      expect(results[1]).toEqual(results[0]);
    },
  );

  it('with numbers in typed fields reads like one with raw bytes', () => {
    const typed = new MessageWriter()
      .integer(1, 2)
      .integer(2, DataType.float)
      .text(8, 'w')
      .bytes(4, new Uint8Array(Float32Array.of(1.5, -2).buffer));
    const ints = new MessageWriter().integer(1, 2).integer(2, DataType.int64).text(8, 'i');
    ints.integer(7, -1).integer(7, 5);
    const { weights } = decodeModel(fileOf(new MessageWriter().message(5, typed).message(5, ints)));
    expect([...new Float32Array(Uint8Array.from(weights[0]?.bytes ?? []).buffer)]).toEqual([
      1.5, -2,
    ]);
    expect([...new BigInt64Array(Uint8Array.from(weights[1]?.bytes ?? []).buffer)]).toEqual([
      -1n,
      5n,
    ]);
  });

  it('of a million nodes is refused within a second and little memory', () => {
    const node = new MessageWriter().text(4, 'Relu').text(1, 'x').text(2, 'x');
    const field = Buffer.concat(new MessageWriter().message(1, node).parts);
    const graph = Buffer.concat(new Array<Buffer>(1_000_000).fill(field));
    const writer = new MessageWriter();
    writer.parts.push(graph);
    writer.byteLength += graph.length;
    const bytes = fileOf(writer);
    const before = process.memoryUsage().heapUsed;
    expect(() => decodeModel(bytes)).toThrow(LimitError);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100e6);
  });

  it.each([
    ['weights in another file', external('../../etc/passwd'), UnsupportedError, /inside the graph/],
    ['control flow', withAttribute(6), UnsupportedError, /control flow/],
    ['functions', functions(), UnsupportedError, /functions/],
    ['operators of others', otherDomain(), UnsupportedError, /operators of 'evil'/],
    ['huge sides', sides([2 ** 40, 2 ** 40]), FormatError, /shape for 'w'/],
    ['negative sides', sides([-4]), FormatError, /shape for 'w'/],
    ['fewer bytes than sides', sides([1000]), FormatError, /4000 bytes for 'w' \[1000\], got 4/],
    ['no graph', Buffer.from([8, 8]), FormatError, /an operator set and a graph/],
    ['nothing', Buffer.alloc(0), FormatError, /an operator set and a graph/],
    [
      'a field that is cut off',
      Buffer.from([0x3a, 0xff, 0xff, 0x01]),
      FormatError,
      /bytes of a field/,
    ],
    ['an endless number', Buffer.alloc(20, 0xff), FormatError, /at most 10 bytes/],
  ])('with %s is refused', (_, bytes, kind, message) => {
    expect(() => decodeModel(bytes as Buffer)).toThrow(kind as unknown as new () => Error);
    expect(() => decodeModel(bytes as Buffer)).toThrow(message as RegExp);
  });

  function external(location: string): Buffer {
    const entry = new MessageWriter().text(1, 'location').text(2, location);
    const tensor = new MessageWriter().integer(1, 4).integer(2, DataType.float).text(8, 'w');
    return fileOf(new MessageWriter().message(5, tensor.message(13, entry).integer(14, 1)));
  }

  function withAttribute(field: number): Buffer {
    const attribute = new MessageWriter().text(1, 'then').message(field, new MessageWriter());
    return fileOf(
      new MessageWriter().message(1, new MessageWriter().text(4, 'If').message(5, attribute)),
    );
  }

  function functions(): Buffer {
    return Buffer.concat(new MessageWriter().message(25, new MessageWriter().text(1, 'f')).parts);
  }

  function otherDomain(): Buffer {
    return fileOf(new MessageWriter().message(1, new MessageWriter().text(4, 'X').text(7, 'evil')));
  }

  function sides(dims: readonly number[]): Buffer {
    return fileOf(
      new MessageWriter().message(5, tensorOf(dims, DataType.float, new Uint8Array(4))),
    );
  }

  it('gives an error of ours or a graph for every truncation and any damage', () => {
    const tryOut = (bytes: Uint8Array) => {
      try {
        decodeModel(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(VaeransError);
      }
    };
    for (let length = 0; length < decoderBytes.length; length += 7) {
      tryOut(decoderBytes.subarray(0, length));
    }
    const damage = fc.array(fc.tuple(fc.nat(decoderBytes.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(damage, (changes) => {
        const bytes = Buffer.from(decoderBytes);
        for (const [at, value] of changes) bytes[at] = value;
        tryOut(bytes);
      }),
      { numRuns: 1000 },
    );
  });
});

it('names of negative and large whole numbers survive', () => {
  const model: OnnxModel = {
    irVersion: 8,
    producer: 'test',
    opsets: new Map([['', 17]]),
    name: 'g',
    nodes: [
      {
        opType: 'Slice',
        domain: '',
        name: 'n',
        inputs: ['x', ''],
        outputs: ['y'],
        attributes: new Map([
          ['ints', { kind: 'ints', ints: [-1n, 2n ** 63n - 1n, -(2n ** 63n)] }],
          ['empty', { kind: 'ints', ints: [] }],
          ['floats', { kind: 'floats', floats: [0.5, -2] }],
          ['float', { kind: 'float', float: 0.25 }],
          ['int', { kind: 'int', int: -7n }],
        ]),
      },
    ],
    weights: [],
    inputs: [{ name: 'x', dataType: 1, dims: ['n', 3, undefined] }],
    outputs: [],
  };
  expect(decodeModel(encodeModel(model))).toEqual(model);
});
