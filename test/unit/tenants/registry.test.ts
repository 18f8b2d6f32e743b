import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ProxyEvent } from '../../../src/events/events.ts';
import { openTenants, type TenantsOptions, type WatchedTenants } from '../../../src/tenants/registry.ts';
import { type Tenant, type TenantChange } from '../../../src/tenants/tenant.ts';
import { eventually } from '../../support/eventually.ts';
import { secretsFrom, sha256Of, tenantDefaults, tenantText } from '../../support/some-tenants.ts';
import { useTempFolder } from '../../support/temp-folder.ts';

const temp = useTempFolder();
let events: ProxyEvent[];
let changes: TenantChange[];
let opened: WatchedTenants[];
beforeEach(() => {
  events = [];
  changes = [];
  opened = [];
  mkdirSync(temp.file('tenants'));
});
afterEach(() => {
  for (const tenants of opened) tenants.close();
});

const inFolder = (name: string) => temp.file('tenants', name);
/** In one step, as a careful program does it. */
function put(name: string, text: string): void {
  writeFileSync(temp.file('fresh'), text);
  renameSync(temp.file('fresh'), inFolder(name));
}
const putTenant = (id: string, keys: readonly string[] = [], more = '') =>
  put(`${id}.yaml`, tenantText(id, keys, more));

async function open(options: Partial<TenantsOptions> = {}): Promise<WatchedTenants> {
  const tenants = await openTenants({
    folder: temp.file('tenants'),
    baseDir: temp.path,
    defaults: tenantDefaults,
    secrets: secretsFrom(() => undefined),
    announce: (event) => events.push(event),
    ...options,
  });
  tenants.onChange((change) => changes.push(change));
  opened.push(tenants);
  return tenants;
}
const idsOf = (tenants: Iterable<Tenant>) => [...tenants].map(({ id }) => id as string);
const find = (tenants: WatchedTenants, id: string) => [...tenants.all()].find((tenant) => tenant.id === id);
const codesOf = (tenants: WatchedTenants) => tenants.problems().map(({ code }) => code);
/** In the words of the log. */
const told = ({ added, changed, removed }: TenantChange) => ({
  added: idsOf(added),
  changed: changed.map(({ after }) => after.id as string),
  removed: idsOf(removed),
});
const nothing = { added: [], changed: [], removed: [] };

