import { describe, expect, test } from 'vitest';
import { Cancellation, type Guard, guarded, type Handler } from '../../../src/calls/call.ts';
import { ProxyError } from '../../../src/calls/error.ts';
import { someCall } from './some-call.ts';

const stop = new ProxyError('CANCELLED', 'The client cancelled the call');
const tooLate = new ProxyError('TIMED_OUT', 'No answer in time');

describe('a cancellation', () => {
  test('reaches who listens, once, with the first reason', () => {
    const cancellation = new Cancellation();
    const heard: ProxyError[] = [];
    cancellation.listen((reason) => heard.push(reason));
    cancellation.cancel(stop);
    cancellation.cancel(tooLate);
    expect(heard).toEqual([stop]);
    expect(cancellation.reason).toBe(stop);
  });

  test('reaches only who has the call in hand now', () => {
    const cancellation = new Cancellation();
    const [before, now]: [ProxyError[], ProxyError[]] = [[], []];
    cancellation.listen((reason) => before.push(reason));
    cancellation.listen((reason) => now.push(reason));
    cancellation.cancel(stop);
    expect([before, now]).toEqual([[], [stop]]);
  });

  test('is remembered when nobody listens', () => {
    const cancellation = new Cancellation();
    expect(cancellation.reason).toBeUndefined();
    cancellation.listen(() => expect.unreachable('it was taken off'));
    cancellation.listen(undefined);
    cancellation.cancel(stop);
    expect(cancellation.reason).toBe(stop);
  });
});

describe('guards', () => {
  const answer = { parts: [Buffer.from('answer')], isError: false };

  test('the first is the outermost, on the way in and out', async () => {
    const steps: string[] = [];
    const guard =
      (name: string): Guard =>
      async (call, next) => {
        steps.push(`${name} in`);
        const reply = await next(call);
        steps.push(`${name} out`);
        return reply;
      };
    const innermost: Handler = () => {
      steps.push('handler');
      return Promise.resolve(answer);
    };
    expect(await guarded([guard('a'), guard('b')], innermost)(someCall())).toBe(answer);
    expect(steps).toEqual(['a in', 'b in', 'handler', 'b out', 'a out']);
  });

  test('one that refuses keeps the call from all behind it', async () => {
    const refuse: Guard = () => Promise.reject(stop);
    const beyond = () => expect.unreachable('the call was refused');
    await expect(guarded([refuse, beyond], beyond)(someCall())).rejects.toBe(stop);
  });

  test('one may pass on another call and edit what comes back', async () => {
    const rename: Guard = async (call, next) => ({
      ...(await next({ ...call, keyName: 'phone' })),
      isError: true,
    });
    const names: string[] = [];
    const innermost: Handler = ({ keyName }) => {
      names.push(keyName);
      return Promise.resolve(answer);
    };
    expect(await guarded([rename], innermost)(someCall())).toEqual({ ...answer, isError: true });
    expect(names).toEqual(['phone']);
  });

  test('none at all is the handler alone', async () => {
    expect(await guarded([], () => Promise.resolve(answer))(someCall())).toBe(answer);
  });
});
