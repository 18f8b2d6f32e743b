import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callJson, connect } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { atOnce, codeOf, eventsOf, openGuest } from '../support/guest.ts';
import { isAlive, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** Processes are few and shared: who comes later finds what is there. */
const tenants = {
  shared: tenantYaml('shared', 'echo'),
  slow: tenantYaml('slow', 'slow-start', '', { START_MS: '700' }),
  wide: tenantYaml('wide', 'echo', 'pool: { max: 3, concurrency: 2 }'),
  warm: tenantYaml('warm', 'echo', 'pool: { min: 1 }'),
  leased: tenantYaml('leased', 'echo', 'pool: { sharing: leased, max: 2 }'),
  kinds: tenantYaml('kinds', 'echo', 'pool: { sharing: leased, max: 2 }'),
  exclusive: tenantYaml('exclusive', 'echo', 'pool: { sharing: exclusive, max: 4 }'),
  single: tenantYaml(
    'single',
    'slow-start',
    '  startTimeout: 5s\npool: { sharing: exclusive, max: 1, wait: 5s }',
    {
      START_MS: '600',
    },
  ),
};

let proxy: RunningProxy;

beforeAll(async () => {
  proxy = await startProxy({ tenants, config: 'workers: { sweepEvery: 50ms, stopGrace: 500ms }' });
});

afterAll(() => proxy.stop());

const rowOf = async (id: string) => (await proxy.status()).tenants.find((row) => row.id === id)!;
const spawned = (id: string) => eventsOf(proxy, 'worker.spawned', id).length;

describe('min: 1', () => {
  test('is running before anybody calls, and answers the first call', async () => {
    const started = await proxy.logged(
      ({ event, tenant }) => event === 'worker.started' && tenant === 'warm',
    );
    expect((await rowOf('warm')).calls).toBe(0);
    const guest = await openGuest(proxy, 'warm');
    expect(await guest.pid()).toBe(started['pid']);
    expect(spawned('warm')).toBe(1);
  });

  test('is started again when it dies while nobody asks', async () => {
    const before = (await rowOf('warm')).workers[0]!.pid;
    process.kill(before, 'SIGKILL');
    const { workers } = await eventually(async () => {
      const row = await rowOf('warm');
      return row.workers.some(({ pid, state }) => pid !== before && state === 'idle') && row;
    });
    expect(workers).toHaveLength(1);
    const guest = await openGuest(proxy, 'warm');
    expect(await guest.pid()).toBe(workers[0]!.pid);
  });
});

describe('shared', () => {
  test('many sessions are served by one process, and all but the first call reuse it', async () => {
    const clients = await atOnce(10, () => connect(proxy.url, proxy.keys['shared']!));
    const pids = new Set<number>();
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all(clients.map((client) => callJson<{ pid: number }>(client, 'whoami')));
      for (const { pid } of answers) pids.add(pid);
    }
    await Promise.all(clients.map((client) => client.close()));

    expect([...pids]).toEqual([(await rowOf('shared')).workers[0]!.pid]);
    const { workers, calls } = await rowOf('shared');
    expect(workers).toHaveLength(1);
    expect(workers[0]!.calls).toBeGreaterThanOrEqual(100);
    expect(calls).toBeGreaterThanOrEqual(100);
    expect(spawned('shared')).toBe(1);
    const { totals } = await proxy.status();
    expect(totals.reuseRatio).toBeGreaterThan(0.9);
    expect(totals.reuseRatio).toBeLessThan(1);
  });

  test('thirty first callers at once start one process', async () => {
    const guests = await atOnce(30, () => openGuest(proxy, 'slow'));
    const pids = await Promise.all(guests.map((guest) => guest.pid()));
    expect(new Set(guests.map(({ session }) => session)).size).toBe(30);
    expect(new Set(pids).size).toBe(1);
    expect(spawned('slow')).toBe(1);
  });

  test('calls beyond `concurrency` start more processes, up to `max`, and all are answered', async () => {
    const guests = await atOnce(4, () => openGuest(proxy, 'wide'));
    await Promise.all(guests.map((guest) => guest.call('sleep', { ms: 1 })));
    // Twice what three processes take at once: half of them have to wait.
    const outcomes = await atOnce(12, (index) => guests[index % 4]!.call('sleep', { ms: 400 }));
    expect(outcomes.map(codeOf)).toEqual(Array<string>(12).fill('ok'));
    expect(spawned('wide')).toBe(3);
    expect((await rowOf('wide')).workers).toHaveLength(3);
  });

  test('no process is given more than `concurrency` calls at once', async () => {
    const guests = await atOnce(4, () => openGuest(proxy, 'wide'));
    const storm = atOnce(12, (index) => guests[index % 4]!.call('sleep', { ms: 500 }));
    const busy = await eventually(async () => {
      const row = await rowOf('wide');
      return row.inFlight === 6 && row;
    });
    expect(busy.workers.map(({ inFlight }) => inFlight)).toEqual([2, 2, 2]);
    expect(busy.queued).toBe(6);
    expect((await storm).map(codeOf)).toEqual(Array<string>(12).fill('ok'));
  });
});

