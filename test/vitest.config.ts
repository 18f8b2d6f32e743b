import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // Path tests start the built product and its children: generous, because the machine may have two slow cores.
    // More than there are cores: most of the time a test waits for the product, and the product for its timers.
    maxWorkers: 4,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', new URL('support/reporter.ts', import.meta.url).pathname],
  },
});
