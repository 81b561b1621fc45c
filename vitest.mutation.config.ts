import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'tests/container/*.test.ts',
      'tests/image/png*.test.ts',
      'tests/image/blocks.test.ts',
      'tests/limits.test.ts',
    ],
    testTimeout: 60_000,
    server: { deps: { external: [/\/dist\//] } },
  },
});
