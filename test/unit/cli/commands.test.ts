import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { runRecorded } from '../../support/recording-terminal.ts';
import { useTempFolder } from '../../support/temp-folder.ts';

const temp = useTempFolder();
const server = `server: { command: ${JSON.stringify(process.execPath)} }\n`;
beforeEach(() => {
  mkdirSync(temp.file('tenants'));
  writeFileSync(temp.file('proxy.config.yaml'), 'admin: { socket: ./a.sock }\nlisten: { port: 8123 }\n');
  put('acme', `# Acme\ntenant: acme\nkeys: []\n${server}`);
  put('globex', `tenant: globex\nenabled: false\nservers:\n  a: { command: x }\n  b: { command: y }\n`);
});
const put = (id: string, text: string) =>
  writeFileSync(temp.file('tenants', `${id}.yaml`), text, { mode: 0o600 });
const textOf = (id: string) => readFileSync(temp.file('tenants', `${id}.yaml`), 'utf8');
/** The configuration goes before a "--", after which everything is an argument. */
function proxy(...args: readonly string[]) {
  const config = ['--config', temp.file('proxy.config.yaml')];
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  return runRecorded(...args.slice(0, end), ...config, ...args.slice(end));
}
const hostile = [
  '../x',
  '../tenants/acme',
  'acme.yaml',
  '',
  ' acme',
  'Acme',
  '/etc/passwd',
  'acme/..',
  '\u001b[2J',
  '.',
  '..',
  '%2e',
];

