import path from 'node:path';
import { expect, test } from 'vitest';
import { callJson, connect } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive, startProxy, tenantYaml } from '../support/start-proxy.ts';

const fault = path.resolve(import.meta.dirname, '../fixtures/fault.mjs');
const secret = 'secret-of-a-child-4711';

test('a fault of the proxy itself ends it and its processes, and is told without the secrets on it', async () => {
  const proxy = await startProxy({
    env: { NODE_OPTIONS: `--import=${fault}`, FAULT_SECRET: secret },
    tenants: { acme: tenantYaml('acme', 'echo', '', { API_TOKEN: '${FAULT_SECRET}' }) },
  });
  const client = await connect(proxy.url, proxy.keys['acme']!);
  const { pid } = await callJson<{ pid: number }>(client, 'whoami');
  proxy.signal('SIGUSR2');
  expect(await proxy.exited).toBe(70);
  const line = await proxy.logged(({ event }) => event === 'proxy.crashed');
  expect(line['stack']).toMatch(/Error: spawn failed with \[REDACTED\].*fault\.mjs/);
  expect(JSON.stringify(proxy.logs)).not.toContain(secret);
  await eventually(() => !isAlive(pid));
  await proxy.stop();
});
