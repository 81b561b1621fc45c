/**
 * `vaerans report`: the record of a benchmark to one HTML file.
 * @module
 */
import { readBenchRecord, renderBenchPage } from '../index.js';
import { EXIT } from './exit.js';
import { checkApart, checkNewFile, readInput, writeOutput } from './files.js';
import { STREAM } from './grammar.js';

export interface BenchPageFlags {
  readonly output: string;
  readonly pictures: number;
  readonly force?: boolean;
}

/** @returns the exit code */
export async function benchPageCommand(input: string, flags: BenchPageFlags): Promise<number> {
  await checkApart([['--output', flags.output]], [['an input', input]]);
  if (flags.output !== STREAM) await checkNewFile(flags.output, flags.force);
  const record = readBenchRecord(await readInput(input));
  const page = await renderBenchPage(record, { pictures: flags.pictures });
  await writeOutput(flags.output, Buffer.from(page));
  return EXIT.ok;
}
