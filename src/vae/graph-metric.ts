/**
 * A metric as a user's ONNX graph, such as LPIPS: two pictures in, one number out. It runs on the CPU in the thread
 * that asks, which it blocks.
 * @module
 */
import { BackendError } from '../errors.js';
import { readBytes } from '../files.js';
import { ort } from './runtime.js';

/** Interleaved RGB of 8 bits. */
interface RgbPicture {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly data: Uint8Array;
}

export class GraphMetric {
  readonly #path: string;
  readonly #session: ort.InferenceSession;

  private constructor(path: string, session: ort.InferenceSession) {
    this.#path = path;
    this.#session = session;
  }

  /** @throws IoError, BackendError for a file that is no graph or does not take two inputs */
  static async open(path: string): Promise<GraphMetric> {
    const graph = await readBytes(path);
    const session = await ort.InferenceSession.create(graph, { executionProviders: ['cpu'] }).catch(
      (cause: unknown) => {
        throw new BackendError(
          `metrics: expected an ONNX graph in '${path}', got none that loads`,
          {
            cause,
          },
        );
      },
    );
    const { inputNames, outputNames } = session;
    if (inputNames.length !== 2 || outputNames.length !== 1) {
      await session.release();
      throw new BackendError(
        `metrics: expected a graph of two inputs and one output in '${path}', got ${inputNames.length} and ${outputNames.length}`,
      );
    }
    return new GraphMetric(path, session);
  }

  /**
   * @returns the number that the graph gives for the two pictures as f32 [1, 3, height, width] of -1 to 1
   * @throws BackendError when it does not run on pictures of that size, or gives more than one number
   */
  async compare(a: RgbPicture, b: RgbPicture): Promise<number> {
    const [nameOfA = '', nameOfB = ''] = this.#session.inputNames;
    const [nameOfOutput = ''] = this.#session.outputNames;
    const outputs = await this.#session
      .run({ [nameOfA]: toTensor(a), [nameOfB]: toTensor(b) })
      .catch((cause: unknown) => {
        throw new BackendError(
          `metrics: expected '${this.#path}' to take pictures of ${a.widthPx}x${a.heightPx}, got: ${cause instanceof Error ? cause.message.split('\n')[0] : cause}`,
        );
      });
    const data = outputs[nameOfOutput]?.data;
    const value = Number(data?.[0]);
    if (data?.length !== 1 || !Number.isFinite(value)) {
      throw new BackendError(
        `metrics: expected one finite number from '${this.#path}', got ${data?.length === 1 ? value : `${data?.length} values`}`,
      );
    }
    return value;
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}

function toTensor({ widthPx, heightPx, data }: RgbPicture): ort.Tensor {
  const plane = widthPx * heightPx;
  const values = new Float32Array(3 * plane);
  for (let pixel = 0; pixel < plane; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      values[channel * plane + pixel] = (data[3 * pixel + channel] ?? 0) / 127.5 - 1;
    }
  }
  return new ort.Tensor('float32', values, [1, 3, heightPx, widthPx]);
}
