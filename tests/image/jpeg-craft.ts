/**
 * Makes JPEGs of flat blocks apart from src/image and jpeg-js, in every layout that the standard has: any sampling,
 * interleaved or not, sequential or progressive, with restarts.
 */

export const SOI = Buffer.of(0xff, 0xd8);
export const EOI = Buffer.of(0xff, 0xd9);

export function segment(marker: number, data: Uint8Array | readonly number[]): Buffer {
  const bytes = Buffer.from(data);
  const head = Buffer.of(0xff, marker, (bytes.length + 2) >> 8, (bytes.length + 2) & 255);
  return Buffer.concat([head, bytes]);
}

export interface Component {
  readonly id: number;
  readonly across: number;
  readonly down: number;
}

export const GREY: readonly Component[] = [{ id: 1, across: 1, down: 1 }];

export function ycc(across: number, down: number): readonly Component[] {
  return [
    { id: 1, across, down },
    { id: 2, across: 1, down: 1 },
    { id: 3, across: 1, down: 1 },
  ];
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly components?: readonly Component[];
  readonly restart?: number;
  readonly isInterleaved?: boolean;
  /** SOF marker: 0xc0 baseline, 0xc1 extended, 0xc2 progressive with a second scan for the lowest bit. */
  readonly sof?: number;
  readonly precision?: number;
  /** Segments put after SOI. */
  readonly before?: readonly Buffer[];
}

