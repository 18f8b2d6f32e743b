import { describe, expect, test } from 'vitest';
import { type Call, Cancellation } from '../../../src/calls/call.ts';
import { ProxyError } from '../../../src/calls/error.ts';
import { Redactor } from '../../../src/secrets/redactor.ts';
import { createWorkerKinds, plainKind } from '../../../src/workers/kind.ts';
import type { Child } from '../../../src/workers/launch.ts';
import { Pool, type PoolParts } from '../../../src/workers/pool.ts';
import type { Resident, Seeker } from '../../../src/workers/residents.ts';
import { createSeats } from '../../../src/workers/seats.ts';
import type { Worker } from '../../../src/workers/worker.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { acme, messageOf, someCall } from '../calls/some-call.ts';
import { somePool, someSpec } from './some-worker.ts';

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const gaveUp = new ProxyError('CANCELLED', 'gone');

/** A pool that runs no process: `starts` are those it wished for, `fail` has the oldest of them fail. */
function createPool(own: object = {}, seats = 10) {
  const clock = createFakeClock();
  const starts: (() => void)[] = [];
  const told: string[] = [];
  const residents = new Set<Resident>();
  const tools = {
    clock,
    announce: ({ type }: { readonly type: string }) => void told.push(type),
    seats: createSeats({ max: seats, spawns: 10, clock, evict: () => undefined, yieldOne: () => undefined }),
    launch: () =>
      new Promise<Child>((_, reject) => starts.push(() => reject(new Error('it could not be started')))),
    stopGrace: 1000,
    redactor: new Redactor(clock),
  };
  const parts = {
    tenantId: acme,
    spec: someSpec([], { pool: somePool(own) }),
    tools,
    residents,
    eras: { learned: () => false, stumbled: () => undefined },
    memory: {},
    usualKind: () => plainKind,
    started: () => void told.push('started'),
    tasks: () => ({}),
    listChanged: (_worker: Worker, feature: string) => void told.push(feature),
  };
  const pool = new Pool(parts as unknown as PoolParts);
  const log: string[] = [];
  return {
    pool,
    clock,
    told,
    log,
    residents,
    seats: tools.seats,
    starts,
    fail: async () => {
      starts.shift()?.();
      await settled();
    },
    /** A worker that is there, with this many calls; others put on it count. */
    employ: (name: string, facts: object = {}) => {
      const worker = {
        state: 'idle',
        isOpen: true,
        kind: plainKind,
        inFlight: 0,
        get occupied(): number {
          return this.inFlight;
        },
        calls: 0,
        send: () => undefined,
        startedAt: clock.now(),
        expiresAt: Infinity,
        idleSince: clock.now(),
        isListenedTo: false,
        liveTasks: new Set(),
        lines: new Set(),
        talk: { unansweredOf: undefined, hasAnswered: false, calls: [] },
        stop: (reason: string) => void log.push(`${name} stops: ${reason}`),
        drain: (reason: string) => void log.push(`${name} drains: ${reason}`),
        ...facts,
      };
      pool.start.spawned(worker as unknown as Worker);
      return Object.assign(worker, { asWorker: worker as unknown as Worker, name });
    },
    /** Have a call wait for a worker, on which it then stays. */
    ask: (name: string, who: Partial<Seeker> = {}, call: Partial<Call> = {}) => {
      const seeker: Seeker = {
        home: undefined,
        kind: plainKind,
        caller: { keyName: 'ada' },
        initialize: undefined,
        isGone: false,
        ...who,
      };
      const use = (worker: Worker) => {
        const given = worker as unknown as { name: string; inFlight: number; calls: number };
        given.inFlight++;
        given.calls++;
        log.push(`${name} on ${given.name}`);
        return name;
      };
      const answer = Promise.resolve(pool.acquire(seeker, someCall(call), use));
      answer.catch(() => undefined);
      return { seeker, answer };
    },
  };
}