describe('the folder is read', () => {
  test('in the order of its names, hidden files and others left alone', async () => {
    for (const id of ['b', 'a', 'c']) putTenant(id);
    for (const name of ['.d.yaml', 'e.yaml~', 'f.txt']) put(name, tenantText('x'));
    const tenants = await open();
    expect(idsOf(tenants.all())).toEqual(['a', 'b', 'c']);
    expect(tenants.size).toBe(3);
    expect(tenants.problems()).toEqual([]);
    expect(events).toEqual([
      expect.objectContaining({ type: 'tenants.reloaded', added: 3, changed: 0, removed: 0, tenants: 3 }),
    ]);
  });

  test('files with either ending', async () => {
    put('acme.yml', tenantText('acme'));
    expect(idsOf((await open()).all())).toEqual(['acme']);
  });

  test('an empty one is no problem', async () => {
    const tenants = await open();
    expect(tenants.size).toBe(0);
    expect(tenants.problems()).toEqual([]);
    expect(events).toEqual([]);
  });

  test('one that is not there is a problem, and read once it is', async () => {
    rmSync(temp.file('tenants'), { recursive: true });
    const tenants = await open();
    expect(tenants.problems()).toMatchObject([{ file: temp.file('tenants'), line: 0, code: 'UNREADABLE' }]);
    mkdirSync(temp.file('tenants'));
    putTenant('acme');
    expect(told(await tenants.reload())).toEqual({ ...nothing, added: ['acme'] });
    expect(tenants.problems()).toEqual([]);
  });

  test('a sound tenant is in force beside broken ones, and each problem is told once', async () => {
    putTenant('acme');
    put('bad-syntax.yaml', 'tenant: "bad\n');
    put('bad-key.yaml', 'tenant: bad-key\nservr: {}\n');
    put('other-name.yaml', tenantText('acme2'));
    put('Upper.yaml', tenantText('Upper'));
    put('twin.yaml', tenantText('twin'));
    put('twin.yml', tenantText('twin'));
    put('too-big.yaml', `${tenantText('too-big')}# ${'x'.repeat(64 * 1024)}\n`);
    put('no-variable.yaml', 'tenant: no-variable\nserver: { command: x, env: { A: "${NOT_SET}" } }\n');
    put('one.yaml', tenantText('one', ['same']));
    put('two.yaml', tenantText('two', ['same']));
    execFileSync('mkfifo', [inFolder('pipe.yaml')]);
    mkdirSync(inFolder('folder.yaml'));
    symlinkSync('nowhere', inFolder('link.yaml'));
    const tenants = await open();
    expect(idsOf(tenants.all())).toEqual(['acme', 'one', 'twin']);
    const problems = tenants
      .problems()
      .map(({ file, line, code }) => `${path.basename(file)}:${line} ${code}`);
    expect(new Set(problems)).toEqual(
      new Set([
        'Upper.yaml:1 INVALID_TENANT',
        'bad-key.yaml:2 INVALID_SETTING',
        'bad-syntax.yaml:2 YAML_SYNTAX',
        'folder.yaml:0 UNREADABLE',
        'link.yaml:0 UNREADABLE',
        'no-variable.yaml:2 MISSING_VARIABLE',
        'other-name.yaml:1 INVALID_TENANT',
        'pipe.yaml:0 UNREADABLE',
        'too-big.yaml:0 TOO_BIG',
        'twin.yml:1 DUPLICATE_TENANT',
        'two.yaml:3 DUPLICATE_KEY',
      ]),
    );
    const tellings = events.filter(({ type }) => type === 'tenant.problem');
    expect(tellings).toHaveLength(tenants.problems().length);
    await tenants.reload();
    expect(events.filter(({ type }) => type === 'tenant.problem')).toHaveLength(tellings.length);
  });

  test('ids by the operator`s own pattern, whole', async () => {
    put('org.acme.yaml', tenantText('org.acme'));
    putTenant('acme');
    put('xorg.acme.yaml', tenantText('xorg.acme'));
    const tenants = await open({ idPattern: 'org\\.[a-z]+|team-\\d' });
    expect(idsOf(tenants.all())).toEqual(['org.acme']);
    expect(codesOf(tenants)).toEqual(['INVALID_TENANT', 'INVALID_TENANT']);
  });
});

describe('who is asked for and not there', () => {
  test('is told apart from what cannot be a tenant', async () => {
    putTenant('acme');
    const tenants = await open();
    expect(tenants.require('acme')).toBe(find(tenants, 'acme'));
    const thrownBy = (id: string): unknown => {
      try {
        return tenants.require(id);
      } catch (thrown) {
        return thrown;
      }
    };
    expect(thrownBy('globex')).toMatchObject({ code: 'TENANT_NOT_CONFIGURED' });
    for (const id of ['', '../acme', 'Acme', 'a b', 'acme\n', '__proto__ ', 'x'.repeat(64)])
      expect(thrownBy(id)).toMatchObject({ code: 'INVALID_TENANT' });
    for (const id of ['constructor', '__proto__', 'toString'])
      expect(thrownBy(id)).toMatchObject({ code: expect.stringMatching(/TENANT/) as string });
  });
});

describe('a reload', () => {
  test('tells who came, changed and went; all others are the very same objects', async () => {
    for (const id of ['stays', 'changes', 'goes']) putTenant(id);
    const tenants = await open();
    const [stays, before] = [find(tenants, 'stays'), find(tenants, 'changes')];
    putTenant('changes', ['new']);
    putTenant('comes');
    rmSync(inFolder('goes.yaml'));
    const change = await tenants.reload();
    expect(told(change)).toEqual({ added: ['comes'], changed: ['changes'], removed: ['goes'] });
    expect(change.changed[0]?.before).toBe(before);
    expect(change.changed[0]?.after).toBe(find(tenants, 'changes'));
    expect(find(tenants, 'stays')).toBe(stays);
    expect(changes).toEqual([change]);
  });

  test('that finds nothing new tells nobody', async () => {
    putTenant('acme');
    const tenants = await open();
    events.length = 0;
    expect(told(await tenants.reload())).toEqual(nothing);
    expect(changes).toEqual([]);
    expect(events).toEqual([]);
  });

  test('several at once come one after the other, and the last word is what the folder says', async () => {
    putTenant('acme');
    const tenants = await open();
    const reloads = [];
    for (const key of ['one', 'two', 'three']) {
      putTenant('acme', [key]);
      reloads.push(tenants.reload());
    }
    await Promise.all(reloads);
    expect(find(tenants, 'acme')?.keys.map(({ name }) => name)).toEqual(['three']);
    for (const [index, { changed }] of changes.entries()) {
      if (index > 0) expect(changed[0]?.before).toBe(changes[index - 1]?.changed[0]?.after);
    }
  });

  test('a listener that is told sees the change in force', async () => {
    const tenants = await open();
    const seen: string[][] = [];
    tenants.onChange(() => seen.push(idsOf(tenants.all())));
    putTenant('acme');
    await tenants.reload();
    expect(seen).toEqual([['acme']]);
  });
});

