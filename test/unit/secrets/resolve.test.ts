import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { passwordIn, resolveValue } from '../../../src/secrets/resolve.ts';
import { createSecretSources, type TenantSecrets, type VaultReader } from '../../../src/secrets/sources.ts';
import { useTempFolder } from '../../support/temp-folder.ts';

const variables: Record<string, string> = {
  TOKEN: 's3cr3t',
  EMPTY: '',
  NESTED: '${TOKEN}',
  DOLLARS: "$& $1 $' $$",
  _a1: 'x',
  file_name: 'f',
  vaultA: 'v',
};
const vault: VaultReader = {
  prepare: () => Promise.resolve(),
  find: (tenantId, name) =>
    name === 'KEY'
      ? { ok: true, value: `sealed-for-${tenantId}` }
      : { ok: false, trouble: { code: 'MISSING_SECRET', message: 'the vault has none' } },
  inputOf: () => ({ path: '/vault/acme.json', signature: '1' }),
};
const temp = useTempFolder();
const secretsOf = (lookup: (name: string) => string | undefined): TenantSecrets =>
  createSecretSources({ lookup, baseDir: temp.path, vault }).of('acme');
const resolve = (text: string, name = 'A', secrets = secretsOf((each) => variables[each])) => {
  const resolved = resolveValue(name, text, secrets);
  return resolved.ok ? resolved.secret.reveal() : resolved.troubles;
};
const sensitive = (name: string, text: string) => {
  const resolved = resolveValue(
    name,
    text,
    secretsOf((each) => variables[each]),
  );
  return resolved.ok ? resolved.secret.sensitive() : [];
};

test.each([
  ['plain', 'plain'],
  ['', ''],
  ['${TOKEN}', 's3cr3t'],
  ['Bearer ${TOKEN}!', 'Bearer s3cr3t!'],
  ['${TOKEN}${_a1}${TOKEN}', 's3cr3txs3cr3t'],
  ['${TOKEN:other}', 's3cr3t'],
  ['${NONE:other}', 'other'],
  ['${NONE:}', ''],
  ['${NONE:http://host:80/a?b=c}', 'http://host:80/a?b=c'],
  ['${NONE:a\nb}', 'a\nb'],
  // A variable that is set to nothing is set.
  ['${EMPTY:other}', ''],
  ['${EMPTY}', ''],
  ['$${TOKEN}', '${TOKEN}'],
  ['$$${TOKEN}', '$${TOKEN}'],
  ['$TOKEN $ $$ {TOKEN}', '$TOKEN $ $$ {TOKEN}'],
  ['a}b', 'a}b'],
  ['${vault:KEY}', 'sealed-for-acme'],
  ['u:${vault:KEY}@${TOKEN}', 'u:sealed-for-acme@s3cr3t'],
  ['$${vault:KEY} $${file:x}', '${vault:KEY} ${file:x}'],
  // Only where the whole name is one of these two is it no variable.
  ['${file_name}${vaultA}', 'fv'],
  ['file:./dev.db', 'file:./dev.db'],
])('%j is %j', (text, value) => {
  expect(resolve(text)).toBe(value);
});

test('what comes out of a reference is not looked at again', () => {
  expect(resolve('${NESTED}')).toBe('${TOKEN}');
  expect(resolve('${DOLLARS}')).toBe("$& $1 $' $$");
  writeFileSync(temp.file('tricky'), '${TOKEN} ${vault:KEY}');
  expect(resolve('${file:tricky}')).toBe('${TOKEN} ${vault:KEY}');
});

test('every variable that is not set is named, once', () => {
  expect(resolve('${ONE} ${TWO} ${TOKEN} ${ONE} ${THREE:3}')).toEqual([
    {
      code: 'MISSING_VARIABLE',
      message: 'ONE, TWO is not set where the proxy runs; set it, or write a default: ${NAME:default}',
    },
  ]);
});

test('everything that is wrong is told at once', () => {
  expect(resolve('${ONE} ${vault:NONE} ${file:none}')).toMatchObject([
    { code: 'MISSING_VARIABLE' },
    { code: 'MISSING_SECRET' },
    { code: 'MISSING_SECRET' },
  ]);
});

test.each([
  '${',
  '${}',
  '${1A}',
  '${A B}',
  '${TOKEN',
  '${A-B}',
  '${:x}',
  '${NONE} ${',
  '${file:}',
  '${file}',
  '${vault}',
  '${vault:}',
  '${vault:a b}',
  '${vault:../x}',
  '${vault:KEY',
])('%j is a slip of the pen, not a text', (text) => {
  expect(resolve(text)).toMatchObject([{ code: 'INVALID_SETTING' }]);
});

