import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { createSecretSources, hasChanged, type TenantSecrets } from '../../../../src/secrets/sources.ts';
import { MasterKeyError, parseMasterKeys } from '../../../../src/secrets/vault/master-key.ts';
import { fetchMasterKeys, type MasterKeySource } from '../../../../src/secrets/vault/master-key-source.ts';
import { Vault } from '../../../../src/secrets/vault/vault.ts';
import { requireSecretName, VaultEditor, VaultError } from '../../../../src/secrets/vault/vault-editor.ts';
import { createFakeClock } from '../../../support/fake-clock.ts';
import { useTempFolder } from '../../../support/temp-folder.ts';

const temp = useTempFolder();
const newKey = () => randomBytes(32).toString('hex');
const keysOf = (...texts: readonly string[]) => parseMasterKeys(Buffer.from(texts.join('\n')));
const folder = () => temp.file('vault');
const keyFile = () => temp.file('master.key');
let key: string;
let editor: VaultEditor;
beforeEach(() => {
  key = newKey();
  writeFileSync(keyFile(), key);
  editor = new VaultEditor(folder());
});
const set = (tenantId: string, name: string, value: string, ...keys: readonly string[]) =>
  editor.set({ tenantId, name }, value, () => Promise.resolve(keysOf(...(keys.length > 0 ? keys : [key]))));
const rotate = (...keys: readonly string[]) => editor.rotate(() => Promise.resolve(keysOf(...keys)));

const clock = createFakeClock();
const vaultOf = (masterKey: MasterKeySource = { file: keyFile() }, env = {}) =>
  new Vault({ folder: folder(), masterKey, cache: 300_000, env, clock });
/** What a vault finds for a tenant after it was prepared for it: the value, or the code and the message. */
async function find(vault: Vault, tenantId: string, name: string): Promise<string> {
  await vault.prepare([tenantId]);
  const found = vault.find(tenantId, name);
  return found.ok ? found.value : `${found.trouble.code} ${found.trouble.message}`;
}

describe('the vault', () => {
  test('gives each tenant its own, and none another`s', async () => {
    await set('acme', 'TOKEN', 'of acme');
    await set('globex', 'TOKEN', 'of globex');
    const vault = vaultOf();
    await vault.prepare(['acme', 'globex', 'nobody']);
    expect(vault.find('acme', 'TOKEN')).toEqual({ ok: true, value: 'of acme' });
    expect(vault.find('globex', 'TOKEN')).toEqual({ ok: true, value: 'of globex' });
    for (const tenant of ['nobody', 'who-was-not-prepared'])
      expect(vault.find(tenant, 'TOKEN')).toMatchObject({ trouble: { code: 'MISSING_SECRET' } });
    for (const name of ['NONE', 'toString', '__proto__', 'constructor'])
      expect(vault.find('acme', name)).toMatchObject({ trouble: { code: 'MISSING_SECRET' } });
  });

  test('is a folder and files that only their owner can look into', async () => {
    await set('acme', 'TOKEN', 'plain-value');
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
    expect(statSync(temp.file('vault', 'acme.json')).mode & 0o777).toBe(0o600);
    expect(readFileSync(temp.file('vault', 'acme.json'), 'latin1')).not.toContain('plain-value');
  });

  test('without which nothing is asked for a master key', async () => {
    rmSync(keyFile());
    const vault = vaultOf({ command: ['/nowhere/no-such-command'] });
    expect(await find(vault, 'acme', 'TOKEN')).toMatch(/^MISSING_SECRET .*proxy secret set acme TOKEN/);
  });

  test('a record that was moved to another tenant or name is not opened', async () => {
    await set('acme', 'TOKEN', 'of acme');
    await set('acme', 'OTHER', 'other');
    copyFileSync(temp.file('vault', 'acme.json'), temp.file('vault', 'globex.json'));
    expect(await find(vaultOf(), 'globex', 'TOKEN')).toMatch(/^VAULT_DAMAGED .*is no vault file of globex/);
    const text = readFileSync(temp.file('vault', 'acme.json'), 'utf8');
    writeFileSync(temp.file('vault', 'globex.json'), text.replace('"tenant": "acme"', '"tenant": "globex"'));
    expect(await find(vaultOf(), 'globex', 'TOKEN')).toMatch(
      /^VAULT_DAMAGED .*proxy secret set globex TOKEN/,
    );
    const swapped = text.replace('"TOKEN"', '"X"').replace('"OTHER"', '"TOKEN"');
    writeFileSync(temp.file('vault', 'acme.json'), swapped);
    expect(await find(vaultOf(), 'acme', 'TOKEN')).toMatch(/^VAULT_DAMAGED/);
  });

  test.each(['', '{', '[]', '{"version":1}', 'a-secret-that-somebody-put-there'])(
    'a file with %j in it is told of, and not quoted',
    async (text) => {
      mkdirSync(folder());
      writeFileSync(temp.file('vault', 'acme.json'), text);
      const told = await find(vaultOf(), 'acme', 'TOKEN');
      expect(told).toMatch(/^VAULT_DAMAGED .*back from a backup/);
      expect(told).not.toContain('somebody');
      const refused = set('acme', 'TOKEN', 'x');
      await expect(refused).rejects.toThrow(VaultError);
      await expect(refused).rejects.toThrow(/acme\.json is no vault file of acme; put it back from a backup/);
    },
  );

  test.runIf(process.getuid?.() !== 0)('a file that may not be read is told of (not as root)', async () => {
    await set('acme', 'TOKEN', 'x');
    chmodSync(temp.file('vault', 'acme.json'), 0);
    expect(await find(vaultOf(), 'acme', 'TOKEN')).toMatch(/^UNREADABLE .*EACCES/);
  });
});

