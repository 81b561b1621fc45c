/**
 * Rows on disk while a run lasts, one JSON object a line: what was measured survives whatever ends the run.
 * @module
 */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { IoError, UsageError } from '../errors.js';
import type { BenchRow } from './rows.js';

const SCHEMA = 'vaerans.bench-rows/1';

export class RowFile {
  readonly #path: string | undefined;
  readonly #rows = new Map<string, BenchRow>();

  private constructor(path: string | undefined) {
    this.#path = path;
  }

  /**
   * @param path where rows are kept; nowhere where left out
   * @param key what rows of one run have in common: codecs with versions, model, metrics
   * @param resume takes what is there already; without it the file is begun anew
   * @throws UsageError when what is there is of another run, IoError
   */
  static async open(path: string | undefined, key: unknown, resume: boolean): Promise<RowFile> {
    const file = new RowFile(path);
    if (path === undefined) return file;
    const head = JSON.stringify({ schema: SCHEMA, key });
    const text = resume ? await readFile(path, 'utf8').catch(() => '') : '';
    if (text === '') {
      await file.#write(() => writeFile(path, `${head}\n`));
      return file;
    }
    const [found, ...lines] = text.split('\n');
    if (found !== head) {
      throw new UsageError(
        `bench: expected rows of the same codecs, versions, model and metrics in '${path}', got others; run without --resume`,
      );
    }
    for (const line of lines) {
      const row = parseRow(line);
      if (row) file.#rows.set(keyOf(row), row);
    }
    // A line that was cut short goes, so that the next begins on its own.
    const whole = [...file.#rows.values()].map((row) => `${JSON.stringify(row)}\n`).join('');
    await file.#write(() => writeFile(path, `${head}\n${whole}`));
    return file;
  }

  find(row: Pick<BenchRow, 'image' | 'codec' | 'setting'>): BenchRow | undefined {
    return this.#rows.get(keyOf(row));
  }

  async add(row: BenchRow): Promise<void> {
    const path = this.#path;
    if (path !== undefined) await this.#write(() => appendFile(path, `${JSON.stringify(row)}\n`));
  }

  async #write(write: () => Promise<void>): Promise<void> {
    await write().catch((cause: unknown) => {
      throw new IoError(`bench: expected to keep rows in '${this.#path}', got an error`, { cause });
    });
  }
}

function keyOf({ image, codec, setting }: Pick<BenchRow, 'image' | 'codec' | 'setting'>): string {
  return JSON.stringify([image, codec, setting]);
}

function parseRow(line: string): BenchRow | undefined {
  try {
    const row = JSON.parse(line) as BenchRow;
    return typeof row.byteLength === 'number' ? row : undefined;
  } catch {
    return undefined;
  }
}
