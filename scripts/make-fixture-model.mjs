// Writes models/fixture: a tiny linear codec (4x4 Haar-like sums of YCoCg) whose every weight is a short dyadic
// fraction and whose input is 0 to 255, so that f32 arithmetic is exact in any order and golden files made with it
// hold on every machine. It is frozen: running this again must change nothing (a test compares).
//
// With --two-grids FOLDER it writes a model of two latent grids for tests instead: the means over 8x8 px are a grid of
// their own, and the means over 4x4 px are what is left of them. It has no context model yet, which it needs.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const isTwoGrids = process.argv[2] === '--two-grids';
const folder =
  process.argv[isTwoGrids ? 3 : 2] ?? join(import.meta.dirname, '..', 'models', 'fixture');

const FLOAT = 1;
const STRIDE = 4;
const CHANNELS = 8;

// --- The few protobuf messages of ONNX that two convolutions and a shuffle need (onnx.proto3 field numbers).
function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}
const integer = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const bytes = (field, value) => {
  const content = Buffer.from(value);
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);
};
const message = (...fields) => Buffer.concat(fields.flat());

const attributeInts = (name, values) =>
  message(
    bytes(1, name),
    values.map((value) => integer(8, value)),
    integer(20, 7),
  );
const attributeInt = (name, value) => message(bytes(1, name), integer(3, value), integer(20, 2));
const attributeString = (name, value) => message(bytes(1, name), bytes(4, value), integer(20, 3));
const node = (type, inputs, output, ...attributes) =>
  message(
    inputs.map((name) => bytes(1, name)),
    bytes(2, output),
    bytes(4, type),
    attributes.map((attribute) => bytes(5, attribute)),
  );
const tensor = (name, dims, values) =>
  message(
    dims.map((dim) => integer(1, dim)),
    integer(2, FLOAT),
    bytes(8, name),
    bytes(9, Buffer.from(Float32Array.from(values).buffer)),
  );
const valueInfo = (name, dims) => {
  const shape = dims.map((dim) =>
    bytes(1, typeof dim === 'string' ? bytes(2, dim) : integer(1, dim)),
  );
  return message(
    bytes(1, name),
    bytes(2, bytes(1, message(integer(1, FLOAT), bytes(2, message(shape))))),
  );
};
const model = (name, nodes, initializers, inputs, outputs) =>
  message(
    integer(1, 8),
    bytes(2, 'vaerans'),
    bytes(
      7,
      message(
        nodes.map((entry) => bytes(1, entry)),
        bytes(2, name),
        initializers.map((entry) => bytes(5, entry)),
        inputs.map((input) => bytes(11, input)),
        outputs.map((output) => bytes(12, output)),
      ),
    ),
    bytes(8, integer(2, 13)),
  );

// --- The codec. Channels: mean, left-right, top-bottom and checker of Y; mean of Co and Cg; left-right of each.
const side = (index) => (index < STRIDE / 2 ? 1 : -1);
const SIGN = [
  () => 1,
  (x) => side(x),
  (_x, y) => side(y),
  (x, y) => side(x) * side(y),
  () => 1,
  () => 1,
  (x) => side(x),
  (x) => side(x),
];
const FROM_RGB = { y: [1 / 4, 1 / 2, 1 / 4], co: [1 / 2, 0, -1 / 2], cg: [-1 / 4, 1 / 2, -1 / 4] };
const TO_RGB = { y: [1, 1, 1], co: [1, 0, -1], cg: [-1, 1, -1] };
const PLANE = ['y', 'y', 'y', 'y', 'co', 'cg', 'co', 'cg'];
const positions = Array.from({ length: STRIDE * STRIDE }, (_, i) => [i % STRIDE, i >> 2]);

const analysis = PLANE.flatMap((plane, channel) =>
  FROM_RGB[plane].flatMap((weight) =>
    positions.map(([x, y]) => (weight * SIGN[channel](x, y)) / positions.length),
  ),
);
const analysisBias = PLANE.map((_, channel) => (channel === 0 ? -128 : 0));
// The mean of Y is smoothed a little over its neighbours, so that the decoder has a margin to be tested.
const smoothing = PLANE.flatMap((_, channel) =>
  channel === 0 ? [0, 1 / 32, 0, 1 / 32, 7 / 8, 1 / 32, 0, 1 / 32, 0] : [0, 0, 0, 0, 1, 0, 0, 0, 0],
);
const synthesis = [0, 1, 2].flatMap((colour) =>
  positions.flatMap(([x, y]) =>
    PLANE.map((plane, channel) => TO_RGB[plane][colour] * SIGN[channel](x, y)),
  ),
);

const imageInfo = valueInfo('image', ['n', 3, 'h', 'w']);
const latentInfo = valueInfo('latent', ['n', CHANNELS, 'lh', 'lw']);

// --- The coarse grid: means of Y, Co and Cg over twice the stride, which the fine grid's means then lack.
const COARSE = ['y', 'co', 'cg'];
const COARSE_STRIDE = 2 * STRIDE;
const coarseAnalysis = COARSE.flatMap((plane) =>
  FROM_RGB[plane].flatMap((weight) =>
    new Array(COARSE_STRIDE ** 2).fill(weight / COARSE_STRIDE ** 2),
  ),
);
/** Every mean four times, to be shuffled into the four places of its cell. */
const fourfold = COARSE.flatMap((_, mean) =>
  [0, 1, 2, 3].flatMap(() => COARSE.map((_plane, from) => (from === mean ? 1 : 0))),
);
const meansOf = (sign) =>
  PLANE.flatMap((plane, channel) =>
    COARSE.map((mean) => (mean === plane && PLANE.indexOf(plane) === channel ? sign : 0)),
  );
