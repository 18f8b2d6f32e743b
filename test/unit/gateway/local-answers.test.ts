import { describe, expect, test } from 'vitest';
import { pong, requireServer } from '../../../src/gateway/local-answers.ts';
import { readMessage } from '../../../src/mcp/message.ts';
import { type Tenant } from '../../../src/tenants/tenant.ts';
import { acme } from '../calls/some-call.ts';
import { someSpec } from '../workers/some-worker.ts';

test.each(['1', '"1"', '"é"', '1.0', '12345678901234567890'])('ping %s is answered with its own id', (id) => {
  const { parts, isError } = pong(readMessage(Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`)));
  expect(Buffer.concat(parts).toString()).toBe(`{"jsonrpc":"2.0","id":${id},"result":{}}`);
  expect(isError).toBe(false);
});

describe('the server a URL means', () => {
  const tenantWith = (...names: string[]): Tenant => ({
    file: 'tenants/acme.yaml',
    id: acme,
    enabled: true,
    keys: [],
    allowFrom: undefined,
    servers: new Map(names.map((name) => [name, someSpec([], { name })])),
    deadline: { call: 1000, max: 1000 },
    policy: {},
  });
  const found = (names: readonly string[], name?: string) => requireServer(tenantWith(...names), name).name;
  const notFound = expect.objectContaining({ code: 'NOT_FOUND', executed: 'no' }) as Error;

  test('is the one it names', () => {
    expect(found(['default', 'search'], 'search')).toBe('search');
  });

  test('is the default where it names none', () => {
    expect(found(['search', 'default'])).toBe('default');
  });

  test('is the only one, whatever it is called', () => {
    expect(found(['search'])).toBe('search');
  });

  test('is none of several without a default, and it is said what there is', () => {
    expect(() => found(['search', 'files'])).toThrow(notFound);
    expect(() => found(['search', 'files'])).toThrow('/mcp/search, /mcp/files');
  });

  test('is none that the tenant has not, be it the only one', () => {
    expect(() => found(['default'], 'search')).toThrow(notFound);
    expect(() => found(['search'], 'default')).toThrow(notFound);
  });

  test('at /mcp/connect is that of /mcp, unless one is called so', () => {
    expect(found(['search'], 'connect')).toBe('search');
    expect(found(['search', 'default'], 'connect')).toBe('default');
    expect(found(['default', 'connect'], 'connect')).toBe('connect');
    expect(() => found(['search', 'files'], 'connect')).toThrow(notFound);
  });

  test('is nothing from the inside of an object', () => {
    expect(() => found(['search', 'files'], 'constructor')).toThrow(notFound);
  });
});