describe('a file that breaks', () => {
  test('keeps its last good version in force, is told, and is forgotten once it is sound', async () => {
    putTenant('acme', ['a']);
    const tenants = await open();
    const good = find(tenants, 'acme');
    put('acme.yaml', 'tenant: acme\nserver: { command: 7 }\n');
    expect(told(await tenants.reload())).toEqual(nothing);
    expect(find(tenants, 'acme')).toBe(good);
    expect(tenants.problems()).toMatchObject([{ line: 2, column: 11, code: 'INVALID_SETTING' }]);
    putTenant('acme', ['b']);
    expect(told(await tenants.reload())).toEqual({ ...nothing, changed: ['acme'] });
    expect(tenants.problems()).toEqual([]);
  });

  test('a link whose target is missing ends nobody; without the link its tenant is gone', async () => {
    putTenant('acme', ['a']);
    putTenant('globex', ['b']);
    renameSync(inFolder('acme.yaml'), temp.file('behind'));
    symlinkSync(temp.file('behind'), inFolder('acme.yaml'));
    const tenants = await open();
    const good = find(tenants, 'acme');
    renameSync(temp.file('behind'), temp.file('away'));
    expect(told(await tenants.reload())).toEqual(nothing);
    expect(find(tenants, 'acme')).toBe(good);
    expect(tenants.problems()).toMatchObject([{ file: inFolder('acme.yaml'), code: 'UNREADABLE' }]);
    renameSync(temp.file('away'), temp.file('behind'));
    await tenants.reload();
    expect([find(tenants, 'acme')?.keys, tenants.problems()]).toEqual([good?.keys, []]);
    rmSync(inFolder('acme.yaml'));
    expect(told(await tenants.reload())).toEqual({ ...nothing, removed: ['acme'] });
  });

  test('a key is not anybody`s who writes it into a file of their own', async () => {
    putTenant('zeta', ['of-zeta']);
    const tenants = await open();
    putTenant('alpha', ['of-zeta']);
    await tenants.reload();
    expect(idsOf(tenants.all())).toEqual(['zeta']);
    expect(codesOf(tenants)).toEqual(['DUPLICATE_KEY']);
    // Once zeta lets go of it, alpha may have it.
    putTenant('zeta', []);
    await tenants.reload();
    expect(find(tenants, 'alpha')?.keys[0]?.sha256).toBe(sha256Of('of-zeta'));
    expect(tenants.problems()).toEqual([]);
  });
});

test('a path under sandbox that is not there is told once, and its tenant is in force', async () => {
  const more = (written: string) => `sandbox: { read: [${temp.file('here')}], write: [${written}] } }\n`;
  const write = (id: string, written: string, head = '') =>
    put(`${id}.yaml`, `tenant: ${id}\n${head}server: { command: node,\n  ${more(written)}`);
  writeFileSync(temp.file('here'), '');
  write('acme', temp.file('none'));
  write('off', temp.file('none'), 'enabled: false\n');
  const tenants = await open();
  expect(idsOf(tenants.all())).toEqual(['acme', 'off']);
  expect(tenants.problems()).toEqual([]);
  const warnings = () => events.filter(({ type }) => type === 'tenant.warning');
  expect(warnings()).toMatchObject([{ file: inFolder('acme.yaml'), line: 3, code: 'MISSING_PATH' }]);
  writeFileSync(inFolder('acme.yaml'), `${readFileSync(inFolder('acme.yaml'), 'utf8')}# more\n`);
  await tenants.reload();
  expect(warnings()).toHaveLength(1);
  write('acme', temp.file('here'));
  await tenants.reload();
  expect(warnings()).toHaveLength(1);
  write('acme', temp.file('none'));
  await tenants.reload();
  expect(warnings()).toHaveLength(2);
});