test('a vault whose folder cannot be listed is not taken for an empty one', async () => {
  writeFileSync(folder(), 'a file in its place');
  expect(await find(vaultOf(), 'acme', 'TOKEN')).toMatch(/^UNREADABLE .*acme\.json cannot be read: ENOTDIR/);
  expect(() => editor.isEmpty).toThrow('ENOTDIR');
});

test('files of others in its folder are no tenants', async () => {
  mkdirSync(folder());
  for (const name of ['README', 'acme.json.bak', '.acme.json', '.json'])
    writeFileSync(temp.file('vault', name), '{');
  expect(editor.isEmpty).toBe(true);
  expect(editor.list()).toEqual([]);
  await set('acme', 'TOKEN', 'x');
  expect(await rotate(newKey(), key)).toBe(1);
});

test('a value is measured in bytes, and a folder in the place of a vault file is told of', async () => {
  await expect(set('acme', 'TOKEN', 'ä'.repeat(16_385))).rejects.toThrow('at most 32 KiB');
  expect(await set('acme', 'TOKEN', 'ä'.repeat(16_384))).toBe(false);
  mkdirSync(temp.file('vault', 'globex.json'), { recursive: true });
  expect(await find(vaultOf(), 'globex', 'TOKEN')).toMatch(
    /^UNREADABLE .*globex\.json cannot be read: no file/,
  );
  await expect(set('globex', 'TOKEN', 'x')).rejects.toThrow(
    /globex\.json cannot be read: no file; run this as/,
  );
});

test('the command of the master key is run for tenants that have something, and for none else', async () => {
  const vault = vaultOf({ command: ['/bin/sh', '-c', `echo x >> ${temp.file('ran')}; cat ${keyFile()}`] });
  await vault.prepare(['acme', 'globex']);
  expect(existsSync(temp.file('ran'))).toBe(false);
  await set('acme', 'TOKEN', 'x');
  await vault.prepare(['globex']);
  expect(existsSync(temp.file('ran'))).toBe(false);
  await vault.prepare(['acme', 'globex']);
  expect(existsSync(temp.file('ran'))).toBe(true);
});

test('what is wrong with the master key now is told, not what was', async () => {
  await set('acme', 'TOKEN', 'x');
  const vault = vaultOf();
  rmSync(keyFile());
  expect(await find(vault, 'acme', 'TOKEN')).toMatch(/^VAULT_LOCKED There is no master key/);
  writeFileSync(keyFile(), newKey());
  expect(await find(vault, 'acme', 'TOKEN')).toMatch(/^VAULT_LOCKED This was sealed with the master key/);
  writeFileSync(keyFile(), key);
  expect(await find(vault, 'acme', 'TOKEN')).toBe('x');
});