describe('check', () => {
  test('where nothing is wrong', async () => {
    expect(await proxy('check')).toEqual({ code: 0, out: '2 tenants, no problem found\n', err: '' });
  });

  test('prints every problem as compilers do, and ends with 1', async () => {
    put('acme', 'tenant: acme\nservr: {}\n');
    put('broken', 'tenant: [\n');
    const { code, out } = await proxy('check');
    expect(code).toBe(1);
    const lines = out.trimEnd().split('\n');
    const file = temp.file('tenants/acme.yaml');
    expect(lines).toContain(`${file}:2:1 INVALID_SETTING There is no such key here; write "server"?`);
    expect(lines.filter((line) => line.includes(' YAML_SYNTAX '))).not.toEqual([]);
    expect(lines.at(-1)).toMatch(/^1 tenant, \d problems found$/);
  });

  test('one problem is one problem', async () => {
    put('acme', `tenant: acme\nenabled: perhaps\n${server}`);
    expect((await proxy('check')).out).toMatch(/:2:1 INVALID_SETTING .*\n1 tenant, 1 problem found\n$/);
  });

  test('looks whether each command can be found, but not of a tenant that is off', async () => {
    put('acme', 'tenant: acme\nserver: { command: no-such-command-anywhere }\n');
    put('many', 'tenant: many\nservers:\n  a: { command: node }\n  b:\n    command: node\n    cwd: gone\n');
    const { code, out } = await proxy('check');
    expect(code).toBe(1);
    expect(out).toMatch(
      /acme\.yaml:2:11 INVALID_SETTING server default: command no-such-command-anywhere is not on PATH/,
    );
    expect(out).toMatch(/many\.yaml:6:5 INVALID_SETTING server b: cwd .*gone is not a folder/);
    expect(out).not.toContain('globex');
  });

  test.each([
    ['{ allow: [a.example] }', 'has an allow-list'],
    ['none', 'is none'],
  ])('looks whether a sandbox can be had for network: %s', async (network, asked) => {
    put('acme', `tenant: acme\n${server.replace(' }', `, sandbox: { network: ${network} } }`)}`);
    const needs = `server default: sandbox.network ${asked}, which needs bubblewrap`;
    vi.stubEnv('PATH', temp.path);
    const missing = await proxy('check');
    expect(missing.out).toContain(`${needs}, which is not installed`);
    writeFileSync(temp.file('bwrap'), '', { mode: 0o755 });
    expect((await proxy('check')).code).toBe(0);
    writeFileSync(temp.file('proxy.config.yaml'), 'workers: { isolation: none }\n');
    const { code, out } = await proxy('check');
    expect(code).toBe(1);
    expect(out).toContain(`${needs}, and workers.isolation is none`);
    vi.unstubAllEnvs();
  });

  test('looks variables up in the environment', async () => {
    put('acme', `tenant: acme\nserver: { command: node, env: { A: "\${MTP_TEST_NOT_SET}" } }\n`);
    expect((await proxy('check')).out).toMatch(/:2:\d+ MISSING_VARIABLE MTP_TEST_NOT_SET is not set/);
  });

  test('--json is a document for programs', async () => {
    const good = await proxy('check', '--json');
    expect(good.code).toBe(0);
    expect(JSON.parse(good.out)).toEqual({ ok: true, tenants: 2, problems: [], warnings: [] });
    put('acme', `tenant: globex\n${server}`);
    const bad = await proxy('check', '--json');
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.out)).toEqual({
      ok: false,
      tenants: 1,
      warnings: [],
      problems: [
        {
          file: temp.file('tenants/acme.yaml'),
          line: 1,
          column: 1,
          code: 'INVALID_TENANT',
          message: expect.stringContaining('acme') as string,
        },
      ],
    });
  });

  test('warnings are told beside problems, and fail it only if it is strict', async () => {
    const secret = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789';
    put('acme', `tenant: acme\nserver: { command: node, env: { A: ${secret} } }\n`);
    const file = temp.file('tenants/acme.yaml');
    const lax = await proxy('check');
    expect(lax.code).toBe(0);
    expect(lax.out).toMatch(
      /acme\.yaml:2:\d+ warning PLAIN_SECRET .*\n2 tenants, no problem found, 1 warning\n$/,
    );
    expect(lax.out).not.toContain(secret);
    expect((await proxy('check', '--strict')).code).toBe(1);
    const { out, code } = await proxy('check', '--strict', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      problems: [],
      warnings: [{ file, code: 'PLAIN_SECRET' }],
    });
  });

  test('files that others can read or change are warned of', async () => {
    writeFileSync(temp.file('mounted'), 'x', { mode: 0o644 });
    put('acme', 'tenant: acme\nserver: { command: node, env: { A: "${file:mounted}" } }\n');
    chmodSync(temp.file('tenants/globex.yaml'), 0o666);
    chmodSync(temp.file('tenants'), 0o777);
    chmodSync(temp.file('proxy.config.yaml'), 0o662);
    mkdirSync(temp.file('.proxy'));
    writeFileSync(temp.file('.proxy/master.key'), 'x', { mode: 0o644 });
    const { out } = await proxy('check');
    const warned = out
      .split('\n')
      .flatMap((line) => /^(\S+) warning (\w+_BY_OTHERS)/.exec(line)?.slice(1).join(' ') ?? []);
    expect(warned.map((line) => line.replace(`${temp.path}/`, '')).toSorted()).toEqual([
      '.proxy/master.key READABLE_BY_OTHERS',
      'mounted READABLE_BY_OTHERS',
      'proxy.config.yaml WRITABLE_BY_OTHERS',
      'tenants WRITABLE_BY_OTHERS',
      'tenants/globex.yaml READABLE_BY_OTHERS',
      'tenants/globex.yaml WRITABLE_BY_OTHERS',
    ]);
  });

  test('credentials that reach everybody, or nobody, are warned of', async () => {
    writeFileSync(temp.file('proxy.config.yaml'), 'workers: { passEnv: [HTTPS_PROXY, OPENAI_API_KEY] }\n');
    vi.stubEnv('AUTOTASK_SECRET', 'left-over-4711');
    vi.stubEnv('AUTOTASK_USERNAME', 'somebody-4711');
    put('acme', 'tenant: acme\nserver: { command: node, env: { A: "${AUTOTASK_USERNAME}" } }\n');
    const { out } = await proxy('check');
    vi.unstubAllEnvs();
    expect(out).toMatch(
      /warning SHARED_CREDENTIAL workers\.passEnv gives OPENAI_API_KEY to the servers of every tenant/,
    );
    expect(out).toMatch(/environment variable AUTOTASK_SECRET warning SHARED_CREDENTIAL/);
    expect(out).not.toMatch(/HTTPS_PROXY|AUTOTASK_USERNAME warning|4711/);
  });

  test('a pool that is too small with what is left to the defaults is told with both numbers', async () => {
    writeFileSync(temp.file('proxy.config.yaml'), 'defaults: { pool: { min: 3 } }\n');
    put('acme', `tenant: acme\n${server}pool: { max: 2 }\n`);
    put('globex', `tenant: globex\nserver:\n  command: node\n  pool: { min: 6 }\n`);
    const { out } = await proxy('check');
    expect(out).toMatch(/acme\.yaml:3:1 INVALID_SETTING pool\.min is 3 and pool\.max 2, counting/);
    expect(out).toMatch(/globex\.yaml:4:3 INVALID_SETTING pool\.min is 6 and pool\.max 5, counting/);
  });

  test('what this machine cannot give is a problem, by its place or its variable', async () => {
    const file = temp.file('proxy.config.yaml');
    writeFileSync(file, `listen:\n  host: 192.0.2.1\nadmin:\n  socket: ./${'x'.repeat(108)}.sock\n`);
    const { code, out } = await proxy('check');
    expect(code).toBe(1);
    expect(out).toContain(
      `${file}:2:3 INVALID_SETTING listen.host: 192.0.2.1 is not an address of this machine; 127.0.0.1`,
    );
    expect(out).toContain(`${file}:4:3 INVALID_SETTING admin.socket is too long: ${temp.path}/xxx`);
    expect(out).toMatch(/, 2 problems found\n$/);
    vi.stubEnv('HOST', 'no such host');
    const named = await proxy('check');
    vi.stubEnv('HOST', '0.0.0.0');
    const everywhere = await proxy('check');
    vi.unstubAllEnvs();
    expect(named.out).toMatch(/^environment variable HOST INVALID_SETTING listen\.host: no such host is/m);
    expect(everywhere.out).not.toContain('listen.host');
  });

  test('a configuration that is broken, or not there', async () => {
    writeFileSync(temp.file('proxy.config.yaml'), 'lisen: {}\n');
    expect(await proxy('check')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/:1:1 INVALID_SETTING/) as string,
    });
    const none = await runRecorded('check', '--config', temp.file('none.yaml'));
    expect(none).toMatchObject({
      code: 1,
      out: expect.stringMatching(/none\.yaml UNREADABLE There is no such file/) as string,
    });
  });

  test('a folder that is not there', async () => {
    writeFileSync(temp.file('proxy.config.yaml'), 'tenants: ./nowhere\n');
    expect(await proxy('check')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/UNREADABLE[^]*0 tenants, 1 problem/) as string,
    });
  });

  test('changes nothing', async () => {
    const before = [textOf('acme'), textOf('globex'), readdirSync(temp.path).join()];
    await proxy('check');
    expect([textOf('acme'), textOf('globex'), readdirSync(temp.path).join()]).toEqual(before);
  });
});

