import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { homeOf, openTenantUsers, passwdFor } from '../../../../src/workers/sandbox/tenant-users.ts';
import { useTempFolder } from '../../../support/temp-folder.ts';

const folder = useTempFolder();
/** The second where ids are few; between and below are those that machines give away by themselves. */
const ranges = [
  [70_000, 99_999],
  [40_000, 59_999],
] as const;
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
    const isOurs = (uid: number) => ranges.some(([from, to]) => uid >= from && uid <= to);
    expect(uids.filter((uid) => !isOurs(uid))).toEqual([]);
  });

  test('is the last one left where all others are taken; then there is none, and who has one keeps it', () => {
    const ends = new Set<number>(ranges.flat());
    const others = ranges
      .flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at))
      .filter((uid) => !ends.has(uid));
    writeFileSync(
      folder.file('uids.json'),
      JSON.stringify(Object.fromEntries(others.map((uid) => [`t${uid}`, uid]))),
    );
    const users = openTenantUsers(folder.path);
    const last = [users.uidOf('acme'), users.uidOf('globex')].toSorted((a, b) => a - b);
    expect(ranges).toContainEqual(last);
    expect(() => users.uidOf('initech')).toThrow(/all \d+ numbers .* are taken; see .*uids\.json/);
    expect(openTenantUsers(folder.path).uidOf('acme')).toBe(users.uidOf('acme'));
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
    const values = [
      '0',
      '"x"',
      '1000',
      '"70001"',
      '70001.5',
      '39999',
      '100000',
      '4000000000',
      '70001,"b":70001',
    ];
    for (const value of values) {
      writeFileSync(folder.file('uids.json'), `{"a":${value}}`);
      expect(() => openTenantUsers(folder.path)).toThrow(/damaged/);
    }
  });

  test('is any that was given to it, also by a proxy that had other numbers to give', () => {
    writeFileSync(folder.file('uids.json'), '{"acme":40000,"globex":99999}');
    const users = openTenantUsers(folder.path);
    expect([users.uidOf('acme'), users.uidOf('globex')]).toEqual([40_000, 99_999]);
  });

  test('is written down once: nothing waits for the disk after that', () => {
    const users = openTenantUsers(folder.path);
    users.uidOf('acme');
    rmSync(folder.file('uids.json'));
    users.uidOf('acme');
    users.expect(['acme']);
    expect(existsSync(folder.file('uids.json'))).toBe(false);
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

  test.runIf(process.getuid?.() === 0)('belongs to it, also one that had another owner', () => {
    for (const uid of [70_001, 70_001, 70_002]) {
      const { uid: owner, gid } = statSync(homeOf(folder.path, 'acme', uid));
      expect([owner, gid]).toEqual([uid, uid]);
    }
  });

  test('comes with a list of users in which it is', () => {
    const file = passwdFor(folder.path, 70_123, '/home/tenant');
    expect(readFileSync(file, 'utf8')).toMatch(/^tenant:x:70123:70123:tenant:\/home\/tenant:/);
    expect(passwdFor(folder.path, 70_123, '/root')).not.toBe(file);
  });
});