test('a master key that was there and is not any more opens nothing', async () => {
  await set('acme', 'TOKEN', 'x');
  const fresh = newKey();
  const vault = vaultOf();
  expect(await find(vault, 'acme', 'TOKEN')).toBe('x');
  await set('globex', 'TOKEN', 'y', fresh, key);
  rmSync(keyFile());
  for (const tenant of ['globex', 'acme'])
    expect(await find(vault, tenant, 'TOKEN')).toMatch(/^VAULT_LOCKED There is no master key/);
});

describe('a master key', () => {
  test('that is another one says which is needed, which there is, and what to do', async () => {
    await set('acme', 'TOKEN', 'x');
    const [right] = keysOf(key);
    writeFileSync(keyFile(), newKey());
    const [wrong] = keysOf(readFileSync(keyFile(), 'utf8'));
    const told = await find(vaultOf(), 'acme', 'TOKEN');
    expect(told).toMatch(/^VAULT_LOCKED /);
    for (const part of [right.id, wrong.id, keyFile(), 'proxy secret rotate']) expect(told).toContain(part);
    expect(told).not.toContain(key);
  });

  test('that is another one than the vault`s seals nothing, for what it sealed could not be read with the rest', async () => {
    await set('acme', 'TOKEN', 'x');
    const before = readFileSync(temp.file('vault', 'acme.json'), 'utf8');
    const wrong = newKey();
    const ids = [keysOf(key), keysOf(wrong)].map(([{ id }]) => id);
    for (const [tenantId, name] of [
      ['acme', 'OTHER'],
      ['globex', 'TOKEN'],
    ] as const) {
      const refused = set(tenantId, name, 'y', wrong);
      await expect(refused).rejects.toThrow(VaultError);
      await expect(refused).rejects.toThrow(
        `sealed with the master key ${ids[0]}, and the one at hand is ${ids[1]}`,
      );
    }
    expect(readFileSync(temp.file('vault', 'acme.json'), 'utf8')).toBe(before);
    expect(existsSync(temp.file('vault', 'globex.json'))).toBe(false);
    // On its way in, with the old one below it, it may; and where it takes the only record's place, nothing is left to read.
    await set('acme', 'OTHER', 'y', wrong, key);
    expect(editor.list().map(({ masterKey }) => masterKey)).toEqual([ids[1], ids[0]]);
    rmSync(folder(), { recursive: true });
    await set('acme', 'TOKEN', 'x');
    await set('acme', 'TOKEN', 'z', wrong);
    writeFileSync(keyFile(), wrong);
    expect(await find(vaultOf(), 'acme', 'TOKEN')).toBe('z');
  });

  test('is not judged by files that cannot be read', async () => {
    mkdirSync(folder());
    writeFileSync(temp.file('vault', 'broken.json'), '{');
    await set('acme', 'TOKEN', 'x');
    await set('globex', 'TOKEN', 'y');
    expect(await find(vaultOf(), 'globex', 'TOKEN')).toBe('y');
  });

  test.each<[string, () => MasterKeySource, RegExp]>([
    ['a file that is not there', () => ({ file: temp.file('none') }), /no file .*none; put the key/],
    ['a file with a word in it', () => ({ file: temp.file('word') }), /is no master key/],
    ['a folder', () => ({ file: temp.path }), /cannot be read: no file/],
    ['a variable that is not set', () => ({ env: 'NOT_SET' }), /variable NOT_SET is not set; .*openssl rand/],
    ['a command that is not there', () => ({ command: ['/nowhere/x'] }), /\/nowhere\/x .*failed \(ENOENT\)/],
    ['a command that fails', () => ({ command: ['false'] }), /command false .*failed \(1\); run it by hand/],
    ['a command that prints a word', () => ({ command: ['echo', 'swordfish'] }), /is no master key/],
  ])('from %s is told of', async (_what, source, message) => {
    writeFileSync(temp.file('word'), 'swordfish');
    await set('acme', 'TOKEN', 'x');
    const told = await find(vaultOf(source()), 'acme', 'TOKEN');
    expect(told).toMatch(/^VAULT_LOCKED /);
    expect(told).toMatch(message);
    expect(told).not.toContain('swordfish');
    await expect(fetchMasterKeys(source(), {})).rejects.toThrow(MasterKeyError);
  });

  test('comes from a variable, or from what a command prints, without a shell', async () => {
    await set('acme', 'TOKEN', 'x');
    expect(await find(vaultOf({ env: 'K' }, { K: key }), 'acme', 'TOKEN')).toBe('x');
    expect(await find(vaultOf({ command: ['printf', '%s\\n', key] }), 'acme', 'TOKEN')).toBe('x');
    expect(await find(vaultOf({ command: ['cat', keyFile()] }), 'acme', 'TOKEN')).toBe('x');
    const bytes = "process.stdout.write(Buffer.from(process.argv[1], 'hex'))";
    expect(await find(vaultOf({ command: [process.execPath, '-e', bytes, key] }), 'acme', 'TOKEN')).toBe('x');
    expect(await find(vaultOf({ command: ['echo', '$(cat', keyFile()] }), 'acme', 'TOKEN')).toMatch(
      /^VAULT_LOCKED/,
    );
  });

  test('is asked for once in five minutes, and at once when a record names another one', async () => {
    await set('acme', 'TOKEN', 'x');
    writeFileSync(temp.file('count'), '');
    const count = () => readFileSync(temp.file('count'), 'utf8').length;
    const script = `printf x >> ${temp.file('count')}; cat ${keyFile()}`;
    const vault = vaultOf({ command: ['/bin/sh', '-c', script] });
    expect(await find(vault, 'acme', 'TOKEN')).toBe('x');
    expect(await find(vault, 'acme', 'TOKEN')).toBe('x');
    expect(count()).toBe(1);
    clock.advance(300_000);
    expect(await find(vault, 'acme', 'TOKEN')).toBe('x');
    expect(count()).toBe(2);
    clock.advance(200_000);
    const fresh = newKey();
    writeFileSync(keyFile(), `${fresh}\n${key}`);
    await rotate(fresh, key);
    expect(await find(vault, 'acme', 'TOKEN')).toBe('x');
    expect(count()).toBe(3);
    // The five minutes begin anew.
    clock.advance(299_999);
    expect(await find(vault, 'acme', 'TOKEN')).toBe('x');
    expect(count()).toBe(3);
    clock.advance(1);
    expect(await find(vault, 'acme', 'TOKEN')).toBe('x');
    expect(count()).toBe(4);
  });

  test('that is forgotten while tenants are read is still there for them', async () => {
    await set('acme', 'TOKEN', 'x');
    const vault = vaultOf();
    await vault.prepare(['acme']);
    clock.advance(3_600_000);
    expect(vault.find('acme', 'TOKEN')).toEqual({ ok: true, value: 'x' });
  });
});

