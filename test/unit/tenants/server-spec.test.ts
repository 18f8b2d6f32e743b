import { createHash } from 'node:crypto';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ServerDefinition } from '../../../src/tenants/definition.ts';
import { createServerSpec } from '../../../src/tenants/server-spec.ts';
import { sandboxSettings } from '../../../src/workers/sandbox/settings.ts';
import { type ServerSpec } from '../../../src/workers/spec.ts';
import { readingContext, secretsFrom } from '../../support/some-tenants.ts';

const definition: ServerDefinition = {
  command: 'node',
  args: ['a.js', '--flag'],
  env: { ACCOUNT: 'acme', API_TOKEN: 'hunter2' },
  startTimeout: 30_000,
  era: 'auto',
  maxReply: 1024,
  sandbox: sandboxSettings.parse({}),
};
const { pool } = readingContext.defaults;
const specOf = (
  server: Partial<ServerDefinition> = {},
  more: { name?: string; pool?: typeof pool } = {},
  context = readingContext,
): ServerSpec =>
  createServerSpec(
    {
      name: 'default',
      path: ['server'],
      server: { ...definition, ...server },
      pool,
      secrets: context.secrets.of('acme'),
      ...more,
    },
    context,
    (code, _path, message) => {
      throw new Error(`${code} ${message}`);
    },
  );
const generation = (...args: Parameters<typeof specOf>) => specOf(...args).generation;

describe('paths', () => {
  test('a bare command is left to PATH, one with a slash is relative to the configuration', () => {
    expect(specOf({ command: 'node' }).command).toBe('node');
    expect(specOf({ command: './bin/run' }).command).toBe('/srv/proxy/bin/run');
    expect(specOf({ command: 'bin/run', cwd: 'elsewhere' }).command).toBe('/srv/proxy/bin/run');
    expect(specOf({ command: '/usr/bin/node' }).command).toBe('/usr/bin/node');
  });

  test('cwd is relative to the configuration too', () => {
    expect(specOf().cwd).toBe('/srv/proxy');
    expect(specOf({ cwd: 'data/acme' }).cwd).toBe('/srv/proxy/data/acme');
    expect(specOf({ cwd: '/data' }).cwd).toBe('/data');
  });
});

describe('the generation', () => {
  test('is 8 hex digits', () => {
    expect(generation()).toMatch(/^[0-9a-f]{8}$/);
  });

  test('is the same for the same definition, whatever the order of its keys', () => {
    const other: ServerDefinition = {
      sandbox: sandboxSettings.parse({}),
      maxReply: 1024,
      era: 'auto',
      startTimeout: 30_000,
      env: { API_TOKEN: 'hunter2', ACCOUNT: 'acme' },
      args: ['a.js', '--flag'],
      command: 'node',
    };
    expect(generation(other)).toBe(generation());
    const shuffled = Object.fromEntries(Object.entries(pool).reverse()) as typeof pool;
    expect(generation({}, { pool: shuffled })).toBe(generation());
  });

  test('is the same for what comes out the same', () => {
    expect(generation({ env: { A: '${TOKEN}' } })).toBe(generation({ env: { A: 's3cr3t-token' } }));
    expect(generation({ pool: { max: pool.max } })).toBe(generation());
    expect(generation({ cwd: '.' })).toBe(generation());
  });

  test('is another for every other way to start the server', () => {
    const others: Parameters<typeof specOf>[] = [
      [{ command: 'deno' }],
      [{ args: ['--flag', 'a.js'] }],
      [{ args: ['a.js'] }],
      [{ args: ['a.js', '--flag', ''] }],
      [{ args: ['a.js --flag'] }],
      [{ env: { ACCOUNT: 'acme', API_TOKEN: 'hunter3' } }],
      [{ env: { ACCOUNT: 'acme' } }],
      [{ env: {} }],
      [{ env: { ACCOUNT: 'hunter2', API_TOKEN: 'acme' } }],
      [{ cwd: 'x' }],
      [{ startTimeout: 1000 }],
      [{ maxReply: 2048 }],
      [{ pool: { max: 1 } }],
      [{ pool: { sharing: 'exclusive' } }],
      [{ pool: { idle: 1000 } }],
      [{}, { name: 'files' }],
      [{}, { pool: { ...pool, max: 4 } }],
    ];
    const generations = others.map((args) => generation(...args));
    expect(new Set([generation(), ...generations]).size).toBe(others.length + 1);
  });

  test('is another once a variable is', () => {
    const withToken = (token: string) =>
      generation({ env: { A: '${TOKEN}' } }, {}, { ...readingContext, secrets: secretsFrom(() => token) });
    expect(withToken('one')).not.toBe(withToken('two'));
    expect(withToken('one')).toBe(withToken('one'));
  });

  test('gives away nothing: without the key of this process no guess can be tried out', () => {
    const { generation: shown, ...spec } = specOf();
    const guesses = [spec, Object.fromEntries(Object.entries(spec).sort()), spec.env].flatMap((guess) => {
      const text = JSON.stringify(guess);
      const sorted = JSON.stringify(guess, (_key, value: unknown) =>
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.fromEntries(Object.entries(value).sort())
          : value,
      );
      return [text, sorted].flatMap((each) =>
        ['sha256', 'sha1', 'md5', 'sha512'].map((name) =>
          createHash(name).update(each).digest('hex').slice(0, 8),
        ),
      );
    });
    expect(guesses).not.toContain(shown);
  });
});

