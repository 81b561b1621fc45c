/** ICC profiles of RGB with nothing in them but a name. */

/** Big-endian, four bytes each. */
export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
}

/** @param version 2 writes the name as `desc` in ASCII, 4 as `mluc` in UTF-16 */
export function profile(name: string, version: 2 | 4): Buffer {
  const text =
    version === 2
      ? [Buffer.from('desc\0\0\0\0'), words(name.length + 1), Buffer.from(`${name}\0`)]
      : [
          Buffer.from('mluc\0\0\0\0'),
          words(1, 12, 0x656e5553, 2 * name.length, 28),
          Buffer.from(name, 'utf16le').swap16(),
        ];
  const tag = Buffer.concat(text);
  const table = [words(1), Buffer.from('desc'), words(144, tag.length)];
  const head = Buffer.alloc(128);
  head.writeUInt32BE(128 + 16 + tag.length, 0);
  head.write('RGB XYZ ', 16, 'latin1');
  head.write('acsp', 36, 'latin1');
  return Buffer.concat([head, ...table, tag]);
}
