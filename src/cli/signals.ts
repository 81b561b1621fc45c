/**
 * SIGINT and SIGTERM. At most times nothing handles them, so that the system ends the process at once, even in the
 * middle of native code, and a shell reports 130 or 143. Only a temporary file has to go first.
 * @module
 */

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs what must not be left half done.
 * @param work ends early and cleans up when its signal fires; the process then dies of what it was sent, so that what is to
 * be removed has to be made in here
 */
export async function finishBeforeSignals<T>(
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let caught: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    caught = signal;
    controller.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    if (caught !== undefined) process.kill(process.pid, caught);
  }
}