describe('nothing where there was something', () => {
  test('is a mount that went away: the tenants stay, and it is told', async () => {
    for (const id of ['a', 'b']) putTenant(id);
    const tenants = await open();
    const before = [...tenants.all()];
    renameSync(temp.file('tenants'), temp.file('away'));
    expect(told(await tenants.reload())).toEqual(nothing);
    expect(tenants.problems()).toMatchObject([{ line: 0, code: 'UNREADABLE' }]);
    mkdirSync(temp.file('tenants'));
    expect(told(await tenants.reload())).toEqual(nothing);
    expect(tenants.problems()).toMatchObject([
      { code: 'UNREADABLE', message: expect.stringMatching(/empty.*enabled: false/) as string },
    ]);
    expect([...tenants.all()]).toEqual(before);
    rmSync(temp.file('tenants'), { recursive: true });
    writeFileSync(temp.file('tenants'), 'a file in its place');
    expect(told(await tenants.reload())).toEqual(nothing);
    rmSync(temp.file('tenants'));
    renameSync(temp.file('away'), temp.file('tenants'));
    expect(told(await tenants.reload())).toEqual(nothing);
    expect(tenants.problems()).toEqual([]);
    expect([...tenants.all()].every((tenant, index) => tenant === before[index])).toBe(true);
  });

  test('file by file too: the last ones to go stay', async () => {
    for (const id of ['a', 'b']) putTenant(id);
    const tenants = await open();
    rmSync(inFolder('a.yaml'));
    expect(told(await tenants.reload())).toEqual({ ...nothing, removed: ['a'] });
    rmSync(inFolder('b.yaml'));
    expect(told(await tenants.reload())).toEqual(nothing);
    expect(idsOf(tenants.all())).toEqual(['b']);
    expect(codesOf(tenants)).toEqual(['UNREADABLE']);
    putTenant('c');
    expect(told(await tenants.reload())).toEqual({ ...nothing, added: ['c'], removed: ['b'] });
    expect(tenants.problems()).toEqual([]);
  });
});

