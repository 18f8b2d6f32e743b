import { expect, test } from 'vitest';
import { startDeadline } from '../../../src/gateway/deadline.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { someCall } from '../calls/some-call.ts';

const deadline = { call: 1000, max: 5000 };

function begin(own = deadline) {
  const clock = createFakeClock();
  const call = someCall();
  const stop = startDeadline(call, own, clock);
  return { clock, call, stop, reason: () => call.cancellation.reason };
}

test('a call without a sign of progress is given up at its time, not before', () => {
  const { clock, reason } = begin();
  clock.advance(deadline.call - 1);
  expect(reason()).toBeUndefined();
  clock.advance(1);
  expect(reason()).toMatchObject({ code: 'TIMED_OUT' });
  expect(reason()?.message).toContain('1000 ms');
});

test('each sign of progress gives it the whole time anew', () => {
  const { clock, call, reason } = begin();
  for (let sign = 0; sign < 3; sign++) {
    clock.advance(deadline.call - 1);
    call.progressed();
  }
  clock.advance(deadline.call - 1);
  expect(reason()).toBeUndefined();
  clock.advance(1);
  expect(reason()?.code).toBe('TIMED_OUT');
});

test('but not for ever', () => {
  const { clock, call, reason } = begin();
  for (let waited = 0; waited < deadline.max; waited += 100) {
    expect(reason()).toBeUndefined();
    call.progressed();
    clock.advance(100);
  }
  expect(reason()?.message).toContain(`${deadline.max} ms`);
});

test('the longest time is the bound even where it is the shorter of the two', () => {
  const { clock, reason } = begin({ call: 1000, max: 300 });
  clock.advance(299);
  expect(reason()).toBeUndefined();
  clock.advance(1);
  expect(reason()?.code).toBe('TIMED_OUT');
});

test('a call that has ended is left alone', () => {
  for (const progressAt of [undefined, deadline.call / 2]) {
    const { clock, call, stop, reason } = begin();
    if (progressAt !== undefined) {
      clock.advance(progressAt);
      call.progressed();
      // Past the first look at the clock, so that a second one is under way.
      clock.advance(deadline.call - progressAt);
    }
    stop();
    clock.advance(deadline.max * 2);
    expect(reason()).toBeUndefined();
  }
});

test('the client hears whether the tool may have run', () => {
  const [waiting, running] = [begin(), begin()];
  running.call.dispatched = true;
  for (const { clock } of [waiting, running]) clock.advance(deadline.max);
  expect(waiting.reason()).toMatchObject({ executed: 'no' });
  expect(waiting.reason()?.message).toContain('never reached the server');
  expect(running.reason()).toMatchObject({ executed: 'unknown' });
  expect(running.reason()?.message).toContain('may have run');
});
