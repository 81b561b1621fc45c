/**
 * What operands mean (DESIGN section 9): which are inputs, which is the output, and what an output is called that was
 * not named. Pure: no file is looked at.
 * @module
 */
import { basename, dirname, extname, join } from 'node:path';
import { IMAGE_SUFFIXES, type ImageFormat, imageFormatFromPath, UsageError } from '../index.js';

/** Standard input as an input, standard output as an output. */
export const STREAM = '-';

/** One input and where its result goes; either may be `-`. */
export interface Job {
  readonly input: string;
  readonly output: string;
}

/** What a command takes for an output, and how it names one. */
export interface Direction {
  /** For messages: `OUT ending in .vae`. */
  readonly outputs: string;
  /** Whether a second operand with this name is an output rather than an input. */
  readonly isOutput: (path: string) => boolean;
  /** Suffix of derived names, with its dot. */
  readonly suffix: string;
}

export const COMPRESS: Direction = {
  outputs: 'OUT ending in .vae',
  isOutput: (path) => extname(path).toLowerCase() === '.vae',
  suffix: '.vae',
};

export function decompressTo(format: ImageFormat | undefined): Direction {
  return {
    outputs: `OUT ending in ${IMAGE_SUFFIXES}`,
    isOutput: (path) => imageFormatFromPath(path) !== undefined,
    suffix: `.${format ?? 'png'}`,
  };
}

export interface OutputFlags {
  readonly output?: string;
  readonly outputDir?: string;
  readonly recursive?: boolean;
}

/** Operands told apart. At most one of `output` and `outputDir` is there; with neither the name is derived. */
export interface Operands {
  readonly inputs: readonly string[];
  readonly output?: string;
  readonly outputDir?: string;
}

/** @throws UsageError when it is not clear where something should go */
export function parseOperands(
  operands: readonly string[],
  { output, outputDir, recursive }: OutputFlags,
  direction: Direction,
): Operands {
  if (operands.some((operand) => operand === '')) {
    throw new UsageError('usage: expected file names, got an empty one');
  }
  if (output !== undefined && outputDir !== undefined) {
    throw new UsageError('usage: expected one of --output and --output-dir, got both');
  }
  if (recursive && outputDir === undefined) {
    throw new UsageError('usage: expected --output-dir with --recursive, got none');
  }
  if (outputDir !== undefined) {
    if (operands.includes(STREAM)) {
      throw new UsageError("usage: expected named inputs with --output-dir, got '-'");
    }
    return { inputs: operands, outputDir };
  }
  if (operands.length === 0) {
    throw new UsageError('usage: expected at least one input, got none');
  }
  const [first = '', second = ''] = operands;
  if (output !== undefined) {
    if (operands.length > 1) {
      throw new UsageError(`usage: expected one input with --output, got ${operands.length}`);
    }
    return { inputs: operands, output };
  }
  if (operands.length === 1) return { inputs: [first] };
  if (operands.length === 2 && (second === STREAM || direction.isOutput(second))) {
    return { inputs: [first], output: second };
  }
  const got = operands.length === 2 ? `'${second}'` : `${operands.length} inputs`;
  throw new UsageError(
    `usage: expected IN, or IN OUT with ${direction.outputs}, or --output-dir for several inputs, got ${got}`,
  );
}

/** An input found, and where it belongs below an output folder. */
export interface Source {
  readonly path: string;
  readonly relativePath: string;
}

/** Gives every source its output. */
export function planJobs(
  sources: readonly Source[],
  { output, outputDir }: Pick<Operands, 'output' | 'outputDir'>,
  { suffix }: Direction,
): Job[] {
  return sources.map(({ path, relativePath }) => ({
    input: path,
    output:
      output ??
      (outputDir === undefined
        ? deriveName(path, suffix)
        : join(outputDir, deriveName(relativePath, suffix))),
  }));
}

/** `photos/in.png` becomes `photos/in.vae`; what comes from standard input goes to standard output. */
function deriveName(path: string, suffix: string): string {
  if (path === STREAM) return STREAM;
  return join(dirname(path), basename(path, extname(path)) + suffix);
}
