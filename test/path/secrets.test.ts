import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formsOf } from '../../src/secrets/forms.ts';
import { callJson, callText, connect } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { parseAnswer } from '../support/machine-pid.ts';
import { mcpHeaders, openRawSession, send } from '../support/raw-session.ts';
import { runCommand, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** Long, and with letters that every encoding writes in another way. */
const canary = (what: string) =>
  `${what}-${randomBytes(9).toString('hex')}"/+ü=?&${randomBytes(6).toString('hex')}`;
const { PATH = '', HOME = '' } = process.env;

/** `proxy secret …` with what is piped into it. */
const secret = (proxy: RunningProxy, args: readonly string[], input = '') =>
  runCommand(['secret', ...args, '--config', proxy.configFile], {
    cwd: proxy.dir,
    env: { PATH, HOME },
    input,
  });
async function setSecret(proxy: RunningProxy, tenant: string, name: string, value: string): Promise<void> {
  const { code, err } = await secret(proxy, ['set', tenant, name], value);
  expect({ code, err }).toEqual({ code: 0, err: expect.anything() as string });
}

describe('a secret, wherever it comes from', () => {
  const canaries = {
    literal: canary('literal'),
    variable: canary('variable'),
    file: canary('file'),
    vault: canary('vault'),
    replaced: canary('replaced'),
  };
  const env = {
    SECRET_LITERAL: canaries.literal,
    SECRET_VARIABLE: '${LEAKY_VARIABLE}',
    SECRET_FILE: '${file:./mounted-secret}',
    SECRET_VAULT: '${vault:LEAKY}',
    SECRET_URL: 'https://u:${vault:LEAKY}@${file:./mounted-secret}.example/',
  };
  let proxy: RunningProxy;
  /** Everything that came out of the product in the course of these tests, by where it was seen. */
  const seen = new Map<string, string>();
  const note = (where: string, text: string) => seen.set(where, `${seen.get(where) ?? ''}${text}\n`);
  const command = async (...args: readonly string[]) => {
    const { out, err } = await proxy.run(...args);
    note(`proxy ${args.join(' ')}`, `${out}\n${err}`);
    return out;
  };

  beforeAll(async () => {
    proxy = await startProxy({
      env: { LEAKY_VARIABLE: canaries.variable },
      tenants: {
        leaky: tenantYaml('leaky', 'leaky', '', env),
        early: tenantYaml('early', 'leaky', '', { ...env, LEAK_AT_START: '1' }),
        quiet: tenantYaml('quiet', 'echo'),
      },
    });
    writeFileSync(path.join(proxy.dir, 'mounted-secret'), `${canaries.file}\n`, { mode: 0o600 });
    await setSecret(proxy, 'leaky', 'LEAKY', canaries.replaced);
    await setSecret(proxy, 'early', 'LEAKY', canaries.vault);
  });
  afterAll(() => proxy.stop());

  test('reaches the server that is meant, as it is', async () => {
    const client = await connect(proxy.url, proxy.keys['leaky']!);
    expect(await callText(client, 'own')).toContain(canaries.replaced);
    await setSecret(proxy, 'leaky', 'LEAKY', canaries.vault);
    const now = await eventually(async () => {
      const text = await callText(client, 'own');
      return text.includes(canaries.vault) && text;
    });
    for (const what of ['literal', 'variable', 'file', 'vault'] as const)
      expect(now).toContain(canaries[what]);
    expect(now).toContain(`https://u:${canaries.vault}@${canaries.file}.example/`);
  });

  test('is said by its server everywhere', async () => {
    const client = await connect(proxy.url, proxy.keys['leaky']!);
    await callText(client, 'leak');
    await proxy.logged(({ event, tenant }) => event === 'security.reported' && tenant === 'leaky');
    for (const tool of ['refuse', 'break', 'die']) {
      const raw = await openRawSession(proxy.url, proxy.keys['leaky']!);
      note(`the answer to ${tool}`, await raw.call(tool));
    }
    const opening = await send(proxy.url, {
      headers: mcpHeaders(proxy.keys['early']!),
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
      }),
    });
    note('the answer where no worker starts', await opening.ended);
    const failed = await proxy.logged(({ event, tenant }) => event === 'worker.failed' && tenant === 'early');
    // It was said, and masked; a log without it would prove nothing.
    expect(String(failed['stderrTail'])).toContain('[REDACTED]');
  });

  test('and by files that are wrong', async () => {
    proxy.write(
      'broken',
      `tenant: broken\nserver: { command: x, env: { A: "${canaries.literal.replaceAll('"', '')}: } }\n`,
    );
    proxy.write(
      'wrong',
      tenantYaml('wrong', 'echo', '', { A: `\${NOT_SET} ${canaries.literal}`, B: '${vault:NONE}' }),
    );
    await eventually(async () => (await proxy.status()).problems.length >= 3);
    const problems = (await proxy.status()).problems.map(({ code }) => code);
    expect(problems).toEqual(expect.arrayContaining(['YAML_SYNTAX', 'MISSING_VARIABLE', 'MISSING_SECRET']));
  });

  test('and is in no log, status, error, list, command line, state file: in no spelling at all', async () => {
    await command('status');
    await command('status', '--json');
    await command('check');
    await command('check', '--json');
    await command('secret', 'list');
    await command('secret', 'list', '--json');
    await command('secret', 'rm', 'leaky', 'NONE');
    await command('reload');
    note('the status on the socket', JSON.stringify(await proxy.status()));
    note('the log', proxy.logs.map((line) => JSON.stringify(line)).join('\n'));
    // As it was written too, before anybody parsed it.
    note(
      'the log, as it was written',
      proxy.logs.map((line) => Object.values(line).map(String).join(' ')).join('\n'),
    );
    note('the vault', filesIn(path.join(proxy.dir, '.proxy')));
    note('command lines', commandLines());
    expect(seen.get('the log')).toContain('[REDACTED]');
    expect(seen.get('the vault')).toContain('"encrypted"');
    const hits = [...seen].flatMap(([where, text]) =>
      Object.entries(canaries).flatMap(([what, value]) =>
        [...formsOf(value)]
          .filter((form) => form.length >= 12 && text.includes(form))
          .map((form) => `${what} in ${where}: ${form.slice(0, 20)}`),
      ),
    );
    expect(hits).toEqual([]);
  });
});

