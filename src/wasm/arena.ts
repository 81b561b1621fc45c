/**
 * The linear memory of one core, handed out as a stack: tensors are bumped on top, a rewind to a mark frees
 * everything above it at once. The rest of the code holds `TensorRef`s; a view is made at the moment of use.
 * @module
 */
import { BackendError, LimitError } from '../errors.js';

export type Dtype = 'u8' | 'u16' | 'i16' | 'i32' | 'f32' | 'f64';

interface ViewOf {
  u8: Uint8Array;
  u16: Uint16Array;
  i16: Int16Array;
  i32: Int32Array;
  f32: Float32Array;
  f64: Float64Array;
}

export const BYTES_PER_ELEMENT: Readonly<Record<Dtype, number>> = {
  u8: 1,
  u16: 2,
  i16: 2,
  i32: 4,
  f32: 4,
  f64: 8,
};

/** Every tensor starts on a cache line; SIMD loads and onnxruntime both like it. */
export const ALIGNMENT_BYTES = 64;

/**
 * A tensor inside an arena: where it lies and what it is. Only the arena that made it can turn it into numbers.
 * `strides` are in elements; `level` and `generation` tell the arena whether the memory is still this tensor's.
 */
export interface TensorRef<D extends Dtype = Dtype> {
  readonly byteOffset: number;
  readonly shape: readonly number[];
  readonly dtype: D;
  readonly strides: readonly number[];
  readonly arenaId: number;
  readonly level: number;
  readonly generation: number;
}

/** A place in the stack to return to. */
export interface Mark {
  readonly arenaId: number;
  readonly level: number;
  readonly generation: number;
}

let nextArenaId = 1;

/** Elements that a shape holds. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Bytes that a tensor takes in an arena, padding included: what a plan sums up. */
export function tensorByteLength(dtype: Dtype, shape: readonly number[]): number {
  const byteLength = elementCount(shape) * BYTES_PER_ELEMENT[dtype];
  return Math.ceil(byteLength / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  }
  return strides;
}

/**
 * Bump allocator over `[baseByteOffset, baseByteOffset + byteLength)` of a WASM memory.
 *
 * Levels: allocations belong to the level that is open; `mark()` opens the next one, `rewind(mark)` closes it and
 * all above. Each level has a generation that is renewed when the level is closed, so a rewind makes stale exactly
 * the tensors above the mark, and a tensor below it stays good.
 */
export class Arena {
  readonly id: number = nextArenaId++;
  readonly byteLength: number;
  readonly #memory: WebAssembly.Memory;
  readonly #base: number;
  #top = 0;
  #peak = 0;
  #nextGeneration = 1;
  /** One entry per open level: its generation and the top of the stack when it was opened. */
  readonly #levels: { generation: number; start: number }[] = [];

  constructor(memory: WebAssembly.Memory, baseByteOffset: number, byteLength: number) {
    this.#memory = memory;
    this.#base = baseByteOffset;
    this.byteLength = byteLength;
    this.#openLevel();
  }

  /** Bytes in use now. */
  get usedByteLength(): number {
    return this.#top;
  }

  /** Most bytes that were ever in use at once. */
  get peakByteLength(): number {
    return this.#peak;
  }

  /**
   * Takes memory for a tensor; its content is whatever lay there.
   * @throws LimitError with the asked and the free bytes
   */
  allocate<D extends Dtype>(dtype: D, shape: readonly number[]): TensorRef<D> {
    const needed = tensorByteLength(dtype, shape);
    const free = this.byteLength - this.#top;
    if (!shape.every((side) => side >= 0) || !(needed <= free)) {
      throw new LimitError(
        `arena: expected room for ${dtype}[${shape.join(',')}] = ${needed} bytes, got ${free} bytes free of ${this.byteLength}; raise it with --max-memory`,
      );
    }
    const byteOffset = this.#base + this.#top;
    this.#top += needed;
    this.#peak = Math.max(this.#peak, this.#top);
    const level = this.#levels.length - 1;
    return {
      byteOffset,
      shape: [...shape],
      dtype,
      strides: rowMajorStrides(shape),
      arenaId: this.id,
      level,
      generation: this.#generationOf(level),
    };
  }

  /**
   * Takes memory for a tensor equal to `ref`.
   * @throws LimitError as `allocate`, BackendError when the reference is stale
   */
  copy<D extends Dtype>(ref: TensorRef<D>): TensorRef<D> {
    const copied = this.allocate(ref.dtype, ref.shape);
    (this.view(copied) as Uint8Array).set(this.view(ref) as Uint8Array);
    return copied;
  }

  /**
   * The values of tensors, one tensor after the other.
   * @param into room for them outside of the arena
   * @throws BackendError when a reference is stale
   */
  gather(refs: readonly TensorRef<'f32'>[], into = this.#roomFor(refs)): Float32Array {
    let at = 0;
    for (const ref of refs) {
      const view = this.view(ref);
      into.set(view, at);
      at += view.length;
    }
    return into;
  }

