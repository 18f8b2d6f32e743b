import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRawSession, type RawSession } from '../../support/raw-session.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../../support/start-proxy.ts';
import { openRawHttp } from './raw-peer.ts';

/** A cursor of these servers is of one process, and means nothing to another. */
const servers = ['legacy-everything', 'modern-everything'] as const;
const narrow = 'pool: { max: 2, concurrency: 1 }';
let proxy: RunningProxy;
beforeAll(async () => {
  const tenants = servers.map((server) => [server, tenantYaml(server, server, narrow)] as const);
  proxy = await startProxy({
    tenants: {
      ...Object.fromEntries(tenants),
      changing: tenantYaml('changing', 'echo', narrow),
      apart: tenantYaml('apart', 'echo', 'pool: { sharing: exclusive }'),
    },
  });
});
afterAll(() => proxy.stop());

interface Page {
  readonly result?: { readonly resources: readonly unknown[]; readonly nextCursor?: string };
}
type Ask = (params: { cursor?: string }) => Promise<string>;

/** Two sessions that live on one of two workers. */
async function neighbours(key: string, tool = 'slow'): Promise<[RawSession, RawSession]> {
  const [one, two] = [await openRawSession(proxy.url, key), await openRawSession(proxy.url, key)];
  await Promise.all([one, two].map((session) => session.text(tool, { ms: 200 })));
  return [one, two];
}

/** The second page, while the worker of the first is busy with another's call. */
async function secondPage(ask: Ask, other: RawSession): Promise<Page> {
  const first = JSON.parse(await ask({})) as Page;
  const cursor = first.result?.nextCursor ?? '';
  const busy = other.text('slow', { ms: 1000 });
  await eventually(async () => (await proxy.status()).totals.inFlight > 0);
  const second = JSON.parse(await ask({ cursor })) as Page;
  await busy;
  return second;
}

test.each(servers)('the next page of %s comes from who gave the one before, however busy', async (server) => {
  const key = proxy.keys[server]!;
  const [one, two] = await neighbours(key);
  const modern = await openRawHttp(proxy.url, key, 'modern');
  const asks: Ask[] = [
    (params) => one.ask('resources/list', params),
    async (params) => (await modern.ask('resources/list', JSON.stringify(params).slice(1, -1))).text,
  ];
  for (const ask of asks) expect(await secondPage(ask, two)).toHaveProperty('result.resources');
});

test('a list that has changed comes from who said so, also for a session that lives elsewhere', async () => {
  const key = proxy.keys['changing']!;
  const [one, two] = await neighbours(key, 'sleep');
  const modern = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  let told = 0;
  modern.setNotificationHandler('notifications/tools/list_changed', () => {
    told++;
  });
  const headers = { authorization: `Bearer ${key}` };
  await modern.connect(new StreamableHTTPClientTransport(new URL(proxy.url), { requestInit: { headers } }));
  expect(modern.getProtocolEra()).toBe('modern');
  await modern.listen({ toolsListChanged: true });
  // It lives where all do, and its own worker is the one that is busy.
  await modern.callTool({ name: 'sleep', arguments: { ms: 1 } });
  const busy = two.text('sleep', { ms: 1000 });
  await eventually(async () => (await proxy.status()).totals.inFlight > 0);
  expect(await one.text('change', {})).toBe('changed');
  await eventually(() => told === 1);
  await busy;
  expect(await one.ask('tools/list', {})).toContain('added_1');
  expect((await modern.listTools()).tools.map(({ name }) => name)).toContain('added_1');
  await modern.close();
});

test('but never from the worker that another session has to itself', async () => {
  const key = proxy.keys['apart']!;
  const [one, two] = await neighbours(key, 'sleep');
  expect(await one.text('change', {})).toBe('changed');
  expect(await one.ask('tools/list', {})).toContain('added_1');
  expect(await two.ask('tools/list', {})).not.toContain('added_1');
});
