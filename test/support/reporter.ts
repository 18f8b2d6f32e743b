import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Says what was skipped, ends the run with `N passed, N failed`, and leaves the two numbers where `.ci/run` finds them. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    const skipped = new Map<string, number>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') failed++;
        else skipped.set(placeOf(test), (skipped.get(placeOf(test)) ?? 0) + 1);
      }
      // A file that cannot be loaded has no tests to fail.
      failed += module.errors().length;
    }
    for (const [place, count] of skipped) console.log(`skipped: ${place}: ${count}`);
    const file = process.env['TEST_COUNTS_FILE'];
    if (file !== undefined && file !== '') writeFileSync(file, `${passed} ${failed}\n`);
    console.log(`${passed} passed, ${failed} failed`);
  }
}

/** The outermost `describe`: its title says what the tests need that is not here. */
function placeOf(test: TestCase): string {
  let place: TestCase['parent'] = test.parent;
  while (place.type === 'suite' && place.parent.type === 'suite') place = place.parent;
  return place.type === 'suite' ? place.name : test.name;
}