test('each thing wrong is told with its place, and none thrown', () => {
  const told: string[] = [];
  createServerSpec(
    {
      name: 'files',
      path: ['servers', 'files'],
      server: { ...definition, env: { A: '${NONE}', B: '${' }, pool: { min: 9, max: 1 } },
      pool,
      secrets: readingContext.secrets.of('acme'),
    },
    readingContext,
    (code, path) => told.push(`${code} ${path.join('.')}`),
  );
  expect(told).toEqual([
    'MISSING_VARIABLE servers.files.env.A',
    'INVALID_SETTING servers.files.env.B',
    'INVALID_SETTING servers.files.pool',
  ]);
});

describe('a server that comes with the proxy', () => {
  const { startTimeout, era, maxReply, sandbox } = definition;
  const bare = { env: {}, startTimeout, era, maxReply, sandbox };
  const secrets = readingContext.secrets.of('acme');
  const complaintsOf = (server: Partial<ServerDefinition>): string[] => {
    const told: string[] = [];
    createServerSpec(
      { name: 'default', path: ['server'], server: { ...bare, args: [], ...server }, pool, secrets },
      readingContext,
      (code, path, message) => told.push(`${code} ${path.join('.')} ${message}`),
    );
    return told;
  };

  test('is run by the node that runs the proxy', () => {
    const { command, args } = createServerSpec(
      { name: 'default', path: ['server'], server: { ...bare, args: [], use: 'demo' }, pool, secrets },
      readingContext,
      () => expect.unreachable(),
    );
    expect(command).toBe(process.execPath);
    expect(args).toEqual([path.resolve('src/servers/demo/main.ts')]);
  });

  test.each([
    [
      'one there is not',
      { use: 'dmeo' },
      /^INVALID_SETTING server\.use There is no bundled server .*: .*demo/,
    ],
    ['one from elsewhere', { use: '../cli' }, /^INVALID_SETTING server\.use There is no bundled server/],
    [
      'the kit, which is no program',
      { use: 'kit' },
      /^INVALID_SETTING server\.use There is no bundled server/,
    ],
    ['together with a command', { use: 'demo', command: 'node' }, /^INVALID_SETTING server\.use With "use:"/],
    ['together with arguments', { use: 'demo', args: ['x'] }, /^INVALID_SETTING server\.use With "use:"/],
    ['neither use nor command', {}, /^INVALID_SETTING server Write either "command:" or "use:"/],
  ])('%s is refused', (_what, server, message) => {
    expect(complaintsOf(server)).toEqual([expect.stringMatching(message)]);
  });
});
