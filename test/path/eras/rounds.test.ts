import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callText, connect } from '../../support/clients.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../../support/start-proxy.ts';
import { openRawHttp } from './raw-peer.ts';

/** A call that a server answers with a question, and the rounds in which it goes on. */
let proxy: RunningProxy;
beforeAll(async () => {
  const tenants = {
    modern: tenantYaml('modern', 'modern-everything', 'pool: { max: 2, concurrency: 1 }'),
    alone: tenantYaml('alone', 'legacy-everything', 'pool: { sharing: exclusive }'),
  };
  proxy = await startProxy({ tenants });
});
afterAll(() => proxy.stop());

test('the answers of a legacy client go to the process that asked, though another call is with it by then', async () => {
  const key = proxy.keys['modern']!;
  const other = await connect(proxy.url, key);
  const end = new AbortController();
  /** Resolves when the other client's call is at work. */
  const occupy = () =>
    new Promise<void>((resolve) => {
      const options = { signal: end.signal, onprogress: () => resolve() };
      const call = { name: 'progress', arguments: { steps: 80 } };
      other.callTool(call, undefined, options).catch(() => undefined);
    });
  let rounds = 0;
  const client = await connect(proxy.url, key, { elicitation: {} }, (made) => {
    made.setRequestHandler(ElicitRequestSchema, async () => {
      // Only the second question comes with a `requestState`.
      if (++rounds === 2) await occupy();
      return { action: 'accept', content: { name: 'Ada', city: 'Bonn' } };
    });
  });
  expect(JSON.parse(await callText(client, 'two_rounds'))).toMatchObject({ city: { action: 'accept' } });
  expect(rounds).toBe(2);
  end.abort();
  await Promise.all([client.close(), other.close()]);
});

test('a modern client that has nothing but folders is asked for them by a legacy server that is its alone', async () => {
  const peer = await openRawHttp(proxy.url, proxy.keys['alone']!, 'modern', { roots: {} });
  const { text } = await peer.ask('tools/call', '"name":"roots","arguments":{}');
  expect(JSON.parse(text)).toMatchObject({
    result: { resultType: 'input_required', inputRequests: { r1: { method: 'roots/list' } } },
  });
});
