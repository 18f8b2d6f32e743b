import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Status } from '../../src/admin/status.ts';
import { callJson, callText, connect } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive, runCommand, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

const cli = path.resolve(import.meta.dirname, '../../dist/cli/main.js');
const secret = 's3cr3t-of-acme-8472';

let proxy: RunningProxy;
beforeAll(async () => {
  proxy = await startProxy({
    tenants: {
      acme: tenantYaml('acme', 'echo', '', { API_TOKEN: secret }),
      globex: tenantYaml('globex', 'echo'),
      off: tenantYaml('off', 'echo', 'enabled: false'),
    },
    config: 'workers: { isolation: none }',
  });
});
afterAll(() => proxy.stop());

const client = (id: string) => connect(proxy.url, proxy.keys[id]!);
const workersOf = async (id: string) =>
  (await proxy.status()).tenants.find((tenant) => tenant.id === id)?.workers ?? [];
/** A tenant that has a worker which is idle; its process id. */
async function withWorker(id: string): Promise<number> {
  const { pid } = await callJson<{ pid: number }>(await client(id), 'whoami');
  await eventually(async () =>
    (await workersOf(id)).some((worker) => worker.pid === pid && worker.state === 'idle'),
  );
  return pid;
}
const port = () => new URL(proxy.url).port;

describe('proxy status', () => {
  test('--json has every key that is promised', async () => {
    const caller = await client('acme');
    const { pid } = await callJson<{ pid: number }>(caller, 'whoami');
    await expect(callText(caller, 'fail')).rejects.toThrow();
    const { code, out, err } = await proxy.run('status', '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const number = expect.any(Number) as number;
    const generation = expect.stringMatching(/^[0-9a-f]{8}$/) as string;
    const document = JSON.parse(out) as Status;
    expect(document).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      uptimeMs: number,
      state: 'ready',
      url: proxy.url,
      isolation: 'process only',
      isolationReason: 'workers.isolation is none',
      cgroups: null,
      cgroupsReason: 'workers.isolation is none',
      rssBytes: number,
      totals: {
        tenants: 3,
        workers: 1,
        maxWorkers: 200,
        sessions: 1,
        inFlight: 0,
        calls: number,
        errors: 1,
        securityReports: 0,
        totalAcquired: number,
        totalCreated: 1,
        currentPoolSize: 1,
        activeTenants: 1,
        reuseRatio: number,
      },
      tenants: [expect.anything(), expect.anything(), expect.anything()],
      problems: [],
    } satisfies Status);
    const [acme, globex, off] = document.tenants;
    expect(acme).toEqual({
      id: 'acme',
      state: 'ready',
      server: 'default',
      generation,
      maxWorkers: 5,
      workers: [
        {
          pid,
          state: 'idle',
          generation: acme!.generation,
          ageMs: number,
          idleMs: number,
          inFlight: 0,
          calls: 2,
          sessions: 1,
          rssBytes: number,
        },
      ],
      sessions: 1,
      inFlight: 0,
      queued: 0,
      calls: number,
      errors: 1,
      p50Ms: number,
      p95Ms: number,
      lastError: acme!.lastError,
      securityReports: 0,
      retryInMs: null,
    } satisfies Status['tenants'][number]);
    expect(globex).toMatchObject({
      id: 'globex',
      state: 'idle',
      workers: [],
      calls: 0,
      p50Ms: null,
      lastError: null,
    });
    expect(off).toMatchObject({ id: 'off', state: 'disabled', workers: [] });
    const { totals } = document;
    expect(totals.totalAcquired).toBeGreaterThan(totals.totalCreated);
    expect(totals.reuseRatio).toBeCloseTo(1 - totals.totalCreated / totals.totalAcquired);
    await caller.close();
  });

  test('as a table: one row for each tenant, and the totals', async () => {
    await withWorker('acme');
    const { code, out, err } = await proxy.run('status');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /^proxy \d+\.\d+\.\d+ is ready at http:\/\/127\.0\.0\.1:\d+\/mcp, up \S+, isolation: process only\n/,
    );
    expect(out).toMatch(/^TENANT +STATE +SERVER +WORKERS/m);
    expect(out).toMatch(/^acme +ready +default +1\/5 /m);
    expect(out).toMatch(/^off +disabled +default +0\/5 /m);
    expect(out).toMatch(/^3 tenants · 1\/200 workers · /m);
  });

  test('of one tenant, and of one that is not there', async () => {
    const { out } = await proxy.run('status', 'globex', '--json');
    expect((JSON.parse(out) as Status).tenants.map(({ id }) => id)).toEqual(['globex']);
    expect(await proxy.run('status', 'nobody')).toEqual({
      code: 1,
      out: '',
      err: 'no tenant nobody here; see: proxy tenant list\n',
    });
  });

  test('no secret is in it, nor in what the proxy logs', async () => {
    await withWorker('acme');
    const { out } = await proxy.run('status', '--json');
    for (const text of [out, JSON.stringify(proxy.logs)]) {
      expect(text).not.toContain(secret);
      for (const key of Object.values(proxy.keys)) expect(text).not.toContain(key);
    }
  });

  test.each([[['--json']], [[]]])(
    '--watch %j shows it again and again, and Ctrl-C ends it',
    async (options) => {
      const watching = spawn(
        process.execPath,
        [cli, 'status', '--watch', ...options, '--config', proxy.configFile],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      );
      try {
        const lines: string[] = [];
        createInterface({ input: watching.stdout }).on('line', (line) => lines.push(line));
        const isFirst = (line: string) => /^(\{"version"|proxy \d)/.test(line);
        await eventually(() => lines.filter(isFirst).length >= 2);
        watching.kill('SIGINT');
        expect(await once(watching, 'exit')).toEqual([0, null]);
        if (options.length > 0)
          for (const line of lines) expect(JSON.parse(line)).toMatchObject({ state: 'ready' });
      } finally {
        watching.kill('SIGKILL');
      }
    },
  );
});