/** Adds or takes away the coarse means. */
const addCoarse = (coarse, from, to, sign) => [
  node('Conv', [coarse, 'fourfold'], `${to}_four`, attributeInts('kernel_shape', [1, 1])),
  node(
    'DepthToSpace',
    [`${to}_four`],
    `${to}_means`,
    attributeInt('blocksize', 2),
    attributeString('mode', 'CRD'),
  ),
  node('Conv', [`${to}_means`, sign], `${to}_added`, attributeInts('kernel_shape', [1, 1])),
  node('Add', [from, `${to}_added`], to),
];
const coarseTensors = (name, sign) => [
  tensor('fourfold', [4 * COARSE.length, COARSE.length, 1, 1], fourfold),
  tensor(name, [CHANNELS, COARSE.length, 1, 1], meansOf(sign)),
];
const coarseInfo = valueInfo('coarse', ['n', COARSE.length, 'ch', 'cw']);

const analysed = (output) =>
  node(
    'Conv',
    ['image', 'analysis', 'bias'],
    output,
    attributeInts('kernel_shape', [STRIDE, STRIDE]),
    attributeInts('strides', [STRIDE, STRIDE]),
  );
const coarseNode = node(
  'Conv',
  ['image', 'coarse_analysis', 'coarse_bias'],
  'coarse',
  attributeInts('kernel_shape', [COARSE_STRIDE, COARSE_STRIDE]),
  attributeInts('strides', [COARSE_STRIDE, COARSE_STRIDE]),
);
const analysisTensors = [
  tensor('analysis', [CHANNELS, 3, STRIDE, STRIDE], analysis),
  tensor('bias', [CHANNELS], analysisBias),
];
const encoder = isTwoGrids
  ? model(
      'encoder',
      [coarseNode, analysed('whole'), ...addCoarse('coarse', 'whole', 'latent', 'less')],
      [
        ...analysisTensors,
        tensor('coarse_analysis', [COARSE.length, 3, COARSE_STRIDE, COARSE_STRIDE], coarseAnalysis),
        tensor('coarse_bias', [COARSE.length], [-128, 0, 0]),
        ...coarseTensors('less', -1),
      ],
      [imageInfo],
      // Against the manifest's order, which is told by names.
      [latentInfo, coarseInfo],
    )
  : model('encoder', [analysed('latent')], analysisTensors, [imageInfo], [latentInfo]);
const decoder = model(
  'decoder',
  [
    ...(isTwoGrids ? addCoarse('coarse', 'latent', 'whole', 'more') : []),
    node(
      'Conv',
      [isTwoGrids ? 'whole' : 'latent', 'smoothing'],
      'smooth',
      attributeInts('kernel_shape', [3, 3]),
      attributeInts('pads', [1, 1, 1, 1]),
      attributeInt('group', CHANNELS),
    ),
    node('Conv', ['smooth', 'synthesis', 'bias'], 'phases', attributeInts('kernel_shape', [1, 1])),
    node(
      'DepthToSpace',
      ['phases'],
      'image',
      attributeInt('blocksize', STRIDE),
      attributeString('mode', 'CRD'),
    ),
  ],
  [
    tensor('smoothing', [CHANNELS, 1, 3, 3], smoothing),
    tensor('synthesis', [3 * positions.length, CHANNELS, 1, 1], synthesis),
    tensor('bias', [3 * positions.length], new Array(3 * positions.length).fill(128)),
    ...(isTwoGrids ? coarseTensors('more', 1) : []),
  ],
  isTwoGrids ? [latentInfo, coarseInfo] : [latentInfo],
  [imageInfo],
);

// Steps from 32 at rate 0 to 1 at rate 4095, the same for every channel.
const allChannels = CHANNELS + (isTwoGrids ? COARSE.length : 0);
const logGain = [-Math.log(32), 0].map((log) =>
  new Array(allChannels).fill(Number(log.toFixed(6))),
);
const logInverseGain = logGain.map((knot) => knot.map((log) => (log === 0 ? 0 : -log)));
const sha256 = (content) => createHash('sha256').update(content).digest('hex');
const manifest = {
  schemaVersion: 1,
  name: isTwoGrids ? 'two-grids' : 'fixture',
  version: '1',
  licence: 'Apache-2.0',
  encoder: { file: 'encoder.onnx', sha256: sha256(encoder), marginPx: 0 },
  decoder: { file: 'decoder.onnx', sha256: sha256(decoder), marginPx: 4 },
  grids: isTwoGrids
    ? [
        { channels: COARSE.length, stridePx: COARSE_STRIDE, name: 'coarse' },
        { channels: CHANNELS, stridePx: STRIDE, name: 'latent' },
      ]
    : [{ channels: CHANNELS, stridePx: STRIDE }],
  inputRange: [0, 255],
  padToPx: isTwoGrids ? COARSE_STRIDE : STRIDE,
  tilePx: 64,
  rate: { logGain, logInverseGain },
  quality: Array.from({ length: 100 }, (_, index) => Math.round((index / 99) * 4095)),
  residualFrom: 4096,
  card: 'A linear codec for tests; it never changes.',
};

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'encoder.onnx'), encoder);
writeFileSync(join(folder, 'decoder.onnx'), decoder);
writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
