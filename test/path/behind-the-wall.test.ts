import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callText, connect } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { openGuest } from '../support/guest.ts';
import { fixture, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';
import { type Setting, settings } from '../support/tiers.ts';

/** Servers that worked without a wall work behind one, and see no more than they should. */
const reader = `
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { schema, serve, text } from ${JSON.stringify(fixture('stdio'))};
const attempt = (run) => { try { return run(); } catch (error) { return error.code; } };
const tools = {
  list: { inputSchema: schema(), run: ({ path }) => text(attempt(() => readdirSync(path).sort())) },
  read: { inputSchema: schema(), run: ({ path }) => text(attempt(() => readFileSync(path, 'utf8'))) },
  write: { inputSchema: schema(), run: ({ path }) => text(attempt(() => { writeFileSync(path, 'x'); return 'written'; })) },
  home: { inputSchema: schema(), run: () => text([process.env.HOME, process.cwd()]) },
};
serve({ name: 'reader', tools });
`;

/** The script is its own; what it imports is beside the tests, so that its file must say so. */
const readerTenant = (id: string, sandbox = '', read = '') => `tenant: ${id}
server:
  command: node
  args: [app/server.mjs]
  sandbox: { read: [${JSON.stringify(path.dirname(fixture('stdio')))}${read}]${sandbox} }
`;
const filesBeside = {
  'app/server.mjs': reader,
  'app/package.json': '{}',
  '.env': 'SECRET=1',
  'data/notes.txt': 'note',
  'out/x': '',
};

/** Everything below a process, the dead that nobody has collected included. */
function descendantsOf(ancestor: number): { readonly name: string; readonly state: string }[] {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [, name = '', state = '', parent = ''] =
          /^\d+ \((.*)\) (\S) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        return [{ pid: Number(pid), name, state, parent: Number(parent) }];
      } catch {
        return [];
      }
    });
  const below = (parent: number): typeof stats =>
    stats.filter((each) => each.parent === parent).flatMap((each) => [each, ...below(each.pid)]);
  return below(ancestor);
}

const npx = `tenant: npx
server: { command: npx, args: ['-y', '@modelcontextprotocol/server-everything'], cwd: ${JSON.stringify(path.resolve('.'))} }
`;
const hostileTenant = (id: string, mode: string) => tenantYaml(id, 'hostile', '', { MODE: mode });
const tenants = {
  echo: tenantYaml('echo', 'echo'),
  stopped: hostileTenant('stopped', 'exit-on-sigterm'),
  crashing: hostileTenant('crashing', 'segfault'),
  parent: hostileTenant('parent', 'orphans'),
  one: readerTenant('one'),
  other: readerTenant('other'),
  viewer: readerTenant('viewer'),
  given: readerTenant('given', ', write: [./out]', ', /etc/hostname'),
  lonely: tenantYaml('lonely', 'hostile', '').replace('server:', 'server:\n  sandbox: { network: none }'),
  npx,
};

async function start(setting: Setting): Promise<RunningProxy> {
  const proxy = await startProxy({
    tenants,
    setting,
    config: `workers: { isolation: ${setting.isolation} }`,
  });
  for (const [name, content] of Object.entries(filesBeside)) {
    mkdirSync(path.dirname(path.join(proxy.dir, name)), { recursive: true });
    writeFileSync(path.join(proxy.dir, name), content);
  }
  return proxy;
}

const walled = settings.filter(({ tier }) => tier !== 'process only');
for (const { name, missing } of walled)
  if (missing !== undefined) test.skip(`behind the wall: ${name} (${missing})`, () => undefined);

