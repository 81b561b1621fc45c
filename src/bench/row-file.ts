/**
 * Rows on disk while a run lasts, one JSON object a line: what was measured survives whatever ends the run.
 * @module
 */
import { existsSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { IoError, UsageError } from '../errors.js';
import { readBytes, writeFileAtomic } from '../files.js';
import type { BenchRow } from './rows.js';

const SCHEMA = 'vaerans.bench-rows/2';

/** A line: a row, and of which picture by that name. */
interface Line {
  readonly contentHash: string;
  readonly row: BenchRow;
}

export class RowFile {
  readonly #path: string | undefined;
  readonly #lines = new Map<string, Line>();

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
    const isThere = resume && existsSync(path);
    const text = isThere ? Buffer.from(await readBytes(path)).toString('utf8') : '';
    const [found, ...lines] = text.split('\n');
    if (text !== '' && found !== head) {
      throw new UsageError(
        `bench: expected rows of the same codecs, versions, model and metrics in '${path}', got others; run without --resume`,
      );
    }
    for (const text of lines) {
      const line = parseLine(text);
      if (line) file.#lines.set(keyOf(line.row), line);
    }
    // A line that was cut short goes, so that the next begins on its own.
    const whole = [...file.#lines.values()].map((line) => `${JSON.stringify(line)}\n`).join('');
    await writeFileAtomic(path, Buffer.from(`${head}\n${whole}`));
    return file;
  }

  /** @param contentHash of the picture: rows of another that had its name are none of it */
  find(
    row: Pick<BenchRow, 'image' | 'codec' | 'setting'>,
    contentHash: string,
  ): BenchRow | undefined {
    const line = this.#lines.get(keyOf(row));
    return line?.contentHash === contentHash ? line.row : undefined;
  }

  async add(row: BenchRow, contentHash: string): Promise<void> {
    const path = this.#path;
    if (path === undefined) return;
    const line: Line = { contentHash, row };
    await appendFile(path, `${JSON.stringify(line)}\n`).catch((cause: unknown) => {
      throw new IoError(`bench: expected to keep rows in '${path}', got an error`, { cause });
    });
  }
}

function keyOf({ image, codec, setting }: Pick<BenchRow, 'image' | 'codec' | 'setting'>): string {
  return JSON.stringify([image, codec, setting]);
}

function parseLine(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as Line;
    return typeof line.row.byteLength === 'number' ? line : undefined;
  } catch {
    return undefined;
  }
}