describe('what a tenant`s secrets depend on', () => {
  const secretsOf = async (vault: Vault): Promise<TenantSecrets> => {
    const sources = createSecretSources({ lookup: () => undefined, baseDir: temp.path, vault });
    await sources.prepare(['acme']);
    return sources.of('acme');
  };

  test('is its file in the vault, also one that is not there yet', async () => {
    const before = await secretsOf(vaultOf());
    before.vault('TOKEN');
    expect(hasChanged(before.inputs)).toBe(false);
    await set('acme', 'TOKEN', 'x');
    expect(hasChanged(before.inputs)).toBe(true);
    const after = await secretsOf(vaultOf());
    after.vault('TOKEN');
    expect(hasChanged(after.inputs)).toBe(false);
    await set('globex', 'TOKEN', 'y');
    expect(hasChanged(after.inputs)).toBe(false);
    await set('acme', 'OTHER', 'y');
    expect(hasChanged(after.inputs)).toBe(true);
  });

  test('where the vault is locked, is looked at each time, because the key cannot be seen to come', async () => {
    await set('acme', 'TOKEN', 'x');
    const secrets = await secretsOf(vaultOf({ env: 'NOT_SET' }));
    secrets.vault('TOKEN');
    expect(hasChanged(secrets.inputs)).toBe(true);
  });
});

