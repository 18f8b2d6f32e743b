import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { homeOf, openTenantUsers, passwdFor } from '../../../../src/workers/sandbox/tenant-users.ts';
import { useTempFolder } from '../../../support/temp-folder.ts';

const folder = useTempFolder();
const table = () => JSON.parse(readFileSync(folder.file('uids.json'), 'utf8')) as Record<string, number>;

describe('a tenant’s user', () => {
  test('is the same for ever, over restarts', () => {
    const uid = openTenantUsers(folder.path).uidOf('acme');
    expect(openTenantUsers(folder.path).uidOf('acme')).toBe(uid);
    expect(table()).toEqual({ acme: uid });
    expect(statSync(folder.file('uids.json')).mode & 0o777).toBe(0o600);
  });

  test('is never another tenant’s', () => {
    const users = openTenantUsers(folder.path);
    const uids = Array.from({ length: 500 }, (_, at) => users.uidOf(`t${at}`));
    expect(new Set(uids).size).toBe(uids.length);
    for (const uid of uids) expect(uid).toBeGreaterThanOrEqual(40_000);
  });

  test('is ready before the tenant first asks, if it is expected', () => {
    const users = openTenantUsers(folder.path);
    const acme = users.uidOf('acme');
    users.expect(['acme', 'globex', 'initech']);
    const written = table();
    expect(Object.keys(written)).toEqual(['acme', 'globex', 'initech']);
    expect(written['acme']).toBe(acme);
    expect(users.uidOf('initech')).toBe(written['initech']);
  });

  test('is not given ahead once most numbers are taken, and still given who needs one', () => {
    const users = openTenantUsers(folder.path);
    users.expect(Array.from({ length: 20_000 }, (_, at) => `t${at}`));
    expect(existsSync(folder.file('uids.json'))).toBe(false);
    expect(users.uidOf('t7')).toBe(table()['t7']);
  });

  test('is not given to anybody while it cannot be written down', () => {
    const users = openTenantUsers(folder.path);
    mkdirSync(folder.file('uids.json'));
    for (let attempt = 0; attempt < 2; attempt++) expect(() => users.uidOf('acme')).toThrow(/uids/);
    rmdirSync(folder.file('uids.json'));
    expect(users.uidOf('acme')).toBe(table()['acme']);
  });

  test('is not taken from the table if that is damaged: two tenants would share what one of them owns', () => {
    for (const text of ['{"a":70001,"b":70001}', '{"a":0}', '{"a":"x"}', '{"a":1000}']) {
      writeFileSync(folder.file('uids.json'), text);
      expect(() => openTenantUsers(folder.path)).toThrow(/damaged/);
    }
  });
});

describe('a tenant’s home', () => {
  test('is its own, whatever its id looks like', () => {
    const ids = ['acme', '.', '..', 'a/b', '../x', 'A', 'ä'];
    const homes = ids.map((id) => homeOf(folder.path, id, undefined));
    expect(new Set(homes).size).toBe(ids.length);
    for (const home of homes) {
      expect(path.dirname(home)).toBe(folder.file('homes'));
      expect(statSync(home).mode & 0o777).toBe(0o700);
    }
  });

  test('comes with a list of users in which it is', () => {
    const file = passwdFor(folder.path, 70_123, '/home/tenant');
    expect(readFileSync(file, 'utf8')).toMatch(/^tenant:x:70123:70123:tenant:\/home\/tenant:/);
    expect(passwdFor(folder.path, 70_123, '/root')).not.toBe(file);
  });
});