describe('key create', () => {
  test('prints the key alone on stdout, writes its digest, and keeps the rest of the file', async () => {
    const { code, out, err } = await proxy('key', 'create', 'acme', '--name', 'laptop');
    expect(code).toBe(0);
    expect(out).toMatch(/^mcpx_[0-9a-f]{12}_[0-9a-f]{64}\n$/);
    const sha256 = createHash('sha256').update(out.trim()).digest('hex');
    const today = new Date().toISOString().slice(0, 10);
    expect(textOf('acme')).toBe(
      `# Acme\ntenant: acme\nkeys:\n  - { name: laptop, sha256: ${sha256}, created: ${today} }\n${server}`,
    );
    expect(err).toMatch(/shown only now/);
    expect(err).toMatch(/No proxy runs here; start it with: proxy serve/);
    expect(err).not.toContain(out.trim());
  });

  test('takes a date from which the key is refused', async () => {
    const { code } = await proxy('key', 'create', 'acme', '--name', 'laptop', '--expires', '2999-01-31');
    expect(code).toBe(0);
    expect(textOf('acme')).toMatch(/expires: "?2999-01-31"? \}/);
    expect((await proxy('check')).code).toBe(0);
  });

  test('a name is taken once', async () => {
    await proxy('key', 'create', 'acme', '--name', 'laptop');
    const before = textOf('acme');
    const { code, out, err } = await proxy('key', 'create', 'acme', '--name', 'laptop');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/has a key of this name; take another name, or revoke it first/);
    expect(textOf('acme')).toBe(before);
  });

  test.each([
    ['an empty name', ['--name', '']],
    ['a long name', ['--name', 'x'.repeat(64)]],
    ['a date that is none', ['--name', 'a', '--expires', 'soon']],
    ['a date with a month too many', ['--name', 'a', '--expires', '2999-13-01']],
    ['a date in the past', ['--name', 'a', '--expires', '2020-01-31']],
  ])('%s is refused with 2, and nothing written', async (_what, options) => {
    const before = textOf('acme');
    const { code, out, err } = await proxy('key', 'create', 'acme', ...options);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/--name|--expires/);
    expect(textOf('acme')).toBe(before);
  });

  test.each(['true', '1', 'a: b', '- x', "Ada's phone", 'ü', '#1', '2027-01-31', '\u001b[31mred'])(
    'a name like %j is a text like others',
    async (name) => {
      expect((await proxy('key', 'create', 'acme', `--name=${name}`)).code).toBe(0);
      expect((await proxy('check')).code).toBe(0);
      const { out } = await proxy('key', 'list', 'acme');
      // What would move the cursor is not shown.
      expect(out).toContain(name.replace('\u001b', ' ').trim());
      expect(out).not.toContain('\u001b');
      expect((await proxy('key', 'revoke', '--', 'acme', name)).code).toBe(0);
    },
  );

  test('a file that cannot be edited is told with what to do', async () => {
    put('acme', 'tenant: [\n');
    const { code, out, err } = await proxy('key', 'create', 'acme', '--name', 'a');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/cannot read the keys in .*acme\.yaml, line \d/);
  });
});