describe('changing it', () => {
  test('one secret leaves the others as they are, to the byte', async () => {
    await set('acme', 'A', 'one');
    await set('acme', 'B', 'two');
    const recordOf = (name: string) =>
      (
        JSON.parse(readFileSync(temp.file('vault', 'acme.json'), 'utf8')) as {
          secrets: Record<string, unknown>;
        }
      ).secrets[name];
    const before = recordOf('A');
    expect(await set('acme', 'B', 'three')).toBe(true);
    expect(recordOf('A')).toEqual(before);
    expect(await editor.remove('acme', 'B')).toBe(true);
    expect(await editor.remove('acme', 'B')).toBe(false);
    expect(editor.list().map(({ name }) => name)).toEqual(['A']);
    await editor.remove('acme', 'A');
    expect(editor.isEmpty).toBe(true);
  });

  test('many at the same time loses none', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `N${index}`);
    await Promise.all(
      names.map((name) =>
        new VaultEditor(folder()).set({ tenantId: 'acme', name }, name, () => Promise.resolve(keysOf(key))),
      ),
    );
    expect(
      editor
        .list('acme')
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(names.toSorted());
  });

  test.each([
    ['nothing', '', /nothing came from stdin/],
    ['a zero byte', 'a\0b', /zero byte/],
    ['a book', 'x'.repeat(32_769), /at most 32 KiB/],
  ])('refuses %s as a value', async (_what, value, message) => {
    await expect(set('acme', 'A', value)).rejects.toThrow(message);
    expect(editor.list()).toEqual([]);
  });

  test('the list of one tenant has nothing of another`s', async () => {
    await set('acme', 'A', 'one');
    await set('globex', 'B', 'two');
    expect(editor.list('globex').map(({ name }) => name)).toEqual(['B']);
    expect(editor.list('nobody')).toEqual([]);
  });

  test('a secret has a name, and no value in its place', () => {
    for (const name of ['TOKEN', 'a.b-c_1', 'x'.repeat(128)])
      expect(() => requireSecretName(name)).not.toThrow();
    for (const name of ['', 'a secret!', 'x'.repeat(129)])
      expect(() => requireSecretName(name)).toThrow(VaultError);
  });

  test('the list says when and with which key, and never what', async () => {
    const at = new Date('2026-11-21T10:00:00Z');
    const dated = new VaultEditor(folder(), () => at);
    await dated.set({ tenantId: 'acme', name: 'A' }, 'value-of-a', () => Promise.resolve(keysOf(key)));
    expect(editor.list()).toEqual([
      { tenant: 'acme', name: 'A', updated: '2026-11-21T10:00:00.000Z', masterKey: keysOf(key)[0].id },
    ]);
  });
});

describe('rotating the master key', () => {
  test('seals everything anew, and only what has another key', async () => {
    await set('acme', 'A', 'one');
    await set('globex', 'B', 'two');
    const fresh = newKey();
    await set('globex', 'C', 'three', fresh, key);
    expect(await rotate(fresh, key)).toBe(2);
    const { ino } = statSync(temp.file('vault', 'acme.json'));
    expect(await rotate(fresh, key)).toBe(0);
    expect(statSync(temp.file('vault', 'acme.json')).ino).toBe(ino);
    const vault = vaultOf({ env: 'K' }, { K: fresh });
    for (const [tenant, name, value] of [
      ['acme', 'A', 'one'],
      ['globex', 'B', 'two'],
      ['globex', 'C', 'three'],
    ] as const)
      expect(await find(vault, tenant, name)).toBe(value);
    expect(await find(vaultOf(), 'acme', 'A')).toMatch(/^VAULT_LOCKED/);
  });

  test('writes nothing if one record cannot be opened', async () => {
    await set('acme', 'A', 'one');
    const lost = newKey();
    await set('globex', 'B', 'two', lost, key);
    const before = readFileSync(temp.file('vault', 'acme.json'), 'utf8');
    await expect(rotate(newKey(), key)).rejects.toThrow(
      new RegExp(`B of globex is sealed with the master key ${keysOf(lost)[0].id}`),
    );
    expect(readFileSync(temp.file('vault', 'acme.json'), 'utf8')).toBe(before);
  });

  test('the old key leaves only when nothing is sealed with it any more', async () => {
    await set('acme', 'A', 'one');
    const fresh = newKey();
    let keysWhenDone: string[] = [];
    await editor.rotate(() => Promise.resolve(keysOf(fresh, key)), {
      done: () => {
        keysWhenDone = editor.list().map(({ masterKey }) => masterKey);
        return Promise.resolve();
      },
    });
    expect(keysWhenDone).toEqual([keysOf(fresh)[0].id]);
  });
});
