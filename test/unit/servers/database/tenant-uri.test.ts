import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTenantUri, tenantUri } from '../../../../src/servers/database/tenant-uri.ts';

const own = 'tenant_001';
const read = (uri: string) => readTenantUri(uri, own);

test('a table is named by its tenant, and by its schema where that is not public', () => {
  expect(tenantUri(own, { schema: 'public', name: 'customers' })).toBe(
    'mcp://tenant_001/database/table/customers',
  );
  expect(tenantUri(own, { schema: 'sales', name: 'orders' })).toBe(
    'mcp://tenant_001/database/table/sales.orders',
  );
  expect(tenantUri(own, { schema: 'public', name: 'Größe 100 %/Jahr.neu' })).toBe(
    'mcp://tenant_001/database/table/Gr%C3%B6%C3%9Fe%20100%20%25%2FJahr%2Eneu',
  );
});

test('every table there can be is read back from its URI', () => {
  const name = fc
    .string({ minLength: 1, maxLength: 15, unit: 'binary' })
    .filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(name, name, (schema, table) => {
      const relation = { schema, name: table };
      expect(read(tenantUri(own, relation))).toEqual({ kind: 'relation', relation });
    }),
  );
});

test('no text is read as a table unless it is that table’s one spelling', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zA-Z0-9_.%/-]{0,12}$/), (tail) => {
      const uri = `mcp://${own}/database/table/${tail}`;
      const result = read(uri);
      if (result.kind === 'relation') expect(tenantUri(own, result.relation)).toBe(uri);
    }),
  );
});

describe('what names another tenant, or climbs, is foreign', () => {
  test.each([
    'mcp://tenant_002/database/table/customers',
    'mcp://tenant_0011/database/table/customers',
    'mcp://tenant_00/database/table/customers',
    'mcp://TENANT_001/database/table/customers',
    'mcp://%74enant_001/database/table/customers',
    'MCP://tenant_001/database/table/customers',
    'mcp://tenant_001@tenant_002/database/table/customers',
    'mcp://user@tenant_001/database/table/customers',
    'mcp://user:secret@tenant_001/database/table/customers',
    'mcp://tenant_001:5432/database/table/customers',
    'mcp://tenant_001./database/table/customers',
    'mcp://tenant_001\\@tenant_002/database/table/customers',
    'mcp:///database/table/customers',
    'mcp:tenant_001/database/table/customers',
    'mcp://tenant_001',
    ' mcp://tenant_002/database/table/customers'.trim(),
    'mcp://tenant_001/../tenant_002/database/table/customers',
    'mcp://tenant_001/database/table/../../../tenant_002/database/table/customers',
    'mcp://tenant_001/%2e%2e/tenant_002/database/table/customers',
    'mcp://tenant_001/%2E%2E%2Ftenant_002/database/table/customers',
    'mcp://tenant_001/%252e%252e/tenant_002/database/table/customers',
    'mcp://tenant_001/..\\tenant_002\\database\\table\\customers',
    'mcp://tenant_001/./database/table/customers',
    'mcp://tenant_001/database/table/a@b',
    'https://tenant_001/database/table/customers',
    'file:///etc/passwd',
    'postgres://app:secret@db/tenant_002',
    '//tenant_002/database/table/customers',
    'mcp://tenant_001\u0000/database/table/customers',
    'mcp://tenant_001\n/database/table/customers',
    `mcp://tenant_002/${'a'.repeat(10_000)}`,
  ])('%j', (uri) => {
    expect(read(uri)).toEqual({ kind: 'foreign' });
  });
});

describe('what is no table’s URI is malformed', () => {
  test.each([
    '',
    'customers',
    'mcp://tenant_001/',
    'mcp://tenant_001/database',
    'mcp://tenant_001/database/table/',
    'mcp://tenant_001/database/table/customers/',
    'mcp://tenant_001/database/table/customers?limit=1',
    'mcp://tenant_001/database/table/customers#x',
    'mcp://tenant_001//database/table/customers',
    'mcp://tenant_001/Database/table/customers',
    'mcp://tenant_001/database/view/customers',
    'mcp://tenant_001/database/table/public.customers',
    'mcp://tenant_001/database/table/a.b.c',
    'mcp://tenant_001/database/table/.customers',
    'mcp://tenant_001/database/table/%63ustomers',
    'mcp://tenant_001/database/table/a%2eb',
    'mcp://tenant_001/database/table/a%00b',
    'mcp://tenant_001/database/table/a%zz',
    'mcp://tenant_001/database/table/a%FF',
    'mcp://tenant_001/database/table/%C3%28',
    'mcp://tenant_001/database/table/größe',
    'mcp://tenant_001/database/table/customers\n',
    'mcp://tenant_001/database/table/customers ',
    'mcp://tenant_001/database/table/"customers"',
    `mcp://tenant_001/database/table/${'a'.repeat(64)}`,
    `mcp://tenant_001/database/table/${'a'.repeat(10_000)}`,
  ])('%j', (uri) => {
    expect(read(uri)).toEqual({ kind: 'malformed' });
  });
});

test('a tenant’s own name in a pattern is only text', () => {
  expect(readTenantUri('mcp://tenantX001/database/table/a', 'tenant.001')).toEqual({ kind: 'foreign' });
});
