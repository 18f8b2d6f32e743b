import { describe, expect, test } from 'vitest';
import { ProxyError } from '../../../src/calls/error.ts';
import { createWaitingList } from '../../../src/workers/waiting-list.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { someCall } from '../calls/some-call.ts';
import { someWorker } from './some-worker.ts';

const waitMs = 30_000;

function createQueue(max = 10, isStarved = () => false) {
  const clock = createFakeClock();
  const list = createWaitingList<string>({ clock, max, waitMs: () => waitMs, isStarved });
  const served: string[] = [];
  /** Waits for `who`; resolves with the worker it is put on. */
  const enter = (who: string, call = someCall(), hasMoved = false) =>
    list.add(
      who,
      call,
      (worker) => {
        served.push(who);
        return worker;
      },
      hasMoved,
    );
  return { clock, list, enter, served };
}
const names = (list: Iterable<{ who: string }>) => [...list].map(({ who }) => who);
const first = <Item>([item]: Iterable<Item>) => item!;

test('calls wait in the order they came', async () => {
  const { list, enter } = createQueue();
  const waiting = ['a', 'b'].map((who) => enter(who));
  expect(names(list)).toEqual(['a', 'b']);
  expect(list.size).toBe(2);
  const worker = someWorker();
  first(list).serve(worker);
  expect(await waiting[0]).toBe(worker);
  expect(names(list)).toEqual(['b']);
  first(list).serve(worker);
  expect(await waiting[1]).toBe(worker);
  expect(list.size).toBe(0);
});

test('all can be served in one walk through the list', async () => {
  const { list, enter } = createQueue();
  const waiting = ['a', 'b', 'c'].map((who) => enter(who));
  const worker = someWorker();
  for (const { serve } of list) serve(worker);
  expect(await Promise.all(waiting)).toEqual([worker, worker, worker]);
});

describe('a call that is served', () => {
  test('is on its worker in the same turn, so that the next sees one place less', async () => {
    const { list, enter, served } = createQueue();
    const waiting = enter('a');
    first(list).serve(someWorker());
    expect(served).toEqual(['a']);
    await waiting;
  });

  test('is no longer the list’s to cancel once it is on the worker', async () => {
    const { clock, list } = createQueue();
    const call = someCall();
    const heard: ProxyError[] = [];
    const waiting = list.add('a', call, () => {
      call.cancellation.listen((reason) => heard.push(reason));
    });
    first(list).serve(someWorker());
    await waiting;
    // The end of the longest wait must not take the worker's ear away either.
    clock.advance(waitMs);
    const reason = new ProxyError('CANCELLED', 'The client cancelled the call');
    call.cancellation.cancel(reason);
    expect(heard).toEqual([reason]);
  });

  test('ends as its worker ends it', async () => {
    const { list } = createQueue();
    const crash = new ProxyError('CRASHED', 'The server process ended');
    const waiting = list.add('a', someCall(), () => Promise.reject(crash));
    first(list).serve(someWorker());
    await expect(waiting).rejects.toBe(crash);
  });
});

test('a call that cannot even be put on its worker ends so, and is out of the list', async () => {
  const { list } = createQueue();
  const waiting = list.add('a', someCall(), () => {
    throw new ProxyError('BAD_REPLY', 'It cannot be sent');
  });
  first(list).serve(someWorker());
  await expect(waiting).rejects.toMatchObject({ code: 'BAD_REPLY' });
  expect(list.size).toBe(0);
});

describe('a call does not wait', () => {
  test('when too many do already; those stay where they are', async () => {
    const { list, enter } = createQueue(1);
    const early = enter('a');
    await expect(enter('b')).rejects.toMatchObject({ code: 'TENANT_BUSY', executed: 'no' });
    expect(names(list)).toEqual(['a']);
    first(list).serve(someWorker());
    await early;
    // There is room again.
    const late = enter('c');
    first(list).serve(someWorker());
    await late;
  });

  test('at all where no queue is allowed', async () => {
    await expect(createQueue(0).enter('a')).rejects.toMatchObject({ code: 'TENANT_BUSY' });
  });

  test('longer than it may, counted from when it came', async () => {
    const { clock, list, enter } = createQueue();
    const early = enter('a');
    clock.advance(waitMs - 1);
    const late = enter('b');
    expect(list.size).toBe(2);
    clock.advance(1);
    await expect(early).rejects.toMatchObject({ code: 'TENANT_BUSY' });
    expect(names(list)).toEqual(['b']);
    clock.advance(waitMs);
    await expect(late).rejects.toMatchObject({ code: 'TENANT_BUSY' });
  });

  test('and hears that it is the whole proxy, if it is', async () => {
    const { clock, enter } = createQueue(10, () => true);
    const waiting = enter('a');
    clock.advance(waitMs);
    await expect(waiting).rejects.toMatchObject({ code: 'OVERLOADED', executed: 'no' });
  });

  test('once it is cancelled', async () => {
    const { list, enter } = createQueue();
    const call = someCall();
    const waiting = enter('a', call);
    const reason = new ProxyError('CANCELLED', 'The client cancelled the call');
    call.cancellation.cancel(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(list.size).toBe(0);
  });

  test('when everybody is refused', async () => {
    const { list, enter } = createQueue();
    const waiting = ['a', 'b'].map((who) => enter(who));
    const error = new ProxyError('UNAVAILABLE', 'The server keeps crashing');
    list.refuseAll(error);
    expect(list.size).toBe(0);
    const outcomes = await Promise.allSettled(waiting);
    expect(outcomes).toEqual(Array(2).fill({ status: 'rejected', reason: error }));
  });
});

describe('when another generation takes over', () => {
  test('everybody goes there, but who has moved before and waits for what is starting', async () => {
    const { list, enter } = createQueue();
    const codeOf = (error: ProxyError) => error.code;
    const fresh = enter('fresh').then(String, codeOf);
    const moved = enter('moved', someCall(), true).then(String, codeOf);
    list.moveOn(true);
    expect(await fresh).toBe('UNAVAILABLE');
    expect([...list].map(({ who }) => who)).toEqual(['moved']);
    list.moveOn(false);
    expect(await moved).toBe('UNAVAILABLE');
    expect(list.size).toBe(0);
  });

  test('who did not say so has not moved, and may come back at once', async () => {
    const { list } = createQueue();
    const waiting = list.add('a', someCall(), () => undefined);
    list.moveOn(true);
    await expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1000 });
  });
});

test('the refused are told to come back, and not all at the same time', async () => {
  const { enter } = createQueue(0);
  const refused = (thrown: unknown) => (thrown instanceof ProxyError ? thrown.retryAfterMs : undefined);
  const waits = await Promise.all(Array.from({ length: 10 }, () => enter('a').then(String, refused)));
  for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(1000);
  expect(new Set(waits).size).toBeGreaterThan(1);
});

test('a call that was served is no longer the list’s to refuse', async () => {
  const { clock, list, enter } = createQueue();
  const call = someCall();
  const worker = someWorker();
  const waiting = enter('a', call);
  first(list).serve(worker);
  clock.advance(waitMs * 2);
  call.cancellation.cancel(new ProxyError('CANCELLED', ''));
  list.refuseAll(new ProxyError('UNAVAILABLE', ''));
  expect(await waiting).toBe(worker);
});
