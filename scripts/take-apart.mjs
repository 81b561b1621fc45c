/**
 * A `.vae` file as header and whole streams, to be changed and written again.
 * @module
 */
import { VaeFile } from '#src/container/file.js';

/**
 * @param {Uint8Array} bytes
 * @param {import('#src/limits.js').Limits} limits
 * @returns streams of known kinds; every byte of all was checked
 * @throws FormatError when any byte is not as it was written
 * @throws LimitError when the picture is larger than the limits allow
 */
export async function takeApart(bytes, limits) {
  const file = new VaeFile(bytes);
  const header = await file.readHeader(limits);
  await file.checkAll(header);
  /** @type {import('#src/container/layout.js').ContainerStream[]} */
  const streams = [];
  for (const { type, byteOffset, byteLength, sliceByteLengths } of header.directory) {
    if (type === undefined) continue;
    const whole = new Uint8Array(bytes.subarray(byteOffset, byteOffset + byteLength));
    streams.push({ type, bytes: whole, ...(sliceByteLengths && { sliceByteLengths }) });
  }
  return { header, streams };
}
