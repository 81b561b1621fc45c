/**
 * Which hardware runs the networks: the ladder of execution providers and what happens when a rung breaks.
 * onnxruntime itself has no fallback (measured: a list with an absent provider throws), so the ladder is ours.
 * @module
 */
import { BackendError, ProviderError } from '../errors.js';
import type { ort } from './runtime.js';

export const PROVIDERS = ['cpu', 'cuda', 'dml', 'coreml', 'webgpu'] as const;
export type Provider = (typeof PROVIDERS)[number];
export type ProviderChoice = Provider | 'auto';

/** Where `auto` starts to try a GPU: below, the copy and the start cost more than they save. */
const AUTO_GPU_FROM_PIXELS = 8_000_000;

const GPU_OF_PLATFORM: Readonly<Record<string, readonly Provider[]>> = {
  linux: ['cuda'],
  win32: ['cuda', 'dml'],
  darwin: ['coreml'],
};

/**
 * The providers to try, best first.
 * @param platform Node's name of the operating system
 * @param pixels size of the work
 * @param deterministic keeps `auto` on the CPU, whose results do not depend on the machine's GPU
 */
export function providerLadder(
  choice: ProviderChoice,
  platform: string,
  pixels: number,
  deterministic: boolean,
): readonly Provider[] {
  if (choice !== 'auto') return [choice];
  if (deterministic || pixels < AUTO_GPU_FROM_PIXELS) return ['cpu'];
  return [...(GPU_OF_PLATFORM[platform] ?? []), 'cpu'];
}

/** A session and how it came about. */
export interface OpenedSession {
  readonly session: ort.InferenceSession;
  readonly provider: Provider;
  /** Providers that were tried first, each with the runtime's first line of complaint. */
  readonly failed: readonly { readonly provider: Provider; readonly reason: string }[];
}

/**
 * Opens a session on the first provider of the ladder that loads.
 * @throws ProviderError when a single provider was asked for and cannot load
 * @throws BackendError when even the CPU refuses the graph
 */
export async function openSession(
  runtime: typeof ort,
  graph: Uint8Array,
  ladder: readonly Provider[],
  threads: number,
): Promise<OpenedSession> {
  const failed: { provider: Provider; reason: string }[] = [];
  for (const provider of ladder) {
    try {
      const session = await runtime.InferenceSession.create(graph, {
        executionProviders: [provider],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        graphOptimizationLevel: 'all',
        logSeverityLevel: 4,
      });
      return { session, provider, failed };
    } catch (cause) {
      failed.push({ provider, reason: firstLine(cause) });
    }
  }
  const reasons = failed.map(({ provider, reason }) => `${provider}: ${reason}`).join('; ');
  if (ladder.length === 1 && ladder[0] !== 'cpu') {
    throw new ProviderError(
      `vae: expected provider '${ladder[0]}' to load, got: ${reasons}; use --provider auto or cpu`,
    );
  }
  throw new BackendError(`vae: expected a graph that onnxruntime can load, got: ${reasons}`);
}

function firstLine(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return (message.split('\n')[0] ?? '').trim().slice(0, 300);
}
