import { describe, expect, test } from 'vitest';
import { createRestarts, restartBounds } from '../../../src/workers/restarts.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const { baseMs, maxMs, breakAfter, windowMs, patienceMs } = restartBounds;

function createRecord() {
  const clock = createFakeClock();
  const restarts = createRestarts(clock);
  /** `times` failures, all at the same moment. */
  const fail = (times: number) => {
    for (let time = 0; time < times; time++) restarts.failed(false);
  };
  return { clock, restarts, fail, allowance: () => restarts.allowance() };
}

test('a server with no record may start at once', () => {
  expect(createRecord().allowance()).toEqual({ waitMs: 0, failFast: false });
});

describe('after failures', () => {
  test('the first is forgiven', () => {
    const { fail, allowance } = createRecord();
    fail(1);
    expect(allowance()).toEqual({ waitMs: 0, failFast: false });
  });

  test('after the second callers wait a little', () => {
    const { fail, allowance } = createRecord();
    fail(2);
    expect(allowance().waitMs).toBeGreaterThanOrEqual(baseMs / 2);
    expect(allowance().waitMs).toBeLessThanOrEqual(patienceMs);
    expect(allowance().failFast).toBe(false);
  });

  test('the wait passes with time', () => {
    const { clock, fail, allowance } = createRecord();
    fail(2);
    const { waitMs } = allowance();
    clock.advance(waitMs / 4);
    expect(allowance().waitMs).toBeCloseTo((waitMs * 3) / 4);
    clock.advance(waitMs);
    expect(allowance()).toEqual({ waitMs: 0, failFast: false });
  });

  test('a wait nobody has patience for is a refusal', () => {
    const { clock, restarts, allowance } = createRecord();
    // Far enough apart that the breaker has no part in it.
    for (let time = 0; time < breakAfter; time++) {
      clock.advance(windowMs);
      restarts.failed(false);
    }
    expect(allowance().waitMs).toBeGreaterThan(patienceMs);
    expect(allowance().failFast).toBe(true);
  });

  test('the wait is bounded', () => {
    const { fail, allowance } = createRecord();
    fail(100);
    expect(allowance().waitMs).toBeLessThanOrEqual(maxMs);
    expect(allowance().waitMs).toBeGreaterThanOrEqual(maxMs / 2);
  });
});

describe('the breaker', () => {
  test('opens after so many failures within the window, however short the wait', () => {
    const { clock, restarts, fail, allowance } = createRecord();
    fail(breakAfter - 1);
    // A start ends the wait, but it is no clean record.
    restarts.started();
    expect(allowance().failFast).toBe(false);
    fail(1);
    expect(allowance()).toMatchObject({ failFast: true });
    clock.advance(allowance().waitMs - 1);
    // Still refused, although this rest alone would be within anybody's patience.
    expect(allowance().failFast).toBe(true);
  });

  test('failures out of the window do not count', () => {
    const { clock, fail, allowance } = createRecord();
    fail(breakAfter - 1);
    clock.advance(windowMs);
    fail(breakAfter - 1);
    // Only an open breaker would refuse for the sake of so little.
    clock.advance(allowance().waitMs - 1);
    expect(allowance().failFast).toBe(false);
  });

  test('lets a probe through when the wait is over, and shuts again if it fails', () => {
    const { clock, restarts, fail, allowance } = createRecord();
    fail(breakAfter);
    clock.advance(maxMs);
    expect(allowance()).toEqual({ waitMs: 0, failFast: false });
    clock.advance(windowMs * 10);
    restarts.failed(false);
    expect(allowance().waitMs).toBeGreaterThanOrEqual(baseMs);
    // To the very end: only an open breaker refuses for the sake of so little.
    clock.advance(allowance().waitMs - 1);
    expect(allowance().failFast).toBe(true);
  });

  test('opens at once for what will not get better by itself', () => {
    const { restarts, allowance } = createRecord();
    restarts.failed(true);
    expect(allowance()).toEqual({ waitMs: maxMs, failFast: true });
  });

  test('closes when a worker starts', () => {
    const { restarts, allowance } = createRecord();
    restarts.failed(true);
    restarts.started();
    expect(allowance()).toEqual({ waitMs: 0, failFast: false });
  });
});

describe('a clean record', () => {
  test('comes from a long life', () => {
    const { restarts, fail, allowance } = createRecord();
    fail(breakAfter - 1);
    restarts.started();
    restarts.sound();
    fail(1);
    expect(allowance()).toEqual({ waitMs: 0, failFast: false });
  });

  test('does not come from a start alone: who starts and crashes waits longer each time', () => {
    const { restarts, fail, allowance } = createRecord();
    for (let time = 0; time < breakAfter - 1; time++) {
      restarts.started();
      fail(1);
    }
    expect(allowance().waitMs).toBeGreaterThanOrEqual((baseMs * 2 ** (breakAfter - 3)) / 2);
  });
});