/** One proxy for all of a setting: its tests are about different tenants. */
describe.each(walled.filter(({ missing }) => missing === undefined))('behind the wall: $name', (setting) => {
  let proxy: RunningProxy;
  beforeAll(async () => {
    proxy = await start(setting);
  });
  afterAll(() => proxy.stop());

  test('a server of the official SDK’s clients answers, and its process has the number that the machine knows it by', async () => {
    const status = await proxy.status();
    expect(status.isolation).toBe(setting.tier);
    const client = await connect(proxy.url, proxy.keys['echo']!);
    expect(await callText(client, 'echo', { text: 'hello' })).toBe('hello');
    const row = (await proxy.status()).tenants.find(({ id }) => id === 'echo');
    const [worker] = row!.workers;
    expect(existsSync(`/proc/${worker!.pid}`)).toBe(true);
    // Node alone takes more than this: it is the server that is measured, not the wall around it.
    expect(worker!.rssBytes).toBeGreaterThan(20 * 1024 ** 2);
    await client.close();
  });

  const exitOf = (id: string, events: readonly string[]) =>
    proxy.logged(({ event, tenant }) => tenant === id && events.includes(String(event)));

  test('one that is stopped hears SIGTERM itself, before its wall comes down', async () => {
    await openGuest(proxy, 'stopped');
    expect((await proxy.run('reap', 'stopped')).code).toBe(0);
    expect((await exitOf('stopped', ['worker.exited']))['exitCode']).toBe(43);
  });

  test('one that is ended by a signal is told so', async () => {
    await openGuest(proxy, 'crashing').catch(() => undefined);
    const exited = await exitOf('crashing', ['worker.exited', 'worker.failed']);
    expect(exited['signal'] ?? exited['reason']).toContain('SIGSEGV');
  });

  test('two tenants have a home each, and keep what is in it', async () => {
    const [one, other] = [await openGuest(proxy, 'one'), await openGuest(proxy, 'other')];
    const [home = ''] = JSON.parse((await one.call('home')).text ?? '') as string[];
    const [otherHome = ''] = JSON.parse((await other.call('home')).text ?? '') as string[];
    expect((await one.call('write', { path: `${home}/kept` })).text).toBe('written');
    expect((await other.call('read', { path: `${otherHome}/kept` })).text).toBe('ENOENT');
    await proxy.run('restart', 'one');
    const again = await openGuest(proxy, 'one');
    expect((await again.call('read', { path: `${home}/kept` })).text).toBe('x');
  });

  if (setting.tier !== 'bubblewrap') return;
  describe('which is a sandbox', () => {
    test('a server sees its own folder and its package, and nothing that is hidden', async () => {
      const { dir } = proxy;
      const guest = await openGuest(proxy, 'viewer');
      expect((await guest.call('list', { path: dir })).text).toBe('["app","data","out"]');
      expect((await guest.call('read', { path: `${dir}/data/notes.txt` })).text).toBe('note');
      for (const name of ['tenants', '.proxy', 'admin.sock', '.env', 'proxy.config.yaml'])
        expect((await guest.call('read', { path: path.join(dir, name) })).text).toBe('ENOENT');
      expect((await guest.call('write', { path: `${dir}/data/new` })).text).toBe('EROFS');
      for (const file of ['/etc/shadow', '/var/log', '/sys', '/boot', '/etc/hostname'])
        expect((await guest.call('read', { path: file })).text).toMatch(/ENOENT|EACCES/);
      expect((await guest.call('list', { path: '/home' })).text).toMatch(/ENOENT|\[\]/);
    });

    test('and what its file gives it under sandbox, also when somebody puts another folder in place of the tenants’', async () => {
      const { dir } = proxy;
      if (setting.uid !== undefined || setting.name.includes('root')) await open(path.join(dir, 'out'));
      const guest = await openGuest(proxy, 'given');
      expect((await guest.call('write', { path: `${dir}/out/new` })).text).toBe('written');
      expect((await guest.call('read', { path: '/etc/hostname' })).text).not.toBe('ENOENT');
      mkdirSync(path.join(dir, 'later'));
      expect((await guest.call('list', { path: dir })).text).toBe('["app","data","out"]');
    });

    test('what ends there without a parent is collected: no zombie is left', async () => {
      const asked = openGuest(proxy, 'parent');
      const sleepers = () => descendantsOf(proxy.pid).filter(({ name }) => name === 'sleep');
      expect(await eventually(() => sleepers().length === 5)).toBe(true);
      const guest = await asked;
      await eventually(() => sleepers().length === 0);
      const areGone = () => !descendantsOf(proxy.pid).some(({ state }) => state === 'Z');
      // What another tenant's server is just leaving is nobody's zombie yet.
      expect(await eventually(areGone)).toBe(true);
      expect((await guest.call('modes')).text).toContain('orphans');
    });

    test('network: none leaves it nobody to talk to', async () => {
      const guest = await openGuest(proxy, 'lonely');
      expect((await guest.call('connect', { url: proxy.url })).text).toMatch(/ECONNREFUSED|ENETUNREACH/);
    });

    test('a real server from npm runs behind the wall', async () => {
      const client = await connect(proxy.url, proxy.keys['npx']!);
      expect(await callText(client, 'echo', { message: 'hello' })).toContain('hello');
      await client.close();
    });
  });
});

const open = (folder: string) => new Promise((resolve) => execFile('chmod', ['-R', '777', folder], resolve));
