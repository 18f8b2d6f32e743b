import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** Ends the run with `N passed, N failed`, and leaves the two numbers where `.ci/run` finds them. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') failed++;
      }
      // A file that cannot be loaded has no tests to fail.
      failed += module.errors().length;
    }
    const file = process.env['TEST_COUNTS_FILE'];
    if (file !== undefined && file !== '') writeFileSync(file, `${passed} ${failed}\n`);
    console.log(`${passed} passed, ${failed} failed`);
  }
}
