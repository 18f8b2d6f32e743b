import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mcpHeaders, openRawSession, send } from '../../support/raw-session.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../../support/start-proxy.ts';
import { openRawHttp } from './raw-peer.ts';

/** A tenant with one worker, and two keys that share it. */
let proxy: RunningProxy;
const keyOf = (name: string) => `mcpx_test_rounds_${name}`;
const listed = ['ada', 'grace']
  .map((name) => `{ name: ${name}, sha256: ${createHash('sha256').update(keyOf(name)).digest('hex')} }`)
  .join(', ');

beforeAll(async () => {
  const pool = (sharing: string) => `pool: { max: 1, wait: 10s, sharing: ${sharing} }\nkeys: [${listed}]`;
  const tenants = { acme: tenantYaml('acme', 'legacy-everything', pool('leased')) };
  proxy = await startProxy({ tenants, config: 'workers: { sweepEvery: 50ms }' });
});
afterAll(() => proxy.stop());

interface Answer {
  readonly result?: { readonly resultType?: string; readonly requestState?: string };
  readonly error?: { readonly code: number; readonly message: string };
}
const elicit = '"name":"elicit","arguments":{}';
const capabilities = { elicitation: {} };

describe('a worker held by a question that nobody answers', () => {
  test('goes to another key that waits for it, and who comes back to the question is told to begin again', async () => {
    const ada = await openRawHttp(proxy.url, keyOf('ada'), 'modern', capabilities);
    const grace = await openRawHttp(proxy.url, keyOf('grace'), 'modern', capabilities);
    const ask = async (peer: typeof ada, params: string) =>
      JSON.parse((await peer.ask('tools/call', params)).text) as Answer;
    const { result } = await ask(ada, elicit);
    expect(result?.resultType).toBe('input_required');
    expect((await ask(grace, '"name":"echo","arguments":{"text":"hi"}')).error).toBeUndefined();
    const abandoned = await proxy.logged(({ event }) => event === 'question.abandoned');
    expect(abandoned).toMatchObject({ tenant: 'acme', key: 'ada', waitedMs: expect.any(Number) as unknown });
    const state = JSON.stringify(result?.requestState);
    const retry = await ask(ada, `${elicit},"inputResponses":{"r1":{}},"requestState":${state}`);
    expect(retry).toMatchObject({
      error: { code: -32602, message: expect.stringContaining('anew') as unknown },
    });
  });

  test('is free at once if its client left before it heard of the question', async () => {
    const session = await openRawSession(proxy.url, keyOf('ada'), { capabilities });
    const left = new AbortController();
    const body = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"elicit","arguments":{"afterMs":3000}}}`;
    const call = send(proxy.url, {
      headers: mcpHeaders(keyOf('ada'), { 'mcp-session-id': session.id }),
      body,
      signal: left.signal,
    });
    call.catch(() => undefined);
    const inFlight = async () => (await proxy.status()).tenants[0]!.inFlight;
    await eventually(async () => (await inFlight()) === 1);
    left.abort();
    await eventually(async () => (await inFlight()) === 0);
  });
});
