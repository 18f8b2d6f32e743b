import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callJson, connect, initializeBody } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { ask, atOnce, codeOf, eventsOf, type Guest, openGuest } from '../support/guest.ts';
import { isAlive, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** Processes end when nobody needs them, and no client notices: sessions outlive them. */
const config = 'workers: { sweepEvery: 50ms, stopGrace: 500ms }';
const rowOf = async (proxy: RunningProxy, id: string) =>
  (await proxy.status()).tenants.find((row) => row.id === id)!;
const exitOf = (proxy: RunningProxy, pid: number) =>
  proxy.logged((line) => line.event === 'worker.exited' && line['pid'] === pid);

describe('by time and by count', () => {
  const tenants = {
    brief: tenantYaml('brief', 'echo', 'pool: { idle: 200ms }'),
    wide: tenantYaml('wide', 'echo', 'pool: { idle: 200ms, min: 1, max: 3, concurrency: 1 }'),
    counted: tenantYaml('counted', 'echo', 'pool: { maxRequests: 10, max: 4, concurrency: 4 }'),
    aged: tenantYaml('aged', 'echo', 'pool: { maxLifetime: 1s, max: 2 }'),
    heard: tenantYaml('heard', 'echo', 'pool: { idle: 200ms }'),
    kept: tenantYaml('kept', 'echo'),
    other: tenantYaml('other', 'echo'),
    exclusive: tenantYaml('exclusive', 'echo', 'pool: { sharing: exclusive, idle: 200ms }'),
  };
  let proxy: RunningProxy;

  beforeAll(async () => {
    proxy = await startProxy({ tenants, config });
  });

  afterAll(() => proxy.stop());

  test('a worker nobody uses for `idle` ends, and the session goes on with another', async () => {
    const client = await connect(proxy.url, proxy.keys['brief']!);
    const first = await callJson<{ pid: number }>(client, 'whoami');
    expect(await exitOf(proxy, first.pid)).toMatchObject({ reason: 'it was idle', exitCode: 0, cutCalls: 0 });
    await eventually(() => !isAlive(first.pid));
    await eventually(async () => (await rowOf(proxy, 'brief')).state === 'idle');

    const opened = eventsOf(proxy, 'session.opened', 'brief').length;
    const second = await callJson<{ pid: number }>(client, 'whoami');
    expect(second.pid).not.toBe(first.pid);
    expect(isAlive(second.pid)).toBe(true);
    // The client was asked nothing anew.
    expect(eventsOf(proxy, 'session.opened', 'brief')).toHaveLength(opened);
    await client.close();
  });

  test('so does one that belongs to one session', async () => {
    const guest = await openGuest(proxy, 'exclusive');
    const before = await guest.pid();
    expect(await exitOf(proxy, before)).toMatchObject({ reason: 'it was idle' });
    const seen = JSON.parse((await guest.call('seen')).text!) as object;
    expect(seen).toMatchObject({ initialize: 1, initialized: 1, clientInfo: { name: 'raw' } });
  });

  test('a worker that is busy for longer than `idle` stays until it has answered', async () => {
    const guest = await openGuest(proxy, 'brief');
    expect(await guest.call('sleep', { ms: 700 })).toMatchObject({ status: 200, text: 'slept 700' });
  });

  test('those beyond `min` end, those within stay', async () => {
    const guests = await atOnce(3, () => openGuest(proxy, 'wide'));
    const outcomes = await Promise.all(guests.map((guest) => guest.call('sleep', { ms: 500 })));
    expect(outcomes.map(codeOf)).toEqual(['ok', 'ok', 'ok']);
    expect(eventsOf(proxy, 'worker.spawned', 'wide')).toHaveLength(3);
    await eventually(() => eventsOf(proxy, 'worker.exited', 'wide').length === 2);
    // Five times `idle`, and the last one is still the same: nothing ends it, nothing replaces it.
    const [last] = (await rowOf(proxy, 'wide')).workers;
    const { workers } = await eventually(async () => {
      const row = await rowOf(proxy, 'wide');
      return row.workers[0]!.idleMs > 1000 && row;
    });
    expect(workers.map(({ pid }) => pid)).toEqual([last!.pid]);
    expect(eventsOf(proxy, 'worker.spawned', 'wide')).toHaveLength(3);
  });

  test('a worker that has answered `maxRequests` is replaced, and no call is lost', async () => {
    const guests = await atOnce(4, () => openGuest(proxy, 'counted'));
    const texts: (string | undefined)[] = [];
    const talk = async (guest: Guest, who: number): Promise<void> => {
      for (let nth = 0; nth < 25; nth++) {
        const { text } = await guest.call('echo', { text: `${who}/${nth}` });
        texts.push(text);
      }
    };
    await Promise.all(guests.map(talk));

    const wanted = guests.flatMap((_, who) => Array.from({ length: 25 }, (_, nth) => `${who}/${nth}`));
    expect(texts.toSorted()).toEqual(wanted.toSorted());
    const exits = await eventually(() => {
      const lines = eventsOf(proxy, 'worker.exited', 'counted');
      return lines.length >= 9 && lines;
    });
    for (const line of exits) {
      expect(line).toMatchObject({ calls: 10, cutCalls: 0, exitCode: 0 });
      expect(line['reason']).toBe('it has answered as many calls as it may');
    }
  });

  test('a worker older than `maxLifetime` is replaced although it is never idle, and no call is lost', async () => {
    const guests = await atOnce(3, () => openGuest(proxy, 'aged'));
    const exits = () => eventsOf(proxy, 'worker.exited', 'aged');
    const outcomes: string[] = [];
    const until = performance.now() + 6000;
    // Of different lengths, so that there is always one in flight.
    const talk = async (guest: Guest, index: number): Promise<void> => {
      while (exits().length < 2 && performance.now() < until)
        outcomes.push(codeOf(await guest.call('sleep', { ms: 100 + 70 * index })));
    };
    await Promise.all(guests.map(talk));
    expect(new Set(outcomes)).toEqual(new Set(['ok']));
    expect(exits().length).toBeGreaterThanOrEqual(2);
    for (const line of exits()) {
      expect(line).toMatchObject({ reason: 'it was old', cutCalls: 0, exitCode: 0 });
      // Up to a fifth of it is chance, so that many do not end at once.
      expect(line['ageMs']).toBeGreaterThanOrEqual(800);
      expect(line['ageMs']).toBeLessThan(2500);
    }
  });

  test('a worker whose news somebody waits for is not idle; once nobody listens it is', async () => {
    const updated: string[] = [];
    const client = await connect(proxy.url, proxy.keys['heard']!, {}, (fresh) => {
      fresh.fallbackNotificationHandler = ({ params }) => {
        updated.push(String(params?.['uri']));
        return Promise.resolve();
      };
    });
    await client.subscribeResource({ uri: 'fixture://one' });
    const { pid } = await callJson<{ pid: number }>(client, 'whoami');
    await eventually(async () => (await rowOf(proxy, 'heard')).workers[0]!.idleMs > 1000);

    const neighbour = await openGuest(proxy, 'heard');
    const touched = await neighbour.call('touch', { uri: 'fixture://one' });
    expect(JSON.parse(touched.text!)).toEqual({ uri: 'fixture://one', told: true });
    await eventually(() => updated.includes('fixture://one'));
    expect(await neighbour.pid()).toBe(pid);

    await client.close();
    expect(await exitOf(proxy, pid)).toMatchObject({ reason: 'it was idle' });
  });

  test('`proxy reap` ends idle workers now, of one tenant or of all, and no busy one', async () => {
    const [kept, other] = [await openGuest(proxy, 'kept'), await openGuest(proxy, 'other')];
    const [keptPid, otherPid] = [await kept.pid(), await other.pid()];

    const one = await proxy.run('reap', 'kept');
    expect(one).toMatchObject({ code: 0, out: 'Cleaned up 1 idle worker\n' });
    expect(await exitOf(proxy, keptPid)).toMatchObject({ reason: 'an operator reaped it', exitCode: 0 });
    expect(isAlive(otherPid)).toBe(true);
    expect(await kept.pid()).not.toBe(keptPid);

    const busy = kept.call('sleep', { ms: 1500 });
    await eventually(async () => (await rowOf(proxy, 'kept')).inFlight === 1);
    expect((await proxy.run('reap')).code).toBe(0);
    await exitOf(proxy, otherPid);
    expect(await busy).toMatchObject({ status: 200, text: 'slept 1500' });
    expect(await other.pid()).not.toBe(otherPid);
  });
});

describe('when `workers.max` is reached', () => {
  const tenants = {
    first: tenantYaml('first', 'echo'),
    second: tenantYaml('second', 'echo'),
    third: tenantYaml('third', 'echo'),
  };
  let proxy: RunningProxy;

  beforeAll(async () => {
    proxy = await startProxy({
      tenants,
      config: 'workers: { max: 2, sweepEvery: 50ms, stopGrace: 500ms }',
    });
  });

  afterAll(() => proxy.stop());

  test('the worker idle longest makes room, and only that one; its session goes on later', async () => {
    const first = await openGuest(proxy, 'first');
    const second = await openGuest(proxy, 'second');
    const secondPid = await second.pid();
    const firstPid = await first.pid();
    // Now the second tenant's has been idle longest, although it was started last.
    const third = await openGuest(proxy, 'third');
    const thirdPid = await third.pid();

    expect(await exitOf(proxy, secondPid)).toMatchObject({
      tenant: 'second',
      reason: 'its place was needed',
      cutCalls: 0,
    });
    expect(await first.pid()).toBe(firstPid);
    expect(eventsOf(proxy, 'worker.exited').map(({ tenant }) => tenant)).toEqual(['second']);
    expect((await proxy.status()).totals).toMatchObject({ workers: 2, maxWorkers: 2 });

    expect(await second.pid()).not.toBe(secondPid);
    expect(await exitOf(proxy, thirdPid)).toMatchObject({ tenant: 'third', reason: 'its place was needed' });
    expect(eventsOf(proxy, 'worker.exited').map(({ tenant }) => tenant)).toEqual(['second', 'third']);
  });

  test('more tenants than places are all answered, in turn, within the bound', async () => {
    const guests = await Promise.all(Object.keys(tenants).map((id) => openGuest(proxy, id)));
    let most = 0;
    let isOver = false;
    const watch = async (): Promise<void> => {
      while (!isOver) most = Math.max(most, (await proxy.status()).totals.workers);
    };
    const watching = watch();
    const talk = async (guest: Guest): Promise<string[]> => {
      const outcomes: string[] = [];
      for (let nth = 0; nth < 5; nth++) outcomes.push(codeOf(await guest.call('sleep', { ms: 20 })));
      return outcomes;
    };
    const outcomes = await Promise.all(guests.map(talk));
    isOver = true;
    await watching;
    expect(outcomes.flat()).toEqual(Array<string>(15).fill('ok'));
    expect(most).toBeLessThanOrEqual(2);
  });
});

/** A proxy of its own for tenants who compete for the few places it has. */
async function crowded(max: number, ids: readonly string[], more: string): Promise<RunningProxy> {
  return startProxy({
    tenants: Object.fromEntries(ids.map((id) => [id, tenantYaml(id, 'echo', more)])),
    config: `workers: { max: ${max}, sweepEvery: 50ms, stopGrace: 500ms }`,
  });
}

test('tenants that together want more kept warm than fits do not drive one another out', async () => {
  const ids = ['left', 'right', 'middle'];
  const proxy = await crowded(2, ids, 'pool: { min: 1 }');
  try {
    await eventually(() => eventsOf(proxy, 'worker.started').length >= 2);
    await eventually(async () => (await proxy.status()).uptimeMs > 2000);
    // Two sit; whoever is third may have pushed in once, but a circle of evictions would be dozens by now.
    expect(eventsOf(proxy, 'worker.spawned').length).toBeLessThanOrEqual(4);
    for (const id of ids) expect(await (await openGuest(proxy, id)).pid()).toBeGreaterThan(0);
  } finally {
    await proxy.stop();
  }
});

test('with one place, tenants that come at the same moment get it one after the other', async () => {
  const ids = ['left', 'right', 'middle'];
  const patience = '  startTimeout: 5s\npool: { wait: 5s }';
  const proxy = await crowded(1, ids, patience);
  try {
    // Only a greeting: its process is idle from the first moment, without ever having been busy.
    const greet = (id: string) => ask(proxy.url, proxy.keys[id]!, initializeBody());
    const outcomes = await Promise.all(ids.map(greet));
    expect(outcomes.map(codeOf)).toEqual(['ok', 'ok', 'ok']);
  } finally {
    await proxy.stop();
  }
});
