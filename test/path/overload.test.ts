import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { initializeBody } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { ask, atOnce, codeOf, eventsOf, type Guest, openGuest, type Outcome } from '../support/guest.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** More calls than there is room for: a bounded number waits for a bounded time, the rest is told so at once. */
const rowOf = async (proxy: RunningProxy, id: string) =>
  (await proxy.status()).tenants.find((row) => row.id === id)!;
const named = (outcomes: readonly Outcome[], code: string) =>
  outcomes.filter((outcome) => codeOf(outcome) === code);

/** How many tool calls reached the process, this question not counted. */
async function callsSeen(guest: Guest): Promise<number> {
  const { text } = await guest.call('seen');
  return (JSON.parse(text!) as { calls: number }).calls - 1;
}

/** Keeps the tenant's only worker busy for `ms`; resolves once it is. */
async function hold(proxy: RunningProxy, id: string, ms: number): Promise<{ held: Promise<Outcome> }> {
  const guest = await openGuest(proxy, id);
  await guest.call('sleep', { ms: 1 });
  const held = guest.call('sleep', { ms });
  await eventually(async () => (await rowOf(proxy, id)).inFlight === 1);
  return { held };
}

function expectBusy(outcome: Outcome): void {
  expect(outcome.status).toBe(429);
  expect(outcome.error).toMatchObject({
    code: -31014,
    data: { source: 'proxy', code: 'TENANT_BUSY', executed: 'no', retryable: true },
  });
  expect(Number(outcome.retryAfter)).toBeGreaterThanOrEqual(1);
  expect(Number(outcome.retryAfter)).toBeLessThanOrEqual(10);
}

describe('a tenant with one place and a short queue', () => {
  const narrow = 'max: 1, concurrency: 1, queue: 5';
  let proxy: RunningProxy;

  beforeAll(async () => {
    proxy = await startProxy({
      tenants: {
        full: tenantYaml('full', 'echo', `pool: { ${narrow} }`),
        hasty: tenantYaml('hasty', 'echo', `pool: { ${narrow}, wait: 300ms }`),
        stormy: tenantYaml('stormy', 'echo', 'pool: { max: 1, concurrency: 2, queue: 10 }'),
        calm: tenantYaml('calm', 'echo'),
      },
    });
  });

  afterAll(() => proxy.stop());

  test('has the surplus refused at once, exactly that, and answers all others', async () => {
    const guest = await openGuest(proxy, 'full');
    const calm = await openGuest(proxy, 'calm');
    await calm.pid();
    const { held } = await hold(proxy, 'full', 1500);
    const before = 1 + 1;
    const surge = atOnce(9, (index) => guest.call('echo', { text: `nth ${index}` }));
    await eventually(async () => (await rowOf(proxy, 'full')).queued === 5);

    // Others notice nothing of it.
    for (let nth = 0; nth < 10; nth++) {
      const outcome = await calm.call('add', { a: nth, b: 1 });
      expect(outcome).toMatchObject({ status: 200, text: String(nth + 1) });
      expect(outcome.tookMs).toBeLessThan(1400);
    }

    const outcomes = await surge;
    const holder = await held;
    expect(holder).toMatchObject({ status: 200, text: 'slept 1500' });
    const refused = named(outcomes, 'TENANT_BUSY');
    expect(refused).toHaveLength(4);
    for (const outcome of refused) {
      expectBusy(outcome);
      expect(outcome.endedAt).toBeLessThan(holder.endedAt);
    }
    const answered = outcomes.flatMap((outcome, index) =>
      codeOf(outcome) === 'ok' ? [{ outcome, index }] : [],
    );
    expect(answered).toHaveLength(5);
    for (const { outcome, index } of answered) expect(outcome.text).toBe(`nth ${index}`);
    // What was refused never reached the process, and nothing reached it twice.
    expect(await callsSeen(guest)).toBe(before + 5);
    expect(await rowOf(proxy, 'full')).toMatchObject({ queued: 0, inFlight: 0, lastError: null });
    expect(eventsOf(proxy, 'worker.spawned', 'full')).toHaveLength(1);
  });

  test('has those refused that waited for longer than `wait`', async () => {
    const guest = await openGuest(proxy, 'hasty');
    const { held } = await hold(proxy, 'hasty', 1500);
    const outcomes = await atOnce(3, () => guest.call('echo', { text: 'too late' }));
    expect(outcomes.map(codeOf)).toEqual(Array<string>(3).fill('TENANT_BUSY'));
    for (const outcome of outcomes) {
      expectBusy(outcome);
      expect(outcome.tookMs).toBeGreaterThanOrEqual(290);
      expect(outcome.tookMs).toBeLessThan(1200);
    }
    expect(await held).toMatchObject({ status: 200, text: 'slept 1500' });
    expect(await guest.call('echo', { text: 'now' })).toMatchObject({ status: 200, text: 'now' });
    expect(await callsSeen(guest)).toBe(3);
  });

  test('comes through a storm: each call has one answer, its own, and then all is as before', async () => {
    const guests = await atOnce(6, () => openGuest(proxy, 'stormy'));
    await guests[0]!.call('sleep', { ms: 1 });
    const outcomes = await atOnce(120, async (index) => {
      const guest = guests[index % guests.length]!;
      // Half of them hold their place for a while, the others tell their answers apart.
      return index % 2 === 0
        ? guest.call('sleep', { ms: 20 + index })
        : guest.call('echo', { text: `of ${index}` });
    });
    const answered = outcomes.filter((outcome, index) => {
      if (codeOf(outcome) !== 'ok') return false;
      expect(outcome.text).toBe(index % 2 === 0 ? `slept ${20 + index}` : `of ${index}`);
      return true;
    });
    const refused = named(outcomes, 'TENANT_BUSY');
    refused.forEach(expectBusy);
    expect(refused.length).toBeGreaterThan(0);
    expect(answered.length).toBeGreaterThanOrEqual(12);
    expect(answered.length + refused.length).toBe(120);
    expect(await callsSeen(guests[0]!)).toBe(1 + answered.length);

    expect(await rowOf(proxy, 'stormy')).toMatchObject({ queued: 0, inFlight: 0, state: 'ready' });
    const after = await Promise.all(guests.map((guest) => guest.call('echo', { text: 'after' })));
    expect(after.map(({ text }) => text)).toEqual(Array<string>(6).fill('after'));
  });
});

