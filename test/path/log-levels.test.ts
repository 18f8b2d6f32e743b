import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { mcpHeaders, openRawSession, type RawSession, send } from '../support/raw-session.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';
import { modernVersion } from './eras/raw-peer.ts';

/** What a legacy server is told of the levels that its clients want, and what each of them hears. */
let proxy: RunningProxy;
beforeAll(async () => {
  const tenants = {
    shared: tenantYaml('shared', 'legacy-everything', 'pool: { max: 1 }'),
    leased: tenantYaml('leased', 'legacy-everything', 'pool: { max: 1, sharing: leased }'),
    alone: tenantYaml('alone', 'legacy-everything', 'pool: { sharing: exclusive }'),
  };
  proxy = await startProxy({ tenants });
});
afterAll(() => proxy.stop());

const setLevel = (session: RawSession, level: string) => session.ask('logging/setLevel', { level });
/** The level that the worker of this session's calls was told. */
const toldIn = (text: string) => (JSON.parse(text) as { level: unknown }).level;
const told = async (session: RawSession) => toldIn(await session.text('seen'));
async function heard(session: RawSession): Promise<unknown[]> {
  const call = await session.begin('log', { holdMs: 1 });
  await call.ended;
  const messages = call.messages.map((text) => JSON.parse(text) as { params?: { level?: unknown } });
  return messages.flatMap(({ params }) => (params?.level === undefined ? [] : [params.level]));
}

describe.each(['shared', 'leased'])('a %s worker', (id) => {
  test('is told what the session wants that wants most, and each hears what it wants', async () => {
    const key = proxy.keys[id]!;
    const [ada, grace] = [await openRawSession(proxy.url, key), await openRawSession(proxy.url, key)];
    await setLevel(ada, 'alert');
    await setLevel(grace, 'error');
    expect(await told(ada)).toBe('error');
    expect(await heard(ada)).toEqual(['alert', 'emergency']);
    expect(await heard(grace)).toEqual(['error', 'critical', 'alert', 'emergency']);
    await setLevel(grace, 'emergency');
    expect(await told(ada)).toBe('alert');
  });

  test('is told what a call of 2026-07-28 names', async () => {
    const key = proxy.keys[id]!;
    await setLevel(await openRawSession(proxy.url, key), 'emergency');
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': modernVersion,
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/logLevel': 'debug',
    };
    const params = { name: 'seen', arguments: {}, _meta };
    const exchange = await send(proxy.url, {
      headers: mcpHeaders(key, {
        'mcp-protocol-version': modernVersion,
        'mcp-method': 'tools/call',
        'mcp-name': 'seen',
      }),
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    });
    await exchange.ended;
    const { result } = JSON.parse(exchange.messages.at(-1)!) as { result: { content: { text: string }[] } };
    expect(toldIn(result.content[0]!.text)).toBe('debug');
  });
});

test('a worker of one session is told again when it is another', async () => {
  const session = await openRawSession(proxy.url, proxy.keys['alone']!);
  await setLevel(session, 'critical');
  await told(session);
  const pid = async () =>
    (await proxy.status()).tenants.find(({ id }) => id === 'alone')?.workers[0]?.pid ?? 0;
  const first = await pid();
  process.kill(first, 'SIGKILL');
  await eventually(async () => (await told(session).catch(() => undefined)) && (await pid()) !== first);
  expect(await told(session)).toBe('critical');
  expect(await heard(session)).toEqual(['critical', 'alert', 'emergency']);
});
