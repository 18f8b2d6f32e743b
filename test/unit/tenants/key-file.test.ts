import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { createKey } from '../../../src/auth/new-key.ts';
import { addKey, KeyFileError, listKeys, revokeKey } from '../../../src/tenants/key-file.ts';
import { eventually } from '../../support/eventually.ts';
import { useTempFolder } from '../../support/temp-folder.ts';

const temp = useTempFolder();
const digest = 'ab'.repeat(32);
const text = '# The tenant acme\ntenant: acme\nkeys: []\nserver: { command: node } # ours\n';
let file: string;
beforeEach(() => {
  file = temp.file('acme.yaml');
  writeFileSync(file, text);
});
const now = () => readFileSync(file, 'utf8');
/** The words of a KeyFileError; fails if there is none. */
async function troubleOf(work: Promise<unknown>): Promise<string> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(KeyFileError);
  return (thrown as Error).message;
}

describe('a key', () => {
  test('is added, listed and revoked; the file is then as it was', async () => {
    await addKey(file, { name: 'laptop', sha256: digest, created: '2026-01-31' });
    expect(now()).toBe(
      text.replace('keys: []', `keys:\n  - { name: laptop, sha256: ${digest}, created: 2026-01-31 }`),
    );
    expect(await listKeys(file)).toEqual([{ name: 'laptop', sha256: digest, created: '2026-01-31' }]);
    expect(await revokeKey(file, 'laptop')).toBe(true);
    expect(now()).toBe(text);
    expect(await listKeys(file)).toEqual([]);
  });

  test('what is not said of it is not written', async () => {
    await addKey(file, { name: 'a', sha256: digest, created: undefined, expires: undefined });
    expect(now()).toContain(`- { name: a, sha256: ${digest} }`);
  });

  test('whatever its name and its digest look like, it is read as what was written', async () => {
    // Digests of digits only, and with an e in them, would be numbers without quotes.
    const digests = ['1'.repeat(64), `1e${'2'.repeat(62)}`, `0x${'1'.repeat(62)}`.replace('x', 'b')];
    const names = ['no', '12', 'a: b # c'];
    for (const [index, sha256] of digests.entries()) {
      await addKey(file, { name: names[index]!, sha256, expires: '2027-01-31' });
    }
    expect((await listKeys(file)).map(({ name, sha256 }) => [name, sha256])).toEqual(
      digests.map((sha256, index) => [names[index], sha256]),
    );
    for (const name of names) expect(await revokeKey(file, name)).toBe(true);
  });

  test('that is not there is not revoked, and the file not written', async () => {
    const { ino } = statSync(file);
    expect(await revokeKey(file, 'nobody')).toBe(false);
    expect(statSync(file).ino).toBe(ino);
  });
});

describe('the file', () => {
  test('is exchanged in one step: who reads it meanwhile never sees a part of it', async () => {
    const seen = new Set<string>();
    let isOver = false;
    const reading = eventually(() => {
      for (let times = 0; times < 50; times++) seen.add(now());
      return isOver;
    });
    for (let index = 0; index < 20; index++) {
      await addKey(file, { name: `key-${index}`, sha256: createKey().sha256 });
    }
    isOver = true;
    await reading;
    expect(
      [...seen].filter((each) => !/^# The tenant acme\n[^]*server: \{ command: node \} # ours\n$/.test(each)),
    ).toEqual([]);
    expect(await listKeys(file)).toHaveLength(20);
  });

  test('keeps its mode, and nothing else is left in the folder', async () => {
    for (const mode of [0o600, 0o640, 0o664]) {
      chmodSync(file, mode);
      await addKey(file, { name: `with-${mode}`, sha256: createKey().sha256 });
      expect(statSync(file).mode & 0o7777).toBe(mode);
    }
    expect(readdirSync(temp.path)).toEqual(['acme.yaml']);
  });

  test('that is a link stays one, and what it leads to is changed', async () => {
    mkdirSync(temp.file('real'));
    writeFileSync(temp.file('real/one.yaml'), text);
    symlinkSync('real/one.yaml', temp.file('link.yaml'));
    await addKey(temp.file('link.yaml'), { name: 'a', sha256: digest });
    expect(lstatSync(temp.file('link.yaml')).isSymbolicLink()).toBe(true);
    expect(readlinkSync(temp.file('link.yaml'))).toBe('real/one.yaml');
    expect(readFileSync(temp.file('real/one.yaml'), 'utf8')).toContain(digest);
    expect(readdirSync(temp.file('real'))).toEqual(['one.yaml']);
  });

  test('that belongs to nobody we may ask: the trouble is told and nothing is left behind', async () => {
    // What stands for a read-only folder where the tests run as root: nobody can make a file in /proc.
    const unwritable = '/proc/self/comm';
    expect(await troubleOf(revokeKey('/proc/self/nothing', 'a'))).toMatch(
      /cannot change .*: it is not there/,
    );
    expect(await troubleOf(addKey(unwritable, { name: 'a', sha256: digest }))).toMatch(/^cannot change/);
  });
});

describe('trouble', () => {
  test('of a file that is not there', async () => {
    const nowhere = temp.file('none.yaml');
    expect(await troubleOf(listKeys(nowhere))).toMatch(/^cannot read .*none\.yaml: it is not there$/);
    expect(await troubleOf(addKey(nowhere, { name: 'a', sha256: digest }))).toMatch(/it is not there$/);
    expect(await troubleOf(revokeKey(nowhere, 'a'))).toMatch(/it is not there$/);
  });

  test.each([
    ['no YAML', 'tenant: [s3cr3t\n'],
    ['keys that are no list', 'tenant: acme\nkeys: s3cr3t\n'],
    ['a key that is none', 'keys: [{ name: a, sha256: s3cr3t }]\n'],
    ['a list', '- s3cr3t\n'],
  ])('of a file with %s: it is told, not quoted, and the file stays', async (_what, broken) => {
    writeFileSync(file, broken);
    const told = [await troubleOf(listKeys(file))];
    const work = addKey(file, { name: 'a', sha256: digest });
    await work.then(
      () => writeFileSync(file, broken),
      (thrown: unknown) => told.push((thrown as Error).message),
    );
    expect(told.join('\n')).not.toContain('s3cr3t');
    expect(told[0]).toMatch(/cannot read the keys in .*acme\.yaml, line \d: \w/);
    expect(now()).toBe(broken);
  });

  test('keys can be listed and revoked whatever else is wrong with the file', async () => {
    writeFileSync(file, `tenant: other\nservr: {}\nkeys:\n  - { name: a, sha256: ${digest} }\n`);
    expect(await listKeys(file)).toHaveLength(1);
    expect(await revokeKey(file, 'a')).toBe(true);
  });
});
