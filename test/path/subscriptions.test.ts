import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { eventsOf } from '../support/guest.ts';
import { parseAnswer } from '../support/machine-pid.ts';
import { type Exchange, openRawSession, type RawSession } from '../support/raw-session.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** Who has subscribed hears, whatever becomes of the worker that was asked. */
const tenants = {
  slow: tenantYaml('slow', 'echo', 'pool: { max: 1 }', { UNSUBSCRIBE_MS: '500' }),
  pair: tenantYaml('pair', 'echo', 'pool: { max: 2, concurrency: 1 }'),
  leased: tenantYaml('leased', 'echo', 'pool: { sharing: leased, max: 2 }'),
  aged: tenantYaml('aged', 'echo', 'pool: { sharing: exclusive, maxLifetime: 1s, max: 2 }'),
  changed: tenantYaml('changed', 'echo', 'pool: { sharing: exclusive }'),
  divided: tenantYaml('divided', 'echo', 'pool: { sharing: shared }'),
  old: tenantYaml('old', 'echo', 'pool: { maxLifetime: 1s, max: 1 }'),
};
const uri = 'fixture://one';

let proxy: RunningProxy;

beforeAll(async () => {
  proxy = await startProxy({ tenants, config: 'workers: { sweepEvery: 50ms, stopGrace: 500ms }' });
});

afterAll(() => proxy.stop());

const open = (tenant: string): Promise<RawSession> => openRawSession(proxy.url, proxy.keys[tenant]!);
const subscribe = (session: RawSession) => session.ask('resources/subscribe', { uri });
const updatesOn = ({ messages }: Exchange): number =>
  messages.filter((message) => message.includes('notifications/resources/updated')).length;

/** What a worker says that it has seen. */
interface Seen {
  readonly pid: number;
  readonly methods: Readonly<Record<string, number>>;
  readonly subscribed: readonly string[];
}
const rowOf = async (id: string) => (await proxy.status()).tenants.find((row) => row.id === id)!;
const seenBy = async (session: RawSession) => parseAnswer(await session.text('seen')) as Seen;

describe('while a server takes its time to unsubscribe one client', () => {
  test('another that subscribes to the same is not left with nothing', async () => {
    const [leaving, coming] = [await open('slow'), await open('slow')];
    const stream = await coming.listen();
    await subscribe(leaving);
    const unsubscribed = leaving.ask('resources/unsubscribe', { uri });
    await eventually(async () => (await seenBy(coming)).methods['resources/unsubscribe'] === 1);
    expect(await subscribe(coming)).toContain('"result":{}');
    expect(await unsubscribed).toContain('"result":{}');
    expect(await coming.text('touch', { uri })).toContain('"told":true');
    await eventually(() => updatesOn(stream) === 1);
  });
});

test('who listens to a worker that dies hears from another that lives, before the next call', async () => {
  const [listening, neighbour] = [await open('pair'), await open('pair')];
  await Promise.all([listening, neighbour].map((session) => session.call('sleep', { ms: 300 })));
  expect((await rowOf('pair')).workers).toHaveLength(2);
  const stream = await listening.listen();
  await subscribe(listening);
  process.kill((await seenBy(listening)).pid, 'SIGKILL');
  await eventually(async () => (await neighbour.text('touch', { uri })).includes('"told":true'));
  await eventually(() => updatesOn(stream) > 0);
  expect((await rowOf('pair')).workers).toHaveLength(1);
});

