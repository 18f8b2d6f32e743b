import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { initializeBody } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { ask, atOnce, codeOf, eventsOf, openGuest, type Outcome } from '../support/guest.ts';
import { fixture, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** A server that keeps dying is left alone for a while: callers are told at once, and the machine has its peace. */
const bad = (id: string) => tenantYaml(id, 'crashing', '', { EXIT_CODE: '7' });
const good = (id: string) => tenantYaml(id, 'echo');
/** Runs a program that a test can mend without a word to the proxy: the file stays as it is, and so does the generation. */
const mendable = (id: string) => `tenant: ${id}
server:
  command: ${JSON.stringify(process.execPath)}
  args: [./${id}.mjs]
  sandbox: { read: [${JSON.stringify(path.dirname(fixture('echo')))}] }
`;

let proxy: RunningProxy;

beforeAll(async () => {
  proxy = await startProxy({
    tenants: {
      hammered: bad('hammered'),
      changed: bad('changed'),
      restarted: mendable('restarted'),
      mended: mendable('mended'),
      unstable: tenantYaml('unstable', 'crashing', '', { CRASH_AFTER: '0' }),
      sound: good('sound'),
    },
    config: 'workers: { sweepEvery: 50ms, stopGrace: 200ms }',
  });
  mend('restarted', 'crashing');
  mend('mended', 'crashing');
});

afterAll(() => proxy.stop());

const mend = (id: string, server: string) => {
  writeFileSync(path.join(proxy.dir, `${id}.mjs`), `import ${JSON.stringify(fixture(server))};\n`);
};
const initialize = (tenant: string): Promise<Outcome> =>
  ask(proxy.url, proxy.keys[tenant]!, initializeBody());
const rowOf = async (id: string) => (await proxy.status()).tenants.find((row) => row.id === id)!;
const opened = (id: string) => eventsOf(proxy, 'breaker.opened', id);
const spawned = (id: string) => eventsOf(proxy, 'worker.spawned', id).length;

/** Asks for the first time, which ends with the breaker open. */
async function broken(id: string): Promise<Outcome> {
  const outcome = await initialize(id);
  expect(codeOf(outcome)).toBe('UNAVAILABLE');
  await proxy.logged(({ event, tenant }) => event === 'breaker.opened' && tenant === id);
  return outcome;
}

/** Refused at once, and told when to come back. */
function expectFast(outcomes: readonly Outcome[]): void {
  for (const { status, error, retryAfter } of outcomes) {
    expect(status).toBe(503);
    expect(error).toMatchObject({ code: -31003, data: { code: 'UNAVAILABLE', executed: 'no' } });
    expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
    expect(Number(retryAfter)).toBeLessThanOrEqual(60);
  }
  const times = outcomes.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  expect(times[Math.floor(times.length / 2)]).toBeLessThan(1000);
}

describe('a server that always dies', () => {
  test('is tried a few times, then callers are refused at once and the status says why', async () => {
    await broken('hammered');
    const startsBefore = spawned('hammered');
    expect(startsBefore).toBeLessThanOrEqual(5);

    const outcomes: Outcome[] = [];
    for (let round = 0; round < 10; round++) {
      // One after the other and the breaker's own time to go by: a probe may come, a storm may not.
      outcomes.push(...(await atOnce(20, () => initialize('hammered'))));
    }
    expect(outcomes).toHaveLength(200);
    expectFast(outcomes);
    expect(spawned('hammered') - startsBefore).toBeLessThanOrEqual(2);

    const row = await rowOf('hammered');
    expect(row).toMatchObject({ state: 'broken', workers: [], queued: 0, inFlight: 0 });
    expect(row.retryInMs).toBeGreaterThan(0);
    expect(row.retryInMs).toBeLessThanOrEqual(60_000);
    expect(row.lastError).toMatchObject({ code: 'UNAVAILABLE' });
    expect(row.lastError!.message).toContain('exit code 7');

    // Said once, however many asked; and others have nothing to do with it.
    expect(opened('hammered')).toHaveLength(1);
    expect(opened('hammered')[0]).toMatchObject({ level: 'error', server: 'default' });
    expect(opened('hammered')[0]!['forMs']).toBeGreaterThan(0);
    const neighbour = await openGuest(proxy, 'sound');
    expect(await neighbour.call('add', { a: 1, b: 2 })).toMatchObject({ status: 200, text: '3' });
  });
});

// At once, because each has to wait for its breaker first.
describe.concurrent('a server that kept dying', () => {
  test('works at once when its file is changed to a good one', async () => {
    await broken('changed');
    proxy.write('changed', good('changed'));
    await proxy.logged(({ event, tenant }) => event === 'generation.swapped' && tenant === 'changed');
    const guest = await openGuest(proxy, 'changed');
    expect(await guest.call('add', { a: 2, b: 3 })).toMatchObject({ status: 200, text: '5' });
    expect(await rowOf('changed')).toMatchObject({ state: 'ready', retryInMs: null });
    expect(opened('changed')).toHaveLength(1);
  });

  test('works at once when the program is mended and an operator restarts it', async () => {
    await broken('restarted');
    mend('restarted', 'echo');
    expect((await proxy.run('restart', 'restarted')).code).toBe(0);
    const guest = await openGuest(proxy, 'restarted');
    expect(await guest.call('add', { a: 3, b: 4 })).toMatchObject({ status: 200, text: '7' });
    expect(await rowOf('restarted')).toMatchObject({ state: 'ready', retryInMs: null });
  });

  test('is found mended by the next try, when its time has come', async () => {
    const { retryAfter } = await broken('mended');
    mend('mended', 'echo');
    const within = Number(retryAfter) * 1000 + 3000;
    const outcome = await eventually(async () => {
      const asked = await initialize('mended');
      return asked.error === undefined && asked;
    }, within);
    expect(outcome.status).toBe(200);
    // Only an answer shows that it works: it has shaken hands before and died.
    await (await openGuest(proxy, 'mended')).call('echo', { text: 'x' });
    await proxy.logged(({ event, tenant }) => event === 'breaker.closed' && tenant === 'mended');
    expect(opened('mended')).toHaveLength(1);
    expect(await rowOf('mended')).toMatchObject({ state: 'ready', retryInMs: null });
  });
});

describe('a server that answers its handshake and dies of every call', () => {
  test('gets a bounded number of processes for a hundred calls', async () => {
    const guest = await openGuest(proxy, 'unstable');
    const codes: string[] = [];
    for (let nth = 0; nth < 100; nth++) codes.push(codeOf(await guest.call('echo', { text: 'x' })));
    // Each process takes exactly one call with it; the rest never reach one.
    const lost = codes.filter((code) => code === 'CRASHED');
    expect(lost.length).toBeGreaterThanOrEqual(1);
    expect(codes.filter((code) => code === 'UNAVAILABLE')).toHaveLength(100 - lost.length);
    expect(spawned('unstable')).toBeLessThanOrEqual(6);
    expect(await rowOf('unstable')).toMatchObject({ state: 'broken', workers: [] });
    await proxy.logged(({ event, tenant }) => event === 'breaker.opened' && tenant === 'unstable');
    expect(opened('unstable')).toHaveLength(1);
  });
});
