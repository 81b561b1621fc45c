/**
 * What `work` adds to the memory behind array buffers, in bytes. That a hostile file is refused soon is shown by what
 * costs the time not being there: scripts/make-inputs-table.mjs takes the times.
 */
export function allocatedBytes(work: () => unknown): number {
  const before = process.memoryUsage().arrayBuffers;
  work();
  return process.memoryUsage().arrayBuffers - before;
}

export const MEBIBYTE = 2 ** 20;
