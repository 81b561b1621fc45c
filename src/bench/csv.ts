/**
 * Rows as comma-separated values, for spreadsheets: one line a row, a header above, by RFC 4180.
 * @module
 */
import type { BenchReport, BenchRow } from './rows.js';

export function toCsv({ rows, metrics }: Pick<BenchReport, 'rows' | 'metrics'>): string {
  const columns: readonly (readonly [
    name: string,
    of: (row: BenchRow) => string | number | null,
  ])[] = [
    ['image', ({ image }) => image],
    ['codec', ({ codec }) => codec],
    ['setting', ({ setting }) => setting],
    ['widthPx', ({ widthPx }) => widthPx],
    ['heightPx', ({ heightPx }) => heightPx],
    ['byteLength', ({ byteLength }) => byteLength],
    ['bitsPerPixel', ({ bitsPerPixel }) => bitsPerPixel],
    ...metrics.map(({ name }) => [name, (row: BenchRow) => row.metrics[name] ?? null] as const),
    ['encodeWallMs', ({ encode }) => encode.wallMs],
    ['encodeCpuMs', ({ encode }) => encode.cpuMs],
    ['encodePeakMemoryBytes', ({ encode }) => encode.peakMemoryBytes],
    ['decodeWallMs', ({ decode }) => decode.wallMs],
    ['decodeCpuMs', ({ decode }) => decode.cpuMs],
    ['decodePeakMemoryBytes', ({ decode }) => decode.peakMemoryBytes],
  ];
  const lines = rows.map((row) => columns.map(([, of]) => quoted(of(row))).join(','));
  return `${[columns.map(([name]) => name).join(','), ...lines].join('\r\n')}\r\n`;
}

/** Spreadsheets take a leading sign of these for a formula. */
const LOOKS_LIKE_FORMULA = /^[=+@\t]|^-(?![\d.])/;

function quoted(value: string | number | null): string {
  const text = String(value ?? '');
  const harmless = LOOKS_LIKE_FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
