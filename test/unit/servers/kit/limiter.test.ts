import { expect, test } from 'vitest';
import { createLimiter } from '../../../../src/servers/kit/limiter.ts';

const never = new AbortController().signal;

/** A task that goes on until it is told to end. */
function pending() {
  let end: () => void = () => undefined;
  const whole = new Promise<void>((resolve) => (end = resolve));
  return { whole, end };
}

test('no more at once than allowed, for each kind of record', async () => {
  const limiter = createLimiter({ concurrency: 2 });
  const gate = pending();
  const running = new Map<string, number>();
  const highest = new Map<string, number>();
  const task = (key: string) => async (): Promise<void> => {
    running.set(key, (running.get(key) ?? 0) + 1);
    highest.set(key, Math.max(highest.get(key) ?? 0, running.get(key)!));
    await gate.whole;
    running.set(key, running.get(key)! - 1);
  };
  const all = ['Tickets', 'Tickets', 'Tickets', 'Companies', 'Tickets'].map((key) =>
    limiter.run(key, never, task(key)),
  );
  gate.end();
  await Promise.all(all);
  expect(Object.fromEntries(highest)).toEqual({ Tickets: 2, Companies: 1 });
});

test('a caller that goes away while it waits never runs', async () => {
  const limiter = createLimiter({ concurrency: 1 });
  const gate = pending();
  const first = limiter.run('a', never, () => gate.whole);
  const controller = new AbortController();
  let ran = false;
  const second = limiter.run('a', controller.signal, () => {
    ran = true;
    return Promise.resolve();
  });
  controller.abort();
  await expect(second).rejects.toMatchObject({ code: 'CANCELLED' });
  gate.end();
  await first;
  await limiter.run('a', never, () => Promise.resolve());
  expect(ran).toBe(false);
});

test('a queue has an end', async () => {
  const limiter = createLimiter({ concurrency: 1, maxWaiting: 1 });
  const gate = pending();
  const both = [limiter.run('a', never, () => gate.whole), limiter.run('a', never, () => gate.whole)];
  await expect(limiter.run('a', never, () => gate.whole)).rejects.toThrow(/1 requests for a are waiting/);
  gate.end();
  await Promise.all(both);
});
