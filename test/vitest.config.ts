import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    // Path tests start the built product and its children: generous, because the machine may have two slow cores.
    // More than there are cores: most of the time a test waits for the product, and the product for its timers.
    maxWorkers: 4,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // What was loaded once is not loaded for each file anew, which is nearly half of what unit tests cost otherwise. Files
    // share nothing but what they import, and put back what they change; what is to be cleaned up last is in the run's folder.
    isolate: false,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['test/{path,architecture,conformance}/**/*.test.ts'],
          globalSetup: new URL('support/run-folder.ts', import.meta.url).pathname,
        },
      },
    ],
    reporters: ['default', new URL('support/reporter.ts', import.meta.url).pathname],
  },
});
