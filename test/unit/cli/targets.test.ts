import { expect, test } from 'vitest';
import { localUrl, targetsOf } from '../../../src/cli/targets.ts';
import { type Tenant } from '../../../src/tenants/tenant.ts';

const tenant = (...names: string[]) =>
  ({ id: 'acme', servers: new Map(names.map((name) => [name, {}])) }) as unknown as Tenant;

test('one server is at /mcp, several have paths and names of their own', () => {
  const url = 'http://127.0.0.1:8080/mcp';
  expect(targetsOf(tenant('default'), url, 'k')).toEqual([{ name: 'acme', url, key: 'k' }]);
  expect(targetsOf(tenant('files', 'mail'), url, 'k')).toEqual([
    { name: 'acme-files', url: `${url}/files`, key: 'k' },
    { name: 'acme-mail', url: `${url}/mail`, key: 'k' },
  ]);
});

test.each([
  ['127.0.0.1', 'http://127.0.0.1:80/mcp'],
  ['0.0.0.0', 'http://127.0.0.1:80/mcp'],
  ['::', 'http://[::1]:80/mcp'],
  ['fd00::1', 'http://[fd00::1]:80/mcp'],
])('listening on %s, clients here use %s', (host, url) => {
  expect(localUrl({ host, port: 80 })).toBe(url);
});

test('of several servers the default one keeps the plain URL and name', () => {
  const url = 'http://127.0.0.1:8080/mcp';
  expect(targetsOf(tenant('default', 'mail'), url, 'k')).toEqual([
    { name: 'acme', url, key: 'k' },
    { name: 'acme-mail', url: `${url}/mail`, key: 'k' },
  ]);
});