describe('proxy restart', () => {
  test('gives a tenant new workers, and the call in flight is answered by the old one', async () => {
    const caller = await client('globex');
    const { pid } = await callJson<{ pid: number }>(caller, 'whoami');
    const call = callText(caller, 'sleep', { ms: 1500 });
    await eventually(async () => (await workersOf('globex'))[0]?.inFlight === 1);
    expect(await proxy.run('restart', 'globex')).toEqual({
      code: 0,
      out: 'Restarting 1 worker of globex; calls in flight finish first\n',
      err: '',
    });
    const after = await callJson<{ pid: number }>(caller, 'whoami');
    expect(after.pid).not.toBe(pid);
    expect(await call).toBe('slept 1500');
    await eventually(() => !isAlive(pid));
  });

  test('of a tenant without workers, of nobody, of no tenant at all', async () => {
    expect(await proxy.run('restart', 'off')).toMatchObject({
      code: 0,
      out: 'off has no worker now; the next call starts one\n',
    });
    expect(await proxy.run('restart', 'nobody')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(
        /^TENANT_NOT_CONFIGURED There is no tenant nobody; is tenants\/nobody\.yaml there/,
      ) as string,
    });
    expect(await proxy.run('restart', '../acme')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^INVALID_TENANT /) as string,
    });
  });
});

describe('proxy reap', () => {
  test('ends idle workers, of one tenant or of all, and leaves those that work', async () => {
    const [acme, globex] = [await withWorker('acme'), await withWorker('globex')];
    expect(await proxy.run('reap', 'acme')).toEqual({ code: 0, out: 'Cleaned up 1 idle worker\n', err: '' });
    await eventually(() => !isAlive(acme));
    expect(isAlive(globex)).toBe(true);
    const again = await withWorker('acme');
    const call = callText(await client('globex'), 'sleep', { ms: 5000 });
    await eventually(async () => (await workersOf('globex'))[0]?.inFlight === 1);
    expect(await proxy.run('reap')).toMatchObject({ code: 0, out: 'Cleaned up 1 idle worker\n' });
    await eventually(() => !isAlive(again));
    expect(await call).toBe('slept 5000');
  });

  test('of nobody', async () => {
    expect(await proxy.run('reap', 'nobody')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^TENANT_NOT_CONFIGURED /) as string,
    });
  });
});

