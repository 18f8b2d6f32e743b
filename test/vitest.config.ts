import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // Path tests start the built product and its children: generous, because the machine may have two slow cores.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', './test/support/reporter.ts'],
  },
});
