import { describe, expect, test } from 'vitest';
import { ToolFailure, type FailureDetails } from '../../../../src/servers/kit/failure.ts';
import { createLogger } from '../../../../src/servers/kit/logger.ts';
import { createRedactor } from '../../../../src/servers/kit/redactor.ts';
import { retryAfterSeconds, withRetry } from '../../../../src/servers/kit/retry.ts';
import { createFakeClock } from '../../../support/fake-clock.ts';

const log = createLogger({
  name: 'kit',
  level: 'silent',
  redact: createRedactor(),
  write: () => undefined,
  wall: () => 0,
});
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Fails as often as there are failures, then succeeds; says at which milliseconds it was tried. */
async function triesOf(
  failures: readonly FailureDetails[],
  { isSafe = true, abortAt }: { isSafe?: boolean; abortAt?: number } = {},
) {
  const clock = createFakeClock();
  const controller = new AbortController();
  const began = clock.now();
  const at: number[] = [];
  const left = [...failures];
  let outcome: unknown;
  const attempt = (): Promise<string> => {
    at.push(clock.now() - began);
    const next = left.shift();
    return next ? Promise.reject(new ToolFailure('UNAVAILABLE', 'no', next)) : Promise.resolve('done');
  };
  const options = { isSafe, clock, signal: controller.signal, log, random: () => 1 };
  void withRetry(attempt, options).then(
    (value) => (outcome = value),
    (thrown: unknown) => (outcome = thrown),
  );
  for (let ms = 0; ms < 40_000 && outcome === undefined; ms += 100) {
    await settled();
    if (abortAt === ms) controller.abort();
    clock.advance(100);
  }
  await settled();
  return { at, outcome };
}

const transient = { retryable: true, executed: 'unknown' } as const;
const before = { retryable: true, executed: 'no' } as const;

describe('what failed is tried again', () => {
  test('when it is a read and may work later, with growing waits', async () => {
    expect(await triesOf([transient, transient])).toEqual({ at: [0, 500, 1_500], outcome: 'done' });
  });

  test('three times at most', async () => {
    const { at, outcome } = await triesOf([transient, transient, transient]);
    expect(at).toHaveLength(3);
    expect(outcome).toBeInstanceOf(ToolFailure);
  });

  test('never when it is a write that may have happened', async () => {
    const { at, outcome } = await triesOf([transient], { isSafe: false });
    expect([at.length, outcome]).toEqual([1, expect.any(ToolFailure)]);
  });

  test('also when it is a write that cannot have happened', async () => {
    expect((await triesOf([before], { isSafe: false })).outcome).toBe('done');
  });

  test('not when it would fail again', async () => {
    expect((await triesOf([{ executed: 'no' }])).at).toEqual([0]);
  });

  test('when the vendor says, if that is soon', async () => {
    expect((await triesOf([{ ...transient, retryAfterSeconds: 7 }])).at).toEqual([0, 7_000]);
  });

  test('not when the vendor wants a longer wait than a caller has', async () => {
    const { at, outcome } = await triesOf([{ ...transient, retryAfterSeconds: 600 }]);
    expect(at).toEqual([0]);
    expect(outcome).toMatchObject({ retryAfterSeconds: 600 });
  });

  test('not when so much time has passed that the caller is about to give up', async () => {
    const clock = createFakeClock();
    let tries = 0;
    const attempt = (): Promise<never> => {
      tries++;
      // Each try takes its whole deadline.
      clock.advance(20_000);
      return Promise.reject(new ToolFailure('TIMED_OUT', 'late', transient));
    };
    const { signal } = new AbortController();
    await expect(withRetry(attempt, { isSafe: true, clock, signal, log })).rejects.toThrow('late');
    expect(tries).toBe(1);
  });

  test('not when the caller has gone meanwhile', async () => {
    const { at, outcome } = await triesOf([transient], { abortAt: 100 });
    expect(at).toEqual([0]);
    expect(outcome).toMatchObject({ name: 'AbortError' });
  });
});

test('Retry-After is seconds or a date', () => {
  const clock = createFakeClock();
  const read = (value: string) => retryAfterSeconds(new Headers({ 'retry-after': value }), clock);
  expect(read('17')).toBe(17);
  expect(read(new Date(clock.wall() + 30_000).toUTCString())).toBe(30);
  expect(read(new Date(clock.wall() - 30_000).toUTCString())).toBe(0);
  expect(read('soon')).toBeUndefined();
  expect(retryAfterSeconds(new Headers(), clock)).toBeUndefined();
});