describe('while the worker that a session lives on is busy', () => {
  /** Keeps the worker that a session lives on at work for a while; gives what settles when it is free again. */
  async function occupy(session: RawSession): Promise<Promise<string>[]> {
    const working = session.call('sleep', { ms: 700 }, { id: '"long"' });
    await eventually(async () => (await rowOf('leased')).inFlight === 1);
    return [working];
  }

  test('what it subscribes to elsewhere it hears at home, and nobody needs the other', async () => {
    const [session, neighbour] = [await open('leased'), await open('leased')];
    const { pid } = await seenBy(session);
    const working = await occupy(session);
    const stream = await session.listen();
    expect(await subscribe(session)).toContain('"result":{}');
    const other = await eventually(async () => {
      const seen = await seenBy(neighbour);
      return seen.subscribed.length === 0 && seen;
    });
    expect(other.pid).not.toBe(pid);
    expect(other.methods['resources/subscribe']).toBe(1);
    await Promise.all(working);
    expect(await session.text('touch', { uri })).toContain('"told":true');
    await eventually(() => updatesOn(stream) === 1);
    await session.ask('resources/unsubscribe', { uri });
  });

  test('what it unsubscribes from elsewhere it is told of no more', async () => {
    const session = await open('leased');
    // Of its own: what others want there stays.
    const own = { uri: 'fixture://two' };
    await session.ask('resources/subscribe', own);
    const { pid } = await seenBy(session);
    const working = await occupy(session);
    expect(await session.ask('resources/unsubscribe', own)).toContain('"result":{}');
    await Promise.all(working);
    expect(await seenBy(session)).toMatchObject({ pid, subscribed: [] });
  });
});

describe('who listens without calling is given another worker', () => {
  /** Of workers that answered their handshake. */
  const startsOf = (id: string) => eventsOf(proxy, 'worker.started', id).length;

  test.each(['aged', 'old'])('where one is old: %s', async (id) => {
    const session = await open(id);
    await session.listen();
    await subscribe(session);
    const { pid } = await eventually(async () => {
      const [first, ...others] = (await rowOf(id)).workers;
      return startsOf(id) > 1 && others.length === 0 && first?.state === 'idle' && first;
    });
    const left = await proxy.logged(({ event, tenant }) => event === 'worker.exited' && tenant === id);
    expect(left).toMatchObject({ reason: 'it was old' });
    expect(left['pid']).not.toBe(pid);
    const { startedAt, exitedAt } = timesOf(id);
    expect(startedAt).toBeLessThan(exitedAt);
    expect((await seenBy(session)).subscribed).toEqual([uri]);
  });

  test('where a changed file ends the one it had', async () => {
    const session = await open('changed');
    const stream = await session.listen();
    await subscribe(session);
    const before = (await rowOf('changed')).workers[0]!.pid;
    proxy.write('changed', tenantYaml('changed', 'echo', 'pool: { sharing: exclusive, max: 3 }'));
    await proxy.reload();
    await eventually(async () => {
      const { workers } = await rowOf('changed');
      return workers.some(({ pid, state }) => pid !== before && state === 'idle');
    });
    expect(await session.text('touch', { uri })).toContain('"told":true');
    await eventually(() => updatesOn(stream) === 1);
    expect(startsOf('changed')).toBe(2);
  });
});

test('a modern client that listens hears of its own calls when each client gets a worker of its own, and when none does', async () => {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  let told = 0;
  client.setNotificationHandler('notifications/resources/updated', () => {
    told++;
  });
  const headers = { authorization: `Bearer ${proxy.keys['divided']!}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(proxy.url), { requestInit: { headers } }));
  expect(client.getProtocolEra()).toBe('modern');
  await client.listen({ resourceSubscriptions: [uri] });
  const touch = () => client.callTool({ name: 'touch', arguments: { uri } });
  await touch();
  await eventually(() => told === 1);
  for (const [swaps, sharing] of [[1, 'exclusive'] as const, [2, 'shared'] as const]) {
    proxy.write('divided', tenantYaml('divided', 'echo', `pool: { sharing: ${sharing} }`));
    await eventually(() => eventsOf(proxy, 'generation.swapped', 'divided').length === swaps);
    expect((await touch()).content).toMatchObject([
      { text: expect.stringContaining('"told":true') as string },
    ]);
    await eventually(() => told === swaps + 1);
  }
  await client.close();
});

/** Where in the log the second worker had started, and the first was gone. */
function timesOf(tenant: string) {
  const at = (event: string, nth: number) => proxy.logs.indexOf(eventsOf(proxy, event, tenant)[nth]!);
  return { startedAt: at('worker.started', 1), exitedAt: at('worker.exited', 0) };
}