describe('leased', () => {
  test('has one call at a time on a worker, and workers serve any session', async () => {
    const guests = await atOnce(4, () => openGuest(proxy, 'leased'));
    const storm = atOnce(5, (index) => guests[index % 4]!.call('sleep', { ms: 400 }));
    const busy = await eventually(async () => {
      const row = await rowOf('leased');
      return row.inFlight === 2 && row;
    });
    expect(busy.workers.map(({ inFlight }) => inFlight)).toEqual([1, 1]);
    expect((await storm).map(codeOf)).toEqual(Array<string>(5).fill('ok'));
    expect(spawned('leased')).toBe(2);
    // In turn, so that one process is free each time: nobody has one of their own.
    const pids: number[] = [];
    for (const guest of guests) pids.push(await guest.pid());
    const own = (await rowOf('leased')).workers.map(({ pid }) => pid);
    expect(pids.every((pid) => own.includes(pid))).toBe(true);
  });
});

describe('a pool that is full of workers of one kind', () => {
  test('gives the place of one of them, and no more, to a client of another kind', async () => {
    const guests = await atOnce(2, () => openGuest(proxy, 'kinds'));
    await atOnce(2, (index) => guests[index]!.call('sleep', { ms: 300 }));
    expect(spawned('kinds')).toBe(2);
    const other = await connect(proxy.url, proxy.keys['kinds']!, { elicitation: {} });
    const { pid } = await callJson<{ pid: number }>(other, 'whoami');
    await other.close();
    const { workers } = await eventually(async () => {
      const row = await rowOf('kinds');
      return row.workers.every(({ state }) => state === 'idle') && row;
    });
    expect(workers.map((worker) => worker.pid)).toContain(pid);
    expect(spawned('kinds')).toBe(3);
  });
});

describe('exclusive', () => {
  test('each session has a process to itself, which ends with the session', async () => {
    const guests = await atOnce(3, () => openGuest(proxy, 'exclusive'));
    const pids = await Promise.all(guests.map((guest) => guest.pid()));
    expect(new Set(pids).size).toBe(3);
    expect(await Promise.all(guests.map((guest) => guest.pid()))).toEqual(pids);

    const [leaving, ...staying] = guests;
    await leaving!.leave();
    await eventually(() => !isAlive(pids[0]!));
    const ended = await proxy.logged(({ event, pid }) => event === 'worker.exited' && pid === pids[0]);
    expect(ended).toMatchObject({ tenant: 'exclusive', exitCode: 0, cutCalls: 0 });
    // A session that is over stays so: its id is no way to another process.
    expect(await leaving!.call('whoami')).toMatchObject({ status: 404 });
    expect(await Promise.all(staying.map((guest) => guest.pid()))).toEqual(pids.slice(1));
  });

  test('a session that ends while its process starts leaves none behind', async () => {
    const guest = await openGuest(proxy, 'single');
    const before = await guest.pid();
    process.kill(before, 'SIGKILL');
    await proxy.logged(({ event, pid }) => event === 'worker.exited' && pid === before);
    // Nobody gets an answer to this; its process is still starting when the session ends.
    const unanswered = guest.call('whoami').catch((thrown: unknown) => thrown);
    await eventually(() => spawned('single') === 2);
    await guest.leave();
    await unanswered;

    // The only place is free again: the next session need not wait for `idle`.
    const next = await openGuest(proxy, 'single');
    expect(isAlive(await next.pid())).toBe(true);
  });
});
