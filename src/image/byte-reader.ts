/**
 * Bytes that come in pieces of any size, taken in pieces of the size that is wanted.
 * @module
 */

export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** What has come and was not taken. */
  #left: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Looks at the next bytes and leaves them there. @returns fewer than asked for only at the end */
  async peek(byteLength: number): Promise<Uint8Array> {
    if (this.#left.length < byteLength) {
      const parts = [this.#left];
      for (let have = this.#left.length; have < byteLength; have += parts.at(-1)?.length ?? 0) {
        const next = await this.#chunks.next();
        if (next.done) break;
        parts.push(next.value);
      }
      this.#left = Buffer.concat(parts);
    }
    return this.#left.subarray(0, byteLength);
  }

  /** Copies the next bytes. @returns how many: fewer than there is room for only at the end */
  async take(into: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      if (this.#left.length === 0) {
        const next = await this.#chunks.next();
        if (next.done) break;
        this.#left = next.value;
      }
      const part = this.#left.subarray(0, into.length - filled);
      into.set(part, filled);
      filled += part.length;
      this.#left = this.#left.subarray(part.length);
    }
    return filled;
  }

  /** Lets go of what the pieces come from, such as an open file. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Takes all that is left. @returns nothing when that is more than `maxByteLength` */
  async rest(maxByteLength: number): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    let byteLength = 0;
    for (let part = this.#left; ; ) {
      byteLength += part.length;
      if (byteLength > maxByteLength) return undefined;
      parts.push(part);
      const next = await this.#chunks.next();
      if (next.done) return Buffer.concat(parts);
      part = next.value;
    }
  }
}
