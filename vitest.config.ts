import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // onnxruntime-node brings native threads and we start worker threads of our own: both want a process to themselves.
    pool: 'forks',
    maxWorkers: 2,
    setupFiles: process.env.NODE_V8_COVERAGE ? ['tests/take-coverage.ts'] : [],
    // A first model session on a busy machine of two cores takes seconds.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // The built code is what ships: Node itself loads it, with no transform in between.
    server: { deps: { external: [/\/dist\//] } },
  },
});
