/**
 * Exif as it is carried: pixels are upright, so it must say so, and a thumbnail would show another picture's bytes. All
 * else stays byte for byte, at its offset, as makers' notes point anywhere.
 * @module
 */

/** 1 as stored; 2 to 8 as TIFF numbers mirrored and turned pictures. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x0112;
/** Offset and length of a thumbnail as JPEG, and of one as TIFF in a single strip. */
const THUMBNAIL_TAGS = [
  [0x0201, 0x0202],
  [0x0111, 0x0117],
] as const;
/** Exif, GPS and interoperability, which have directories of their own. */
const DIRECTORY_TAGS: ReadonlySet<number> = new Set([0x8769, 0x8825, 0xa005]);
const SHORT = 3;
const ENTRY_BYTES = 12;
/** Bytes of a value, by its type from 1 on. */
const TYPE_BYTES = [1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4] as const;
/** Directories that are followed, each once: far above any file's. */
const DIRECTORIES_MAX = 16;

/** From the first byte to the one after the last. */
type Range = readonly [from: number, to: number];

interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Of the entry's last four bytes, which hold the value or point at it. */
  readonly valueOffset: number;
}

interface Directory {
  readonly range: Range;
  readonly entries: readonly Entry[];
  /** Of the pointer to the next directory; `undefined` where that lies outside. */
  readonly nextOffset: number | undefined;
}

/** A TIFF structure over hostile bytes; what lies outside of them is as if it were not there. */
class Tiff {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly isLittle: boolean;

  private constructor(bytes: Uint8Array, isLittle: boolean) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.isLittle = isLittle;
  }

  static open(bytes: Uint8Array | undefined): Tiff | undefined {
    if (bytes === undefined || bytes.length < 8) return undefined;
    const isLittle = bytes[0] === 0x49 && bytes[1] === 0x49;
    if (!isLittle && (bytes[0] !== 0x4d || bytes[1] !== 0x4d)) return undefined;
    const tiff = new Tiff(bytes, isLittle);
    return tiff.view.getUint16(2, isLittle) === 42 ? tiff : undefined;
  }

  word(at: number): number {
    return at + 4 <= this.bytes.length ? this.view.getUint32(at, this.isLittle) : 0;
  }

  directory(at: number): Directory | undefined {
    if (at < 8 || at + 2 > this.bytes.length) return undefined;
    const count = this.view.getUint16(at, this.isLittle);
    const entries: Entry[] = [];
    for (let index = 0; index < count; index++) {
      const from = at + 2 + index * ENTRY_BYTES;
      if (from + ENTRY_BYTES > this.bytes.length) break;
      entries.push({
        tag: this.view.getUint16(from, this.isLittle),
        type: this.view.getUint16(from + 2, this.isLittle),
        count: this.word(from + 4),
        valueOffset: from + 8,
      });
    }
    const end = at + 2 + count * ENTRY_BYTES;
    const nextOffset = end + 4 <= this.bytes.length ? end : undefined;
    return { range: [at, Math.min(this.bytes.length, end + 4)], entries, nextOffset };
  }

  /** Where a value lies that does not fit its entry. */
  outside({ type, count, valueOffset }: Entry): Range | undefined {
    const byteLength = (TYPE_BYTES[type - 1] ?? 0) * count;
    if (byteLength <= 4) return undefined;
    const from = this.word(valueOffset);
    return [from, Math.min(this.bytes.length, from + byteLength)];
  }
}

/**
 * Reads the orientation from the first directory of a TIFF structure, and no other: what hangs behind it is not followed.
 * @param exif hostile bytes; whatever does not hold is as if it were not there
 */
export function readOrientation(exif: Uint8Array | undefined): Orientation {
  const tiff = Tiff.open(exif);
  const entry = tiff && orientationEntry(tiff);
  if (tiff === undefined || entry === undefined) return 1;
  const value = tiff.view.getUint16(entry.valueOffset, tiff.isLittle);
  return value >= 1 && value <= 8 ? (value as Orientation) : 1;
}

/** The first of its tag, where that is one short. */
function orientationEntry(tiff: Tiff): Entry | undefined {
  const entry = tiff.directory(tiff.word(4))?.entries.find(({ tag }) => tag === ORIENTATION_TAG);
  return entry?.type === SHORT && entry.count === 1 ? entry : undefined;
}