describe('a call', () => {
  test('that was given up is put on no worker', async () => {
    const { employ, ask, log, pool } = createPool();
    employ('w1');
    const cancellation = new Cancellation();
    cancellation.cancel(gaveUp);
    await expect(ask('a', {}, { cancellation }).answer).rejects.toBe(gaveUp);
    expect([log, pool.queued]).toEqual([[], 0]);
  });

  test('that comes while others wait goes after them, also when a worker has room', () => {
    const { employ, ask, log, pool } = createPool({ max: 1 });
    // It reads too slowly, until it does.
    const worker = employ('w1', { state: 'busy', inFlight: 1, isOpen: false });
    ask('a');
    ask('b');
    expect([log, pool.queued]).toEqual([[], 2]);
    worker.isOpen = true;
    ask('c');
    expect([log, pool.queued]).toEqual([['a on w1', 'b on w1', 'c on w1'], 0]);
  });

  test('is not forgotten where a worker that did not keep up has room again, and nobody says so', () => {
    const { employ, ask, log, pool, clock } = createPool({ max: 1 });
    const worker = employ('w1', { state: 'busy', isOpen: false });
    ask('a');
    worker.isOpen = true;
    expect(log).toEqual([]);
    pool.sweep(clock.now());
    expect([log, pool.queued]).toEqual([['a on w1'], 0]);
  });

  test('whose worker has room goes before those of another kind that wait', () => {
    const { employ, ask, log } = createPool({ max: 1 });
    const kind = createWorkerKinds().legacy({ sampling: {} });
    employ('w1', { state: 'busy', inFlight: 1, isListenedTo: true });
    ask('a', { kind });
    ask('b');
    expect(log.filter((line) => line.includes(' on '))).toEqual(['b on w1']);
  });

  test('finds nothing for its own key, and the next of another key all the same', () => {
    const { employ, ask, log, pool } = createPool({ max: 1, sharing: 'leased' });
    const worker = employ('w1', { inFlight: 1, state: 'busy' });
    for (const [name, keyName] of [
      ['a', 'bob'],
      ['b', 'bob'],
      ['c', 'ada'],
    ] as const)
      ask(name, { caller: { keyName } });
    expect(pool.queued).toBe(3);
    Object.assign(worker, { inFlight: 0, state: 'idle', talk: { ...worker.talk, unansweredOf: 'ada' } });
    pool.start.listener.changed(worker.asWorker);
    expect(log.filter((line) => line.includes(' on '))).toEqual(['c on w1']);
  });

  test('of one session after that of another, where each has a worker to itself', () => {
    const { employ, ask, log, pool } = createPool({ max: 2, sharing: 'exclusive' });
    const worker = employ('w1', { isOpen: false });
    ask('a');
    ask('b', { home: worker.asWorker });
    worker.isOpen = true;
    pool.start.listener.changed(worker.asWorker);
    expect(log).toEqual(['b on w1']);
  });

  test('has its session live where it went, unless that lives on one of its kind', () => {
    const { employ, ask, pool } = createPool({ concurrency: 1 });
    const [home, other] = [employ('w1', { inFlight: 1 }), employ('w2')];
    const old = employ('w3', { kind: createWorkerKinds().legacy({ sampling: {} }) });
    expect(ask('a', { home: home.asWorker }).seeker.home).toBe(home.asWorker);
    other.inFlight = 0;
    expect(ask('b', { home: old.asWorker }).seeker.home).toBe(other.asWorker);
    home.isOpen = false;
    other.inFlight = 0;
    expect(ask('c', { home: home.asWorker }).seeker.home).toBe(other.asWorker);
    expect(pool.acquired).toBe(3);
  });

  test('that makes the number a worker may answer full is its last', () => {
    const { employ, ask, log } = createPool({ maxRequests: 2 });
    employ('w1');
    ask('a');
    expect(log).toEqual(['a on w1']);
    ask('b');
    expect(log.slice(1)).toEqual(['b on w1', 'w1 drains: it has answered as many calls as it may']);
  });
});

