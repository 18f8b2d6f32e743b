import { describe, expect, test } from 'vitest';
import { readTenant } from '../../../src/tenants/read-tenant.ts';
import { type Tenant } from '../../../src/tenants/tenant.ts';
import { readingContext, revealed, sha256Of, tenantText } from '../../support/some-tenants.ts';

const read = (text: string, name = 'acme', context = readingContext) =>
  readTenant({ name, file: `${name}.yaml`, text }, context);
function sound(text: string, name = 'acme'): Tenant {
  const result = read(text, name);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.tenant;
}
/** `line:column CODE`, one for each problem. */
function wrong(text: string, name = 'acme', context = readingContext): string[] {
  const result = read(text, name, context);
  return result.ok ? [] : result.problems.map(({ line, column, code }) => `${line}:${column} ${code}`);
}
const messages = (text: string, name = 'acme', context = readingContext): string => {
  const result = read(text, name, context);
  return result.ok ? '' : result.problems.map(({ message }) => message).join('\n');
};
const server = 'server: { command: node }\n';

describe('a tenant', () => {
  test('that says only what it must has every default', () => {
    const tenant = sound(`tenant: acme\n${server}`);
    expect(tenant).toMatchObject({
      id: 'acme',
      enabled: true,
      keys: [],
      deadline: { call: 60_000, max: 300_000 },
      policy: {},
    });
    expect([...tenant.servers.keys()]).toEqual(['default']);
    expect(tenant.servers.get('default')).toMatchObject({
      name: 'default',
      command: 'node',
      args: [],
      env: {},
      cwd: '/srv/proxy',
      startTimeout: 30_000,
      maxReply: 16 * 1024 ** 2,
      pool: readingContext.defaults.pool,
    });
  });

  test('with several servers', () => {
    const tenant = sound('tenant: acme\nservers:\n  files: { command: a }\n  tickets: { command: b }\n');
    expect([...tenant.servers.keys()]).toEqual(['files', 'tickets']);
    expect(tenant.servers.get('tickets')).toMatchObject({ name: 'tickets', command: 'b' });
  });

  test('limits: the server says it, else the tenant, else the configuration', () => {
    const tenant = sound(
      'tenant: acme\npool: { max: 2, queue: 7 }\nservers:\n  a: { command: x, pool: { max: 9 } }\n  b: { command: x }\n',
    );
    expect(tenant.servers.get('a')?.pool).toMatchObject({ max: 9, queue: 7, concurrency: 32 });
    expect(tenant.servers.get('b')?.pool).toMatchObject({ max: 2, queue: 7, concurrency: 32 });
  });

  test('deadlines: what it leaves out is as in the configuration', () => {
    expect(sound(`tenant: acme\n${server}deadline: { call: 5s }\n`).deadline).toEqual({
      call: 5000,
      max: 300_000,
    });
  });

  test('variables are filled in, in the environment only', () => {
    const tenant = sound(
      'tenant: acme\nserver:\n  command: node\n  args: ["${TOKEN}"]\n  env: { A: "${TOKEN}", B: "${NONE:x}", C: "$${TOKEN}", D: "${EMPTY}" }\n',
    );
    // Arguments can be read by everybody on the machine: a secret does not belong there.
    const { args, env } = tenant.servers.get('default')!;
    expect(args).toEqual(['${TOKEN}']);
    expect(revealed(env)).toEqual({ A: 's3cr3t-token', B: 'x', C: '${TOKEN}', D: '' });
    expect(JSON.stringify(tenant.servers.get('default'))).not.toContain('s3cr3t');
  });

  test('can be switched off, and is sound all the same', () => {
    expect(sound(`tenant: acme\nenabled: false\n${server}`).enabled).toBe(false);
  });

  test('cannot be changed afterwards', () => {
    const tenant = sound(tenantText('acme', ['a']));
    expect(() => Object.assign(tenant, { enabled: false })).toThrow(TypeError);
    expect(() => Object.assign(tenant.servers.get('default')!, { command: 'x' })).toThrow(TypeError);
    expect(() => Object.assign(tenant.servers.get('default')!.pool, { max: 1 })).toThrow(TypeError);
  });

  test('places of what may yet turn out to be another tenant`s', () => {
    const result = read(tenantText('acme', ['a', 'b']));
    expect(result).toMatchObject({
      ok: true,
      places: { tenant: { line: 1, column: 1 }, keys: [{ line: 3 }, { line: 4 }] },
    });
  });
});

