/**
 * `vaerans info`: what a `.vae` file says of itself. Reads its beginning; needs neither WASM nor a model.
 * @module
 */
import { HEADER_MAX_BYTES, type Inspection, inspect, readBeginning } from '../index.js';
import { runBatch } from './batch.js';
import { readInput } from './files.js';
import type { ReportFlags } from './flags.js';
import { STREAM } from './grammar.js';
import { formatBytes, formatFacts } from './report.js';
import { checkStdinOnce, printLines } from './streams.js';

/** @returns the exit code */
export async function infoCommand(inputs: readonly string[], flags: ReportFlags): Promise<number> {
  checkStdinOnce(inputs);
  return await runBatch(
    {
      items: inputs.map((input) => ({ input })),
      schema: 'vaerans.info/1',
      run: async ({ input }) => ({ input, ...(await inspectInput(input)) }),
      tell: (report) => printLines(describe(report)),
    },
    flags,
  );
}

async function inspectInput(input: string): Promise<Inspection> {
  if (input === STREAM) return inspect(await readInput(input));
  const { bytes, fileByteLength } = await readBeginning(input, HEADER_MAX_BYTES);
  return inspect(bytes, fileByteLength);
}

function describe({ input, ...file }: Inspection & { readonly input: string }): string {
  const streams = file.streams.map(({ type, byteLength }) => `${type} ${formatBytes(byteLength)}`);
  return formatFacts([
    ['file', input],
    [
      'size',
      `${file.widthPx}x${file.heightPx}, ${KINDS[file.channels]}, ${file.bitsPerSample} bits`,
    ],
    [
      'bytes',
      `${file.byteLength}, ${file.bitsPerPixel.toFixed(3)} bpp, 1:${file.ratio.toFixed(1)}`,
    ],
    ['streams', [`header ${formatBytes(file.headerByteLength)}`, ...streams].join(', ')],
    ...(file.mode === 'planes'
      ? ([['coding', file.mode]] as const)
      : ([
          ['model', `${file.modelName ?? file.tune ?? 'unnamed'}, id ${file.modelId}`],
          [
            'coding',
            `${file.mode}, rate ${file.rate}, ${file.coder} coder, ${slicesOf(file.slices)}`,
          ],
        ] as const)),
    ['colour', file.colour],
    ['format', file.formatVersion],
  ]);
}

const KINDS = { 1: 'grey', 2: 'grey and alpha', 3: 'RGB', 4: 'RGB and alpha' } as const;

function slicesOf(count: number): string {
  return count === 1 ? '1 slice' : `${count} slices`;
}
