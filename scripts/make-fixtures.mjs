/**
 * Writes the drawn pictures of fixtures/: text, an interface, gradients, noise, alpha, 16 bits, palettes, odd sizes, and
 * one JPEG. Plain arithmetic and a hash for chance, so that pixels always come out the same; bytes too for one zlib.
 * `photo.png` has a script of its own.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import jpeg from 'jpeg-js';
import { Canvas, chunk, png } from './fixtures/canvas.mjs';
import { LINE } from './fixtures/font.mjs';

const FOLDER = new URL('../fixtures/', import.meta.url);

const PAPER = [255, 253, 247];
const INK = [24, 24, 32];

const PROSE = [
  'A picture is worth a thousand words, yet a',
  'page of words is the hardest picture of all:',
  'every stroke is an edge, and every edge is',
  'either kept or seen to be gone. (1 2 3 4 5)',
  'The quick brown fox jumps over the lazy dog,',
  'pack my box with five dozen liquor jugs.',
  '0123456789  +-*/=%#  "quoted"  a/b  x*y = 42',
  'HOW VEXINGLY QUICK DAFT ZEBRAS JUMP!',
];

/** @returns 0 to 1, the same on every machine */
function hash(x, y, z) {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(z, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

function text(paper, ink, accent) {
  const canvas = new Canvas(560, 400, paper);
  canvas.text(12, 10, 'Of Edges', accent, 4);
  canvas.text(12, 52, 'and how they are coded', ink, 2);
  let top = 80;
  for (const [size, lines] of [
    [1, 8],
    [2, 8],
    [3, 1],
  ]) {
    const columns = Math.floor(536 / (6 * size));
    for (const line of PROSE.slice(0, lines)) {
      canvas.text(12, top, line.slice(0, columns), top % 3 === 0 ? accent : ink, size);
      top += LINE * size;
    }
    top += 6;
  }
  return canvas;
}

function screenshot() {
  const canvas = new Canvas(640, 400, [58, 110, 165]);
  canvas.frame(20, 16, 600, 368, [245, 245, 245], [80, 80, 80]);
  canvas.box(21, 17, 598, 24, [44, 62, 80]);
  canvas.text(32, 22, 'Pictures - 12 files', [255, 255, 255], 2);
  for (const [index, colour] of [
    [231, 76, 60],
    [241, 196, 15],
    [46, 204, 113],
  ].entries()) {
    canvas.frame(552 + index * 22, 21, 16, 16, colour, [30, 40, 50]);
  }
  for (const [index, name] of ['File', 'Edit', 'View', 'Tools', 'Help'].entries()) {
    canvas.text(32 + index * 48, 48, name, INK);
  }
  canvas.box(21, 60, 598, 1, [200, 200, 200]);
  for (const [index, name] of ['Home', 'Kodak', 'Scans', 'Phone', 'Trash'].entries()) {
    const isChosen = index === 1;
    canvas.box(28, 70 + index * 24, 108, 20, isChosen ? [52, 152, 219] : [236, 240, 241]);
    canvas.text(38, 76 + index * 24, name, isChosen ? [255, 255, 255] : INK);
  }
  canvas.box(144, 61, 1, 322, [200, 200, 200]);
  for (let row = 0; row < 12; row++) {
    const top = 70 + row * 22;
    if (row % 2 === 1) canvas.box(150, top - 4, 462, 22, [236, 240, 245]);
    canvas.frame(156, top, 12, 12, [255, 255, 255], [120, 120, 120]);
    if (row % 3 === 0) canvas.text(159, top + 2, 'x', [39, 174, 96]);
    canvas.text(180, top + 3, `picture-${String(row + 1).padStart(2, '0')}.png`, INK);
    canvas.text(340, top + 3, `${Math.round(200 + 700 * hash(row, 1, 2))} kB`, [90, 90, 90]);
    const share = Math.round(150 * hash(row, 3, 4));
    canvas.frame(440, top, 160, 12, [220, 224, 228], [160, 160, 160]);
    for (let x = 0; x < share; x++) canvas.box(442 + x, top + 2, 1, 8, [52, 120 + x / 2, 219]);
  }
  canvas.frame(428, 344, 84, 26, [225, 225, 225], [110, 110, 110]);
  canvas.text(452, 354, 'Cancel', INK);
  canvas.frame(522, 344, 84, 26, [52, 152, 219], [31, 97, 141]);
  canvas.text(540, 354, 'Compress', [255, 255, 255]);
  return canvas;
}

function hue(turn) {
  return [0, 1 / 3, 2 / 3].map((at) => 0.5 + 0.5 * Math.cos(2 * Math.PI * (turn - at)));
}

/** Four fields: a ramp of grey, a turn of hues, a soft disc, and one dark and slow enough to show bands. */
function gradient(x, y) {
  const u = (x % 128) / 127;
  const v = (y % 128) / 127;
  if (y < 128) return x < 128 ? [u, u, u] : hue(u).map((part) => part * (1 - v) + v);
  if (x < 128) {
    const distance = Math.hypot(u - 0.5, v - 0.5);
    return [1 - distance, 0.8 - distance, 0.3 + distance / 2];
  }
  return [0.1 + 0.06 * u, 0.1 + 0.06 * v, 0.16 - 0.05 * u * v];
}

/** A soft ball on nothing. */
function ball(x, y) {
  const distance = Math.hypot(x - 80, y - 60) / 55;
  const light = Math.max(0, 1 - Math.hypot(x - 62, y - 42) / 70);
  const alpha = Math.min(1, Math.max(0, (1 - distance) * 4));
  return alpha === 0 ? [0, 0, 0, 0] : [0.25 + 0.75 * light, 0.1 + 0.6 * light, 0.2 * light, alpha];
}

/** A palette of 16 with one transparent colour; 4 bits a pixel. */
function palette() {
  const colours = Array.from({ length: 16 }, (_, at) =>
    hue(at / 16).map((p) => Math.round(p * 255)),
  );
  const lines = [];
  for (let y = 0; y < 64; y++) {
    lines.push(0);
    for (let x = 0; x < 96; x += 2) {
      const index = (at) => (((at >> 3) + (y >> 3)) * 5) & 15;
      lines.push((index(x) << 4) | index(x + 1));
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(96, 0);
  head.writeUInt32BE(64, 4);
  head.set([4, 3], 8);
  return png(
    chunk('IHDR', head),
    chunk('PLTE', colours.flat()),
    chunk('tRNS', [0]),
    chunk('IDAT', deflateSync(Buffer.from(lines), { level: 9 })),
  );
}

/** Segments put behind the first two bytes of a JPEG. */
function withSegments(file, ...segments) {
  const parts = segments.flatMap(([marker, ...texts]) => {
    const body = Buffer.concat(texts.map((text) => Buffer.from(text, 'latin1')));
    return [Buffer.of(0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255), body];
  });
  return Buffer.concat([file.subarray(0, 2), ...parts, file.subarray(2)]);
}

/** A TIFF structure of one entry, an orientation. */
const orientation = (value) =>
  Buffer.from(
    `MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0${String.fromCharCode(value)}\0\0\0\0\0\0`,
    'latin1',
  );

const XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><about>Of Edges</about></x:xmpmeta>';

/** The gradients as a camera that was turned stores them, with an Exif tag to turn them back. */
function turnedJpeg(value, side = 256, rows = 160) {
  const upright = new Canvas(side, rows, [0, 0, 0]).fill((x, y) => gradient(x, y + 48));
  upright.text(
    side < 200 ? 6 : 20,
    rows - (side < 200 ? 20 : 60),
    'This way up',
    [255, 255, 255],
    side < 200 ? 1 : 3,
  );
  const isTransposed = value >= 5;
  const [width, height] = isTransposed ? [rows, side] : [side, rows];
  const rgba = Buffer.alloc(side * rows * 4, 255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Where a stored pixel belongs: 5 to 8 have rows and columns exchanged, of which one or both run backwards.
      const [across, down] = isTransposed ? [y, x] : [x, y];
      const uprightX = [2, 3, 6, 7].includes(value) ? side - 1 - across : across;
      const uprightY = [3, 4, 7, 8].includes(value) ? rows - 1 - down : down;
      const from = (uprightY * side + uprightX) * 3;
      rgba.set(upright.data.subarray(from, from + 3), (y * width + x) * 4);
    }
  }
  const { data } = jpeg.encode({ width, height, data: rgba }, 88);
  return withSegments(data, [0xe1, 'Exif\0\0', orientation(value).toString('latin1')]);
}

const small = () => new Canvas(64, 48, [0, 0, 0]).fill((x, y) => gradient(x * 4, y * 4));

/** Four inks, stored as negatives with Adobe's mark, as sharp writes them. */
async function cmykJpeg() {
  const { default: sharp } = await import('sharp');
  const image = sharp(small().data, { raw: { width: 64, height: 48, channels: 3 } });
  return await image.toColourspace('cmyk').jpeg({ quality: 90 }).toBuffer();
}

/** Samples of Display P3 with its profile, Exif and an XMP packet, by the writer of this package. */
async function withMetadata() {
  const { encodeImage } = await import('../dist/index.js');
  const { widthPx, heightPx, data } = small();
  const metadata = { exif: new Uint8Array(orientation(1)), xmp: new Uint8Array(Buffer.from(XMP)) };
  const pixels = { widthPx, heightPx, channels: 3, data, colour: 'display-p3', metadata };
  return await encodeImage(pixels, 'png');
}

const deep = (x, y) => [x / 255, y / 191, 0.5 + 0.002 * Math.sin((x + y) / 9)];
const chance = (x, y) => [hash(x, y, 1), hash(x, y, 2), hash(x, y, 3)];
const odd = (x, y) => [0.5 + 0.5 * Math.sin(x / 3), 0.5 + 0.5 * Math.cos(y / 5), hash(x, y, 9) / 3];
const black = [0, 0, 0];

const FILES = {
  'text-dark-on-light.png': text(PAPER, INK, [150, 30, 30]).toPng(),
  'text-light-on-dark.png': text([18, 22, 28], [214, 220, 226], [120, 190, 255]).toPng(),
  'interface.png': screenshot().toPng(),
  'gradients.png': new Canvas(256, 256, black).fill(gradient).toPng(),
  'gradient-16-bit.png': new Canvas(256, 192, black, 16).fill(deep).toPng(),
  'grey-16-bit.png': new Canvas(97, 61, [0], 16).fill((x, y) => [(x * 61 + y) / 5917]).toPng(),
  'noise.png': new Canvas(128, 128, black).fill(chance).toPng(),
  'alpha-soft.png': new Canvas(160, 120, [0, 0, 0, 0]).fill(ball).toPng(),
  'alpha-opaque.png': new Canvas(64, 48, black.concat(255))
    .fill((x, y) => [...gradient(x, y), 1])
    .toPng(),
  'grey-alpha.png': new Canvas(64, 48, [0, 0]).fill((x, y) => [x / 63, y / 47]).toPng(),
  'palette-transparent.png': palette(),
  'one-pixel.png': new Canvas(1, 1, [200, 100, 50]).toPng(),
  'one-row-257x1.png': new Canvas(257, 1, black).fill(odd).toPng(),
  'one-column-1x129.png': new Canvas(1, 129, black).fill(odd).toPng(),
  'odd-grey-61x43.png': new Canvas(61, 43, [0]).fill((x, y) => odd(x, y).slice(0, 1)).toPng(),
  'odd-191x127.png': new Canvas(191, 127, black).fill(odd).toPng(),
  'turned-6.jpg': turnedJpeg(6),
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 7, 8].map((value) => [`turned-${value}.jpg`, turnedJpeg(value, 80, 50)]),
  ),
  'alpha-16-bit.png': new Canvas(48, 40, [0, 0, 0, 0], 16)
    .fill((x, y) => [...deep(4 * x, 4 * y), x / 47])
    .toPng(),
  'cmyk.jpg': await cmykJpeg(),
  'display-p3-exif-xmp.png': await withMetadata(),
};

mkdirSync(FOLDER, { recursive: true });
for (const [name, bytes] of Object.entries(FILES)) writeFileSync(new URL(name, FOLDER), bytes);