/** Every table 0: steps of 8, so that a DC of n lifts a block by n levels; 12 DC codes of 4 bits; one AC code, `0`. */
export const QUANT = segment(0xdb, [0, ...new Array(64).fill(8)]);
const DC_CODES = [0, 0, 0, 12, ...new Array(12).fill(0)];
const AC_CODES = [1, ...new Array(15).fill(0)];
export const HUFFMAN = segment(0xc4, [
  ...[0x00, ...DC_CODES, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  ...[0x10, ...AC_CODES, 0],
]);

export function frame(layout: Layout): Buffer {
  const { width, height, components = ycc(2, 2), sof = 0xc0, precision = 8 } = layout;
  return segment(sof, [
    precision,
    ...[height >> 8, height & 255, width >> 8, width & 255],
    components.length,
    ...components.flatMap(({ id, across, down }) => [id, (across << 4) | down, 0]),
  ]);
}

export function scan(components: readonly Component[], start = 0, end = 63, bits = 0): Buffer {
  const selectors = components.flatMap(({ id }) => [id, 0]);
  return segment(0xda, [components.length, ...selectors, start, end, bits]);
}

/** A whole file. */
export function jpegOf(layout: Layout): Buffer {
  const { components = ycc(2, 2), isInterleaved = true, restart = 0, before = [] } = layout;
  const isProgressive = layout.sof === 0xc2;
  const groups = isInterleaved ? [components] : components.map((component) => [component]);
  // libjpeg smooths blocks whose other coefficients were never coded, so they are: as zeros.
  const zeros = components.flatMap((component) => [
    scan([component], 1, 63, 0),
    coded(layout, [component], 'zeros'),
  ]);
  const scans = groups.flatMap((group) => {
    if (!isProgressive) return [scan(group), coded(layout, group, 'sequential')];
    return [
      ...[scan(group, 0, 0, 0x01), coded(layout, group, 'high')],
      ...[scan(group, 0, 0, 0x10), coded(layout, group, 'low')],
    ];
  });
  const interval = restart > 0 ? [segment(0xdd, [restart >> 8, restart & 255])] : [];
  const rest = isProgressive ? zeros : [];
  const head = [SOI, ...before, QUANT, HUFFMAN, frame(layout), ...interval];
  return Buffer.concat([...head, ...scans, ...rest, EOI]);
}

/** Level of a block, -100 to 100: different for every component and neighbour. */
function level(component: number, x: number, y: number): number {
  return ((x * 37 + y * 59 + component * 83) % 201) - 100;
}

/** The entropy-coded data of one scan. */
export function coded(
  layout: Layout,
  group: readonly Component[],
  pass: 'sequential' | 'high' | 'low' | 'zeros',
): Buffer {
  const { width, height, components = ycc(2, 2), restart = 0 } = layout;
  const acrossMax = Math.max(...components.map(({ across }) => across));
  const downMax = Math.max(...components.map(({ down }) => down));
  const isSingle = group.length === 1;
  const [first = { id: 0, across: 1, down: 1 }] = group;
  // A lone component goes block by block and leaves out those that only fill up.
  const unitAcross = isSingle ? (8 * acrossMax) / first.across : 8 * acrossMax;
  const unitDown = isSingle ? (8 * downMax) / first.down : 8 * downMax;
  const columns = components.length === 1 ? Math.ceil(width / 8) : Math.ceil(width / unitAcross);
  const rows = components.length === 1 ? Math.ceil(height / 8) : Math.ceil(height / unitDown);
  const parts: Buffer[] = [];
  let bits = '';
  const predictions = new Map<number, number>();
  const flush = () => {
    const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
    for (let at = 0; at < padded.length; at += 8) {
      const byte = Number.parseInt(padded.slice(at, at + 8), 2);
      parts.push(byte === 255 ? Buffer.of(255, 0) : Buffer.of(byte));
    }
    bits = '';
  };
  const put = (component: Component, x: number, y: number) => {
    const value = level(components.indexOf(component), x, y);
    if (pass === 'low' || pass === 'zeros') {
      bits += pass === 'low' ? value & 1 : 0;
      return;
    }
    const stored = pass === 'high' ? value >> 1 : value;
    const difference = stored - (predictions.get(component.id) ?? 0);
    predictions.set(component.id, stored);
    const size = difference === 0 ? 0 : Math.floor(Math.log2(Math.abs(difference))) + 1;
    bits += size.toString(2).padStart(4, '0');
    if (size > 0) {
      const rest = difference > 0 ? difference : difference + 2 ** size - 1;
      bits += rest.toString(2).padStart(size, '0');
    }
    if (pass === 'sequential') bits += '0';
  };
  for (let unit = 0; unit < columns * rows; unit++) {
    if (restart > 0 && unit > 0 && unit % restart === 0) {
      flush();
      parts.push(Buffer.of(0xff, 0xd0 + ((unit / restart - 1) & 7)));
      predictions.clear();
    }
    const column = unit % columns;
    const row = Math.floor(unit / columns);
    for (const component of group) {
      const across = isSingle ? 1 : component.across;
      const down = isSingle ? 1 : component.down;
      for (let v = 0; v < down; v++) {
        for (let h = 0; h < across; h++) put(component, column * across + h, row * down + v);
      }
    }
  }
  flush();
  return Buffer.concat(parts);
}

/** A TIFF structure whose first directory has the entries given. */
export function exif(
  isLittle: boolean,
  entries: readonly (readonly [tag: number, type: number, count: number, value: number])[],
): Buffer {
  const tiff = Buffer.alloc(10 + 12 * entries.length + 4);
  const put16 = (value: number, at: number) =>
    isLittle ? tiff.writeUInt16LE(value, at) : tiff.writeUInt16BE(value, at);
  const put32 = (value: number, at: number) =>
    isLittle ? tiff.writeUInt32LE(value, at) : tiff.writeUInt32BE(value, at);
  tiff.write(isLittle ? 'II' : 'MM', 'latin1');
  put16(42, 2);
  put32(8, 4);
  put16(entries.length, 8);
  for (const [index, [tag, type, count, value]] of entries.entries()) {
    const at = 10 + 12 * index;
    put16(tag, at);
    put16(type, at + 2);
    put32(count, at + 4);
    put16(value, at + 8);
  }
  return tiff;
}

export function app1(tiff: Buffer): Buffer {
  return segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), tiff]));
}
