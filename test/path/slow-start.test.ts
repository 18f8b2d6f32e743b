import { afterAll, beforeAll, expect, test } from 'vitest';
import { callJson, connect } from '../support/clients.ts';
import { atOnce } from '../support/guest.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/**
 * A server that is fetched before it runs, as `npx` does it, takes its time. Meanwhile silent connections get a sign
 * of life every 15 s, which must not cost the client the session it is about to get.
 */
const startMs = 16_000;
let proxy: RunningProxy;

beforeAll(async () => {
  const tenants = { slow: tenantYaml('slow', 'slow-start', '', { START_MS: String(startMs) }) };
  proxy = await startProxy({ tenants });
});

afterAll(() => proxy.stop());

test('a client that waits long for its first answer has a session like any other', async () => {
  const clients = await atOnce(3, () => connect(proxy.url, proxy.keys['slow']!));
  const answers = await Promise.all(clients.map((client) => callJson<{ pid: number }>(client, 'whoami')));
  expect(new Set(answers.map(({ pid }) => pid)).size).toBe(1);
  await Promise.all(clients.map((client) => client.close()));
});
