/**
 * The record of a run, read back from its file.
 * @module
 */
import { FormatError } from '../errors.js';
import { BENCH_SCHEMA, type BenchReport } from './rows.js';

const LISTS = ['codecs', 'metrics', 'images', 'rows', 'failures'] as const;

/**
 * Takes the JSON that `bench --json` wrote.
 * @throws FormatError for what is not such a record, an older one included
 */
export function readBenchRecord(bytes: Uint8Array): BenchReport {
  let record: unknown;
  try {
    record = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new FormatError('record: expected JSON as bench --json writes it, got none', 0, {
      cause,
    });
  }
  if (!isObject(record) || record.schema !== BENCH_SCHEMA) {
    const got = isObject(record) ? String(record.schema) : typeof record;
    throw new FormatError(`record: expected schema ${BENCH_SCHEMA}, got ${got}`, 0);
  }
  const damaged =
    LISTS.find((name) => !isListOfObjects(record[name])) ??
    ['summary', 'machine', 'versions'].find((name) => !isObject(record[name])) ??
    ((record.rows as Record<string, unknown>[]).every(isRow) ? undefined : 'rows');
  if (damaged !== undefined) {
    throw new FormatError(
      `record: expected a whole ${BENCH_SCHEMA}, got one with bad ${damaged}`,
      0,
    );
  }
  return record as unknown as BenchReport;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every(isObject);
}

function isRow(row: Record<string, unknown>): boolean {
  return (
    ['image', 'codec', 'setting'].every((name) => typeof row[name] === 'string') &&
    ['byteLength', 'bitsPerPixel', 'widthPx', 'heightPx'].every((name) => Number(row[name]) > 0) &&
    ['metrics', 'encode', 'decode'].every((name) => isObject(row[name]))
  );
}
