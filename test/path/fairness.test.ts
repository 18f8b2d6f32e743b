import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { atOnce, codeOf, eventsOf, type Guest, openGuest, type Outcome } from '../support/guest.ts';
import { openRawSession } from '../support/raw-session.ts';
import { sha256Of } from '../support/some-tenants.ts';
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

describe('a key whose call was given up and is never answered', () => {
  test('does not keep the only leased worker from another key by calling on and on', async () => {
    const keys = ['mcpx_test_' + 'a'.repeat(64), 'mcpx_test_' + 'b'.repeat(64)] as const;
    const listed = keys.map((key, at) => `{ name: key-${at}, sha256: ${sha256Of(key)} }`).join(', ');
    const settings = `pool: { sharing: leased, max: 1, wait: 5s }\nkeys: [${listed}]`;
    proxy = await startProxy({ tenants: { acme: tenantYaml('acme', 'echo', settings) } });
    const { url } = proxy;
    const [busy, waiting] = [await openRawSession(url, keys[0]), await openRawSession(url, keys[1])];
    const hanging = busy.call('hang', {}, { id: '"given up"' });
    await eventually(async () => (await rowOf('acme')).inFlight === 1);
    await busy.notify('notifications/cancelled', '{"requestId":"given up"}');
    await hanging;

    let isOver = false;
    const answers: string[] = [];
    const pressing = atOnce(3, async () => {
      while (!isOver) answers.push(await busy.text('sleep', { ms: 50 }));
    });
    await eventually(() => answers.length > 3);
    expect(await waiting.text('echo', { text: 'got in' })).toBe('got in');
    isOver = true;
    await pressing;
    expect(new Set(answers)).toEqual(new Set(['slept 50']));
    expect(eventsOf(proxy, 'worker.exited').map(({ cutCalls }) => cutCalls)).toEqual([0]);
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
    const outcomes = atOnce(7, () => acme.call('sleep', { ms: 2000 }));
    await eventually(async () => (await rowOf('acme')).inFlight === 4);
    expect(await globex.call('echo', { text: 'mine' })).toMatchObject({ status: 200, text: 'mine' });
    const codes = (await outcomes).map(codeOf).toSorted();
    expect(codes).toEqual(['TENANT_BUSY', 'TENANT_BUSY', 'TENANT_BUSY', 'ok', 'ok', 'ok', 'ok']);
  });
});
