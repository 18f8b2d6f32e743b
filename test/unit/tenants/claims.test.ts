import { describe, expect, test } from 'vitest';
import { settleClaims, type TenantRecord } from '../../../src/tenants/claims.ts';
import { type Tenant } from '../../../src/tenants/tenant.ts';
import { someRecord, tenantText } from '../../support/some-tenants.ts';

/** `acme`, with these keys, in a file of this name. */
const record = (name: string, keys: readonly string[] = [], more = ''): TenantRecord =>
  someRecord(name, tenantText(name.replace(/\.ya?ml$/, ''), keys, more));
const broken = (name: string) => someRecord(name, undefined);
const inForce = (...records: readonly TenantRecord[]): ReadonlyMap<string, Tenant> =>
  settleClaims(records, new Map()).tenants;
/** Who is in force, with the names of their keys. */
const told = (tenants: ReadonlyMap<string, Tenant>) =>
  Object.fromEntries([...tenants].map(([id, { keys }]) => [id, keys.map(({ name }) => name)]));
const conflictsOf = (records: readonly TenantRecord[], before: ReadonlyMap<string, Tenant>) =>
  settleClaims(records, before).conflicts.map(({ file, code }) => `${file} ${code}`);

test('where nothing is claimed twice everything is in force, as the very objects that were read', () => {
  const records = [record('acme.yaml', ['a']), record('globex.yaml', ['b'])];
  const { tenants, conflicts } = settleClaims(records, new Map());
  expect(conflicts).toEqual([]);
  expect([...tenants.values()]).toEqual(records.map(({ candidate }) => candidate));
  expect(tenants.get('acme')).toBe(records[0]!.candidate);
});

describe('a file that is broken', () => {
  test('keeps its last good version', () => {
    const before = inForce(record('acme.yaml', ['a']));
    const { tenants, conflicts } = settleClaims([broken('acme.yaml')], before);
    expect(tenants.get('acme')).toBe(before.get('acme'));
    expect(conflicts).toEqual([]);
  });

  test('and never was sound has none', () => {
    expect(settleClaims([broken('acme.yaml')], new Map()).tenants.size).toBe(0);
  });

  test('keeps its keys from others', () => {
    const before = inForce(record('acme.yaml', ['a']));
    const records = [broken('acme.yaml'), record('thief.yaml', ['a'])];
    expect(told(settleClaims(records, before).tenants)).toEqual({ acme: ['a'] });
    expect(conflictsOf(records, before)).toEqual(['tenants/thief.yaml DUPLICATE_KEY']);
  });

  test('is gone with its file', () => {
    expect(settleClaims([], inForce(record('acme.yaml'))).tenants.size).toBe(0);
  });
});

describe('two files of one tenant', () => {
  test('the first by name is in force, the other is told', () => {
    const records = [record('acme.yaml', ['a']), record('acme.yml', ['b'])];
    const { tenants, conflicts } = settleClaims(records, new Map());
    expect(told(tenants)).toEqual({ acme: ['a'] });
    expect(conflicts).toMatchObject([
      {
        file: 'tenants/acme.yml',
        line: 1,
        column: 1,
        code: 'DUPLICATE_TENANT',
        message: "tenants/acme.yaml is the same tenant's; remove one of the two",
      },
    ]);
  });

  test('a sound one and a broken one: the sound one is in force, and nobody twice', () => {
    const before = inForce(record('acme.yaml', ['a']));
    const records = [broken('acme.yaml'), record('acme.yml', ['b'])];
    expect(told(settleClaims(records, before).tenants)).toEqual({ acme: ['b'] });
  });

  test('a tenant does not change because a second file is put beside its own', () => {
    const before = inForce(record('acme.yml', ['a']));
    const records = [
      record('acme.yaml', ['evil']),
      { ...record('acme.yml', ['a']), candidate: before.get('acme') },
    ];
    expect(told(settleClaims(records, before).tenants)).toEqual({ acme: ['a'] });
  });
});