describe('key list', () => {
  test('says the names and dates, never the keys nor their whole digests', async () => {
    const old = 'cd'.repeat(32);
    put('acme', `tenant: acme\nkeys:\n  - { name: old, sha256: ${old}, expires: 2020-01-31 }\n${server}`);
    const { out: key } = await proxy('key', 'create', 'acme', '--name', 'laptop', '--expires', '2999-01-31');
    const { code, out } = await proxy('key', 'list', 'acme');
    expect(code).toBe(0);
    expect(out).toMatch(/^NAME\s+CREATED\s+EXPIRES\s+SHA-256\n/);
    expect(out).toMatch(/^old\s+-\s+2020-01-31 \(expired\)\s+cdcdcdcdcdcd…$/m);
    expect(out).toMatch(/^laptop\s+\d{4}-\d\d-\d\d\s+2999-01-31\s+[0-9a-f]{12}…$/m);
    expect(out).not.toContain(key.trim());
    expect(out).not.toContain(old);
  });

  test('of none says how to make one', async () => {
    expect(await proxy('key', 'list', 'acme')).toEqual({
      code: 0,
      out: '',
      err: 'acme has no key; make one with: proxy key create acme --name NAME\n',
    });
  });
});

describe('key revoke', () => {
  test('takes the key out of the file', async () => {
    const before = textOf('acme');
    await proxy('key', 'create', 'acme', '--name', 'laptop');
    expect(await proxy('key', 'revoke', 'acme', 'laptop')).toEqual({
      code: 0,
      out: 'Revoked; no proxy runs here\n',
      err: '',
    });
    expect(textOf('acme')).toBe(before);
  });

  test('of one that is not there ends with 1', async () => {
    expect(await proxy('key', 'revoke', 'acme', 'nobody')).toMatchObject({
      code: 1,
      err: 'acme has no key of this name; see: proxy key list acme\n',
    });
  });
});

describe('a tenant that is not there', () => {
  const calls: [string, (id: string) => ReturnType<typeof proxy>][] = [
    ['key create', (id) => proxy('key', 'create', '--name', 'a', '--', id)],
    ['key list', (id) => proxy('key', 'list', '--', id)],
    ['key revoke', (id) => proxy('key', 'revoke', '--', id, 'a')],
    ['client-config', (id) => proxy('client-config', '--', id)],
  ];
  test.each(calls)('%s: ends with 1 and says where to look; ids are no paths', async (_what, call) => {
    writeFileSync(temp.file('x.yaml'), 'tenant: x\nkeys: []\nserver: { command: x }\n');
    for (const id of ['nobody', ...hostile]) {
      const { code, out, err } = await call(id);
      expect({ id, code, out }).toEqual({ id, code: 1, out: '' });
      expect(err).toMatch(/there is no tenant .*see: proxy tenant list/);
    }
    expect(readFileSync(temp.file('x.yaml'), 'utf8')).toContain('keys: []');
  });
});

describe('tenant list', () => {
  test('says who is there, whether a proxy runs or not', async () => {
    await proxy('key', 'create', 'acme', '--name', 'laptop');
    const { code, out } = await proxy('tenant', 'list');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^TENANT\s+ENABLED\s+KEYS\s+SERVERS\nacme\s+yes\s+1\s+default\nglobex\s+no\s+0\s+a, b\n$/,
    );
  });

  test('a variable that is not set here may be set where the proxy runs', async () => {
    put('acme', `tenant: acme\nserver: { command: node, env: { A: "\${MTP_TEST_NOT_SET}" } }\n`);
    expect(await proxy('tenant', 'list')).toMatchObject({ code: 0, err: '' });
  });

  test('a file with a problem is told, and ends with 1', async () => {
    put('broken', 'tenant: broken\n');
    const { code, out, err } = await proxy('tenant', 'list');
    expect(code).toBe(1);
    expect(out).toContain('acme');
    expect(err).toMatch(/broken\.yaml:1:1 INVALID_SETTING/);
  });

  test('of none', async () => {
    writeFileSync(temp.file('proxy.config.yaml'), 'tenants: ./none\n');
    mkdirSync(temp.file('none'));
    expect(await proxy('tenant', 'list')).toMatchObject({
      code: 0,
      out: `No tenants in ${temp.file('none')}\n`,
    });
  });
});