describe('a proxy whose every place is taken', () => {
  let proxy: RunningProxy;

  beforeAll(async () => {
    const pool = '  startTimeout: 1s\npool: { wait: 500ms }';
    // Those who only hold places are warm by then; the third is the one that waits.
    proxy = await startProxy({
      tenants: {
        first: tenantYaml('first', 'echo'),
        second: tenantYaml('second', 'echo'),
        third: tenantYaml('third', 'echo', pool),
      },
      config: 'workers: { max: 2, sweepEvery: 50ms, stopGrace: 500ms }',
    });
  });

  afterAll(() => proxy.stop());

  test('says OVERLOADED once the wait is over, ends no busy process, and recovers', async () => {
    const holders = [await hold(proxy, 'first', 4000), await hold(proxy, 'second', 4000)];
    const key = proxy.keys['third']!;
    const outcomes = await atOnce(3, () => ask(proxy.url, key, initializeBody()));
    for (const outcome of outcomes) {
      expect(outcome.status).toBe(503);
      expect(outcome.error).toMatchObject({
        code: -31005,
        data: { source: 'proxy', code: 'OVERLOADED', executed: 'no', retryable: true },
      });
      expect(Number(outcome.retryAfter)).toBeGreaterThanOrEqual(1);
      expect(outcome.tookMs).toBeGreaterThanOrEqual(490);
      expect(outcome.tookMs).toBeLessThan(3000);
    }
    expect(eventsOf(proxy, 'worker.spawned', 'third')).toHaveLength(0);
    expect(eventsOf(proxy, 'worker.exited')).toHaveLength(0);
    for (const { held } of holders) expect(await held).toMatchObject({ status: 200, text: 'slept 4000' });

    // Each in turn; there is no room for all three at once.
    for (const id of ['third', 'first', 'second']) {
      const guest = await eventually(() => openGuest(proxy, id).catch(() => undefined));
      const outcome = await guest.call('add', { a: 4, b: 4 });
      expect(outcome, id).toMatchObject({ status: 200, text: '8' });
    }
    expect((await proxy.status()).totals.workers).toBeLessThanOrEqual(2);
  });
});
