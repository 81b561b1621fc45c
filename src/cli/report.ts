/**
 * Figures in words.
 * @module
 */

/** `812 B`, `41.4 kB`, `1.20 MB`: powers of ten, as bits per pixel are reckoned from them. */
export function formatBytes(byteLength: number): string {
  if (byteLength < 1000) return `${byteLength} B`;
  if (byteLength < 1e6) return `${(byteLength / 1000).toFixed(1)} kB`;
  if (byteLength < 1e9) return `${(byteLength / 1e6).toFixed(2)} MB`;
  return `${(byteLength / 1e9).toFixed(2)} GB`;
}

/** Tenths only where they say something. */
export function formatMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** Rows under one another, numbers to the right. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column === 0 ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `name  value` lines. */
export function formatFacts(facts: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}