describe('while the folder is watched', () => {
  const within2s = <Value>(look: () => Value | undefined | false) => eventually(look, 2000);

  test('a new, a changed and a removed file take effect within two seconds', async () => {
    putTenant('stays');
    const tenants = await open();
    tenants.watch();
    putTenant('acme');
    const acme = await within2s(() => find(tenants, 'acme'));
    putTenant('acme', ['key']);
    await within2s(() => find(tenants, 'acme') !== acme);
    expect(find(tenants, 'acme')?.keys).toHaveLength(1);
    rmSync(inFolder('acme.yaml'));
    await within2s(() => !find(tenants, 'acme'));
    expect(changes.map(told)).toEqual([
      { ...nothing, added: ['acme'] },
      { ...nothing, changed: ['acme'] },
      { ...nothing, removed: ['acme'] },
    ]);
  });

  test('a file that is renamed is another tenant', async () => {
    putTenant('old');
    putTenant('stays');
    const tenants = await open();
    tenants.watch();
    writeFileSync(temp.file('fresh'), tenantText('new'));
    rmSync(inFolder('old.yaml'));
    renameSync(temp.file('fresh'), inFolder('new.yaml'));
    await within2s(() => find(tenants, 'new') && !find(tenants, 'old'));
  });

  test('of a file that is half written the half is never in force', async () => {
    const tenants = await open();
    tenants.watch();
    const [head, ...rest] = tenantText('acme', ['a', 'b', 'c'], 'pool: { max: 2 }\n').split('keys:');
    const handle = openSync(inFolder('acme.yaml'), 'w');
    // Sound by itself, and not what was meant: a tenant with no key and other limits.
    writeSync(handle, `${head}server: { command: node }\n#`);
    await pause(100);
    writeSync(handle, `\nkeys:${rest.join('').replace('server: { command: node }\n', '')}`);
    closeSync(handle);
    await within2s(() => find(tenants, 'acme'));
    expect(changes.map(told)).toEqual([{ ...nothing, added: ['acme'] }]);
    expect(find(tenants, 'acme')).toMatchObject({ keys: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] });
  });

  test('of a file that is emptied and written again the emptiness is never told', async () => {
    putTenant('acme');
    const tenants = await open();
    tenants.watch();
    const handle = openSync(inFolder('acme.yaml'), 'w');
    await pause(60);
    writeSync(handle, tenantText('acme', ['new']));
    closeSync(handle);
    await within2s(() => find(tenants, 'acme')?.keys.length === 1);
    expect(events.filter(({ type }) => type === 'tenant.problem')).toEqual([]);
  });

  test.each([0, 100, 300])('saved by delete and create, %d ms apart, a tenant never vanishes', async (ms) => {
    putTenant('acme');
    putTenant('stays');
    const tenants = await open();
    tenants.watch();
    rmSync(inFolder('acme.yaml'));
    await pause(ms);
    writeFileSync(inFolder('acme.yaml'), tenantText('acme', ['new']));
    await within2s(() => find(tenants, 'acme')?.keys.length === 1);
    expect(changes.map(told)).toEqual([{ ...nothing, changed: ['acme'] }]);
  });

  test('saved as vim does it: the old one aside, a new one, the old one gone', async () => {
    putTenant('acme');
    const tenants = await open();
    tenants.watch();
    writeFileSync(inFolder('4913'), '');
    rmSync(inFolder('4913'));
    renameSync(inFolder('acme.yaml'), inFolder('acme.yaml~'));
    writeFileSync(inFolder('acme.yaml'), tenantText('acme', ['new']));
    rmSync(inFolder('acme.yaml~'));
    await within2s(() => find(tenants, 'acme')?.keys.length === 1);
    expect(changes.map(told)).toEqual([{ ...nothing, changed: ['acme'] }]);
  });

  test('a ConfigMap that is turned is taken in as one change', async () => {
    const version = (number: number, keys: readonly string[]) => {
      mkdirSync(inFolder(`..2026_${number}`));
      for (const id of ['acme', 'globex'])
        writeFileSync(
          inFolder(`..2026_${number}/${id}.yaml`),
          tenantText(
            id,
            keys.map((key) => `${id}-${key}`),
          ),
        );
      symlinkSync(`..2026_${number}`, inFolder('..data_tmp'));
      renameSync(inFolder('..data_tmp'), inFolder('..data'));
    };
    version(1, []);
    for (const id of ['acme', 'globex']) symlinkSync(`..data/${id}.yaml`, inFolder(`${id}.yaml`));
    const tenants = await open();
    expect(idsOf(tenants.all())).toEqual(['acme', 'globex']);
    tenants.watch();
    version(2, ['a']);
    rmSync(inFolder('..2026_1'), { recursive: true });
    await within2s(() => find(tenants, 'globex')?.keys.length === 1);
    expect(changes.map(told)).toEqual([{ ...nothing, changed: ['acme', 'globex'] }]);
    version(3, ['a', 'b']);
    await within2s(() => find(tenants, 'acme')?.keys.length === 2);
    expect(tenants.problems()).toEqual([]);
  });

  test('a broken file is told within two seconds, and forgotten as fast', async () => {
    putTenant('acme');
    const tenants = await open();
    tenants.watch();
    put('acme.yaml', 'tenant: acme\nserver:\n  comand: x\n');
    await within2s(() => tenants.problems().length > 0);
    expect(tenants.problems()).toMatchObject([{ line: 3, column: 3 }]);
    expect(find(tenants, 'acme')).toBeDefined();
    putTenant('acme');
    await within2s(() => tenants.problems().length === 0);
  });

  test('once it is closed nothing changes any more', async () => {
    putTenant('acme');
    const tenants = await open();
    tenants.watch();
    tenants.close();
    putTenant('globex');
    // Another registry that does watch has taken it in: there was time enough.
    const other = await open();
    expect(other.size).toBe(2);
    expect(tenants.size).toBe(1);
  });
});

describe('ten thousand files', () => {
  test('are read, and one change leaves the other 9,999 the very same objects', async () => {
    for (let index = 0; index < 10_000; index++) {
      writeFileSync(inFolder(`t${index}.yaml`), tenantText(`t${index}`, [`key-${index}`]));
    }
    expect(readdirSync(temp.file('tenants'))).toHaveLength(10_000);
    const tenants = await open();
    expect(tenants.size).toBe(10_000);
    expect(tenants.problems()).toEqual([]);
    const before = new Map([...tenants.all()].map((tenant) => [tenant.id, tenant]));
    putTenant('t5000', ['another']);
    expect(told(await tenants.reload())).toEqual({ ...nothing, changed: ['t5000'] });
    const others = [...tenants.all()].filter((tenant) => before.get(tenant.id) !== tenant);
    expect(idsOf(others)).toEqual(['t5000']);
  });
});
