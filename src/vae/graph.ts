/**
 * A graph opened on the CPU for looking at: its names, runs of any size, onnxruntime's own profile of them. The codec
 * does not use this: it runs graphs in threads of their own (`VaePool`).
 * @module
 */
import { BackendError } from '../errors.js';
import { ort } from './runtime.js';

export interface GraphOptions {
  readonly threads: number;
  /** Writes onnxruntime's profile to a file whose path begins so; `endProfile` says where. */
  readonly profilePrefix?: string;
  /** Runs the graph as it was written, so that a profile names its own layers. */
  readonly asWritten?: boolean;
}

export interface GraphTensor {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

/** One input to one output, both f32. */
export class Graph {
  readonly #session: ort.InferenceSession;
  readonly inputName: string;
  readonly outputName: string;

  private constructor(session: ort.InferenceSession, inputName: string, outputName: string) {
    this.#session = session;
    this.inputName = inputName;
    this.outputName = outputName;
  }

  /** @throws BackendError when onnxruntime does not take the graph, or it has not one input and one output */
  static async open(
    graph: Uint8Array,
    { threads, profilePrefix, asWritten }: GraphOptions,
  ): Promise<Graph> {
    let session: ort.InferenceSession;
    try {
      session = await ort.InferenceSession.create(graph, {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        graphOptimizationLevel: asWritten ? 'disabled' : 'all',
        logSeverityLevel: 4,
        ...(profilePrefix !== undefined && {
          enableProfiling: true,
          profileFilePrefix: profilePrefix,
        }),
      });
    } catch (cause) {
      throw new BackendError(
        `vae: expected a graph that onnxruntime can load, got: ${lineOf(cause)}`,
      );
    }
    const [inputName, ...inputs] = session.inputNames;
    const [outputName, ...outputs] = session.outputNames;
    if (inputName === undefined || outputName === undefined || inputs.length + outputs.length > 0) {
      throw new BackendError(
        `vae: expected a graph of one input and one output, got ${session.inputNames.length} and ${session.outputNames.length}`,
      );
    }
    return new Graph(session, inputName, outputName);
  }

  /** @throws BackendError when the run fails or does not give f32 */
  async run({ values, shape }: GraphTensor): Promise<GraphTensor> {
    try {
      const feeds = { [this.inputName]: new ort.Tensor('float32', values, shape) };
      const output = (await this.#session.run(feeds))[this.outputName];
      if (output?.data instanceof Float32Array) {
        return { values: output.data, shape: output.dims };
      }
    } catch (cause) {
      throw new BackendError(`vae: expected the graph to run on [${shape}], got: ${lineOf(cause)}`);
    }
    throw new BackendError(`vae: expected '${this.outputName}' in f32, got another type`);
  }

  endProfile(): void {
    this.#session.endProfiling();
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

function lineOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return (message.split('\n')[0] ?? '').trim().slice(0, 300);
}