  /** Remembers the top of the stack; what is allocated from here on goes with `rewind`. */
  mark(): Mark {
    this.#openLevel();
    const level = this.#levels.length - 1;
    return { arenaId: this.id, level, generation: this.#generationOf(level) };
  }

  /**
   * Frees everything allocated since `mark`, marks above it included.
   * @throws BackendError when the mark is of another arena or was rewound already
   */
  rewind(mark: Mark): void {
    this.#checkLive('mark', mark);
    this.#top = this.#levels[mark.level]?.start ?? 0;
    this.#levels.length = mark.level;
  }

  /** Frees everything and makes every reference stale. */
  clear(): void {
    this.#levels.length = 0;
    this.#top = 0;
    this.#openLevel();
  }

  /**
   * Runs `work` and frees what it allocated, however it ends. It cannot wait for anything: others may allocate
   * meanwhile, and the rewind would take their memory with it.
   */
  scope<T>(work: () => T): T {
    const mark = this.mark();
    try {
      return work();
    } finally {
      this.rewind(mark);
    }
  }

  /** Whether `ref` still owns its memory. */
  isLive(ref: TensorRef | Mark): boolean {
    return ref.arenaId === this.id && this.#generationOf(ref.level) === ref.generation;
  }

  /**
   * A view of the tensor, good until the memory grows: use it at once, never keep it.
   * @throws BackendError when the reference is stale or not contiguous
   */
  view<D extends Dtype>(ref: TensorRef<D>): ViewOf[D] {
    this.#checkLive('tensor', ref);
    const expected = rowMajorStrides(ref.shape);
    if (!ref.strides.every((stride, axis) => stride === expected[axis] || ref.shape[axis] === 1)) {
      throw new BackendError(
        `arena: expected a contiguous tensor, got strides [${ref.strides.join(',')}] for shape [${ref.shape.join(',')}]`,
      );
    }
    const { buffer } = this.#memory;
    const count = elementCount(ref.shape);
    const make: Record<Dtype, () => ViewOf[Dtype]> = {
      u8: () => new Uint8Array(buffer, ref.byteOffset, count),
      u16: () => new Uint16Array(buffer, ref.byteOffset, count),
      i16: () => new Int16Array(buffer, ref.byteOffset, count),
      i32: () => new Int32Array(buffer, ref.byteOffset, count),
      f32: () => new Float32Array(buffer, ref.byteOffset, count),
      f64: () => new Float64Array(buffer, ref.byteOffset, count),
    };
    return make[ref.dtype]() as ViewOf[D];
  }

  /**
   * The byte offset of a live tensor, for an export of the core.
   * @throws BackendError when the reference is stale
   */
  offset(ref: TensorRef): number {
    this.#checkLive('tensor', ref);
    return ref.byteOffset;
  }

  /**
   * One item of a batch: the part of `ref` at `index` of its first axis, sharing its memory and its lifetime.
   * @throws BackendError when the reference is stale or the index outside the axis
   */
  item<D extends Dtype>(ref: TensorRef<D>, index: number): TensorRef<D> {
    this.#checkLive('tensor', ref);
    const [items = 0, ...shape] = ref.shape;
    if (!Number.isInteger(index) || index < 0 || index >= items) {
      throw new BackendError(`arena: expected an item from 0 to ${items - 1}, got ${index}`);
    }
    const [stride = 0, ...strides] = ref.strides;
    const byteOffset = ref.byteOffset + index * stride * BYTES_PER_ELEMENT[ref.dtype];
    return { ...ref, byteOffset, shape, strides };
  }

  /**
   * `count` of a tensor's first axis from `first` on, sharing its memory and its lifetime.
   * @throws BackendError when the reference is stale or they are not in it
   */
  part<D extends Dtype>(ref: TensorRef<D>, first: number, count: number): TensorRef<D> {
    this.#checkLive('tensor', ref);
    const [length = 0, ...shape] = ref.shape;
    const [stride = 0] = ref.strides;
    if (first < 0 || count < 0 || first + count > length) {
      throw new BackendError(
        `arena: expected ${first} to ${first + count} within the first axis of [${ref.shape.join(',')}]`,
      );
    }
    const byteOffset = ref.byteOffset + first * stride * BYTES_PER_ELEMENT[ref.dtype];
    return { ...ref, byteOffset, shape: [count, ...shape] };
  }

  #roomFor(refs: readonly TensorRef<'f32'>[]): Float32Array {
    return new Float32Array(refs.reduce((sum, { shape }) => sum + elementCount(shape), 0));
  }

  #openLevel(): void {
    this.#levels.push({ generation: this.#nextGeneration++, start: this.#top });
  }

  #generationOf(level: number): number {
    return this.#levels[level]?.generation ?? 0;
  }

  #checkLive(what: 'tensor' | 'mark', ref: TensorRef | Mark): void {
    if (this.isLive(ref)) return;
    const why = ref.arenaId === this.id ? 'one that was freed by a rewind' : 'one of another arena';
    throw new BackendError(`arena: expected a live ${what}, got ${why}`);
  }
}