test("names of JavaScript's own are names like others", () => {
  const own = secretsOf((name) => (Object.hasOwn(variables, name) ? variables[name] : undefined));
  expect(resolve('${constructor} ${__proto__}', 'A', own)).toMatchObject([
    { message: expect.stringMatching(/^constructor, __proto__ is not set/) as string },
  ]);
});

describe('a mounted file', () => {
  const put = (content: string | Buffer) => writeFileSync(temp.file('secret'), content);

  test.each([
    ['s3cr3t', 's3cr3t'],
    ['s3cr3t\n', 's3cr3t'],
    ['s3cr3t\r\n', 's3cr3t'],
    // One line end is the editor's; a second one is the secret's.
    ['s3cr3t\n\n', 's3cr3t\n'],
    [' s3 cr3t ', ' s3 cr3t '],
    ['-----BEGIN KEY-----\nabc\n-----END KEY-----\n', '-----BEGIN KEY-----\nabc\n-----END KEY-----'],
  ])('with %j is %j', (content, value) => {
    put(content);
    expect(resolve('${file:secret}')).toBe(value);
    expect(resolve(`\${file:${temp.file('secret')}}`)).toBe(value);
  });

  test('is named by a path relative to the configuration, or by a full one', () => {
    mkdirSync(temp.file('run'));
    writeFileSync(temp.file('run', 'token'), 'abc');
    expect(resolve('${file:./run/token}')).toBe('abc');
    expect(resolve('x-${file:run/token}-y')).toBe('x-abc-y');
  });

  test.each([
    ['that is not there', () => undefined, 'MISSING_SECRET', /there is no file secret; mount it/],
    ['that is empty', () => put(''), 'MISSING_SECRET', /is empty; put the secret into it/],
    ['that holds a line end only', () => put('\n'), 'MISSING_SECRET', /is empty/],
    ['that is a folder', () => mkdirSync(temp.file('secret')), 'UNREADABLE', /no regular file/],
    ['of bytes', () => put(Buffer.from([0xff, 0xfe, 0x41])), 'INVALID_SETTING', /no text in UTF-8/],
    ['with a zero in it', () => put('a\0b'), 'INVALID_SETTING', /no text in UTF-8/],
    ['as long as a book', () => put('x'.repeat(32_769)), 'INVALID_SETTING', /larger than 32 KiB/],
  ])('%s is told, and how to mend it', (_what, prepare, code, message) => {
    prepare();
    expect(resolve('${file:secret}')).toMatchObject([
      { code, message: expect.stringMatching(message) as string },
    ]);
  });

  test("of the system's, such as the proxy's own environment, holds nothing", () => {
    expect(resolve('${file:/proc/self/environ}')).toMatchObject([{ code: 'MISSING_SECRET' }]);
  });
});

describe('what a value depends on', () => {
  test('is every file that was looked at, there or not, and nothing else', () => {
    const secrets = secretsOf((name) => variables[name]);
    resolve('${TOKEN} ${file:one} ${file:one} ${file:two}', 'A', secrets);
    expect(secrets.inputs.map(({ path }) => path)).toEqual([temp.file('one'), temp.file('two')]);
    resolve('${vault:KEY} ${vault:NONE}', 'A', secrets);
    expect(secrets.inputs).toHaveLength(3);
  });
});

describe('what must not be seen of a value', () => {
  test('is all of it; for certain where its name or its origin says so', () => {
    expect(sensitive('REGION', 'eu-west-1')).toEqual([{ text: 'eu-west-1', isCredential: false }]);
    expect(sensitive('API_TOKEN', 'word')).toEqual([{ text: 'word', isCredential: true }]);
    expect(sensitive('REGION', '${vault:KEY}')).toEqual([{ text: 'sealed-for-acme', isCredential: true }]);
  });

  test('is each part that came from elsewhere too', () => {
    expect(sensitive('URL', 'https://h/?a=${TOKEN}&b=${vault:KEY}')).toEqual([
      { text: 'https://h/?a=s3cr3t&b=sealed-for-acme', isCredential: false },
      { text: 's3cr3t', isCredential: true },
      { text: 'sealed-for-acme', isCredential: true },
    ]);
  });

  test('is the password in a URL', () => {
    expect(sensitive('DB', 'postgres://acme:pw-42@db/x')).toContainEqual({
      text: 'pw-42',
      isCredential: true,
    });
    expect(passwordIn('redis://:pw-42@db')).toBe('pw-42');
    expect(passwordIn('https://db.example/x:y@z')).toBeUndefined();
    expect(passwordIn('https://db.example:8080/')).toBeUndefined();
  });
});
