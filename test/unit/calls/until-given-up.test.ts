import { expect, test } from 'vitest';
import { Cancellation } from '../../../src/calls/call.ts';
import { ProxyError } from '../../../src/calls/error.ts';
import { untilGivenUp } from '../../../src/calls/until-given-up.ts';

const tooLate = new ProxyError('TIMED_OUT', 'No answer in time');
const never = new Promise<never>(() => undefined);

test('what comes of the work is passed on, and then nobody listens any more', async () => {
  const cancellation = new Cancellation();
  expect(await untilGivenUp(cancellation, Promise.resolve('done'))).toBe('done');
  await expect(untilGivenUp(cancellation, Promise.reject(tooLate))).rejects.toBe(tooLate);
  const heard: unknown[] = [];
  const done = untilGivenUp(cancellation, Promise.resolve()).then(() => {
    cancellation.listen((reason) => heard.push(reason));
  });
  await done;
  cancellation.cancel(tooLate);
  expect(heard).toEqual([tooLate]);
});

test('work that never ends is left when the call is given up, also if it was so before', async () => {
  const cancellation = new Cancellation();
  const waiting = untilGivenUp(cancellation, never);
  cancellation.cancel(tooLate);
  await expect(waiting).rejects.toBe(tooLate);
  await expect(untilGivenUp(cancellation, never)).rejects.toBe(tooLate);
});