/** The text of every file below. */
function filesIn(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, 'latin1'))
    .join('\n');
}

function commandLines(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      } catch {
        return '';
      }
    })
    .join('\n');
}

describe('while the proxy serves', () => {
  let proxy: RunningProxy;
  beforeAll(async () => {
    proxy = await startProxy({
      // The master key is not kept in memory, so that each look at the vault needs it.
      config: 'secrets: { cache: 0ms }',
      tenants: { acme: tenantYaml('acme', 'echo', '', { API_TOKEN: '${vault:API_TOKEN}' }) },
    });
  });
  afterAll(() => proxy.stop());
  const keyFile = () => path.join(proxy.dir, '.proxy/master.key');
  const replace = (file: string, text: string) => {
    writeFileSync(`${file}.tmp`, text, { mode: 0o600 });
    renameSync(`${file}.tmp`, file);
  };
  const problems = async () => (await proxy.status()).problems;
  const tokenNow = async () => {
    const client = await connect(proxy.url, proxy.keys['acme']!);
    const token = await callJson<string>(client, 'env', { name: 'API_TOKEN' });
    await client.close();
    return token;
  };

  test('a tenant whose secret is missing waits for it, and says for what', async () => {
    expect((await proxy.status()).tenants).toEqual([]);
    const [problem] = await problems();
    expect(problem).toMatchObject({ code: 'MISSING_SECRET', line: 5 });
    expect(problem?.message).toContain('proxy secret set acme API_TOKEN');
    await setSecret(proxy, 'acme', 'API_TOKEN', 'first-token-of-acme');
    expect(await problems()).toEqual([]);
    expect(await tokenNow()).toBe('first-token-of-acme');
  });

  test('rotation of the master key and of a secret loses no call, and only the latter changes workers', async () => {
    const session = await openRawSession(proxy.url, proxy.keys['acme']!);
    const pidOf = async () => (parseAnswer(await session.text('whoami')) as { pid: number }).pid;
    const before = await pidOf();
    const over = new AbortController();
    let calls = 0;
    const failures: string[] = [];
    const callers = Array.from({ length: 4 }, async () => {
      while (!over.signal.aborted) {
        const answer = await session.call('sleep', { ms: 5 });
        calls++;
        if (!answer.includes('slept 5')) failures.push(answer);
      }
    });
    const oldKey = readFileSync(keyFile(), 'utf8');
    for (let round = 0; round < 2; round++) {
      const { code, out } = await secret(proxy, ['rotate', '--new-key']);
      expect({ code, out }).toEqual({
        code: 0,
        out: expect.stringMatching(/^1 secret sealed anew/) as string,
      });
    }
    expect(readFileSync(keyFile(), 'utf8')).not.toBe(oldKey);
    expect(readFileSync(keyFile(), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
    expect(await problems()).toEqual([]);
    expect(await pidOf()).toBe(before);
    await setSecret(proxy, 'acme', 'API_TOKEN', 'second-token-of-acme');
    await eventually(async () => (await pidOf()) !== before);
    over.abort();
    await Promise.all(callers);
    expect(failures).toEqual([]);
    expect(calls).toBeGreaterThan(20);
    expect(await tokenNow()).toBe('second-token-of-acme');
  });

  test('a wrong master key says what to do, the tenant goes on, and the right one mends it', async () => {
    const right = readFileSync(keyFile(), 'utf8');
    const wrong = randomBytes(32).toString('hex');
    replace(keyFile(), wrong);
    expect(await secret(proxy, ['rotate', '--new-key'])).toMatchObject({ code: 1, out: '' });
    expect(readFileSync(keyFile(), 'utf8').trim()).toBe(wrong);
    proxy.write('acme', tenantYaml('acme', 'echo', 'pool: { max: 3 }', { API_TOKEN: '${vault:API_TOKEN}' }));
    const [problem] = await eventually(async () => {
      const found = await problems();
      return found.length > 0 && found;
    });
    expect(problem?.code).toBe('VAULT_LOCKED');
    expect(problem?.message).toMatch(
      /sealed with the master key [0-9a-f]{16}.*master\.key has [0-9a-f]{16}; put that key back/,
    );
    expect(await tokenNow()).toBe('second-token-of-acme');
    const check = await proxy.run('check');
    expect(check).toMatchObject({
      code: 1,
      out: expect.stringMatching(/acme\.yaml:5:\d+ VAULT_LOCKED/) as string,
    });
    const set = await secret(proxy, ['rotate']);
    expect(set).toMatchObject({
      code: 1,
      err: expect.stringMatching(/not at hand; put it on a line below/) as string,
    });
    replace(keyFile(), right);
    await proxy.run('reload');
    expect(await problems()).toEqual([]);
    expect(await tokenNow()).toBe('second-token-of-acme');
  });

  test('a record that is changed by another hand is not believed, and the tenant goes on', async () => {
    const file = path.join(proxy.dir, '.proxy/vault/acme.json');
    const sound = readFileSync(file, 'utf8');
    const { secrets } = JSON.parse(sound) as { secrets: Record<string, { authTag: string }> };
    const tag = secrets['API_TOKEN']!.authTag;
    replace(file, sound.replace(tag, randomBytes(16).toString('base64')));
    await proxy.run('reload');
    expect(await problems()).toMatchObject([{ code: 'VAULT_DAMAGED', line: 5 }]);
    expect(await tokenNow()).toBe('second-token-of-acme');
    replace(file, sound);
    await proxy.run('reload');
    expect(await problems()).toEqual([]);
  });

  test('a mounted file that changes reaches new workers', async () => {
    const file = path.join(proxy.dir, 'mounted');
    replace(file, 'mounted-one\n');
    proxy.write('globex', tenantYaml('globex', 'echo', '', { API_TOKEN: '${file:./mounted}' }));
    await eventually(async () => (await proxy.status()).tenants.length === 2);
    const client = await connect(proxy.url, proxy.keys['globex']!);
    const token = () => callJson<string>(client, 'env', { name: 'API_TOKEN' });
    expect(await token()).toBe('mounted-one');
    replace(file, 'mounted-two\n');
    await proxy.run('reload');
    await eventually(async () => (await token()) === 'mounted-two');
    // One that is taken away leaves the tenant as it is.
    replace(file, '');
    await proxy.run('reload');
    expect(await problems()).toMatchObject([{ code: 'MISSING_SECRET' }]);
    expect(await token()).toBe('mounted-two');
  });

  test('a secret that is removed leaves its tenant as it is, and says so', async () => {
    const { code, err } = await secret(proxy, ['rm', 'acme', 'API_TOKEN']);
    expect(code).toBe(0);
    expect(err).toMatch(/still takes it/);
    expect((await problems()).map(({ code: each }) => each)).toContain('MISSING_SECRET');
    expect(await tokenNow()).toBe('second-token-of-acme');
    expect(existsSync(path.join(proxy.dir, '.proxy/vault/acme.json'))).toBe(false);
  });
});

describe('proxy secret', () => {
  let proxy: RunningProxy;
  beforeAll(async () => {
    proxy = await startProxy({ tenants: { acme: tenantYaml('acme', 'echo') } });
  });
  afterAll(() => proxy.stop());

  test('makes a master key for the first secret, for its owner only, and says to keep a copy', async () => {
    const { code, out, err } = await secret(proxy, ['set', 'acme', 'API_TOKEN'], 'value-one\n');
    expect({ code, out }).toEqual({ code: 0, out: 'Set API_TOKEN of acme\n' });
    expect(err).toMatch(/Made a master key in .*Keep a copy/);
    expect(err).toMatch(/Nothing takes it yet.*\$\{vault:API_TOKEN\}/);
    expect(statSync(path.join(proxy.dir, '.proxy/master.key')).mode & 0o777).toBe(0o600);
    const again = await secret(proxy, ['set', 'acme', 'API_TOKEN'], 'value-two');
    expect(again.out).toBe('Changed API_TOKEN of acme\n');
    expect(again.err).not.toMatch(/Made/);
  });

  test('lists names, and never values', async () => {
    const { out } = await secret(proxy, ['list']);
    expect(out).toMatch(
      /^TENANT +NAME +UPDATED +MASTER KEY\nacme +API_TOKEN +\d{4}-\d\d-\d\d +[0-9a-f]{16}\n$/,
    );
    expect(JSON.parse((await secret(proxy, ['list', 'acme', '--json'])).out)).toMatchObject([
      { tenant: 'acme', name: 'API_TOKEN' },
    ]);
  });

  test.each<[string, { args: readonly string[]; input: string; code: number; message: RegExp }]>([
    ['no value', { args: ['set', 'acme', 'A'], input: '', code: 1, message: /nothing came from stdin/ }],
    [
      'a value on the command line',
      { args: ['set', 'acme', 'A', 'in-argv-4711'], input: '', code: 2, message: /too many arguments/ },
    ],
    [
      'a value where the name belongs',
      { args: ['set', 'acme', 'in argv 4711'], input: 'x', code: 1, message: /its value comes from stdin/ },
    ],
    [
      'a path where the tenant belongs',
      { args: ['set', '../acme', 'A'], input: 'x', code: 1, message: /no tenant id/ },
    ],
    [
      'a secret that is not there',
      { args: ['rm', 'acme', 'NONE'], input: '', code: 1, message: /no secret of this name/ },
    ],
  ])('%s is refused, and not quoted', async (_what, { args, input, code, message }) => {
    const result = await secret(proxy, args, input);
    expect(result).toMatchObject({ code, err: expect.stringMatching(message) as string });
    expect(result.err + result.out).not.toContain('4711');
  });

  test('rotate --new-key is for a key in a file', async () => {
    writeFileSync(
      proxy.configFile,
      'admin: { socket: ./admin.sock }\nsecrets: { masterKey: { env: THE_KEY } }\n',
    );
    const { code, err } = await secret(proxy, ['rotate', '--new-key']);
    expect(code).toBe(2);
    expect(err).toMatch(/for a master key in a file/);
    const without = await secret(proxy, ['rotate']);
    expect(without).toMatchObject({ code: 1, err: expect.stringMatching(/THE_KEY is not set/) as string });
  });
});