describe('client-config', () => {
  /** The JSON texts in what is to be pasted. */
  const jsonIn = (out: string) =>
    [...out.matchAll(/^ {4}\{\n[^]*?^ {4}\}$/gm)].map(([text]) => JSON.parse(text) as unknown);

  test('says what to paste, with the key and the URL that are told', async () => {
    const { code, out, err } = await proxy(
      'client-config',
      'acme',
      '--key',
      'mcpx_k_s',
      '--url',
      'https://mcp.example.com/mcp/',
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(
      'claude mcp add --transport http acme https://mcp.example.com/mcp --header "Authorization: Bearer mcpx_k_s"',
    );
    const headers = { Authorization: 'Bearer mcpx_k_s' };
    const url = 'https://mcp.example.com/mcp';
    expect(jsonIn(out)).toEqual([
      { mcpServers: { acme: { url, headers } } },
      { servers: { acme: { type: 'http', url, headers } } },
    ]);
  });

  test('without a key there is a placeholder, and how to get one', async () => {
    const { code, out, err } = await proxy('client-config', 'acme');
    expect(code).toBe(0);
    expect(out).toContain('http://127.0.0.1:8123/mcp --header "Authorization: Bearer YOUR_KEY"');
    expect(err).toMatch(/proxy key create acme --name NAME/);
  });

  test('of several servers each', async () => {
    const { out } = await proxy('client-config', 'globex', '--key', 'k');
    expect(out).toContain('claude mcp add --transport http globex-a http://127.0.0.1:8123/mcp/a ');
    expect(out).toContain('claude mcp add --transport http globex-b http://127.0.0.1:8123/mcp/b ');
    expect(jsonIn(out)).toHaveLength(4);
  });
});

describe('commands that ask a running proxy, where none runs', () => {
  const asking = [
    ['status'],
    ['status', '--json'],
    ['status', '--watch'],
    ['reload'],
    ['reap'],
    ['restart', 'acme'],
  ];

  test.each(asking)('%s %s: 2, and how to start one', async (...words) => {
    expect(await proxy(...words)).toEqual({
      code: 2,
      out: '',
      err: `proxy is not running here (socket ${temp.file('a.sock')}); start it with: proxy serve\n`,
    });
  });

  test.each(asking)('%s %s: 1, where the configuration is broken', async (...words) => {
    writeFileSync(temp.file('proxy.config.yaml'), 'admn: {}\n');
    const { code, out, err } = await proxy(...words);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/:1:1 INVALID_SETTING .*write "admin"\?/);
  });

  test('something else that answers on the socket is told apart', async () => {
    const stranger = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => stranger.listen(temp.file('a.sock'), resolve));
    try {
      const { code, out, err } = await proxy('status');
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toMatch(/what answers on the admin socket is not a proxy/);
    } finally {
      await new Promise((resolve) => stranger.close(resolve));
    }
  });

  test('a refusal of the proxy is passed on in its words', async () => {
    const told = { code: 'TENANT_NOT_CONFIGURED', message: 'There is no tenant nobody' };
    const asked: string[] = [];
    const stub = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(404).end(JSON.stringify(told));
    });
    await new Promise<void>((resolve) => stub.listen(temp.file('a.sock'), resolve));
    try {
      expect(await proxy('restart', '../nobody')).toEqual({
        code: 1,
        out: '',
        err: `${told.code} ${told.message}\n`,
      });
      expect(await proxy('reap', 'a/b')).toMatchObject({ code: 1 });
      // An id is one part of the path, whatever is in it.
      expect(asked).toEqual(['POST /v1/tenants/..%2Fnobody/restart', 'POST /v1/reap/a%2Fb']);
    } finally {
      await new Promise((resolve) => stub.close(resolve));
    }
  });
});

describe('serve', () => {
  test('with a broken configuration ends with 1 and starts nothing', async () => {
    writeFileSync(temp.file('proxy.config.yaml'), 'listen: { port: x }\n');
    const { code, out, err } = await proxy('serve');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/proxy\.config\.yaml:1:11 INVALID_SETTING/);
    expect(readdirSync(temp.path)).toEqual(['proxy.config.yaml', 'tenants']);
  });
});