/**
 * What is carried of a picture that was turned upright: orientation 1, no thumbnail, the rest as it was.
 * @param exif hostile bytes
 * @returns bytes of its own; nothing for what is no TIFF structure
 */
export function uprightExif(exif: Uint8Array | undefined): Uint8Array | undefined {
  const original = Tiff.open(exif);
  if (original?.directory(original.word(4)) === undefined) return undefined;
  const tiff = Tiff.open(new Uint8Array(original.bytes));
  if (tiff === undefined) return undefined;
  const entry = orientationEntry(tiff);
  if (entry !== undefined) tiff.view.setUint16(entry.valueOffset, 1, tiff.isLittle);
  return withoutThumbnail(tiff);
}

/** Cuts the second directory off the first, and clears what it alone holds; bytes at the end are cut off. */
function withoutThumbnail(tiff: Tiff): Uint8Array {
  const { bytes, view } = tiff;
  const main = tiff.directory(tiff.word(4));
  const next = main?.nextOffset;
  const second = next === undefined ? undefined : tiff.directory(tiff.word(next));
  if (main === undefined || next === undefined || second === undefined) return bytes;
  view.setUint32(next, 0);
  const kept = mergeRanges([[0, 8], ...rangesBelow(tiff)]);
  const values = second.entries.map((value) => tiff.outside(value) ?? ([0, 0] as const));
  const dropped = mergeRanges([second.range, ...thumbnail(tiff, second), ...values]);
  clearOutside(bytes, dropped, kept);
  const lastKept = kept.at(-1)?.[1] ?? 0;
  const last = dropped.at(-1)?.[1] ?? 0;
  const isAtEnd = last >= bytes.length && lastKept < bytes.length;
  return isAtEnd ? bytes.subarray(0, endOf(bytes, lastKept, dropped)) : bytes;
}

function thumbnail(tiff: Tiff, { entries }: Directory): Range[] {
  const value = (wanted: number) => {
    const entry = entries.find(({ tag }) => tag === wanted);
    return entry === undefined ? 0 : tiff.word(entry.valueOffset);
  };
  return THUMBNAIL_TAGS.flatMap(([offsetTag, lengthTag]): Range[] => {
    const from = value(offsetTag);
    const to = Math.min(tiff.bytes.length, from + value(lengthTag));
    return from > 0 && to > from ? [[from, to]] : [];
  });
}

/** The first directory, its values, and the directories below it. */
function rangesBelow(tiff: Tiff): Range[] {
  const ranges: Range[] = [];
  const offsets = new Set([tiff.word(4)]);
  // A set gives out what is added on the way, and nothing twice: directories may point at one another.
  for (const offset of offsets) {
    const directory = tiff.directory(offset);
    if (directory === undefined) continue;
    ranges.push(directory.range);
    for (const entry of directory.entries) {
      const outside = tiff.outside(entry);
      if (outside !== undefined) ranges.push(outside);
      if (DIRECTORY_TAGS.has(entry.tag) && offsets.size < DIRECTORIES_MAX) {
        offsets.add(tiff.word(entry.valueOffset));
      }
    }
  }
  return ranges;
}

function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: [number, number][] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else if (to > from) merged.push([from, to]);
  }
  return merged;
}

/** Both lists in order and apart, so that one pass does for however many. */
function clearOutside(bytes: Uint8Array, dropped: readonly Range[], kept: readonly Range[]): void {
  let next = 0;
  for (const [from, to] of dropped) {
    let at = from;
    for (; next < kept.length; next++) {
      const [keptFrom, keptTo] = kept[next] ?? [to, to];
      if (keptFrom >= to) break;
      if (keptFrom > at) bytes.fill(0, at, keptFrom);
      at = Math.max(at, keptTo);
      // It may reach into the next one that is dropped.
      if (keptTo >= to) break;
    }
    if (at < to) bytes.fill(0, at, to);
  }
}

/** The end of the last byte that no dropped range holds. */
function endOf(bytes: Uint8Array, lastKept: number, dropped: readonly Range[]): number {
  let end = bytes.length;
  for (const [from, to] of dropped.toReversed()) {
    if (to < end) break;
    end = Math.max(lastKept, from);
  }
  return end;
}
