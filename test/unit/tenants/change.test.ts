import { expect, test } from 'vitest';
import { changeBetween } from '../../../src/tenants/change.ts';
import { type Tenant } from '../../../src/tenants/tenant.ts';
import { someTenant } from '../../support/some-tenants.ts';

const mapOf = (...tenants: readonly Tenant[]) =>
  new Map(tenants.map((tenant) => [tenant.id as string, tenant]));

test('what came, what went, what is another object', () => {
  const [stays, before, after, goes, comes] = [
    someTenant('stays'),
    someTenant('changes'),
    someTenant('changes', ['a']),
    someTenant('goes'),
    someTenant('comes'),
  ];
  expect(changeBetween(mapOf(stays, before, goes), mapOf(comes, after, stays))).toEqual({
    added: [comes],
    changed: [{ before, after }],
    removed: [goes],
  });
});

test('the very same objects are no change', () => {
  const tenants = [someTenant('a'), someTenant('b')];
  expect(changeBetween(mapOf(...tenants), mapOf(...tenants))).toEqual({
    added: [],
    changed: [],
    removed: [],
  });
  expect(changeBetween(new Map(), new Map())).toEqual({ added: [], changed: [], removed: [] });
});