describe('the id', () => {
  test('is the name of the file', () => {
    expect(wrong(`tenant: globex\n${server}`)).toEqual(['1:1 INVALID_TENANT']);
    expect(messages(`tenant: globex\n${server}`)).toMatch(/write "tenant: acme", or rename the file/);
  });

  test.each(['Acme', 'a b', 'ä', 'a.b', '../x', 'x'.repeat(64), 'a/b'])('%j fits no pattern', (id) => {
    expect(wrong(`tenant: "${id}"\n${server}`, id)).toEqual(['1:1 INVALID_TENANT']);
    expect(messages(`tenant: "${id}"\n${server}`, id)).toMatch(/must match .*tenantIds\.pattern/);
  });

  test('a file that cannot be named so is told to be renamed', () => {
    expect(messages(`tenant: acme\n${server}`, 'Acme GmbH')).toMatch(/rename the file$/);
  });

  test('a pattern of the operator`s own', () => {
    const own = { ...readingContext, idPattern: /^(?:org\.[a-z]+)$/ };
    expect(wrong(`tenant: org.acme\n${server}`, 'org.acme', own)).toEqual([]);
    expect(wrong(`tenant: acme\n${server}`, 'acme', own)).toEqual(['1:1 INVALID_TENANT']);
  });

  test('a number must be quoted', () => {
    expect(wrong(`tenant: 42\n${server}`, '42')).toEqual(['1:1 INVALID_SETTING']);
    expect(messages(`tenant: 42\n${server}`, '42')).toMatch(/quote it if it is a number/);
    expect(wrong(`tenant: "42"\n${server}`, '42')).toEqual([]);
  });
});

describe('what is wrong', () => {
  const digest = sha256Of('a');
  test.each([
    ['no server', 'tenant: acme\n', '1:1 INVALID_SETTING'],
    ['both spellings', `tenant: acme\n${server}servers: { a: { command: x } }\n`, '1:1 INVALID_SETTING'],
    ['no server under servers', 'tenant: acme\nservers: {}\n', '1:1 INVALID_SETTING'],
    [
      'a variable that is not set',
      'tenant: acme\nserver:\n  command: x\n  env:\n    A: "${NONE}"\n',
      '5:5 MISSING_VARIABLE',
    ],
    [
      'a variable misspelt',
      'tenant: acme\nserver:\n  command: x\n  env:\n    A: "${NO NE}"\n',
      '5:5 INVALID_SETTING',
    ],
    [
      'a key twice',
      `tenant: acme\n${server}keys:\n  - { name: a, sha256: ${digest} }\n  - { name: b, sha256: ${digest} }\n`,
      '5:16 DUPLICATE_KEY',
    ],
    [
      'a name of a key twice',
      `tenant: acme\n${server}keys:\n  - { name: a, sha256: ${digest} }\n  - { name: a, sha256: ${sha256Of('b')} }\n`,
      '5:7 DUPLICATE_KEY',
    ],
    [
      'a key twice, in two spellings',
      `tenant: acme\n${server}keys:\n  - { name: a, sha256: ${digest} }\n  - { name: b, sha256: ${digest.toUpperCase()} }\n`,
      '5:16 DUPLICATE_KEY',
    ],
    [
      'fewer at most than at least',
      `tenant: acme\n${server}pool: { min: 9, max: 3 }\n`,
      '3:1 INVALID_SETTING',
    ],
    [
      'the same in the server',
      'tenant: acme\nserver:\n  command: x\n  pool: { min: 9 }\n',
      '4:3 INVALID_SETTING',
    ],
    [
      'a call longer than the longest',
      `tenant: acme\n${server}deadline: { call: 10m }\n`,
      '3:1 INVALID_SETTING',
    ],
    [
      'a policy, of which there is none yet',
      `tenant: acme\n${server}policy: { tools: [] }\n`,
      '3:11 INVALID_SETTING',
    ],
  ])('%s', (_what, text, place) => {
    expect(wrong(text)).toEqual([place]);
  });

  test('all of it at once, and the file is not taken in', () => {
    const text = `tenant: globex\nserver: { command: x, env: { A: "\${ONE}", B: "\${TWO}" } }\npool: { min: 3, max: 2 }\n`;
    expect(wrong(text)).toEqual([
      '1:1 INVALID_TENANT',
      '2:30 MISSING_VARIABLE',
      '2:43 MISSING_VARIABLE',
      '3:1 INVALID_SETTING',
    ]);
  });

  test('a variable that is missing is named, with the two ways out', () => {
    expect(messages('tenant: acme\nserver: { command: x, env: { A: "${ONE} ${TWO}" } }\n')).toBe(
      'ONE, TWO is not set where the proxy runs; set it, or write a default: ${NAME:default}',
    );
  });

  test('no value of a variable is ever said', () => {
    const text =
      'tenant: acme\nserver: { command: x, env: { A: "${TOKEN} ${NONE}", B: "${TOKEN} ${", TOKEN: "${TOKEN}" } }\n';
    expect(messages(text)).not.toContain('s3cr3t');
  });
});
