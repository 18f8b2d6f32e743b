import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { atOnce, codeOf, eventsOf, type Guest, openGuest, type Outcome } from '../support/guest.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** What one tenant asks for is never a reason to leave another without an answer. */
let proxy: RunningProxy | undefined;
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});

const rowOf = async (id: string) => (await proxy!.status()).tenants.find((row) => row.id === id)!;

/** Has `count` calls on their way at every moment, until it is told to stop; resolves with all outcomes. */
function press(guest: Guest, count: number, ms: number) {
  let isOver = false;
  const outcomes: Outcome[] = [];
  const pressing = atOnce(count, async () => {
    while (!isOver) outcomes.push(await guest.call('sleep', { ms }));
  });
  return {
    async stop(): Promise<readonly Outcome[]> {
      isOver = true;
      await pressing;
      return outcomes;
    },
  };
}

describe('a tenant that has all the processes there may be, and keeps them busy', () => {
  test('finishes what one of them does, so that another tenant gets one; no call is lost', async () => {
    proxy = await startProxy({
      tenants: {
        greedy: tenantYaml('greedy', 'echo', 'pool: { max: 3, concurrency: 1, queue: 50 }'),
        quiet: tenantYaml('quiet', 'echo'),
      },
      config: 'workers: { max: 3, sweepEvery: 50ms }',
    });
    const greedy = await openGuest(proxy, 'greedy');
    const pressing = press(greedy, 8, 100);
    await eventually(async () => (await rowOf('greedy')).inFlight === 3);
    const quiet = await openGuest(proxy, 'quiet');
    expect(await quiet.call('echo', { text: 'got in' })).toMatchObject({ status: 200, text: 'got in' });
    expect((await rowOf('greedy')).inFlight).toBeGreaterThan(0);
    const outcomes = await pressing.stop();
    expect(outcomes.length).toBeGreaterThan(0);
    expect(new Set(outcomes.map(codeOf))).toEqual(new Set(['ok']));
    const [left] = eventsOf(proxy, 'worker.exited', 'greedy');
    expect(left).toMatchObject({ reason: 'another tenant had none', cutCalls: 0 });
  });
});

describe('a proxy that is short of memory', () => {
  test('lets in one call of each tenant, tells the others when to come back, and the operator why', async () => {
    proxy = await startProxy({
      tenants: { acme: tenantYaml('acme', 'echo'), globex: tenantYaml('globex', 'echo') },
      // Any process of Node holds more.
      config: 'limits: { memory: 1MiB }',
    });
    await proxy.logged(({ event }) => event === 'strain.began');
    const [acme, globex] = [await openGuest(proxy, 'acme'), await openGuest(proxy, 'globex')];
    const first = acme.call('sleep', { ms: 1000 });
    await eventually(async () => (await rowOf('acme')).inFlight === 1);
    const [second, others] = [await acme.call('echo'), await globex.call('echo', { text: 'mine' })];
    expect(second).toMatchObject({ status: 503, error: { code: -31005, data: { code: 'OVERLOADED' } } });
    expect(Number(second.retryAfter)).toBeGreaterThanOrEqual(1);
    expect(others).toMatchObject({ status: 200, text: 'mine' });
    expect(await first).toMatchObject({ status: 200, text: 'slept 1000' });
    expect(await acme.call('echo', { text: 'again' })).toMatchObject({ status: 200, text: 'again' });
  });
});

describe('calls on their way', () => {
  test('are refused beyond the number of their tenant, and only to that tenant', async () => {
    proxy = await startProxy({
      tenants: {
        acme: tenantYaml('acme', 'echo', 'pool: { max: 1, concurrency: 20 }'),
        globex: tenantYaml('globex', 'echo'),
      },
      config: 'limits: { inFlightPerTenant: 4 }',
    });
    const [acme, globex] = [await openGuest(proxy, 'acme'), await openGuest(proxy, 'globex')];
    await acme.call('echo');
    const outcomes = atOnce(7, () => acme.call('sleep', { ms: 800 }));
    await eventually(async () => (await rowOf('acme')).inFlight === 4);
    expect(await globex.call('echo', { text: 'mine' })).toMatchObject({ status: 200, text: 'mine' });
    const codes = (await outcomes).map(codeOf).toSorted();
    expect(codes).toEqual(['TENANT_BUSY', 'TENANT_BUSY', 'TENANT_BUSY', 'ok', 'ok', 'ok', 'ok']);
  });
});
