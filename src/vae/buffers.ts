/**
 * Buffers that travel between threads and come back. A fresh buffer costs its page faults: measured on a Kodak
 * picture, filling one takes five times as long as filling one that was used before.
 * @module
 */

/** Most bytes that lie idle; beyond that the oldest are left to the garbage collector. */
export const IDLE_BYTES_MAX = 64 * 2 ** 20;

export class TravelBuffers {
  /** Oldest first. */
  readonly #idle: ArrayBuffer[] = [];
  #idleByteLength = 0;

  /** A buffer of exactly this many bytes; its content is whatever was left in it. */
  take(byteLength: number): ArrayBuffer {
    const index = this.#idle.findLastIndex((buffer) => buffer.byteLength === byteLength);
    const [buffer] = index < 0 ? [] : this.#idle.splice(index, 1);
    if (buffer === undefined) return new ArrayBuffer(byteLength);
    this.#idleByteLength -= byteLength;
    return buffer;
  }

  /** Gives buffers back once nobody looks at them. */
  give(buffers: readonly ArrayBufferLike[]): void {
    for (const buffer of buffers) {
      // A buffer that was transferred away has no bytes left.
      if (!(buffer instanceof ArrayBuffer) || buffer.byteLength === 0) continue;
      this.#idle.push(buffer);
      this.#idleByteLength += buffer.byteLength;
    }
    while (this.#idleByteLength > IDLE_BYTES_MAX) {
      this.#idleByteLength -= this.#idle.shift()?.byteLength ?? 0;
    }
  }
}

/** The buffers under views that span them whole. */
export function buffersOf(views: readonly ArrayBufferView[]): ArrayBuffer[] {
  return views.map(({ buffer }) => buffer as ArrayBuffer);
}
