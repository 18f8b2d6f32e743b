import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { errorIn, type Exchange, mcpHeaders, openRawSession, send } from '../../support/raw-session.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../../support/start-proxy.ts';
import { modernVersion, openRawHttp } from './raw-peer.ts';

/** The headers of a modern call are compared with its server's list of tools, and this one never shows it. */
const tenants = {
  late: tenantYaml('late', 'listless', 'deadline: { call: 1s, max: 2s }'),
  left: tenantYaml('left', 'listless'),
};
let proxy: RunningProxy;
beforeAll(async () => {
  proxy = await startProxy({ tenants });
});
afterAll(() => proxy.stop());

interface Seen {
  readonly calls: number;
  readonly methods: Readonly<Record<string, number>>;
}
/** What reached the server so far, the call that asks included. */
async function seenBy(tenant: string): Promise<Seen> {
  const session = await openRawSession(proxy.url, proxy.keys[tenant]!);
  return JSON.parse(await session.text('seen')) as Seen;
}

test('a call that waits for the list has a deadline like any other, and never ran', async () => {
  const peer = await openRawHttp(proxy.url, proxy.keys['late']!, 'modern');
  const { text } = await peer.ask('tools/call', '"name":"whoami","arguments":{}');
  expect(errorIn(text)).toMatchObject({ code: -31002, data: { code: 'TIMED_OUT', executed: 'no' } });
  expect(await seenBy('late')).toMatchObject({ calls: 1, methods: { 'tools/list': 1 } });
});

test('a call whose client hangs up meanwhile is over', async () => {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': modernVersion,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', _meta } };
  const standard = {
    'mcp-protocol-version': modernVersion,
    'mcp-method': 'tools/call',
    'mcp-name': 'whoami',
  };
  const client = new AbortController();
  const asked: Promise<Exchange | undefined> = send(proxy.url, {
    headers: mcpHeaders(proxy.keys['left']!, standard),
    body: JSON.stringify(message),
    signal: client.signal,
  }).catch(() => undefined);
  let calls = 0;
  await eventually(async () => {
    const { methods } = await seenBy('left');
    calls++;
    return methods['tools/list'] === 1;
  });
  client.abort();
  await asked;
  const { outcome } = await proxy.logged(
    ({ event, tenant, method, outcome: how }) =>
      event === 'call.ended' && tenant === 'left' && method === 'tools/call' && how !== 'ok',
  );
  expect(outcome).toBe('CANCELLED');
  expect((await seenBy('left')).calls).toBe(calls + 1);
});

test.each([
  ['logging/setLevel', { level: 'debug' }],
  ['tasks/list', {}],
  ['tasks/get', { taskId: 'none' }],
])('what it has not said that it has, it does not know: %s', async (method, params) => {
  const session = await openRawSession(proxy.url, proxy.keys['left']!);
  const answer = JSON.parse(await session.ask(method, params)) as unknown;
  expect(answer).toMatchObject({ error: { code: -32601, message: 'Method not found' } });
});
