import { expect, test } from 'vitest';
import { type Call } from '../../../src/calls/call.ts';
import { Roster } from '../../../src/calls/roster.ts';
import { createDeadlines, lookEveryMs } from '../../../src/gateway/deadline.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { someCall } from '../calls/some-call.ts';

const deadline = { call: 1000, max: 5000 };

function begin(own = deadline) {
  const clock = createFakeClock();
  const calls = new Roster<Call>();
  const joined = createDeadlines(calls, clock);
  const join = () => {
    const now = clock.now();
    const call = someCall({ deadline: own, dispatched: true, startedAt: now, heardAt: now });
    calls.add(call);
    joined();
    return call;
  };
  const call = join();
  const progress = () => (call.heardAt = clock.now());
  return { clock, calls, call, join, progress, reason: () => call.cancellation.reason };
}

test('a call without a sign of progress is given up at its time, not before', () => {
  const { clock, reason } = begin();
  clock.advance(deadline.call - 1);
  expect(reason()).toBeUndefined();
  clock.advance(1 + lookEveryMs);
  expect(reason()).toMatchObject({ code: 'TIMED_OUT' });
  expect(reason()?.message).toMatch(/within 10[0-5]\d ms/);
});

test('each sign of progress gives it the whole time anew', () => {
  const { clock, progress, reason } = begin();
  for (let sign = 0; sign < 3; sign++) {
    clock.advance(deadline.call - 1);
    progress();
  }
  clock.advance(deadline.call - 1);
  expect(reason()).toBeUndefined();
  clock.advance(1 + lookEveryMs);
  expect(reason()?.code).toBe('TIMED_OUT');
});

test('but not for ever', () => {
  const { clock, progress, reason } = begin();
  for (let waited = 0; waited < deadline.max; waited += 100) {
    expect(reason()).toBeUndefined();
    progress();
    clock.advance(100);
  }
  clock.advance(lookEveryMs);
  expect(reason()?.code).toBe('TIMED_OUT');
});

test('the longest time is the bound even where it is the shorter of the two', () => {
  const { clock, reason } = begin({ call: 1000, max: 300 });
  clock.advance(299);
  expect(reason()).toBeUndefined();
  clock.advance(1 + lookEveryMs);
  expect(reason()?.code).toBe('TIMED_OUT');
});

test('a call that has ended is left alone, and one that comes later is not', () => {
  const { clock, calls, call, join, reason } = begin();
  calls.remove(call);
  clock.advance(deadline.max * 2);
  expect(reason()).toBeUndefined();
  const later = join();
  clock.advance(deadline.call + lookEveryMs);
  expect(later.cancellation.reason?.code).toBe('TIMED_OUT');
});

test('while there is no call, nothing is looked at', () => {
  const { clock, calls, call } = begin();
  calls.remove(call);
  clock.advance(lookEveryMs);
  let timers = 0;
  const counted = { ...clock, after: (ms: number, run: () => void) => (timers++, clock.after(ms, run)) };
  const joined = createDeadlines(calls, counted);
  clock.advance(10_000);
  expect(timers).toBe(0);
  joined();
  joined();
  expect(timers).toBe(1);
});

test('the client hears whether the tool may have run', () => {
  const [waiting, running] = [begin(), begin()];
  waiting.call.dispatched = false;
  for (const { clock } of [waiting, running]) clock.advance(deadline.max);
  expect(waiting.reason()).toMatchObject({ executed: 'no' });
  expect(waiting.reason()?.message).toContain('never reached the server');
  expect(running.reason()).toMatchObject({ executed: 'unknown' });
  expect(running.reason()?.message).toContain('may have run');
});

test('how long a call waits for a worker is not the server’s time', () => {
  const { clock, call, progress, reason } = begin();
  call.dispatched = false;
  clock.advance(deadline.call * 2);
  expect(reason()).toBeUndefined();
  call.dispatched = true;
  progress();
  clock.advance(deadline.call - 1);
  expect(reason()).toBeUndefined();
  clock.advance(1 + lookEveryMs);
  expect(reason()?.code).toBe('TIMED_OUT');
});
