import { afterAll, beforeAll, expect, test } from 'vitest';
import { initializeBody, post } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

let proxy: RunningProxy;
beforeAll(async () => {
  proxy = await startProxy({
    tenants: {
      office: tenantYaml('office', 'echo', 'allowFrom: [192.0.2.0/24, "2001:db8::/32"]'),
      anywhere: tenantYaml('anywhere', 'echo'),
    },
    // The test is its own load balancer.
    config: 'listen: { port: 0, trustedProxies: [127.0.0.1] }',
  });
});
afterAll(() => proxy.stop());

const from = (tenant: string, forwarded: string) =>
  post(proxy.url, proxy.keys[tenant]!, initializeBody(), { 'x-forwarded-for': forwarded });

test('a tenant is served where it may come from, and elsewhere told what strangers are told', async () => {
  expect((await from('office', '192.0.2.9')).status).toBe(200);
  expect((await from('office', '2001:db8::9')).status).toBe(200);
  const elsewhere = await from('office', '192.0.2.9, 198.51.100.1');
  const stranger = await post(proxy.url, 'mcpx_nobody', initializeBody());
  expect(elsewhere.status).toBe(401);
  expect(elsewhere.text).toBe(stranger.text);
  expect((await from('anywhere', '198.51.100.1')).status).toBe(200);
  const told = await proxy.logged(
    ({ event, remote }) => event === 'auth.refused' && remote === '198.51.100.1',
  );
  expect(told['level']).toBe('warn');
});

test('and from when its file says so, without a restart of anything', async () => {
  proxy.write('office', tenantYaml('office', 'echo', 'allowFrom: [198.51.100.1]'));
  await eventually(async () => (await from('office', '198.51.100.1')).status === 200);
  expect((await from('office', '192.0.2.9')).status).toBe(401);
  proxy.write('office', tenantYaml('office', 'echo', 'allowFrom: [10.0.0.0/99]'));
  await eventually(async () => (await proxy.status()).problems.length === 1);
  expect((await from('office', '198.51.100.1')).status).toBe(200);
});
