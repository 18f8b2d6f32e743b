import { describe, expect, test } from 'vitest';
import { evictOne, workersOf, yieldOne } from '../../../src/workers/leavers.ts';
import type { ServerUpstream } from '../../../src/workers/server-upstream.ts';
import type { Worker } from '../../../src/workers/worker.ts';

const now = 1_000_000;

/** Workers that run no process, of upstreams of these tenants; `left` says who was told to leave. */
function createTown() {
  const left: string[] = [];
  const upstreams: ServerUpstream[] = [];
  const worker = (name: string, own: object = {}) =>
    ({
      state: 'idle',
      inFlight: 0,
      idleSince: now - 60_000,
      liveTasks: new Set(),
      isListenedTo: false,
      spec: { pool: { sharing: 'shared' } },
      stop: () => void left.push(`${name} stops`),
      drain: () => void left.push(`${name} drains`),
      ended: Promise.resolve(name),
      ...own,
    }) as unknown as Worker;
  const add = (tenantId: string, ...pools: readonly (readonly Worker[])[]) =>
    upstreams.push({ tenantId, pools: pools.map((workers) => ({ workers })) } as unknown as ServerUpstream);
  return {
    worker,
    busy: (name: string, inFlight: number, own: object = {}) =>
      worker(name, { state: 'busy', inFlight, ...own }),
    idleFor: (name: string, ms: number, own: object = {}) => worker(name, { idleSince: now - ms, ...own }),
    add,
    left,
    evict: () => evictOne(upstreams, now),
    yieldOne: () => yieldOne(upstreams),
    upstreams,
  };
}

test('the workers of servers are those of all their generations', () => {
  const { worker, add, upstreams } = createTown();
  const all = [worker('a'), worker('b'), worker('c')] as const;
  add('acme', [all[0]], [all[1]]);
  add('globex', [all[2]]);
  expect([...workersOf(upstreams)]).toEqual(all);
});

describe('whose place is needed', () => {
  test('is the worker idle longest, whoever’s it is and however many its tenant has', async () => {
    const { idleFor, add, evict, left } = createTown();
    add('acme', [idleFor('a', 2000), idleFor('b', 3000)]);
    add('globex', [idleFor('c', 5000)]);
    expect(await evict()).toBe('c');
    expect(left).toEqual(['c stops']);
  });

  test('is nobody where all have calls, or are starting or leaving', () => {
    const { worker, busy, add, evict, left } = createTown();
    const others = ['starting', 'stopping', 'gone'].map((state) => worker(state, { state }));
    add('acme', [busy('a', 1), worker('drains', { state: 'draining', inFlight: 1 }), ...others]);
    expect(evict()).toBeUndefined();
    expect(left).toEqual([]);
  });

  test('where all were busy a moment ago, is one of the tenant that has most, on all its servers', async () => {
    const { busy, idleFor, add, evict } = createTown();
    add('globex', [idleFor('c', 999)]);
    add('acme', [idleFor('a', 10), busy('b', 1)]);
    add('initech', [idleFor('d', 500)]);
    add('initech', [idleFor('e', 600)], [busy('f', 1)]);
    expect(await evict()).toBe('e');
  });

  test('a second is no moment ago', async () => {
    const { idleFor, add, evict } = createTown();
    add('globex', [idleFor('c', 1000)]);
    add('acme', [idleFor('a', 10), idleFor('b', 20)]);
    expect(await evict()).toBe('c');
  });

  test('is one that keeps unfetched tasks only where there is nothing else, and then also one that drains', async () => {
    const town = createTown();
    const liveTasks = new Set(['t1']);
    town.add('acme', [
      town.worker('a', { state: 'draining', liveTasks }),
      town.idleFor('b', 70_000, { liveTasks }),
    ]);
    expect(await town.evict()).toBe('b');
    town.add('globex', [town.idleFor('c', 2000)]);
    expect(await town.evict()).toBe('c');
    const other = createTown();
    other.add('acme', [other.worker('a', { state: 'draining', liveTasks })]);
    expect(await other.evict()).toBe('a');
  });
});

describe('where nobody is idle', () => {
  test('of the tenant with most busy workers the one with the fewest calls finishes them', async () => {
    const { busy, worker, add, yieldOne, left } = createTown();
    add('globex', [busy('a', 1), busy('b', 1)]);
    add('acme', [busy('c', 4), busy('d', 2)]);
    add('acme', [busy('e', 3)]);
    add(
      'initech',
      ['f', 'g', 'h', 'i'].map((name) => worker(name, { state: 'starting' })),
    );
    expect(await yieldOne()).toBe('d');
    expect(left).toEqual(['d drains']);
  });

  test('nobody gives up the last he has, nor one that is a session’s own or is listened to', async () => {
    const { busy, worker, add, yieldOne, left } = createTown();
    expect(yieldOne()).toBeUndefined();
    add('globex', [busy('a', 1), worker('idle')]);
    expect(yieldOne()).toBeUndefined();
    const spec = { pool: { sharing: 'exclusive' } };
    add('acme', [busy('b', 1, { spec }), busy('c', 2, { isListenedTo: true })]);
    expect(yieldOne()).toBeUndefined();
    expect(left).toEqual([]);
    add('acme', [busy('d', 3)]);
    expect(await yieldOne()).toBe('d');
    const small = createTown();
    small.add('acme', [small.busy('e', 1), small.busy('f', 2)]);
    expect(await small.yieldOne()).toBe('e');
  });
});