describe('commands that read the folder', () => {
  test('proxy check', async () => {
    const { code, out, err } = await proxy.run('check');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    // The tests' own key stands there in plain text.
    expect(out).toMatch(
      /^tenants\/acme\.yaml:5:\d+ warning PLAIN_SECRET .*\n3 tenants, no problem found, 1 warning\n$/,
    );
    expect(out).not.toContain(secret);
    proxy.write('acme-2', 'tenant: acme-2\nservr: {}\n');
    try {
      const { code, out } = await proxy.run('check');
      expect(code).toBe(1);
      expect(out).toMatch(
        /^tenants\/acme-2\.yaml:2:1 INVALID_SETTING There is no such key here; write "server"\?$/m,
      );
    } finally {
      proxy.remove('acme-2');
    }
  });

  test('proxy check of a file nested without end says so', async () => {
    // In a folder of its own: the running proxy is not what is tested here.
    const own = path.join(proxy.dir, 'own');
    mkdirSync(path.join(own, 'tenants'), { recursive: true });
    for (const [index, mark] of ['[', '{', '[', '{', '[', '{'].entries())
      writeFileSync(path.join(own, `tenants/deep-${index}.yaml`), mark.repeat(64 * 1024));
    writeFileSync(path.join(own, 'p.yaml'), '');
    const { code, out } = await runCommand(['check', '--config', path.join(own, 'p.yaml')], { cwd: own });
    expect(code).toBe(1);
    for (let index = 0; index < 6; index++)
      expect(out).toContain(`tenants/deep-${index}.yaml:1:101 YAML_SYNTAX This is nested without end`);
  });

  test('proxy tenant list', async () => {
    const { code, out } = await proxy.run('tenant', 'list');
    expect(code).toBe(0);
    expect(out).toMatch(/^acme +yes +1 +default$/m);
    expect(out).toMatch(/^off +no +1 +default$/m);
  });

  test('proxy client-config: what it says for Claude Code is where the proxy is', async () => {
    const { code, out } = await proxy.run(
      'client-config',
      'acme',
      '--key',
      proxy.keys['acme']!,
      '--url',
      proxy.url,
    );
    expect(code).toBe(0);
    expect(out).toContain(
      `claude mcp add --transport http acme ${proxy.url} --header "Authorization: Bearer ${proxy.keys['acme']}"`,
    );
    // What is printed for curl, run as it stands there.
    const [, curl] = /curl:\n([^]*?)\n\n/.exec(out) ?? [];
    const shell = spawn('sh', ['-c', (curl ?? '').trim()], { stdio: ['ignore', 'pipe', 'ignore'] });
    let answer = '';
    shell.stdout.on('data', (piece: Buffer) => (answer += piece.toString()));
    expect(await once(shell, 'close')).toEqual([0, null]);
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
    expect(answer).toMatch(/"serverInfo":/);
  });

  test('proxy key: made, used, listed, revoked', async () => {
    const { code, out } = await proxy.run(
      'key',
      'create',
      'acme',
      '--name',
      'second',
      '--expires',
      '2999-12-31',
    );
    expect(code).toBe(0);
    const key = out.trim();
    const caller = await connect(proxy.url, key);
    expect(await callText(caller, 'echo', { text: 'hello' })).toBe('hello');
    const listed = await proxy.run('key', 'list', 'acme');
    expect(listed.out).toMatch(/^test +- +never/m);
    expect(listed.out).toMatch(/^second +\d{4}-\d\d-\d\d +2999-12-31 /m);
    expect(listed.out).not.toContain(key);
    expect((await proxy.run('key', 'revoke', 'acme', 'second')).code).toBe(0);
    await expect(connect(proxy.url, key)).rejects.toThrow(/401|UNAUTHENTICATED|valid key/);
  });
});

describe('proxy serve that cannot start', () => {
  test('its port is in use', async () => {
    const { code, out, err } = await proxy.run('serve', '--port', port());
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(
      `proxy: 127.0.0.1:${port()} is in use by another program; stop it, or take another port with --port or listen.port\n`,
    );
  });

  test('its admin socket is in use, and the one that runs goes on', async () => {
    const { code, err } = await proxy.run('serve', '--port', '0');
    expect(code).toBe(2);
    expect(err).toMatch(/^proxy: another proxy is running here: it answers on .*admin\.sock/m);
    expect((await proxy.run('status')).code).toBe(0);
    const caller = await client('acme');
    expect(await callText(caller, 'echo', { text: 'still here' })).toBe('still here');
  });

  test('its address is none of this machine', async () => {
    const { code, err } = await proxy.run('serve', '--host', '192.0.2.1');
    expect(code).toBe(2);
    expect(err).toContain('proxy: 192.0.2.1 is not an address of this machine\n');
  });

  test('its configuration is broken', async () => {
    const bad = path.join(proxy.dir, 'bad.yaml');
    writeFileSync(bad, 'listen: { port: 80800 }\n');
    const { code, out, err } = await runCommand(['serve', '--config', bad], { cwd: proxy.dir });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/bad\.yaml:1:11 INVALID_SETTING listen\.port/);
  });

  test('its environment is broken', async () => {
    const { code, err } = await runCommand(['serve', '--config', proxy.configFile], {
      cwd: proxy.dir,
      env: { PATH: process.env['PATH'] ?? '', PORT: 'http' },
    });
    expect(code).toBe(1);
    expect(err).toMatch(/^environment variable PORT INVALID_SETTING /);
  });

  test('its option is none', async () => {
    const { code, out, err } = await proxy.run('serve', '--port', 'http');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('Write a port between 0 and 65535');
  });
});