describe('a key', () => {
  test('that two new tenants claim is the first one`s by name; the other is not in force', () => {
    const records = [record('acme.yaml', ['own', 'shared']), record('globex.yaml', ['shared'])];
    const { tenants, conflicts } = settleClaims(records, new Map());
    expect(told(tenants)).toEqual({ acme: ['own', 'shared'] });
    expect(conflicts).toMatchObject([
      {
        file: 'tenants/globex.yaml',
        line: 3,
        code: 'DUPLICATE_KEY',
        message: expect.stringMatching(/^The tenant acme has this key; .*proxy key create/) as string,
      },
    ]);
  });

  test('cannot be taken over: who has it keeps it, whatever the names', () => {
    const before = inForce(record('zeta.yaml', ['key']));
    const records = [record('alpha.yaml', ['key']), record('zeta.yaml', ['key'])];
    expect(told(settleClaims(records, before).tenants)).toEqual({ zeta: ['key'] });
    expect(conflictsOf(records, before)).toEqual(['tenants/alpha.yaml DUPLICATE_KEY']);
  });

  test('taken by a tenant that is in force: its last good version goes on', () => {
    const before = inForce(record('alpha.yaml', ['own']), record('zeta.yaml', ['key']));
    const records = [record('alpha.yaml', ['own', 'key']), record('zeta.yaml', ['key'])];
    const { tenants } = settleClaims(records, before);
    expect(tenants.get('alpha')).toBe(before.get('alpha'));
    expect(told(tenants)).toEqual({ alpha: ['own'], zeta: ['key'] });
  });

  test('moves from one tenant to another in one change', () => {
    for (const [from, to] of [
      ['alpha', 'zeta'],
      ['zeta', 'alpha'],
    ] as const) {
      const before = inForce(record(`${from}.yaml`, ['own', 'key']), record(`${to}.yaml`, ['other']));
      const records = [record(`${from}.yaml`, ['own']), record(`${to}.yaml`, ['other', 'key'])];
      const { tenants, conflicts } = settleClaims(records, before);
      expect(conflicts).toEqual([]);
      expect(told(tenants)).toEqual({ [from]: ['own'], [to]: ['other', 'key'] });
    }
  });

  test('two tenants swap theirs', () => {
    const before = inForce(record('a.yaml', ['one']), record('b.yaml', ['two']));
    const records = [record('a.yaml', ['two']), record('b.yaml', ['one'])];
    const { tenants, conflicts } = settleClaims(records, before);
    expect(conflicts).toEqual([]);
    expect(told(tenants)).toEqual({ a: ['two'], b: ['one'] });
  });

  test('three tenants pass theirs round', () => {
    const before = inForce(record('a.yaml', ['1']), record('b.yaml', ['2']), record('c.yaml', ['3']));
    const records = [record('a.yaml', ['2']), record('b.yaml', ['3']), record('c.yaml', ['1'])];
    expect(settleClaims(records, before).conflicts).toEqual([]);
  });

  test('of a tenant that left is free', () => {
    const before = inForce(record('alpha.yaml', ['key']));
    expect(told(settleClaims([record('zeta.yaml', ['key'])], before).tenants)).toEqual({ zeta: ['key'] });
  });

  test('of a tenant that is switched off is not free', () => {
    const before = inForce(record('zeta.yaml', ['key']));
    const records = [record('alpha.yaml', ['key']), record('zeta.yaml', ['key'], 'enabled: false\n')];
    const { tenants } = settleClaims(records, before);
    expect(told(tenants)).toEqual({ zeta: ['key'] });
    expect(tenants.get('zeta')?.enabled).toBe(false);
  });

  test('no two tenants ever hold one key, however a refusal ripples', () => {
    // b wants a's key and gives its own to c: with b refused, b keeps its own, so c must not have it.
    const before = inForce(record('a.yaml', ['1']), record('b.yaml', ['2']), record('c.yaml', ['3']));
    const records = [record('a.yaml', ['1']), record('b.yaml', ['1']), record('c.yaml', ['2'])];
    const { tenants, conflicts } = settleClaims(records, before);
    expect(told(tenants)).toEqual({ a: ['1'], b: ['2'], c: ['3'] });
    expect(conflicts.map(({ file }) => file)).toEqual(['tenants/b.yaml', 'tenants/c.yaml']);
  });

  test('a refusal that ripples does not reach who has nothing to do with it', () => {
    const before = inForce(record('a.yaml', ['1']), record('b.yaml', ['2']), record('d.yaml', ['4']));
    const records = [record('a.yaml', ['1']), record('b.yaml', ['1']), record('d.yaml', ['5'])];
    expect(told(settleClaims(records, before).tenants)).toEqual({ a: ['1'], b: ['2'], d: ['5'] });
  });
});