describe('calls that wait', () => {
  test('are worth as many starts as they fill, within `max`', async () => {
    const { ask, starts, pool } = createPool({ max: 3, concurrency: 2 });
    for (const [name, count] of [
      ['a', 1],
      ['b', 1],
      ['c', 2],
      ['d', 2],
      ['e', 3],
      ['f', 3],
      ['g', 3],
    ] as const) {
      ask(name);
      expect(pool.starting).toBe(count);
    }
    await settled();
    expect(starts).toHaveLength(3);
  });

  test('start no more beside those that are there than `max`, and another once one of them has gone', () => {
    const { employ, ask, pool } = createPool({ max: 2, concurrency: 1 });
    const first = employ('w1', { state: 'busy', inFlight: 1 });
    for (const name of ['a', 'b', 'c']) ask(name);
    expect(pool.starting).toBe(1);
    const exit = { exitCode: 0, signal: null, cause: undefined };
    pool.start.listener.gone(first.asWorker, exit as never, 0);
    expect(pool.starting).toBe(2);
  });

  test('are put on a worker as soon as it is there', () => {
    const { employ, ask, pool, log } = createPool();
    ask('a');
    pool.adopt(employ('w1').asWorker);
    expect([log, pool.queued]).toEqual([['a on w1'], 0]);
  });

  test('of one session start one worker, where each has one to itself, and none beyond `max`', async () => {
    const { ask, pool, starts } = createPool({ max: 2, sharing: 'exclusive' });
    const { seeker } = ask('a');
    void pool.acquire(seeker, someCall(), () => undefined);
    ask('b');
    ask('c');
    await settled();
    expect([pool.starting, starts.length, pool.queued]).toEqual([2, 2, 4]);
  });

  test('start nothing any more where they are given up before there is a seat', async () => {
    const { ask, pool, starts, seats } = createPool({}, 0);
    const cancellation = new Cancellation();
    ask('a', {}, { cancellation });
    expect(seats.waiting).toBe(1);
    cancellation.cancel(gaveUp);
    seats.release('other');
    await settled();
    expect([starts.length, pool.starting]).toEqual([0, 0]);
  });

  test('are refused once the server keeps failing; who comes then is refused at once', async () => {
    const { ask, fail, clock, pool, told } = createPool();
    const { answer } = ask('a');
    await settled();
    await fail();
    expect([pool.queued, pool.isBroken]).toEqual([1, false]);
    for (let tries = 2; tries <= 5 && !pool.isBroken; tries++) {
      clock.advance(pool.allowance.waitMs);
      await settled();
      await fail();
    }
    await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect([pool.isBroken, told]).toEqual([true, ['breaker.opened']]);
    await expect(ask('b').answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('are not refused for a start that failed while a worker is there', async () => {
    const { employ, ask, fail, clock, pool } = createPool({ max: 2, concurrency: 1 });
    employ('w1', { state: 'busy', inFlight: 1 });
    ask('a');
    for (let tries = 1; tries <= 5 && !pool.isBroken; tries++) {
      await settled();
      await fail();
      clock.advance(Math.min(2000, pool.allowance.waitMs));
    }
    expect([pool.isBroken, pool.queued]).toEqual([true, 1]);
  });
});

test('who waits too long for a worker is told whether it is for want of places of the proxy’s, or of the tenant’s', async () => {
  const [starved, busy] = [createPool({ wait: '1s' }, 0), createPool({ max: 1, wait: '1s' }, 1)];
  busy.employ('w1', { state: 'busy', inFlight: 32 });
  const [slow, served] = [createPool({ wait: '1s' }), createPool({ max: 2, wait: '1s' }, 0)];
  served.employ('w1', { state: 'busy', inFlight: 32 });
  for (const [{ ask, clock }, code] of [
    [starved, 'OVERLOADED'],
    [busy, 'TENANT_BUSY'],
    // The start takes its time; there was a place for it, or others of the tenant's are there.
    [slow, 'TENANT_BUSY'],
    [served, 'TENANT_BUSY'],
  ] as const) {
    const { answer } = ask('a');
    clock.advance(30_000);
    await expect(answer).rejects.toMatchObject({ code });
  }
});

test('what a pool knows of its workers', () => {
  const { employ, pool, told, residents } = createPool();
  const kind = createWorkerKinds().legacy({ sampling: {} });
  const resident = {
    home: undefined,
    kind: plainKind,
    subscriptions: new Set(),
    caller: { hear: () => undefined },
  };
  residents.add(resident as unknown as Resident);
  const first = employ('w1', { facts: { name: 'first' }, inFlight: 2 });
  const second = employ('w2', { facts: { name: 'second' }, kind, inFlight: 1 });
  for (const worker of [first, second]) pool.adopt(worker.asWorker);
  expect([pool.created, pool.inFlight, told]).toEqual([2, 3, ['started', 'started']]);
  expect([pool.facts.get(plainKind), pool.lastFacts]).toEqual([{ name: 'first' }, { name: 'second' }]);
  expect(resident.home).toBe(first.asWorker);
  const { listener } = pool.start;
  listener.notification(first.asWorker, messageOf({ method: 'notifications/tools/list_changed' }));
  expect(told.at(-1)).toBe('tools');
  expect(pool.rules.isInteractive).toBe(false);
  listener.request(first.asWorker, messageOf({ id: 1, method: 'sampling/createMessage', params: {} }));
  expect(pool.rules.isInteractive).toBe(true);
});

describe('a worker', () => {
  const exit = { exitCode: 0, signal: null, cause: undefined };

  test('that was told to end is no failure, and one that ended by itself is', () => {
    const { employ, pool } = createPool();
    const gone = (name: string, hasFailed: boolean) =>
      pool.start.listener.gone(employ(name, { facts: {}, hasFailed }).asWorker, exit as never, 0);
    // The first failure costs nothing.
    gone('w1', true);
    gone('w2', false);
    gone('w3', false);
    expect(pool.allowance.waitMs).toBe(0);
    gone('w4', true);
    expect(pool.allowance.waitMs).toBeGreaterThan(0);
    expect(pool.workers.size).toBe(0);
  });

  test('that answered a call closes the door that failures opened; its handshake does not', () => {
    const { employ, pool, told } = createPool();
    const gone = (name: string) =>
      pool.start.listener.gone(employ(name, { facts: {}, hasFailed: true }).asWorker, exit as never, 0);
    for (const name of ['w1', 'w2', 'w3', 'w4', 'w5']) gone(name);
    expect(pool.isBroken).toBe(true);
    const worker = employ('w6');
    pool.adopt(worker.asWorker);
    pool.start.listener.changed(worker.asWorker);
    expect(pool.isBroken).toBe(true);
    worker.talk.hasAnswered = true;
    pool.start.listener.changed(worker.asWorker);
    expect(pool.isBroken).toBe(false);
    expect(told.filter((type) => type.startsWith('breaker'))).toEqual(['breaker.opened', 'breaker.closed']);
  });

  test('that nobody used for `idle` leaves, but those within `min` and those that are listened to stay', () => {
    const { employ, pool, clock, log } = createPool({ min: 1, idle: '1s' });
    employ('listened', { isListenedTo: true });
    employ('busy', { state: 'busy' });
    employ('first');
    clock.advance(999);
    employ('late');
    expect(pool.sweep(clock.now())).toBe(0);
    clock.advance(1);
    expect(pool.sweep(clock.now())).toBe(1);
    expect(log).toEqual(['first stops: it was idle']);
    const small = createPool({ min: 1, idle: '1s' });
    small.employ('only');
    small.clock.advance(1000);
    expect(small.pool.sweep(small.clock.now())).toBe(0);
    expect(small.pool.reap()).toBe(1);
    expect(small.log).toEqual(['only stops: an operator reaped it']);
  });

  test('that was started to find out about the server is kept only where there is room', () => {
    const { employ, pool, log, ask } = createPool({ max: 1 });
    pool.adopt(employ('w1').asWorker);
    ask('a');
    const second = employ('w2');
    pool.adopt(second.asWorker);
    expect(log).toEqual(['a on w1', 'w2 stops: there was no room for it']);
    const old = createPool();
    old.pool.retire('replaced', 1000, true);
    old.pool.adopt(old.employ('w1').asWorker);
    expect(old.log).toEqual(['w1 stops: there was no room for it']);
  });
});

describe('workers that nobody has called for', () => {
  test('are started one by one until there are `min`, but not where there is no seat to spare', () => {
    const { pool, clock, employ } = createPool({ min: 3, max: 4 });
    employ('w1');
    for (const count of [1, 2, 2]) {
      pool.sweep(clock.now());
      expect(pool.starting).toBe(count);
    }
    const full = createPool({ min: 1 }, 0);
    full.pool.sweep(full.clock.now());
    expect(full.pool.starting).toBe(0);
  });

  test('are not started while the server keeps failing, and again when its time has come', async () => {
    const { pool, clock, fail } = createPool({ min: 1 });
    for (let tries = 1; tries <= 2; tries++) {
      pool.sweep(clock.now());
      await settled();
      await fail();
    }
    const { waitMs } = pool.allowance;
    expect(waitMs).toBeGreaterThan(0);
    pool.sweep(clock.now());
    expect(pool.starting).toBe(0);
    clock.advance(waitMs);
    pool.sweep(clock.now());
    expect(pool.starting).toBe(1);
  });
});

describe('a worker that is old', () => {
  const old = { expiresAt: 0 };

  test('leaves at once if it is idle and nobody listens to it, and nobody comes in its place', () => {
    const { pool, clock, employ, log } = createPool({ min: 0, idle: '1h' });
    employ('w1', old);
    pool.sweep(clock.now());
    expect([log, pool.starting]).toEqual([['w1 drains: it was old'], 0]);
  });

  test.each([
    ['has calls', { state: 'busy', inFlight: 1 }],
    ['is listened to', { isListenedTo: true }],
  ])('and %s stays until another is there; if that does not start, it is tried again', async (_how, own) => {
    const { pool, clock, employ, log, starts, fail } = createPool({ min: 0, idle: '1h' });
    employ('w1', { ...old, ...own });
    for (let tries = 1; tries <= 2; tries++) {
      for (let sweeps = 0; sweeps < 2; sweeps++) pool.sweep(clock.now());
      await settled();
      expect([log, pool.starting, starts.length]).toEqual([[], 1, 1]);
      await fail();
    }
  });
});

test('a pool has ended when its last process has, also one that came late', async () => {
  const { pool, employ } = createPool();
  let isOver = false;
  const ends = new Map<string, () => void>();
  const live = (name: string) => {
    const worker = employ(name, { ended: new Promise<void>((resolve) => ends.set(name, resolve)) });
    return () => {
      pool.workers.delete(worker.asWorker);
      ends.get(name)?.();
    };
  };
  const endFirst = live('w1');
  const ended = pool.ended().then(() => (isOver = true));
  const endLate = live('w2');
  endFirst();
  await settled();
  expect(isOver).toBe(false);
  endLate();
  expect(await ended).toBe(true);
});

describe('a pool that another takes the place of', () => {
  test('lets its workers finish, and after the grace time keeps only those with tasks', () => {
    const { employ, pool, clock, log } = createPool();
    employ('w1');
    employ('w2', { liveTasks: new Set(['t1']) });
    pool.retire('replaced', 1000, true);
    expect(log).toEqual(['w1 drains: replaced', 'w2 drains: replaced']);
    clock.advance(1000);
    expect(log.slice(2)).toEqual(['w1 stops: replaced']);
  });

  test('keeps none where there is no other', () => {
    const { employ, pool, clock, log } = createPool();
    employ('w1', { liveTasks: new Set(['t1']) });
    pool.retire('removed', 1000, false);
    clock.advance(1000);
    expect(log).toEqual(['w1 drains: removed', 'w1 stops: removed']);
  });

  test('sends those who wait to that one, and starts nothing more', async () => {
    const { pool, ask, starts, clock } = createPool({ max: 1, min: 1 });
    const { answer } = ask('a');
    pool.retire('replaced', 1000, true);
    await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await settled();
    pool.sweep(clock.now());
    expect([pool.isRetired, pool.starting, starts.length]).toEqual([true, 0, 0]);
  });
});
